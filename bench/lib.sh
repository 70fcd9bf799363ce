# Sourced by the benchmarks: CPU, wall time and peak memory of commands, side by side in one run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
stepop=${STEPOP:-$root/build/stepop}
command -v /usr/bin/time >/dev/null || { echo "bench: apt-get install time" >&2; exit 1; }
[ -x "$stepop" ] || { echo "bench: run make first" >&2; exit 1; }

# cpu_ms RUNS COMMAND...: user and system time of one run in ms, averaged over RUNS, children included.
cpu_ms() {
	local runs=$1 i
	shift
	local TIMEFORMAT='%U %S'
	{ time for ((i = 0; i < runs; i++)); do "$@" >/dev/null 2>&1 </dev/null || true; done; } 2>&1 |
		awk -v n="$runs" '{printf "%.2f", ($1 + $2) * 1000 / n}'
}

# wall_ms RUNS COMMAND...
wall_ms() {
	local runs=$1 i
	shift
	local TIMEFORMAT='%R'
	{ time for ((i = 0; i < runs; i++)); do "$@" >/dev/null 2>&1 </dev/null || true; done; } 2>&1 |
		awk -v n="$runs" '{printf "%.2f", $1 * 1000 / n}'
}

# rss_mib COMMAND...: peak resident memory of the largest process.
rss_mib() {
	{ /usr/bin/time -f 'rss %M' "$@" >/dev/null; } 2>&1 </dev/null | awk '/^rss /{printf "%.1f", $2 / 1024}'
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (a > 0) printf "%.1f", b / a; else printf "-"}'; }

# row NAME OURS PEERS UNIT: one figure beside the peer's.
row() { printf '%-44s %10s %10s %-4s %8sx\n' "$1" "$2" "$3" "$4" "$(ratio "$2" "$3")"; }
heading() { printf '%-44s %10s %10s %-4s %9s\n' "$1" stepop "$2" '' ratio; }
