#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stepop submit as it is typed, as far as it goes without a cluster.
# usage: STEPOP=build/asan/stepop tests/cli/submit_cli.sh      (output: TAP)
set -uo pipefail
stepop=$(realpath "${STEPOP:?set it to the stepop to test}") || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder
unset KUBECONFIG SPARK_HOME SPARK_CONF_DIR HADOOP_CONF_DIR MASTER DEPLOY_MODE SPARK_USER KUBERNETES_SERVICE_HOST
cd "$folder" || exit 1
count=0 failed=0

# says NAME STATUS TEXT ARGUMENT...: ends with that status, and the text is among what it says.
says() {
	local name=$1 status=$2 text=$3 got
	shift 3
	"$stepop" "$@" >out 2>err </dev/null
	got=$?
	count=$((count + 1))
	if [ "$got" = "$status" ] && grep -qF -- "$text" out err; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name (status $got, expected $status, and '$text')"
		sed 's/^/# /' out err
	fi
}

image=(--conf spark.kubernetes.container.image=example.org/spark:4.3.0)
app=(--class org.example.Main local:///app.jar)
cat >application.yaml <<'YAML'
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: pi}
spec:
  type: Python
  mode: cluster
  sparkVersion: "3.5.9"
  image: example.org/spark:3.5.9
  mainApplicationFile: local:///app.py
  timeToLiveSeconds: 5
  driver: {memory: 512m}
  executor: {instances: 1, memory: 512m}
YAML
sed 's/instances: 1/instnces: 1/' application.yaml >wrong.yaml
echo 'print()' >app.py

says "a dry run prints objects" 0 "kind: NetworkPolicy" submit --dry-run=client "${image[@]}" "${app[@]}"
says "for the Spark that is asked for" 0 "spark-version: \"3.5.9\"" submit --dry-run=client --spark-version=3.5 "${image[@]}" "${app[@]}"
says "-o name prints names" 0 "Pod/main-" submit --dry-run=client -o name --name main "${image[@]}" "${app[@]}"
says "-o json prints a List" 0 '"kind": "List"' submit --dry-run=client -o json "${image[@]}" "${app[@]}"
says "what follows the application is its own" 0 "- \"--help\"" submit --dry-run=client "${image[@]}" local:///a.py -x --help
says "a local file travels in a ConfigMap" 0 "local:///opt/stepop/files/app.py" submit --dry-run=client "${image[@]}" app.py
says "-n is the namespace" 0 "namespace: team" submit --dry-run=client -n team "${image[@]}" "${app[@]}"
says "a manifest is read" 0 "name: pi-driver" submit --dry-run=client -f application.yaml
says "and what has no meaning is told" 0 "application.yaml:10:3: spec.timeToLiveSeconds" submit --dry-run=client -f application.yaml
says "its faults have places" 9 "did you mean 'instances'" submit --dry-run=client -f wrong.yaml
says "--conf holds for a file, too" 0 "spark.eventLog.enabled=true" submit --dry-run=client -f application.yaml --conf spark.eventLog.enabled=true
says "other options are its fields" 2 "--driver-memory does not go with -f" submit --dry-run=client -f application.yaml --driver-memory 1g
says "an application and a file do not go together" 2 "do not go together" submit -f application.yaml "${app[@]}"
says "something is to be submitted" 2 "nothing to submit" submit
says "an image is needed" 9 "spark.kubernetes.container.image" submit --dry-run=client "${app[@]}"
says "an unknown release is refused" 9 "9.9" submit --dry-run=client --spark-version=9.9 "${image[@]}" "${app[@]}"
says "an option of YARN is refused with the reason" 2 "--queue is for YARN" submit --queue q "${image[@]}" "${app[@]}"
says "client mode is refused with the reason" 9 "client" submit --deploy-mode client "${image[@]}" "${app[@]}"
says "pods are restricted where that is asked for" 0 "allowPrivilegeEscalation: false" submit --dry-run=client --pod-security restricted "${image[@]}" "${app[@]}"
says "a manifest's pods, too" 0 "runAsNonRoot: true" submit --dry-run=client --pod-security restricted -f application.yaml
says "what contradicts it is refused" 9 "does not allow a hostPath" submit --dry-run=client --pod-security restricted --conf spark.kubernetes.executor.volumes.hostPath.a.mount.path=/a --conf spark.kubernetes.executor.volumes.hostPath.a.options.path=/a "${image[@]}" "${app[@]}"
says "there are two levels of pod security" 2 "--pod-security is one of none, restricted" submit --dry-run=client --pod-security baseline "${image[@]}" "${app[@]}"
says "a timeout is a duration" 2 "--start-timeout: 'soon' is no duration" submit --start-timeout soon "${image[@]}" "${app[@]}"
says "an id with blanks is none" 9 "a b" submit --master k8s://https://127.0.0.1:1 --status 'a b'
says "the cluster is needed to submit" 5 "kubeconfig" submit "${image[@]}" "${app[@]}"
says "memory is explained" 0 "4505Mi" explain memory --driver-memory 4g "${app[@]}"
says "Python has more overhead" 0 "5734Mi" explain memory --driver-memory 4g local:///a.py
says "a manifest's, too" 0 "0.4 x 512Mi" explain memory -f application.yaml
says "rights are rendered without a project" 0 "name: stepop-driver-spark" rbac render -n team --service-account spark

echo "1..$count"
[ "$failed" = 0 ]
