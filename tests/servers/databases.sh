#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A PostgreSQL and a MariaDB of a test's own, on loopback and on Unix sockets, with TLS; no root.
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cluster/lib.sh"
# shellcheck source=tests/cluster/pki.sh
. "$here/pki.sh"

usage() {
	cat <<'EOF'
usage: tests/servers/databases.sh up FOLDER
       tests/servers/databases.sh start|kill|restart|pause|resume FOLDER NAME
       tests/servers/databases.sh down FOLDER
  up      starts what does not run, and prints the environment that tests expect
  start   starts NAME (postgres or mysql) again, and returns when it answers
  kill    kills it by SIGKILL with all its processes, as an accident would
  restart does the one after the other
  pause   stops all its processes, as an overloaded machine would; resume lets them go on
  down    ends both and removes FOLDER
Each has the database `stepop`; the user `owner`, who may do all to it and to databases
`stepop_*`; `limited`, who may connect, and read what is there; and an administrator.
Certificates are for `localhost` alone: 127.0.0.1 is a wrong name for them. OTHER_CA
signed nothing. Data survive a killed server; with STEPOP_DATABASES_DURABLE set in the
environment of `up` they survive a power cut, too, at the price of syncs.
EOF
}

# The servers refuse to be root's.
if [ "$(id -u)" = 0 ]; then
	account=nobody
	as_account=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
else
	account=$(id -un)
	as_account=()
fi

