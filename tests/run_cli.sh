#!/usr/bin/env bash
# Runs the command line's tests (tests/cli/*.sh) with the program that it is given; each has a home of its own.
# usage: run_cli.sh STEPOP
set -uo pipefail
STEPOP=$(realpath "$1")
export STEPOP ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=print_stacktrace=1
cd "$(dirname "$0")/cli" || exit 1
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for test in *.sh; do
	if timeout 120 "./$test" >"$log" 2>&1 </dev/null; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "--- cli/$test failed"
		cat "$log"
	fi
done
echo "cli: $passed passed, $failed failed"
test "$failed" = 0
