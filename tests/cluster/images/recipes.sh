# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# How each image of the test cluster is made, without Docker: build_image_NAME FOLDER.
# It takes root, because files in a layer have the owners that they have here.
# Sourced by build.sh and others for the names.
# shellcheck disable=SC2034,SC2154 # $images is for others; $here, $cache and $setup are lib.sh's
# shellcheck disable=SC2016 # hooks are expanded by mmdebstrap's shell

images=(pause busybox python spark spark4)
registry=stepop.test # a name that resolves nowhere: nothing may be pulled
declare -A spark_versions=([spark]=3.5.9 [spark4]=4.3.0)
# S3A for the Hadoop client that Spark 3.5 has inside, by the versions of Hadoop's own pom. What
# the one in 4.3 takes weighs 700 MB; no test of it needs S3.
spark_jars=(org.apache.hadoop:hadoop-aws:3.3.4
	com.amazonaws:aws-java-sdk-bundle:1.12.262
	org.wildfly.openssl:wildfly-openssl:1.0.7.Final)
debian_packages=ca-certificates,libgomp1,netbase,procps,python3,tini,tzdata
java_packages=openjdk-17-jre-headless,libnss-wrapper
path=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

image_name() {
	case $1 in
	pause) printf '%s/pause:1\n' $registry ;;
	busybox) printf '%s/busybox:1.35\n' $registry ;;
	python) printf '%s/python:3.11\n' $registry ;;
	spark | spark4) printf '%s/spark:%s\n' $registry "${spark_versions[$1]}" ;;
	esac
}

image_key() {
	local common=(images/oci.py assemble layer_of "build_image_$1" "$(image_name "$1")")
	case $1 in
	pause) digest_of "${common[@]}" images/pause.c ;;
	busybox) digest_of "${common[@]}" ;;
	python) digest_of "${common[@]}" debian_layer "$debian_packages" ;;
	java) digest_of build_image_java debian_layer "$spark_user" "$debian_packages,$java_packages" ;;
	spark | spark4)
		digest_of "${common[@]}" "$(image_key java)" java_layer python_layer s3_layer \
			spark_layer spark_config examples_jar "${spark_jars[*]}" \
			images/entrypoint.sh images/decom.sh images/SparkPi.scala \
			"$(basename "$("$setup" "$1")")" # the same Spark and Python packages
		;;
	esac
}

image_keys() {
	local image
	for image in "${images[@]}"; do printf '%s %s\n' "$image" "$(image_key "$image")"; done
}

# assemble FOLDER IMAGE CONFIG LAYER...
assemble() {
	local folder=$1 name
	name=$(image_name "$2")
	shift 2
	python3 "$here/images/oci.py" "$folder" "$name" "$@"
}

# layer_of FOLDER LAYER: moves the contents of FOLDER into a tar.
layer_of() {
	tar --create --file "$2" --directory "$1" --sort name --numeric-owner \
		--format posix --pax-option delete=atime,delete=ctime .
	rm -rf "$1"
}

build_image_pause() {
	mkdir "$1/root"
	gcc -Os -static -s -o "$1/root/pause" "$here/images/pause.c"
	layer_of "$1/root" "$1/layer.tar"
	assemble "$1" pause '{"Entrypoint": ["/pause"], "User": "65535:65535"}' "$1/layer.tar"
}

