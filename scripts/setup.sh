#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what this machine lacks for one part of the work on stepop.
set -euo pipefail

usage() {
	cat <<'EOF'
usage: scripts/setup.sh WHAT...
  build     packages to compile stepop
  check     packages for its unit tests and checks, and to fuzz it
  spark     a JRE and Spark 3.5's own spark-submit; prints the folder of its venv
  spark4    the same of Spark 4.3
  go        a Go toolchain for the test cluster; prints the path of its go command
  maven     the mvn command, which fetches two jars for the Spark image
  node      packages to build images and to host a node (tests/cluster/)
  databases packages of a PostgreSQL and a MariaDB server; Debian's own services stay down
  moto      a server that answers as AWS's services do; prints the folder of its venv
  servers   go, databases, moto, and packages to run an API server and an S3 server
  cluster   go and node

Where everything is there already, this takes no time and needs no root. What is not
a Debian package goes to ${STEPOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stepop}.
EOF
}

cache=${STEPOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stepop}

build_packages=(gcc libc6-dev libcurl4-openssl-dev libexpat1-dev libjansson-dev
	libmariadb-dev libpq-dev libsqlite3-dev libssl-dev libyaml-dev libzip-dev make pkg-config
	uthash-dev
	zlib1g-dev)
check_packages=(clang clang-format git libclang-rt-14-dev libcmocka-dev pmccabe python3)
database_packages=(libmariadb3 libpq5 mariadb-client-core mariadb-server-core openssl
	postgresql-15 python3 util-linux)
server_packages=(ca-certificates curl openssl python3)
node_packages=(ca-certificates conntrack containerd containernetworking-plugins curl docker-registry
	gcc iproute2 iptables libc6-dev mmdebstrap openssl perl procps python3 python3-pip runc skopeo
	socat util-linux)

spark3_requirements=(pyspark==3.5.9 numpy==1.26.4 pandas==2.2.3 pyarrow==17.0.0)
spark4_requirements=(pyspark==4.3.0)
moto_requirements=(moto==5.2.5 flask==3.1.3 flask-cors==6.0.5)
go_version=1.26.8
go_minimum_minor=26 # what the newest module of the test cluster asks for: 1.26

# Results alone go to stdout (file descriptor 3), talk goes to stderr.
exec 3>&1 1>&2

say() { printf 'setup: %s\n' "$*"; }

die() {
	say "$*"
	exit 1
}

# retry COMMAND...: registries drop a connection now and then.
retry() {
	local attempt
	for attempt in 1 2 3 4; do
		"$@" && return 0
		say "attempt $attempt failed: $1 ${2-}"
		sleep $((attempt * 3))
	done
	return 1
}

# lock NAME: one setup of a kind at a time; the lock ends with the subshell that took it.
lock() {
	mkdir -p "$cache/locks"
	exec 9>"$cache/locks/setup-$1"
	flock -n 9 && return
	say "waiting for another setup of '$1'"
	flock 9
}

missing_packages() {
	local package
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || printf '%s\n' "$package"
	done
}

# apt_install NAME...: tells the size of the download, which may take its time.
apt_install() {
	LC_ALL=C.UTF-8 apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 \
		-o Dpkg::Use-Pty=0 install --no-install-recommends "$@" |
		sed -un 's/^Need to get \(.*\) of archives.*/setup: downloading \1/p'
}

# packages NAME...: installs the Debian packages that are not there.
packages() (
	command -v dpkg-query >/dev/null ||
		die "this is no Debian system: install the counterparts of: $*"
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || exit 0
	[ "$(id -u)" = 0 ] ||
		die "packages are missing; as root: apt-get install --no-install-recommends ${missing[*]}"

	lock apt
	export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes
	say "installing ${missing[*]}"
	# One broken source out of several must not keep the others from being used.
	retry apt-get -qq -o Acquire::Retries=3 update || say "some package lists are old"
	retry apt_install "${missing[@]}"
)

# without_services COMMAND...: what it installs is not started by Debian, as policy-rc.d(8) says.
without_services() (
	policy=/usr/sbin/policy-rc.d
	if [ "$(id -u)" = 0 ] && [ ! -e $policy ]; then
		trap 'rm -f $policy' EXIT
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	"$@"
)

# digest_of TEXT...: names the folder of a thing by all that it is made from.
digest_of() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

java_major() {
	command -v java >/dev/null || return 0
	java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p'
}

# The venv's own scripts ask the first python3 on PATH where Spark is; a pyenv shim
# cannot know. PYSPARK_PYTHON must stay unset: cluster mode copies it into the driver.
write_find_spark_home() {
	cat >"$1/bin/find-spark-home" <<'EOF'
#!/usr/bin/env bash
# Sourced by Spark's scripts beside it: this venv's Spark, and its Python in local mode.
venv=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SPARK_HOME=$(echo "$venv"/lib/python3*/site-packages/pyspark)
PATH=$venv/bin:$PATH
export SPARK_HOME PATH
EOF
}

