#!/usr/bin/env bash
# Times metadata stores on SQLite, PostgreSQL and MariaDB, whose commits survive a power cut.
# usage: bench/metadata.sh [FOLDER]: on the file system of FOLDER (default: a temporary folder)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make -s -C "$root" build/bench/metadata >&2
"$root/scripts/setup.sh" databases
servers=$root/tests/servers/databases.sh
work=$(mktemp -d -p "${1:-${TMPDIR:-/tmp}}" stepop-bench-XXXXXX)
end() {
	"$servers" down "$work/databases" || true
	rm -rf "$work"
}
trap end EXIT
chmod 711 "$work" # for the user that the servers run as
environment=$(STEPOP_DATABASES_DURABLE=1 "$servers" up "$work/databases")
eval "$environment"

export HOME=$work
cd "$work"
"$stepop" init >/dev/null
"$stepop" secrets-manager register vault --flavor=local >/dev/null

# register FLAVOR: a stack of that name.
register() {
	local prefix=STEPOP_TEST_${1^^} host port database user password ca
	host=${prefix}_HOST port=${prefix}_PORT database=${prefix}_DATABASE
	user=${prefix}_USER password=${prefix}_PASSWORD ca=${prefix}_CA
	printf '%s' "${!password}" | "$stepop" secrets-manager secret register "$1_authentication" \
		-x vault --schema="$1" --user="${!user}" --password=- >/dev/null
	"$stepop" metadata-store register "$1" --flavor="$1" --host="${!host}" --port="${!port}" \
		--database="${!database}" --authentication_secret="$1_authentication" \
		--ssl_ca="${!ca}" >/dev/null
	"$stepop" stack register "$1" -x vault -m "$1" >/dev/null
}

# tell NAME COMMAND...
tell() {
	read -r cpu wall peak <<<"$(measure 20 "${@:2}")"
	printf '%-58s %9s ms, CPU %s ms, peak %s MiB\n' "$1" "$wall" "$cpu" "$peak"
}

# time_stack STACK NAME
time_stack() {
	printf '\n%s\n' "$2"
	"$root/build/bench/metadata" "$1"
	tell "'stepop runs list' of them, the whole command" "$stepop" runs list -s "$1"
}

register postgres
register mysql
time_stack default 'SQLite'
time_stack postgres 'PostgreSQL, over TLS'
programs=(/usr/lib/postgresql/*/bin)
PGPASSWORD=$STEPOP_TEST_POSTGRES_PASSWORD tell "its peer: psql -c 'select 1'" "${programs[-1]}/psql" \
	-X -c 'select 1' "host=localhost port=$STEPOP_TEST_POSTGRES_PORT user=owner dbname=stepop
		sslmode=verify-full sslrootcert=$STEPOP_TEST_POSTGRES_CA"
time_stack mysql 'MariaDB, over TLS'
MYSQL_PWD=$STEPOP_TEST_MYSQL_PASSWORD tell "its peer: mariadb -e 'select 1'" mariadb --no-defaults \
	--host=localhost --protocol=tcp --port="$STEPOP_TEST_MYSQL_PORT" --user=owner \
	--ssl-ca="$STEPOP_TEST_MYSQL_CA" --ssl-verify-server-cert --execute='select 1' stepop
