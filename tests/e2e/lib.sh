# Sourced by the whole runs: a home and a project of their own, and checks that say what they saw.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stepop=${STEPOP:-$root/build/stepop}
scratch=$(mktemp -d /tmp/stepop-e2e-XXXXXX)
# Caches stay where they are; everything else of a home is new.
export STEPOP_CACHE=${STEPOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stepop}
export HOME=$scratch/home NO_COLOR=1
unset STEPOP_HOME KUBECONFIG SPARK_HOME VIRTUAL_ENV PYSPARK_PYTHON AWS_PROFILE AWS_ACCESS_KEY_ID \
	AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
mkdir -p "$HOME" "$scratch/project"
cd "$scratch/project"
out=$scratch/out err=$scratch/err status=0
failures=0

finish() {
	local code=$?
	if declare -F clean_up >/dev/null; then clean_up || true; fi
	if [ "$code" = 0 ] && [ "$failures" = 0 ]; then
		rm -rf "$scratch"
	else
		echo "# what is left to look at: $scratch" >&2
		[ "$code" != 0 ] || code=1
	fi
	exit "$code"
}
trap finish EXIT

# run COMMAND...: keeps stdout, stderr and the status; never fails itself.
run() {
	status=0
	"$@" >"$out" 2>"$err" </dev/null || status=$?
}

ok() { echo "ok - $*"; }

not_ok() {
	failures=$((failures + 1))
	echo "not ok - $*"
	sed 's/^/#   out: /' "$out" | tail -40
	sed 's/^/#   err: /' "$err" | tail -40
}

# check DESCRIPTION TEST...: the test is a command.
check() {
	local what=$1
	shift
	if "$@" >/dev/null 2>&1; then ok "$what"; else not_ok "$what"; fi
}

expect_status() { if [ "$status" = "$1" ]; then ok "$2"; else not_ok "$2 (exit status $status, expected $1)"; fi; }
expect_out() { check "$2" grep -qE -- "$1" "$out"; }
expect_err() { check "$2" grep -qE -- "$1" "$err"; }

# json FILE PYTHON-EXPRESSION over `d`: prints its value; nothing when there is none.
json() {
	/usr/bin/python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2" 2>/dev/null || true
}
