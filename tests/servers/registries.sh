#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Registries of a test's own, on loopback: one without TLS, one with a password, one with tokens.
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cluster/lib.sh"
# shellcheck source=tests/cluster/pki.sh
. "$here/pki.sh"

usage() {
	cat <<'EOF'
usage: tests/servers/registries.sh up FOLDER
       tests/servers/registries.sh start|kill FOLDER plain|basic|bearer
       tests/servers/registries.sh down FOLDER
  up     starts what does not run, and prints the environment that tests expect
  start  starts one of them again, and returns when it answers
  kill   kills one of them by SIGKILL, as an accident would
  down   ends all and removes FOLDER
All are distribution's registry. `plain` has neither TLS nor users. `basic` and `bearer` have
certificates for `localhost` alone, signed by STEPOP_TEST_REGISTRY_CA; `bearer` asks for tokens
of a token service (token_service.py), which lets anybody pull public/*. OTHER_CA signed nothing.
EOF
}

user=tester

choose_ports() {
	if [ ! -s "$state/etc/ports" ]; then
		python3 - >"$state/etc/ports.new" <<-'EOF'
			import socket
			sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
			print(*(s.getsockname()[1] for s in sockets))
		EOF
		mv "$state/etc/ports.new" "$state/etc/ports"
	fi
	read -r plain_port basic_port bearer_port token_port <"$state/etc/ports"
}

make_certificates() (
	[ ! -d "$state/pki" ] || exit 0
	rm -rf "$state/pki.partial"
	mkdir "$state/pki.partial"
	cd "$state/pki.partial"
	for name in ca other-ca; do
		openssl req -x509 "${quick_key[@]}" -days 365 -subj "/CN=stepop-test-$name" \
			-keyout "$name.key" -out "$name.crt" 2>>"$state/log/openssl.log"
	done
	sign server /CN=localhost DNS:localhost
	sign token /CN=token DNS:token
	mv "$state/pki.partial" "$state/pki"
)

# Perl's crypt() is libxcrypt's, which knows the bcrypt that registries want.
make_password() {
	if [ ! -s "$state/etc/password" ]; then
		(umask 077 && openssl rand -hex 10 >"$state/etc/password.new")
		mv "$state/etc/password.new" "$state/etc/password"
	fi
	read -r password <"$state/etc/password"
	# shellcheck disable=SC2016 # Perl's variables
	[ -s "$state/etc/htpasswd" ] || perl -e '
		my ($user, $password, $salt) = @ARGV;
		printf "%s:%s\n", $user, crypt($password, "\$2b\$04\$" . substr($salt, 0, 21) . "u");' \
		"$user" "$password" "$(openssl rand -hex 11)" >"$state/etc/htpasswd"
}

# write_settings NAME PORT: the registry's configuration; its users come from stdin.
write_settings() {
	local tls=
	[ "$1" = plain ] ||
		tls="tls: {certificate: '$state/pki/server.crt', key: '$state/pki/server.key'}"
	cat >"$state/etc/$1.yaml" <<-EOF
		version: 0.1
		log: {level: warn, accesslog: {disabled: true}}
		storage:
		  filesystem: {rootdirectory: '$state/$1'}
		  delete: {enabled: true}
		  maintenance: {uploadpurging: {enabled: false}}
		$(cat)
		http:
		  addr: 127.0.0.1:$2
		  secret: stepop
		  $tls
	EOF
}

write_all_settings() {
	local realm=https://localhost:$token_port/token
	write_settings plain "$plain_port" </dev/null
	write_settings basic "$basic_port" <<-EOF
		auth: {htpasswd: {realm: stepop-test, path: '$state/etc/htpasswd'}}
	EOF
	write_settings bearer "$bearer_port" <<-EOF
		auth: {token: {realm: '$realm', service: stepop-registry, issuer: stepop-test,
		  rootcertbundle: '$state/pki/ca.crt'}}
	EOF
}

web() { "${directly[@]}" curl -s --max-time 5 --cacert "$state/pki/ca.crt" -o /dev/null "$@"; }

start_registry() {
	local port=$1_port scheme=https registry
	[ "$1" != plain ] || scheme=http
	registry=$("$here/build.sh" registry)
	start "$1" env OTEL_TRACES_EXPORTER=none "$registry/registry" serve "$state/etc/$1.yaml"
	wait_ready "$1" 30 web "$scheme://localhost:${!port}/v2/"
}

start_token_service() {
	local pki=$state/pki
	STEPOP_TOKEN_PASSWORD=$password start token-service python3 \
		"$here/../servers/token_service.py" "$token_port" \
		"$pki/server.crt" "$pki/server.key" "$pki/token.crt" "$pki/token.key"
	wait_ready token-service 30 web "https://localhost:$token_port/token?service=x"
}

registries_up() {
	mkdir -p "$state/etc" "$state/log"
	: >"$state/.stepop-registries"
	choose_ports
	make_certificates
	make_password
	write_all_settings
	start_registry plain
	start_registry basic
	start_token_service
	start_registry bearer
	cat <<-EOF
		export STEPOP_TEST_REGISTRIES='$state'
		export STEPOP_TEST_REGISTRY_PLAIN=localhost:$plain_port
		export STEPOP_TEST_REGISTRY_BASIC=localhost:$basic_port
		export STEPOP_TEST_REGISTRY_BEARER=localhost:$bearer_port
		export STEPOP_TEST_REGISTRY_CA='$state/pki/ca.crt'
		export STEPOP_TEST_REGISTRY_OTHER_CA='$state/pki/other-ca.crt'
		export STEPOP_TEST_REGISTRY_USER=$user STEPOP_TEST_REGISTRY_PASSWORD=$password
		export STEPOP_TEST_REGISTRY_IDENTITY_TOKEN=identity-$password
	EOF
}

registries_start() {
	choose_ports
	start_registry "$1"
}

registries_kill() { stop "$1"; }

registries_down() {
	local name
	[ -e "$state" ] || return 0
	[ -e "$state/.stepop-registries" ] || die "$state holds no registries"
	for name in plain basic bearer token-service; do stop "$name"; done
	rm -rf "$state"
}

main() {
	local commands='^(up|down) $|^(start|kill) (plain|basic|bearer)$'
	[[ "${1-} ${3-}" =~ $commands && -n ${2-} ]] || {
		usage >&2
		exit 2
	}
	state=$(realpath -m "$2")
	lock "registries-$(printf %s "$state" | sha256sum | cut -c1-8)"
	"registries_$1" "${@:3}"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
