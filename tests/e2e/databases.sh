#!/usr/bin/env bash
# Whole runs that are recorded on a PostgreSQL and on a MariaDB, which are killed in the middle.
. "$(dirname "$0")/lib.sh"

servers=$root/tests/servers/databases.sh
chmod 711 "$scratch" # for the user that the servers run as
"$root/scripts/setup.sh" databases
environment=$("$servers" up "$scratch/databases")
eval "$environment"
clean_up() { "$servers" down "$scratch/databases"; }

"$stepop" init >/dev/null
"$stepop" secrets-manager register vault --flavor=local >/dev/null

# Each of nine steps notes that it was carried out; the fourth tells so, and waits to be let go.
cat >steps.py <<'PY'
def step(number, notes):
    with open(notes + "/carried-out", "a") as file:
        print(number, file=file)
    if number == 4:
        open(notes + "/reached", "w").close()
        open(notes + "/go-on").close()
    return number
PY
{
	printf 'apiVersion: stepop/v1\nkind: Pipeline\nname: chain\nparameters: {notes: none}\nsteps:\n'
	for number in 1 2 3 4 5 6 7 8 9; do
		printf '  s%d: {source: "steps.py:step", outputs: {number: json}, parameters: {number: %d, notes: "${{ parameters.notes }}"}' \
			$number $number
		[ $number = 1 ] || printf ', after: [s%d]' $((number - 1))
		printf '}\n'
	done
} >chain.yaml

# register FLAVOR: the stack 'FLAVOR', by values that only the environment knows.
register() {
	local prefix=STEPOP_TEST_${1^^} host port database user password ca
	host=${prefix}_HOST port=${prefix}_PORT database=${prefix}_DATABASE
	user=${prefix}_USER password=${prefix}_PASSWORD ca=${prefix}_CA
	printf '%s' "${!password}" | "$stepop" secrets-manager secret register "$1_authentication" \
		-x vault --schema="$1" --user="${!user}" --password=- >/dev/null
	"$stepop" metadata-store register "$1" --flavor="$1" --host="${!host}" --port="${!port}" \
		--database="${!database}" --authentication_secret="$1_authentication" \
		--ssl_ca="${!ca}" >/dev/null
	"$stepop" stack register "$1" -x vault -m "$1" --set >/dev/null
}

# What a run left in the store, without names, numbers and times: one line for each event.
events() {
	"$stepop" runs describe "$1" -o json | /usr/bin/python3 -c '
import json, sys
for event in json.load(sys.stdin)["events"]:
    print(event.get("step"), event.get("attempt"), event["kind"], event["message"])'
}

# start_chain NAME: until the fourth step waits.
start_chain() {
	notes=$scratch/$1
	mkdir "$notes"
	mkfifo "$notes/reached" "$notes/go-on"
	"$stepop" run chain.yaml -p "notes=$notes" --name "$1" -o json >"$out" 2>"$err" &
	run_pid=$!
	cat "$notes/reached"
}

end_chain() {
	status=0
	wait "$run_pid" || status=$?
}

for server in postgres mysql; do
	register "$server"

	start_chain "$server-undisturbed"
	: >"$notes/go-on"
	end_chain
	expect_status 0 "$server: a chain of steps succeeds"

	start_chain "$server-disturbed"
	"$servers" kill "$scratch/databases" "$server"
	: >"$notes/go-on"
	until grep -q 'the metadata store is away' "$err"; do sleep 0.1; done
	"$servers" start "$scratch/databases" "$server"
	end_chain
	expect_status 0 "$server: so it does when the server is killed and started again"
	expect_err 'the metadata store is back after' "$server: its absence was told"
	check "$server: each step was carried out once" \
		test "$(tr '\n' ' ' <"$notes/carried-out")" = '1 2 3 4 5 6 7 8 9 '
	events "$server-undisturbed" >"$scratch/expected"
	events "$server-disturbed" >"$scratch/events"
	check "$server: three events for each step and one for the run are recorded" \
		test "$(wc -l <"$scratch/expected")" = 28
	check "$server: they are the same with the server killed, each once" \
		diff "$scratch/expected" "$scratch/events"
	"$stepop" runs describe "$server-disturbed" -o json >"$out"
	check "$server: each step has one attempt, and succeeded" \
		test "$(json "$out" 'sum(s["state"] == "succeeded" and s["attempt_count"] == 1 for s in d["steps"])')" = 9
done