build_image_busybox() {
	local root=$1/root applet
	mkdir -p "$root"/{bin,etc,home,proc,root,sys,tmp,usr,var} "$1/deb"
	(cd "$1/deb" && retry apt-get -qq -o APT::Sandbox::User=root download busybox-static)
	dpkg-deb -x "$1"/deb/busybox-static_*.deb "$1/deb"
	cp "$1/deb/bin/busybox" "$root/bin/busybox"
	rm -rf "$1/deb"
	for applet in $("$root/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	ln -s bin "$root/sbin"
	ln -s ../bin ../sbin "$root/usr"
	chmod 1777 "$root/tmp"
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' \
		>"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	layer_of "$root" "$1/layer.tar"
	assemble "$1" busybox "{\"Cmd\": [\"sh\"], \"Env\": [\"$path\"]}" "$1/layer.tar"
}

# debian_layer LAYER PACKAGES [OPTION...]: a Debian 12 with these packages, straight into a tar.
# Without manual pages, but Java's post-install script wants their folder.
debian_layer() {
	local layer=$1 packages=$2 sources=/etc/apt/sources.list.d/debian.sources
	shift 2
	# The machine's own mirror, where that has the right packages.
	grep -qs 'Suites:.*bookworm' $sources || sources=
	rm -f "$layer"
	mmdebstrap --quiet --mode root --variant minbase --include "$packages" \
		--skip output/dev --aptopt 'Acquire::Retries "5"' \
		--dpkgopt 'path-exclude=/usr/share/doc/*' --dpkgopt 'path-exclude=/usr/share/man/*' \
		--dpkgopt 'path-exclude=/usr/share/locale/*' \
		--essential-hook 'mkdir -p "$1/usr/share/man/man1"' \
		--customize-hook 'ln -s python3 "$1/usr/bin/python"' \
		--customize-hook ': >"$1/etc/resolv.conf"; rm -f "$1/etc/hostname"' \
		"$@" bookworm "$layer" ${sources:+"$sources"}
}

build_image_python() {
	retry debian_layer "$1/layer.tar" "$debian_packages"
	assemble "$1" python "{\"Cmd\": [\"python3\"], \"Env\": [\"$path\", \"LANG=C.UTF-8\"]}" \
		"$1/layer.tar"
}

# python_layer LAYER: the packages of the spark-submit on this machine, for the image's Python.
python_layer() {
	local root=$1.root packages=usr/local/lib/python3.11/dist-packages
	mkdir -p "$root/$packages"
	retry "$venv/bin/pip" install -q --disable-pip-version-check --upgrade \
		--target "$root/$packages" --only-binary :all: --python-version 3.11 \
		--platform manylinux2014_x86_64 numpy=="$(version_of numpy)" \
		pandas=="$(version_of pandas)" pyarrow=="$(version_of pyarrow)"
	chmod -R go+rX "$root"
	layer_of "$root" "$1"
}

version_of() {
	"$venv/bin/python3" -c "import importlib.metadata as m; print(m.version('$1'))"
}

# spark_layer LAYER VERSION: /opt/spark as the tarballs of Spark have it, out of the installed
# pyspark.
spark_layer() {
	local root=$1.root spark=$1.root/opt/spark pyspark folder
	pyspark=$(echo "$venv"/lib/python3*/site-packages/pyspark)
	mkdir -p "$spark"/{conf,work-dir,python}
	for folder in bin sbin jars data examples licenses; do
		cp -r "$pyspark/$folder" "$spark/$folder"
	done
	cp -r "$pyspark/python/lib" "$spark/python/lib"
	tar -C "$pyspark/.." --exclude __pycache__ \
		--exclude=pyspark/{bin,sbin,jars,data,examples,licenses,python} -c pyspark |
		tar -x -C "$spark/python"
	examples_jar "$spark" "$2"
	printf 'Spark %s\n' "$2" >"$spark/RELEASE"
	install "$here/images/entrypoint.sh" "$here/images/decom.sh" "$root/opt"
	chmod -R u=rwX,go=rX "$root"
	chmod a+x "$spark"/bin/* "$spark"/sbin/*
	chmod g+w "$spark/work-dir"
	chown -R 185:185 "$spark"
	layer_of "$root" "$1"
}

# s3_layer LAYER: the jars by which Spark reads and writes s3a://.
s3_layer() {
	local root=$1.root jars=$1.root/opt/spark/jars jar
	mkdir -p "$jars"
	for jar in "${spark_jars[@]}"; do fetch_jar "$jar" "$jars"; done
	chmod -R u=rwX,go=rX "$root"
	chown -R 185:185 "$root/opt/spark"
	layer_of "$root" "$1"
}

# examples_jar SPARK VERSION: Spark has the Scala compiler inside, so that this takes no JDK.
examples_jar() {
	local spark=$1 scala
	scala=$(basename "$spark"/jars/spark-core_*.jar)
	scala=${scala#spark-core_} scala=${scala%%-*}
	mkdir "$spark/classes" "$spark/examples/jars"
	java -cp "$spark/jars/*" scala.tools.nsc.Main -usejavacp -deprecation \
		-d "$spark/classes" "$here/images/SparkPi.scala"
	(cd "$spark/classes" && python3 -m zipfile -c \
		"$spark/examples/jars/spark-examples_$scala-$2.jar" org)
	rm -r "$spark/classes"
}

# fetch_jar GROUP:ARTIFACT:VERSION FOLDER: from Maven Central, kept in the cache.
fetch_jar() {
	local file kept=$cache/jars
	file=$(cut -d: -f2- <<<"$1" | tr : -).jar
	if [ ! -e "$kept/$file" ]; then
		"$setup" maven
		rm -rf "$kept/partial"
		retry mvn -q -B -Dstyle.color=never dependency:copy -Dartifact="$1" -DoutputDirectory="$kept/partial"
		mv "$kept/partial/$file" "$kept/$file"
	fi
	cp "$kept/$file" "$2"
}

# Group 0 may write /etc/passwd, so that a pod under any user id can give itself a name.
spark_user='chroot "$1" sh -c "groupadd --system --gid 185 spark &&
	useradd --system --uid 185 --gid spark --create-home --shell /bin/bash spark &&
	chmod g+w /etc/passwd"'

# The layer below the Spark images, which has no name of its own on a node.
build_image_java() {
	retry debian_layer "$1/layer.tar" "$debian_packages,$java_packages" \
		--customize-hook "$spark_user"
}

# java_layer LAYER: a hard link, for layers are moved into the image.
java_layer() {
	local folder
	folder=$("$here/build.sh" java)
	ln "$folder/layer.tar" "$1"
}

spark_config() {
	cat <<-EOF
		{"User": "185", "WorkingDir": "/opt/spark/work-dir",
		 "Entrypoint": ["/opt/entrypoint.sh"],
		 "Env": ["$path:/opt/spark/bin", "SPARK_HOME=/opt/spark", "LANG=C.UTF-8",
		         "JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64"]}
	EOF
}

build_image_spark() {
	local venv
	venv=$("$setup" spark)
	java_layer "$1/java.tar"
	python_layer "$1/python.tar"
	s3_layer "$1/s3.tar"
	spark_layer "$1/spark.tar" "${spark_versions[spark]}"
	assemble "$1" spark "$(spark_config)" "$1"/{java,python,s3,spark}.tar
}

# Without packages for Python: what the tests run on it needs Spark's own alone.
build_image_spark4() {
	local venv
	venv=$("$setup" spark4)
	java_layer "$1/java.tar"
	spark_layer "$1/spark.tar" "${spark_versions[spark4]}"
	assemble "$1" spark4 "$(spark_config)" "$1"/{java,spark}.tar
}
