#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The control plane by itself: etcd, API server and controllers on loopback, without root.
# Sourced by node_inside.sh, which runs the same programs on a node.
# shellcheck disable=SC2119,SC2120 # a node passes more options to some programs
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cluster/pki.sh
. "$here/pki.sh"

service_cidr=10.96.0.0/16
kubernetes_service_ip=10.96.0.1

usage() {
	cat <<'EOF'
usage: tests/cluster/control_plane.sh up|down|status [DIR]
  up      starts what does not run; the last line of stdout is the admin's kubeconfig
  down    ends it and removes DIR
  status  succeeds if it is up
DIR (default: control-plane in the cache folder) holds etc/{admin,limited,admin-token}.kubeconfig,
etc/tokens/{limited,admin-token}, log/, and etcd's data: objects survive until `down`.
EOF
}

kubectl() { "${directly[@]}" "$kube/kubectl" --kubeconfig "$state/etc/admin.kubeconfig" "$@"; }

web() { "${directly[@]}" curl -sf --max-time 10 "$@"; }

# All the functions below take their addresses from: address, api_port, etcd_port, etcd_peer_port.

start_etcd() {
	# Data need to survive the death of etcd, not that of the machine: no fsync.
	start etcd "$etcd/etcd" --name stepop --data-dir "$state/etcd" --unsafe-no-fsync \
		--log-level warn --listen-client-urls "http://127.0.0.1:$etcd_port" \
		--advertise-client-urls "http://127.0.0.1:$etcd_port" \
		--listen-peer-urls "http://127.0.0.1:$etcd_peer_port" \
		--initial-advertise-peer-urls "http://127.0.0.1:$etcd_peer_port" \
		--initial-cluster "stepop=http://127.0.0.1:$etcd_peer_port"
	wait_ready etcd 30 web "http://127.0.0.1:$etcd_port/health"
}

# start_apiserver OPTION...: with the admission and authorization that users' clusters have.
start_apiserver() {
	local pki=$state/pki
	start kube-apiserver "$kube/kube-apiserver" --bind-address "$address" \
		--secure-port "$api_port" --advertise-address "$address" \
		--etcd-servers "http://127.0.0.1:$etcd_port" \
		--tls-cert-file "$pki/server.crt" --tls-private-key-file "$pki/server.key" \
		--client-ca-file "$pki/ca.crt" --token-auth-file "$state/etc/tokens.csv" \
		--authorization-mode Node,RBAC \
		--enable-admission-plugins NodeRestriction,ResourceQuota \
		--service-account-issuer https://kubernetes.default.svc.cluster.local \
		--service-account-key-file "$pki/service-account.key" \
		--service-account-signing-key-file "$pki/service-account.key" \
		--service-cluster-ip-range "$service_cidr" --allow-privileged "$@"
	wait_ready kube-apiserver 90 kubectl get --raw /readyz
}

start_controllers() {
	local pki=$state/pki
	start kube-controller-manager "$kube/kube-controller-manager" --leader-elect=false \
		--kubeconfig "$state/etc/kube-controller-manager.kubeconfig" \
		--bind-address 127.0.0.1 --secure-port "$controllers_port" \
		--use-service-account-credentials --root-ca-file "$pki/ca.crt" \
		--service-account-private-key-file "$pki/service-account.key" "$@"
	# Pods are refused before their namespace has this account.
	wait_ready kube-controller-manager 60 kubectl get serviceaccount default
}

# choose_ports: free ones, kept in a file so that a restarted server is found again.
choose_ports() {
	if [ ! -s "$state/etc/ports" ]; then
		python3 - >"$state/etc/ports.new" <<-'EOF'
			import socket
			sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
			print(*(s.getsockname()[1] for s in sockets))
		EOF
		mv "$state/etc/ports.new" "$state/etc/ports"
	fi
	read -r api_port etcd_port etcd_peer_port controllers_port <"$state/etc/ports"
}

control_plane_up() {
	kube=$("$here/build.sh" kube)
	etcd=$("$here/build.sh" etcd)
	address=127.0.0.1
	mkdir -p "$state/etc"
	: >"$state/.stepop-control-plane"
	choose_ports
	make_pki 127.0.0.1
	make_tokens
	write_kubeconfigs "https://127.0.0.1:$api_port" \
		admin kube-controller-manager limited admin-token
	start_etcd
	start_apiserver
	start_controllers
	say "the control plane is ready"
	printf '%s\n' "$state/etc/admin.kubeconfig"
}

control_plane_status() {
	local name
	for name in etcd kube-apiserver kube-controller-manager; do
		is_running "$name" || die "$name does not run"
	done
	say "up, kubeconfig $state/etc/admin.kubeconfig"
}

control_plane_down() {
	local name
	[ -e "$state" ] || return 0
	[ -e "$state/.stepop-control-plane" ] || die "$state holds no control plane"
	for name in kube-controller-manager kube-apiserver etcd; do stop "$name"; done
	rm -rf "$state"
}

main() {
	state=$(realpath -m "${2:-$cache/control-plane}")
	case ${1-} in
	up | down | status)
		lock "control-plane-$(printf %s "$state" | sha256sum | cut -c1-8)"
		"control_plane_$1"
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
