#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Starts what a Spark container is for, by the contract of Spark's own images:
#   driver ARGUMENT...  spark-submit in client mode, bound to $SPARK_DRIVER_BIND_ADDRESS
#   executor            one executor, described by $SPARK_EXECUTOR_*, $SPARK_DRIVER_URL, …
#   anything else       is run as it is
set -e

: "${SPARK_HOME:=/opt/spark}"
: "${JAVA_HOME:=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}"

# Hadoop asks for the user's name and fails without one; runAsUser may name an id that has none.
name_this_user() {
	local id group wrapper
	id=$(id -u)
	group=$(id -g)
	! getent passwd "$id" >/dev/null || return 0
	local entry="${SPARK_USER_NAME:-spark-$id}:x:$id:$group:Spark:$SPARK_HOME:/bin/false"
	if [ -w /etc/passwd ]; then
		printf '%s\n' "$entry" >>/etc/passwd
		return
	fi
	for wrapper in /usr/lib/*/libnss_wrapper.so; do
		[ -e "$wrapper" ] || return 0
		NSS_WRAPPER_PASSWD=$(mktemp)
		NSS_WRAPPER_GROUP=$(mktemp)
		printf '%s\n' "$entry" >"$NSS_WRAPPER_PASSWD"
		printf 'spark:x:%s:\n' "$group" >"$NSS_WRAPPER_GROUP"
		export LD_PRELOAD=$wrapper NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
	done
}

# Spark hands an executor its JVM options as SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, …
read_java_options() {
	local i=0 name=SPARK_JAVA_OPT_0
	java_options=()
	while [ -n "${!name+set}" ]; do
		java_options+=("${!name}")
		i=$((i + 1))
		name=SPARK_JAVA_OPT_$i
	done
}

executor_classpath() {
	local path=${SPARK_CONF_DIR:-$SPARK_HOME/conf}
	path+=${HADOOP_CONF_DIR:+:$HADOOP_CONF_DIR}${SPARK_CLASSPATH:+:$SPARK_CLASSPATH}
	path+=":$SPARK_HOME/jars/*${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}"
	printf '%s' "$path${SPARK_DIST_CLASSPATH:+:$SPARK_DIST_CLASSPATH}:$PWD"
}

# As root, Spark's processes run as the user 'spark'.
unprivileged=()
[ "$(id -u)" != 0 ] || unprivileged=(setpriv --reuid spark --regid spark --init-groups)
name_this_user

case ${1-} in
driver)
	shift
	exec "${unprivileged[@]}" tini -s -- "$SPARK_HOME/bin/spark-submit" \
		--conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
		--conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
		--deploy-mode client "$@"
	;;
executor)
	read_java_options
	exec "${unprivileged[@]}" tini -s -- "$JAVA_HOME/bin/java" "${java_options[@]}" \
		"-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
		-cp "$(executor_classpath)" \
		org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
		--driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" \
		--cores "$SPARK_EXECUTOR_CORES" --app-id "$SPARK_APPLICATION_ID" \
		--hostname "$SPARK_EXECUTOR_POD_IP" --podName "$SPARK_EXECUTOR_POD_NAME" \
		--resourceProfileId "$SPARK_RESOURCE_PROFILE_ID"
	;;
*) exec "$@" ;;
esac
