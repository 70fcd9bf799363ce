#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What node.sh runs inside the namespaces of a node: hold | up | check | status | kill.
# It expects from there: $node, $state, $image_store.
# shellcheck disable=SC2154
set -euo pipefail
# shellcheck source=tests/cluster/control_plane.sh
. "$(dirname "${BASH_SOURCE[0]}")/control_plane.sh"
# shellcheck source=tests/cluster/images/recipes.sh
. "$here/images/recipes.sh"

self=node
pod_cidr=10.244.0.0/24
programs=(etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy
	coredns minio)

# hold: becomes the first process of the node; orphans are reaped by bash's wait.
hold() {
	mount --make-rshared /
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p "$state/kubelet" "$state/cni"
	mount --bind "$state/kubelet" /var/lib/kubelet
	mount --bind "$state/cni" /var/lib/cni
	sysctl -qw net.ipv4.ip_forward=1
	: >"$state/run/held"
	sleep infinity &
	wait
}

# Pods get point-to-point links: their traffic is routed, so that services are translated
# without the bridge filter, which not every kernel has.
write_pod_network() {
	mkdir -p "$state/etc/cni"
	cat >"$state/etc/cni/pods.conflist" <<-EOF
		{"cniVersion": "0.4.0", "name": "pods", "plugins": [
		  {"type": "ptp", "ipMasq": true, "ipam": {"type": "host-local",
		   "dataDir": "/run/pod-addresses", "ranges": [[{"subnet": "$pod_cidr"}]],
		   "routes": [{"dst": "0.0.0.0/0"}]}},
		  {"type": "portmap", "capabilities": {"portMappings": true}}]}
	EOF
}

start_containerd() {
	cat >"$state/etc/containerd.toml" <<-EOF
		version = 2
		root = "$image_store"
		state = "/run/containerd"
		[grpc]
		address = "/run/containerd/containerd.sock"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "$(image_name pause)"
		# Lowering scores takes CAP_SYS_RESOURCE, which root in a container may lack.
		restrict_oom_score_adj = true
		# Read at each pull: tests say there how a registry is reached.
		[plugins."io.containerd.grpc.v1.cri".registry]
		config_path = "$state/etc/registries"
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
		conf_dir = "$state/etc/cni"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
	EOF
	start containerd containerd --config "$state/etc/containerd.toml"
	wait_ready containerd 30 ctr version
}

ctr() { command ctr -n k8s.io "$@"; }

