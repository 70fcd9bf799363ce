#!/usr/bin/env bash
# Twenty trivial local steps in a chain beside the same twenty child processes, one after the other, without stepop.
. "$(dirname "$0")/lib.sh"
steps=${STEPS:-20}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export PATH=/usr/bin:$PATH # Debian's own Python for both, not a wrapper around one
"$stepop" init >/dev/null
printf 'def step(value=0):\n    return value + 1\n' >steps.py
{
	printf 'apiVersion: stepop/v1\nkind: Pipeline\nname: chain\nsteps:\n'
	printf '  s1: {source: "steps.py:step", outputs: {value: json}}\n'
	for ((i = 2; i <= steps; i++)); do
		printf '  s%d: {source: "steps.py:step", inputs: {value: s%d.value}, outputs: {value: json}}\n' "$i" $((i - 1))
	done
} >chain.yaml
"$stepop" run -q chain.yaml >/dev/null

# The bare child: the same runtime on copies of the same contracts, made beforehand, each round with a folder of its own.
id=$(ls .stepop/runs)
rounds=5
for ((round = 0; round < 2 * rounds; round++)); do
	mkdir "bare-$round"
	for ((i = 1; i <= steps; i++)); do
		sed "s#file://[^\"]*/artifacts/#file://$folder/bare-$round/#" ".stepop/runs/$id/s$i/1/step.json" \
			>"bare-$round/s$i.json"
	done
done
round=0
bare() {
	local i
	for ((i = 1; i <= steps; i++)); do python3 "$root/runtime/main.py" "bare-$round/s$i.json"; done
	round=$((round + 1))
}
heading "a chain of $steps trivial local steps" "bare"
ours=$(wall_ms $rounds "$stepop" run -q chain.yaml)
peer=$(wall_ms $rounds bare)
round=$rounds
row "wall, the whole chain" "$ours" "$peer" ms
awk -v a="$ours" -v b="$peer" -v n="$steps" 'BEGIN {printf "on top of the bare child, per step: %.2f ms\n", (a - b) / n}'
row "CPU, the whole chain" "$(cpu_ms $rounds "$stepop" run -q chain.yaml)" "$(cpu_ms $rounds bare)" ms
