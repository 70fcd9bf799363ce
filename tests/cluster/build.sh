#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the programs and container images of the test cluster, each one once.
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cluster/images/recipes.sh
. "$here/images/recipes.sh"

coredns_module=github.com/coredns/coredns@v1.12.4
minio_module=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c

usage() {
	cat <<'EOF'
usage: tests/cluster/build.sh WHAT...
  kube, etcd, coredns, minio, registry           programs, from the Go module proxy
  pause, busybox, python, spark, spark4          images, as OCI layouts; takes root
  control-plane = kube etcd                      no root needed
  programs = kube etcd coredns minio registry    no root needed
  images = pause busybox python spark spark4
  all = programs images
Prints the folder of each. A folder is named by a digest of all that it was made from;
what is there already is not built again.
EOF
}

umask 022 # images are read by other users than the one who made them

# cached KIND KEY RECIPE...: prints the folder of what RECIPE makes; RECIPE is given a folder
# to fill, which gets its name only when it is complete.
cached() {
	local folder=$cache/$1/$2 kind=$1
	shift 2
	[ -e "$folder" ] || (
		lock "build-${kind//\//-}"
		[ ! -e "$folder" ] || exit 0
		say "build $kind"
		trap 'die "$kind could not be built"' ERR
		rm -rf "$folder.partial"
		mkdir -p "$folder.partial"
		"$@" "$folder.partial" 2>&1 | sed -u '/^go: downloading /d' >&2
		mv "$folder.partial" "$folder"
		say "built $kind"
		# Builds that nobody has asked for in a week.
		find "$cache/$kind" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
	)
	touch -c "$folder" 2>/dev/null || true
	printf '%s\n' "$folder"
}

# go_run ARGUMENT...: static programs, with the toolchain that is there.
go_run() {
	CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false nice "$go" "$@"
}

build_kube() {
	local version package=k8s.io/component-base/version program
	version=$(sed -n 's/.*k8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' "$here/go/kube/go.mod")
	go=$("$setup" go)
	cd "$here/go/kube"
	retry go_run build -trimpath -o "$1/kube" -ldflags "-s -w \
		-X $package.gitVersion=$version -X $package.gitMajor=1 \
		-X $package.gitMinor=$(cut -d. -f2 <<<"$version")" .
	for program in kube-apiserver kube-controller-manager kube-proxy kube-scheduler \
		kubectl kubelet; do
		ln -s kube "$1/$program"
	done
}

build_etcd() {
	go=$("$setup" go)
	cd "$here/go/etcd"
	retry go_run build -trimpath -ldflags '-s -w' -o "$1/etcd" .
}

build_registry() {
	go=$("$setup" go)
	cd "$here/go/registry"
	retry go_run build -trimpath -ldflags '-s -w' -o "$1/registry" .
}

# build_module MODULE@VERSION FOLDER: for modules that `go install` accepts as they are.
build_module() {
	go=$("$setup" go)
	cd /
	GOBIN=$2 retry go_run install -trimpath -ldflags '-s -w' "$1"
}

program_key() {
	case $1 in
	kube | etcd | registry) digest_of "build_$1" go_run "go/$1/go.mod" "go/$1/go.sum" "go/$1/main.go" ;;
	*) digest_of build_module go_run "$1" ;;
	esac
}

build_program() { cached "programs/$1" "$(program_key "$2")" build_module "$2"; }

build() {
	local what=$1
	case $what in
	kube | etcd | registry) cached "programs/$what" "$(program_key "$what")" "build_$what" ;;
	coredns) build_program coredns "$coredns_module" ;;
	minio) build_program minio "$minio_module" ;;
	pause | busybox | python | java | spark | spark4)
		cached "images/$what" "$(image_key "$what")" "build_image_$what"
		;;
	control-plane) build_each kube etcd ;;
	programs) build_each kube etcd coredns minio registry ;;
	images) build_each "${images[@]}" ;;
	all) build_each programs images ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

build_each() {
	local what
	for what in "$@"; do build "$what"; done
}

[ $# -gt 0 ] || {
	usage >&2
	exit 2
}
build_each "$@"
