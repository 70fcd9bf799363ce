#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A whole Kubernetes node with object storage on this machine, in namespaces of its own: one
# process holds them, and with that process everything on the node ends.
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cluster/images/recipes.sh
. "$here/images/recipes.sh"

node=${STEPOP_NODE:-stepop}
state=$cache/nodes/$node
image_store=$cache/image-stores/$node # outlives the node: importing takes longest

usage() {
	cat <<'EOF'
usage: tests/cluster/node.sh COMMAND
  up                  builds what is missing, starts what does not run, waits until ready
  down                ends the node and removes its state; what was built or unpacked stays
  purge               down, and removes the images that were unpacked for this node, too
  status              its programs and pods; exit status 1 unless all of it runs
  env                 prints `export` lines for tests and shells
  kubectl ARGUMENT... the node's own kubectl, as its admin
  exec COMMAND...     runs COMMAND in the node's network
  ctr ARGUMENT...     containerd's client (namespace k8s.io)
  logs PROGRAM        what PROGRAM wrote, such as kubelet
  kill PROGRAM [SIG]  ends one program, for tests of faults; `up` starts it again
STEPOP_NODE names the node (default: stepop); nodes of different names can run side by side.
EOF
}

holder() { pid_in "$state/run/holder.pid"; }

require_node() { holder >/dev/null || die "node '$node' is not up: run tests/cluster/node.sh up"; }

# inside COMMAND...: in all namespaces of the node.
inside() {
	local pid
	pid=$(holder) || die "node '$node' has ended"
	nsenter --target "$pid" --net --mount --pid="/proc/$pid/ns/pid_for_children" -- \
		env node="$node" state="$state" image_store="$image_store" "$@"
}

hold_namespaces() {
	if holder >/dev/null; then return; fi
	remove_remains
	mkdir -p "$state"/{etc,log,run} "$image_store"
	chmod 700 "$state"
	# Where the node's programs insist on fixed folders, its own are mounted there.
	mkdir -p /var/lib/kubelet /var/lib/cni
	start holder unshare --net --mount --pid --fork --kill-child --mount-proc -- \
		env state="$state" "$here/node_inside.sh" hold
	wait_ready holder 10 test -e "$state/run/held"
}

# A link to this machine: 10.89.N.1 here, 10.89.N.2 on the node, N the first that is free.
connect() {
	local pid number
	pid=$(holder)
	if [ ! -s "$state/etc/link" ]; then
		number=0
		while ip -4 -o address show | grep -q " 10\.89\.$number\."; do number=$((number + 1)); done
		printf '10.89.%s.1 10.89.%s.2\n' $number $number >"$state/etc/link.new"
		mv "$state/etc/link.new" "$state/etc/link"
	fi
	read_link
	ip link show dev "$node" >/dev/null 2>&1 ||
		ip link add name "$node" type veth peer name eth0 netns "$pid"
	ip address replace "$host_address/30" dev "$node"
	ip link set "$node" up
	nsenter --net="/proc/$pid/ns/net" -- ip address replace "$node_address/30" dev eth0
	nsenter --net="/proc/$pid/ns/net" -- ip link set eth0 up
	nsenter --net="/proc/$pid/ns/net" -- ip link set lo up
}

read_link() { read -r host_address node_address <"$state/etc/link"; }

# Up is what runs with the images that these scripts describe now.
is_up() {
	holder >/dev/null && image_keys | cmp -s - "$state/run/ready" &&
		inside "$here/node_inside.sh" check >/dev/null 2>&1
}

node_up() {
	local reason
	if is_up; then
		say "node '$node' is up"
		return
	fi
	if ! reason=$("$here/can_host.sh"); then die "this machine cannot host a node: $reason"; fi
	"$setup" node
	"$here/build.sh" all >/dev/null
	hold_namespaces
	(
		lock node-links
		connect
	)
	inside "$here/node_inside.sh" up
	say "node '$node' is ready"
}

# Everything on the node is gone once its holder is: processes, mounts, the link. What is
# left are its empty cgroups and its files.
node_down() {
	if holder >/dev/null; then
		say "end node '$node'"
		stop holder
	fi
	remove_remains
}

cgroups_of_node() {
	find /sys/fs/cgroup -depth -type d \( -name "stepop-$node" -o -path "*/stepop-$node/*" \)
}

remove_cgroups() {
	cgroups_of_node | xargs -r rmdir || true
	[ -z "$(cgroups_of_node)" ]
}

remove_remains() {
	# The kernel needs a moment to end the processes in them.
	wait_until 30 remove_cgroups || die "cgroups of node '$node' are still in use: $(cgroups_of_node)"
	rm -rf "$state"
	rmdir /var/lib/kubelet /var/lib/cni 2>/dev/null || true
}

node_purge() {
	node_down
	rm -rf "$image_store"
}

node_status() {
	require_node
	inside "$here/node_inside.sh" status
}

node_env() {
	require_node
	read_link
	local name
	{
		printf 'STEPOP_KUBECONFIG %s\n' "$state/etc/admin.kubeconfig"
		printf 'STEPOP_KUBECTL %s\n' "$("$here/build.sh" kube)/kubectl"
		printf 'STEPOP_API_SERVER https://%s:6443\n' "$node_address"
		printf 'STEPOP_NODE_IP %s\n' "$node_address"
		printf 'STEPOP_HOST_IP %s\n' "$host_address"
		printf 'STEPOP_NODE_NETNS %s\n' "/proc/$(holder)/ns/net"
		printf 'STEPOP_REGISTRY_HOSTS %s\n' "$state/etc/registries"
		printf 'STEPOP_S3_ENDPOINT http://%s:9000\n' "$node_address"
		printf 'STEPOP_S3_REGION us-east-1\n'
		printf 'STEPOP_S3_BUCKET stepop\n'
		printf 'STEPOP_S3_ACCESS_KEY stepop\n'
		printf 'STEPOP_S3_SECRET_FILE %s\n' "$state/etc/s3-secret"
		printf 'STEPOP_SPARK_IMAGE %s\n' "$(image_name spark)"
		printf 'STEPOP_SPARK4_IMAGE %s\n' "$(image_name spark4)"
		printf 'STEPOP_PYTHON_IMAGE %s\n' "$(image_name python)"
		printf 'STEPOP_BUSYBOX_IMAGE %s\n' "$(image_name busybox)"
	} | while read -r name value; do printf 'export %s=%q\n' "$name" "$value"; done
}

node_kubectl() {
	require_node
	kube=$("$here/build.sh" kube)
	exec "${directly[@]}" "$kube/kubectl" --kubeconfig "$state/etc/admin.kubeconfig" "$@"
}

node_exec() {
	require_node
	exec nsenter --net="/proc/$(holder)/ns/net" -- "$@"
}

node_ctr() {
	require_node
	inside ctr -n k8s.io "$@"
}

node_logs() { cat "$state/log/${1:?PROGRAM}.log"; }

node_kill() {
	require_node
	inside "$here/node_inside.sh" kill "$@"
}

[[ $node =~ ^[a-z][a-z0-9-]{0,13}$ ]] || die "STEPOP_NODE: '$node' is no short plain name"
command=${1-}
case $command in
up | down | purge)
	lock "node-$node"
	"node_$command"
	;;
status | env | kubectl | exec | ctr | logs | kill)
	shift
	"node_$command" "$@"
	;;
-h | --help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
