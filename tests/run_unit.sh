#!/usr/bin/env bash
# Runs the unit tests that it is given and sums up; shows the output of those that fail.
# usage: run_unit.sh TEST...
set -uo pipefail
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1} UBSAN_OPTIONS=print_stacktrace=1
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for test in "$@"; do
	if timeout 120 "$test" >"$log" 2>&1; then
		passed=$((passed + $(grep -c '^\[       OK' "$log")))
		grep '^SKIPPED' "$log"
	else
		status=$?
		failed=$((failed + 1))
		echo "--- $(basename "$test") failed (status $status)"
		cat "$log"
	fi
done
echo "unit: $passed passed, $failed failed"
test "$failed" = 0