build_spark_venv() (
	venv=$1 python=$2
	lock spark
	[ ! -e "$venv" ] || exit 0
	partial=$venv.partial
	rm -rf "$partial"
	mkdir -p "${venv%/*}"

	say "installing ${spark_requirements[*]} into $venv"
	"$python" -m venv "$partial"
	retry "$partial/bin/pip" install -q --disable-pip-version-check "${spark_requirements[@]}"
	write_find_spark_home "$partial"
	# A venv writes its own path into its scripts: name the final one.
	grep -lIrF "$partial" "$partial/bin" "$partial/pyvenv.cfg" |
		xargs sed -i "s|$partial|$venv|g"
	mv "$partial" "$venv"
)

# On a terminal pip shows how far it is; in a log its bars and notices are only noise.
download_spark() {
	say "downloading ${spark_requirements[0]}, about 400 MB"
	if [ -t 2 ]; then export PIP_VERBOSE=1; else export PIP_QUIET=1; fi
	build_spark_venv "$@"
}

# setup_spark REQUIREMENT...: the first is the Spark.
setup_spark() {
	local spark_requirements=("$@") # for build_spark_venv, too
	# Not the python3 of PATH: that may be a shim for a Python that no wheel is made for.
	local python=/usr/bin/python3 needed=(python3 python3-venv) version major venv
	major=$(java_major)
	[ "${major:-0}" -ge 11 ] || needed+=(openjdk-17-jre-headless)
	packages "${needed[@]}"

	version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	case $version in
	3.9 | 3.10 | 3.11) ;;
	3.12) spark_requirements+=(setuptools==75.8.0) ;; # Spark 3.5 imports distutils
	*) die "Spark runs on Python 3.9 to 3.12, $python is $version" ;;
	esac
	venv=$cache/spark/$(digest_of "$version" "${spark_requirements[@]}" \
		"$(declare -f build_spark_venv write_find_spark_home)")
	[ -e "$venv" ] || download_spark "$venv" "$python"
	printf '%s\n' "$venv" >&3
}

setup_moto() (
	python=/usr/bin/python3
	packages python3 python3-venv
	venv=$cache/moto/$(digest_of "$("$python" --version)" "${moto_requirements[@]}")
	lock moto
	if [ ! -e "$venv/complete" ]; then
		say "installing ${moto_requirements[*]} into $venv"
		rm -rf "$venv"
		"$python" -m venv "$venv"
		retry "$venv/bin/pip" install -q --disable-pip-version-check "${moto_requirements[@]}"
		touch "$venv/complete"
	fi
	printf '%s\n' "$venv" >&3
)

# The minor version of a go command, 0 where it is none.
go_minor() {
	local minor
	minor=$(GOTOOLCHAIN=local "$1" version 2>/dev/null |
		sed -n 's/.* go1\.\([0-9]*\).*/\1/p')
	printf '%s\n' "${minor:-0}"
}

# Debian 12 has Go 1.19. Newer toolchains are modules too, which any Go can download
# and check against the checksum database; modules just keep no executable bits.
download_go() (
	root=$1
	packages ca-certificates golang-1.19-go
	lock go
	[ ! -e "$root" ] || exit 0
	module=golang.org/toolchain@v0.0.1-go$go_version.linux-amd64
	partial=$root.partial
	chmod -R u+w "$partial" 2>/dev/null || true
	rm -rf "$partial"
	mkdir -p "$partial"

	say "downloading Go $go_version, about 70 MB"
	export GOMODCACHE=$partial GOFLAGS=-modcacherw
	(cd / && retry /usr/lib/go-1.19/bin/go mod download "$module")
	chmod a+x "$partial/$module"/bin/* "$partial/$module"/pkg/tool/*/*
	rm -rf "$partial/cache"
	mv "$partial/$module" "$root"
	rm -rf "$partial"
)

setup_go() {
	local go root=$cache/go/$go_version
	for go in "$(command -v go || true)" "$root/bin/go"; do
		if [ -n "$go" ] && [ "$(go_minor "$go")" -ge $go_minimum_minor ]; then
			printf '%s\n' "$go" >&3
			return
		fi
	done
	download_go "$root"
	[ "$(go_minor "$root/bin/go")" -ge $go_minimum_minor ] || die "the Go in $root does not run"
	printf '%s\n' "$root/bin/go" >&3
}

[ $# -gt 0 ] || {
	usage
	exit 2
}
for what in "$@"; do
	case $what in
	build) packages "${build_packages[@]}" ;;
	check) packages "${build_packages[@]}" "${check_packages[@]}" ;;
	spark) setup_spark "${spark3_requirements[@]}" ;;
	spark4) setup_spark "${spark4_requirements[@]}" ;;
	go) setup_go ;;
	maven) command -v mvn >/dev/null || packages maven ;;
	node) packages "${node_packages[@]}" ;;
	moto) setup_moto ;;
	databases) without_services packages "${database_packages[@]}" ;;
	servers)
		packages "${server_packages[@]}"
		without_services packages "${database_packages[@]}"
		setup_moto
		setup_go
		;;
	cluster)
		packages "${node_packages[@]}"
		setup_go
		;;
	-h | --help) usage >&3 ;;
	*)
		usage
		exit 2
		;;
	esac
done