# Its programs are on nobody's PATH.
postgres_programs() {
	local folders=(/usr/lib/postgresql/*/bin)
	printf '%s\n' "${folders[-1]}"
}

choose_ports() {
	if [ ! -s "$state/etc/ports" ]; then
		python3 - >"$state/etc/ports.new" <<-'EOF'
			import socket
			sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
			print(*(s.getsockname()[1] for s in sockets))
		EOF
		mv "$state/etc/ports.new" "$state/etc/ports"
	fi
	read -r postgres_port mysql_port <"$state/etc/ports"
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
	chmod 600 ./*.key
	chown "$account" server.key
	mv "$state/pki.partial" "$state/pki"
)

# Of administrator (initdb reads the first line), owner and limited user.
make_passwords() {
	if [ ! -s "$state/etc/passwords" ]; then
		(umask 077 && openssl rand -hex 30 | fold -w 20 >"$state/etc/passwords.new")
		chown "$account" "$state/etc/passwords.new"
		mv "$state/etc/passwords.new" "$state/etc/passwords"
	fi
	{
		read -r admin_password
		read -r owner_password
		read -r limited_password
	} <"$state/etc/passwords"
}

# make_data NAME: the files of a server by make_NAME_data FOLDER, all or nothing.
make_data() {
	[ ! -d "$state/$1" ] || return 0
	say "make the files of $1"
	rm -rf "$state/$1.partial"
	mkdir -m 700 "$state/$1.partial"
	chown "$account" "$state/$1.partial"
	"make_$1_data" "$state/$1.partial" >"$state/log/make-$1.log" 2>&1 ||
		die "the files of $1 cannot be made: see $state/log/make-$1.log"
	mv "$state/$1.partial" "$state/$1"
}

# --- PostgreSQL

make_postgres_data() {
	"${as_account[@]}" "$(postgres_programs)/initdb" --pgdata "$1" --username admin \
		--auth scram-sha-256 --pwfile "$state/etc/passwords" --encoding UTF8 \
		--locale C.UTF-8 --no-sync
}

start_postgres() {
	local durable=off
	[ ! -e "$state/etc/durable" ] || durable=on
	# Of a server that was killed: its number may be another process's by now.
	is_running postgres || rm -f "$state"/{postgres/postmaster.pid,sockets/.s.PGSQL.*}
	start postgres "${as_account[@]}" "$(postgres_programs)/postgres" -D "$state/postgres" \
		-c listen_addresses=127.0.0.1 -c port="$postgres_port" -c fsync=$durable \
		-c unix_socket_directories="$state/sockets" \
		-c ssl=on -c ssl_ca_file="$state/pki/ca.crt" \
		-c ssl_cert_file="$state/pki/server.crt" -c ssl_key_file="$state/pki/server.key"
	wait_ready postgres 30 admin_of_postgres
}

# admin_of_postgres [STATEMENTS]
admin_of_postgres() {
	PGPASSWORD=$admin_password "$(postgres_programs)/psql" -q -X -v ON_ERROR_STOP=1 \
		-h "$state/sockets" -p "$postgres_port" -U admin -d postgres <<<"${1-SELECT 1}"
}

make_postgres_users() {
	[ ! -e "$state/etc/postgres-users" ] || return 0
	admin_of_postgres "
		CREATE ROLE owner LOGIN CREATEDB PASSWORD '$owner_password';
		CREATE ROLE limited LOGIN PASSWORD '$limited_password' IN ROLE pg_read_all_data;
		CREATE DATABASE stepop OWNER owner;"
	: >"$state/etc/postgres-users"
}

# --- MariaDB

make_mysql_data() {
	"${as_account[@]}" mariadb-install-db --no-defaults --datadir="$1" \
		--auth-root-authentication-method=normal --skip-test-db --skip-name-resolve
}

start_mysql() {
	local commit=2
	[ ! -e "$state/etc/durable" ] || commit=1
	start mysql "${as_account[@]}" mariadbd --no-defaults --datadir="$state/mysql" \
		--bind-address=127.0.0.1 --port="$mysql_port" --socket="$state/sockets/mysql" \
		--pid-file="$state/sockets/mysql.pid" --innodb-flush-log-at-trx-commit=$commit \
		--skip-name-resolve --ssl-ca="$state/pki/ca.crt" \
		--ssl-cert="$state/pki/server.crt" --ssl-key="$state/pki/server.key"
	wait_ready mysql 30 admin_of_mysql
}

# admin_of_mysql [STATEMENTS]: root has no password before make_mysql_users().
admin_of_mysql() {
	local password=$admin_password
	[ -e "$state/etc/mysql-users" ] || password=
	MYSQL_PWD=$password mariadb --no-defaults --socket="$state/sockets/mysql" \
		--user=root <<<"${1-SELECT 1}"
}

make_mysql_users() {
	[ ! -e "$state/etc/mysql-users" ] || return 0
	admin_of_mysql "
		CREATE USER owner@'%' IDENTIFIED BY '$owner_password';
		CREATE USER limited@'%' IDENTIFIED BY '$limited_password';
		CREATE DATABASE stepop;
		GRANT ALL ON stepop.* TO owner@'%';
		GRANT ALL ON \`stepop\\_%\`.* TO owner@'%';
		GRANT SELECT ON stepop.* TO limited@'%';
		GRANT SELECT ON \`stepop\\_%\`.* TO limited@'%';
		ALTER USER root@localhost IDENTIFIED BY '$admin_password';"
	: >"$state/etc/mysql-users"
}

# --- Commands

# environment NAME PORT SOCKET ADMIN
environment() {
	cat <<-EOF
		export STEPOP_TEST_$1_HOST=localhost STEPOP_TEST_$1_PORT=$2
		export STEPOP_TEST_$1_SOCKET='$3' STEPOP_TEST_$1_DATABASE=stepop
		export STEPOP_TEST_$1_CA='$state/pki/ca.crt'
		export STEPOP_TEST_$1_OTHER_CA='$state/pki/other-ca.crt'
		export STEPOP_TEST_$1_USER=owner STEPOP_TEST_$1_PASSWORD=$owner_password
		export STEPOP_TEST_$1_LIMITED_USER=limited
		export STEPOP_TEST_$1_LIMITED_PASSWORD=$limited_password
		export STEPOP_TEST_$1_ADMIN_USER=$4 STEPOP_TEST_$1_ADMIN_PASSWORD=$admin_password
	EOF
}

databases_up() {
	mkdir -p "$state/etc" "$state/log" "$state/sockets"
	: >"$state/.stepop-databases"
	[ -z "${STEPOP_DATABASES_DURABLE-}" ] || : >"$state/etc/durable"
	chown "$account" "$state/sockets"
	cd / # which the servers' user can enter
	"${as_account[@]}" test -x "$state/sockets" ||
		die "the user '$account' cannot enter $state: choose a folder that all may enter"
	choose_ports
	make_certificates
	make_passwords
	make_data postgres
	make_data mysql
	start_postgres
	start_mysql
	make_postgres_users
	make_mysql_users
	printf "export STEPOP_TEST_DATABASES='%s'\n" "$state"
	environment POSTGRES "$postgres_port" "$state/sockets" admin
	environment MYSQL "$mysql_port" "$state/sockets/mysql" root
}

databases_start() {
	cd /
	choose_ports
	make_passwords
	"start_$1"
}

# find_processes NAME: its process id, and those of PostgreSQL's sessions and workers.
find_processes() {
	pid=$(pid_in "$state/run/$1.pid") || die "$1 does not run"
	read -r -a children <"/proc/$pid/task/$pid/children" || true
}

# signal SIGNAL PROCESS...: some may have ended already.
signal() {
	local process
	for process in "${@:2}"; do kill -s "$1" "$process" 2>/dev/null || true; done
}

databases_pause() {
	local pid children
	find_processes "$1"
	signal STOP "$pid" "${children[@]}"
}

databases_resume() {
	local pid children
	find_processes "$1"
	signal CONT "$pid" "${children[@]}"
}

# PostgreSQL's sessions outlive their parent for a moment, and a new server waits for their end.
databases_kill() {
	local pid child children
	find_processes "$1"
	stop "$1"
	signal KILL "${children[@]}"
	for child in "${children[@]}"; do
		wait_until 10 test ! -e "/proc/$child" || die "a session of $1 ($child) does not end"
	done
}

databases_restart() {
	databases_kill "$1"
	databases_start "$1"
}

databases_down() {
	local name
	[ -e "$state" ] || return 0
	[ -e "$state/.stepop-databases" ] || die "$state holds no databases"
	for name in postgres mysql; do
		! is_running "$name" || databases_kill "$name"
	done
	rm -rf "$state"
}

main() {
	local commands='^(up|down) $|^(start|kill|restart|pause|resume) (postgres|mysql)$'
	[[ "${1-} ${3-}" =~ $commands && -n ${2-} ]] || {
		usage >&2
		exit 2
	}
	state=$(realpath -m "$2")
	lock "databases-$(printf %s "$state" | sha256sum | cut -c1-8)"
	"databases_$1" "${@:3}"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
