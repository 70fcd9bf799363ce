# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Certificates, tokens and kubeconfigs of a cluster, below $state/pki and $state/etc.
# shellcheck disable=SC2154 # $state, $node and $kubernetes_service_ip are the caller's

# sign NAME SUBJECT ALTERNATIVE_NAMES: a key and a certificate for it, for clients and servers.
# RSA throughout, because Spark's Kubernetes client reads no other key from a kubeconfig.
sign() {
	openssl req -newkey rsa:2048 -nodes -subj "$2" \
		-keyout "$1.key" -out "$1.csr" 2>/dev/null
	printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
		-extfile "$1.ext" -out "$1.crt" 2>/dev/null
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
	mkdir -p "$state/pki.partial"
	(
		cd "$state/pki.partial" || exit
		openssl req -x509 -newkey rsa:2048 -nodes -days 365 \
			-subj /CN=stepop-test-ca -keyout ca.key -out ca.crt 2>/dev/null
		openssl genrsa -out service-account.key 2048 2>/dev/null
		sign server /CN=server "$names"
		sign admin /O=system:masters/CN=admin DNS:admin
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
# 'limited' may do nothing until a test binds a role to it; 'admin-token' may do all.
make_tokens() {
	mkdir -p "$state/etc/tokens"
	printf 'limited-token' >"$state/etc/tokens/limited"
	printf 'admin-token' >"$state/etc/tokens/admin-token"
	cat >"$state/etc/tokens.csv" <<-EOF
		limited-token,limited,limited
		admin-token,admin-token,admin-token,system:masters
	EOF
}

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
