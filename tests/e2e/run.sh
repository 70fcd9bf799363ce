#!/usr/bin/env bash
# The whole runs: embedded, recorded on servers, then on a real node where this machine can host one.
# usage: run.sh STEPOP
set -uo pipefail
STEPOP=$(realpath "$1")
export STEPOP
cd "$(dirname "$0")" || exit 1
cluster=../cluster
passed=0 failed=0

try() {
	local began=$SECONDS
	echo "# e2e/$1"
	if timeout 1200 "./$1.sh" </dev/null; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
	echo "# e2e/$1 took $((SECONDS - began)) s"
}

try local
try embedded
try databases
if reason=$("$cluster/can_host.sh"); then
	../../scripts/setup.sh cluster >&2 || exit 1
	was_up=$("$cluster/node.sh" status >/dev/null 2>&1 && echo yes || true)
	"$cluster/node.sh" up || { echo "e2e: the node did not come up" >&2; exit 1; }
	trap '[ -n "$was_up" ] || "$cluster/node.sh" down' EXIT
	try spark_kubernetes
	try image
	try failures
	try cancel
	try submit
	try submit_faults
	try restricted
	try production
else
	echo "SKIPPED: the runs on a real node: $reason" >&2
	[ "${CI:-}" != true ] || failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
test "$failed" = 0
