#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Metadata stores at the command line: status, migrate, copy, and what is refused.
# usage: STEPOP=build/asan/stepop tests/cli/metadata_cli.sh      (output: TAP)
set -uo pipefail
# shellcheck source=tests/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli_lib.sh"

run init && run metadata-store register other --flavor=sqlite --path="$folder/other.db"
say $? 'a second store is registered'
fails 'status of one that is not there makes none' 5 'there is no database' metadata-store status other
[ ! -e "$folder/other.db" ]
say $? 'nothing was made'
prints 'migrate makes it' 'metadata-store/other has the newest schema' metadata-store migrate other
gives 'status tells what it is' \
	'x["name"] == "other" and x["server"].startswith("SQLite ") and x["advice"] == "nothing to do" and
	x["schema_version"] == x["newest_schema_version"] and x["rows"]["runs"] == 0 and x["size_bytes"] > 0' \
	metadata-store status other

mkdir -p code && printf 'def f():\n    return 1\n' >code/steps.py
printf 'apiVersion: stepop/v1\nkind: Pipeline\nname: p\nsteps:\n  a: {source: "steps.py:f", outputs: {x: json}}\n' \
	>code/pipeline.yaml
run run code/pipeline.yaml --name first -q && run run code/pipeline.yaml --name second -q
say $? 'two runs are recorded'
gives 'the active stack has a store' 'x["name"] == "default" and x["rows"]["runs"] == 2' metadata-store status
gives 'copy moves and compares' 'x["runs_copied"] == 2 and x["runs_compared"] == 2 and x["rows_compared"] > 10' \
	metadata-store copy default other
run stack update default -m other && run runs list -o name && [ "$(cat "$folder/out")" = $'second\nfirst' ]
say $? 'the other store has the runs, in their order'
run run code/pipeline.yaml --name third -q
fails 'a store with runs of its own takes none' 6 "holds run 'third'" metadata-store copy default other
fails 'nothing is copied to itself' 2 'itself' metadata-store copy other other
fails 'an unknown store' 5 "no metadata store named 'othr'" metadata-store status othr
python3 -c "import sqlite3; sqlite3.connect('$folder/other.db').execute('PRAGMA user_version = 99')"
gives 'status tells of a newer schema' 'x["advice"] == "use a newer stepop"' metadata-store status other
fails 'others refuse it' 9 'use a newer stepop' runs list
python3 -c "import sqlite3; sqlite3.connect('$folder/their.db').execute('CREATE TABLE t (x)')"
run metadata-store register their --flavor=sqlite --path="$folder/their.db"
fails 'the database of another application' 9 'another application' metadata-store migrate their

fails 'a URL with a password' 9 'secret' \
	metadata-store register bad --flavor=postgres --url="postgresql://u:$value@db/d"
fails 'the same for MySQL' 9 '--url' metadata-store register bad --flavor=mysql --url="mysql://u:$value@db/d"
fails 'what is no URL' 9 'postgresql://USER@HOST:5432/DATABASE' \
	metadata-store register bad --flavor=postgres --url=http://db/d
fails 'a port' 9 "'99999' is no port" metadata-store register bad --flavor=postgres --port=99999
fails 'a way to use TLS' 9 'verify-full' metadata-store register bad --flavor=mysql --ssl_mode=maybe
fails 'an unknown option' 9 "did you mean '--ssl_mode'?" metadata-store register bad --flavor=postgres --ssl_mod=x
run metadata-store register server --flavor=postgres --host=127.0.0.1 --database=d --authentication_secret=absent
say $? 'a server is registered'
fails 'its secret needs a secrets manager' 9 "option 'authentication_secret'" metadata-store status server
run metadata-store register half --flavor=postgres --host=127.0.0.1
fails 'a database is needed' 9 "option 'database' is missing" metadata-store status half

! grep -qF "$value" "$said" && ! grep -rqF "$value" .stepop
say $? 'no password was said or stored'
finish
