#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Says whether this machine can host the node of the test cluster: exit status 0, or 1 and the
# reason on stdout. It changes nothing but a folder in the cache that it removes again.
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

no() {
	printf '%s\n' "$*"
	exit 1
}

has_cgroup_v2() { [ "$(stat -f -c %T /sys/fs/cgroup 2>/dev/null)" = cgroup2fs ]; }

# try_cgroup FOLDER: can a group be made there?
try_cgroup() {
	local group=$1/stepop-probe-$$
	[ -d "$1" ] && mkdir "$group" 2>/dev/null && rmdir "$group"
}

check_cgroups() {
	local controller
	if has_cgroup_v2; then
		for controller in cpu memory pids; do
			grep -qw $controller /sys/fs/cgroup/cgroup.controllers ||
				no "the cgroup controller '$controller' is not available here"
		done
		# Only the machine's own root has no type; a container's may have to be emptied first.
		[ ! -e /sys/fs/cgroup/cgroup.type ] ||
			grep -qw memory /sys/fs/cgroup/cgroup.subtree_control ||
			no "cgroups are not delegated to this container"
		try_cgroup /sys/fs/cgroup || no "no cgroup can be made in /sys/fs/cgroup"
		return
	fi
	for controller in cpu cpuset devices freezer memory pids; do
		try_cgroup /sys/fs/cgroup/$controller ||
			no "no cgroup can be made in /sys/fs/cgroup/$controller"
	done
}

check_overlay() {
	local probe
	mkdir -p "$cache"
	probe=$(mktemp -d "$cache/overlay-probe.XXXXXX")
	mkdir "$probe"/{lower,upper,work,merged}
	if ! unshare --mount mount -t overlay overlay "$probe/merged" -o \
		"lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" 2>/dev/null; then
		rm -rf "$probe"
		no "the file system of $cache cannot hold overlay mounts: set STEPOP_CACHE"
	fi
	rm -rf "$probe"
}

[ "$(uname -sm)" = 'Linux x86_64' ] || no "the images of the test cluster are for Linux on x86_64"
[ "$(id -u)" = 0 ] || no "hosting a node takes root"
for command in unshare nsenter ip setsid flock dpkg-query; do
	command -v $command >/dev/null || no "the command '$command' is missing"
done
unshare --net --mount --pid --fork --mount-proc true 2>/dev/null ||
	no "no network, mount and process namespaces can be made"
unshare --net ip link add name here type veth peer name there 2>/dev/null ||
	no "the kernel has no veth devices"
! command -v iptables >/dev/null || unshare --net iptables -t nat -L -n >/dev/null 2>&1 ||
	no "iptables cannot translate addresses here"
check_cgroups
check_overlay