# What an earlier node left in the image store. containerd remembers containers that it saw
# when it started, hence the second start.
forget_old_containers() {
	local containers
	[ ! -e /run/old-containers-forgotten ] || return 0
	mapfile -t containers < <(ctr containers ls -q)
	if [ ${#containers[@]} -gt 0 ]; then
		say "remove ${#containers[@]} containers of an earlier node"
		ctr containers rm "${containers[@]}"
		stop containerd
		start_containerd
	fi
	: >/run/old-containers-forgotten
}

# The label tells a complete import of this very build from anything else.
has_image() {
	ctr images ls "name==$(image_name "$1")" | grep -q "stepop.dev/build=$2"
}

import_images() {
	local image folder
	for image in "${images[@]}"; do
		folder=$("$here/build.sh" "$image")
		if has_image "$image" "${folder##*/}"; then continue; fi
		say "import image '$image'"
		tar -C "$folder" -c . | ctr images import - >/dev/null
		ctr images label "$(image_name "$image")" "stepop.dev/build=${folder##*/}" \
			io.cri-containerd.pinned=pinned >/dev/null
	done
	forget_old_images
}

# Every image has a second name, its digest, that stays when the first is given to a new build;
# such leftovers would keep gigabytes.
forget_old_images() {
	local old
	mapfile -t old < <(ctr images ls | awk '
		/^sha256:/ { digest_of[$1] = $3; next }
		{ is_named[$3] = 1 }
		END { for (name in digest_of) if (!(digest_of[name] in is_named)) print name }')
	[ ${#old[@]} -eq 0 ] || ctr images rm --sync "${old[@]}" >/dev/null
}

# The kubelet's cgroups lie below one that `down` can remove as a whole. Its share of the
# processors is that of eight processes, or else all pods together had as much as one.
make_cgroups() {
	local controller mount
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		for controller in cpu cpuset io memory pids; do
			echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true
		done
		mkdir -p "/sys/fs/cgroup/stepop-$node"
		echo 800 >"/sys/fs/cgroup/stepop-$node/cpu.weight"
		return
	fi
	while read -r _ mount _; do
		mkdir -p "$mount/stepop-$node"
	done < <(grep ' cgroup ' /proc/mounts)
	echo 8192 >"/sys/fs/cgroup/cpu/stepop-$node/cpu.shares"
}

start_kubelet() {
	make_cgroups
	: >"$state/etc/resolv.conf"
	cat >"$state/etc/kubelet.yaml" <<-EOF
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		address: $address
		authentication:
		  anonymous: {enabled: false}
		  webhook: {enabled: true}
		  x509: {clientCAFile: $state/pki/ca.crt}
		authorization: {mode: Webhook}
		tlsCertFile: $state/pki/server.crt
		tlsPrivateKeyFile: $state/pki/server.key
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		cgroupDriver: cgroupfs
		cgroupRoot: /stepop-$node
		clusterDomain: cluster.local
		clusterDNS: [$address]
		resolvConf: $state/etc/resolv.conf
		podLogsDir: $state/pod-logs
		volumePluginDir: /var/lib/kubelet/volume-plugins
		failSwapOn: false
		oomScoreAdj: 0 # lowering it takes CAP_SYS_RESOURCE, here as well
		serializeImagePulls: false
		enforceNodeAllocatable: [pods]
		evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
		imageGCHighThresholdPercent: 100
		maxPods: 250
	EOF
	start kubelet "$kube/kubelet" --config "$state/etc/kubelet.yaml" \
		--kubeconfig "$state/etc/kubelet.kubeconfig" \
		--hostname-override "$node" --node-ip "$address"
}

node_is_ready() {
	[ "$(kubectl get node "$node" -o \
		'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]
}

start_proxy() {
	# Connection tracking's limits belong to the machine: zero leaves them alone.
	start kube-proxy "$kube/kube-proxy" --kubeconfig "$state/etc/kube-proxy.kubeconfig" \
		--hostname-override "$node" --proxy-mode iptables --cluster-cidr "$pod_cidr" --oom-score-adj 0 \
		--conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 \
		--conntrack-tcp-timeout-close-wait 0
}

start_dns() {
	cat >"$state/etc/Corefile" <<-EOF
		. {
		  bind $address
		  errors
		  ready $address:8181
		  kubernetes cluster.local in-addr.arpa {
		    endpoint https://$address:6443
		    tls $state/pki/coredns.crt $state/pki/coredns.key $state/pki/ca.crt
		  }
		  cache 5
		}
	EOF
	start coredns "$coredns/coredns" -conf "$state/etc/Corefile"
}

# s3 CURL_ARGUMENT...: the key goes by a pipe, since arguments can be read by everyone.
s3() {
	printf 'user = "stepop:%s"\n' "$(cat "$state/etc/s3-secret")" |
		web --config - --aws-sigv4 aws:amz:us-east-1:s3 "$@"
}

start_storage() {
	local secret=$state/etc/s3-secret
	[ -s "$secret" ] || (
		umask 077
		printf %s "$(openssl rand -hex 20)" >"$secret.new"
		mv "$secret.new" "$secret"
	)
	MINIO_ROOT_USER=stepop MINIO_ROOT_PASSWORD=$(cat "$secret") MINIO_BROWSER=off \
		MINIO_UPDATE=off start minio "$minio/minio" server --address "$address:9000" \
		--certs-dir "$state/etc/no-certificates" "$state/minio"
	wait_ready minio 60 web "http://$address:9000/minio/health/ready"
	s3 --head "http://$address:9000/stepop" >/dev/null ||
		s3 --request PUT "http://$address:9000/stepop" || die "the bucket cannot be made"
}

configure() {
	local folder
	read -r _ address <"$state/etc/link"
	api_port=6443 etcd_port=2379 etcd_peer_port=2380 controllers_port=10257
	for folder in kube etcd coredns minio; do
		declare -g "$folder=$("$here/build.sh" $folder)"
	done
}

up() {
	local import
	make_pki "$address" 127.0.0.1
	make_tokens
	write_kubeconfigs "https://$address:$api_port" admin kube-controller-manager \
		kube-scheduler kube-proxy kubelet limited admin-token
	write_pod_network
	start_containerd
	forget_old_containers
	import_images &
	import=$!

	start_etcd
	start_apiserver --kubelet-client-certificate "$state/pki/apiserver-kubelet.crt" \
		--kubelet-client-key "$state/pki/apiserver-kubelet.key" \
		--kubelet-certificate-authority "$state/pki/ca.crt" \
		--kubelet-preferred-address-types InternalIP
	start kube-scheduler "$kube/kube-scheduler" --leader-elect=false \
		--kubeconfig "$state/etc/kube-scheduler.kubeconfig"
	start_kubelet
	start_proxy
	start_dns
	start_storage
	start_controllers --cluster-signing-cert-file "$state/pki/ca.crt" \
		--cluster-signing-key-file "$state/pki/ca.key"

	wait_ready coredns 60 web "http://$address:8181/ready"
	wait_ready kube-proxy 60 web http://127.0.0.1:10256/healthz
	wait_ready kubelet 60 node_is_ready
	wait $import || die "the images could not be imported"
	image_keys >"$state/run/ready"
}

check() {
	local program
	for program in "${programs[@]}"; do
		is_running "$program" || die "$program does not run"
	done
	web --cacert "$state/pki/ca.crt" --cert "$state/pki/admin.crt" \
		--key "$state/pki/admin.key" "https://$address:6443/readyz"
}

status() {
	local program result=0
	for program in "${programs[@]}"; do
		if is_running "$program"; then
			printf '%-24s runs\n' "$program"
		else
			printf '%-24s DOES NOT RUN\n' "$program"
			result=1
		fi
	done
	kubectl get nodes,pods --all-namespaces -o wide || result=1
	return $result
}

kill_program() {
	[[ " ${programs[*]} " == *" $1 "* ]] || die "no program '$1': ${programs[*]}"
	stop "$@"
}

case $1 in
hold) hold ;;
check)
	read -r _ address <"$state/etc/link"
	check
	;;
kill)
	shift
	kill_program "$@"
	;;
up | status)
	configure
	"$1"
	;;
esac
