# Sourced by the benchmarks: CPU, wall time and peak memory of commands, side by side in one run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
stepop=${STEPOP:-$root/build/stepop}
command -v /usr/bin/time >/dev/null || { echo "bench: apt-get install time" >&2; exit 1; }
[ -x "$stepop" ] || { echo "bench: run make first" >&2; exit 1; }
make -s -C "$root" build/bench/measure >&2

# measure RUNS PROGRAM...: "CPU in ms, wall in ms, peak MiB" of the process alone, medians.
measure() { "$root/build/bench/measure" "$@"; }

# cpu_ms RUNS FUNCTION...: user and system time in ms, averaged over RUNS, with what the shell adds.
cpu_ms() {
	local runs=$1 i
	shift
	local TIMEFORMAT='%U %S'
	{ time for ((i = 0; i < runs; i++)); do "$@" >/dev/null 2>&1 </dev/null || true; done; } 2>&1 |
		awk -v n="$runs" '{printf "%.2f", ($1 + $2) * 1000 / n}'
}

# wall_ms RUNS FUNCTION...
wall_ms() {
	local runs=$1 i
	shift
	local TIMEFORMAT='%R'
	{ time for ((i = 0; i < runs; i++)); do "$@" >/dev/null 2>&1 </dev/null || true; done; } 2>&1 |
		awk -v n="$runs" '{printf "%.2f", $1 * 1000 / n}'
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (a > 0) printf "%.1f", b / a; else printf "-"}'; }

# row NAME OURS PEERS UNIT: one figure beside the peer's.
row() { printf '%-44s %10s %10s %-4s %8sx\n' "$1" "$2" "$3" "$4" "$(ratio "$2" "$3")"; }
heading() { printf '%-44s %10s %10s %-4s %9s\n' "$1" stepop "$2" '' ratio; }

# rows OURS PEERS: the three figures of measure() side by side.
rows() {
	local ours=($1) peers=($2)
	row "CPU" "${ours[0]}" "${peers[0]}" ms
	row "wall" "${ours[1]}" "${peers[1]}" ms
	row "peak RSS" "${ours[2]}" "${peers[2]}" MiB
}
