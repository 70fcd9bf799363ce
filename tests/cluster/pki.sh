# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Certificates, tokens and kubeconfigs of a cluster, below $state/pki and $state/etc.
# shellcheck disable=SC2154 # $state, $node and $kubernetes_service_ip are the caller's

quick_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

# sign NAME SUBJECT ALTERNATIVE_NAMES [KEY_OPTION...]: a key and a certificate for it, for
# clients and servers.
sign() {
	local key=("${@:4}")
	[ ${#key[@]} -gt 0 ] || key=("${quick_key[@]}")
	openssl req "${key[@]}" -subj "$2" -keyout "$1.key" -out "$1.csr" \
		2>>"$state/log/openssl.log"
	printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
		-extfile "$1.ext" -out "$1.crt" 2>>"$state/log/openssl.log"
	rm "$1.csr" "$1.ext"
}

# make_pki ADDRESS...: the certificate authority and what it signed, all or nothing.
make_pki() {
	local names address
	[ ! -d "$state/pki" ] || return 0
	say "make certificates"
	names=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
	names+=,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:$kubernetes_service_ip
	for address in "$@"; do names+=,IP:$address; done

	rm -rf "$state/pki.partial"
	mkdir -p "$state/pki.partial" "$state/log"
	(
		set -E
		trap 'die "openssl failed: see $state/log/openssl.log"' ERR
		cd "$state/pki.partial" || exit
		openssl req -x509 "${quick_key[@]}" -days 365 \
			-subj /CN=stepop-test-ca -keyout ca.key -out ca.crt \
			2>>"$state/log/openssl.log"
		openssl genrsa -out service-account.key 2048 \
			2>>"$state/log/openssl.log"
		sign server /CN=server "$names"
		# The Kubernetes client inside Spark reads no other keys than RSA from a kubeconfig.
		sign admin /O=system:masters/CN=admin DNS:admin -newkey rsa:2048 -nodes
		sign apiserver-kubelet /O=system:masters/CN=apiserver-kubelet DNS:apiserver
		sign kube-controller-manager /CN=system:kube-controller-manager DNS:controllers
		sign kube-scheduler /CN=system:kube-scheduler DNS:scheduler
		sign kube-proxy /CN=system:kube-proxy DNS:proxy
		sign kubelet "/O=system:nodes/CN=system:node:${node:-none}" DNS:kubelet
		sign coredns /O=system:masters/CN=coredns DNS:coredns
	)
	mv "$state/pki.partial" "$state/pki"
}

# make_tokens: a user of each kind for tests of authentication by bearer token.
# 'limited' may do nothing until a test binds a role to it. 'admin-token' may do all, so its
# token is a secret: who runs pods as he likes is root on this machine.
make_tokens() (
	[ ! -s "$state/etc/tokens.csv" ] || exit 0
	umask 077
	mkdir -p "$state/etc/tokens"
	printf limited-token >"$state/etc/tokens/limited"
	printf %s "$(openssl rand -hex 20)" >"$state/etc/tokens/admin-token"
	cat >"$state/etc/tokens.csv.new" <<-EOF
		$(cat "$state/etc/tokens/limited"),limited,limited
		$(cat "$state/etc/tokens/admin-token"),admin-token,admin-token,system:masters
	EOF
	mv "$state/etc/tokens.csv.new" "$state/etc/tokens.csv"
)

# user_entry USER: the credentials of USER as a kubeconfig has them.
user_entry() {
	if [ -f "$state/etc/tokens/$1" ]; then
		printf 'token: %s\n' "$(cat "$state/etc/tokens/$1")"
	else
		printf 'client-certificate-data: %s\n    client-key-data: %s\n' \
			"$(base64 -w0 "$state/pki/$1.crt")" "$(base64 -w0 "$state/pki/$1.key")"
	fi
}

# write_kubeconfigs SERVER USER...: $state/etc/USER.kubeconfig, with everything inline.
write_kubeconfigs() {
	local server=$1 user
	shift
	for user in "$@"; do
		(
			umask 077
			cat >"$state/etc/$user.kubeconfig.new" <<EOF
apiVersion: v1
kind: Config
current-context: stepop-test
contexts:
- name: stepop-test
  context: {cluster: stepop-test, user: $user, namespace: default}
clusters:
- name: stepop-test
  cluster:
    server: $server
    certificate-authority-data: $(base64 -w0 "$state/pki/ca.crt")
users:
- name: $user
  user:
    $(user_entry "$user")
EOF
		)
		mv "$state/etc/$user.kubeconfig.new" "$state/etc/$user.kubeconfig"
	done
}
