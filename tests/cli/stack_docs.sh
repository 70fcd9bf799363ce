#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tables of flavors in docs/stacks.md are the program's own; --write renders them anew.
# usage: STEPOP=build/asan/stepop tests/cli/stack_docs.sh [--write]      (output: TAP)
set -euo pipefail
stepop=$(realpath "${STEPOP:?set it to the stepop to test}") || exit 1
cd "$(dirname "$0")/../.."
document=docs/stacks.md
start='<!-- rendered from the program by tests/cli/stack_docs.sh -->'
end='<!-- end of what is rendered -->'

render_options() {
	"$stepop" "$1" flavors "$2" -o json | python3 -c '
import json, sys
rows = json.load(sys.stdin)
if rows:
    print("\n| option | value | meaning |\n|---|---|---|")
for row in rows:
    print("| `{}` | {} | {}{} |".format(row["option"], row["value"], "required: " if row["required"] else "", row["help"]))'
}

render() {
	local type flavor meaning
	for type in step-operator artifact-store container-registry secrets-manager metadata-store orchestrator; do
		"$stepop" "$type" flavors -o json |
			python3 -c 'import json, sys; [print(f["flavor"], f["help"], sep="\t") for f in json.load(sys.stdin)]' |
			while IFS=$'\t' read -r flavor meaning; do
				printf '\n#### %s `%s`\n%s.\n' "$type" "$flavor" "${meaning^}"
				render_options "$type" "$flavor"
			done
	done
}

rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT
{
	sed "\|^$start\$|q" "$document"
	render
	echo
	sed -n "\|^$end\$|,\$p" "$document"
} >"$rendered"
if [ "${1:-}" = --write ]; then
	cat "$rendered" >"$document"
fi
echo 1..1
if diff "$document" "$rendered"; then
	echo "ok 1 - the tables of flavors in $document are the program's"
else
	echo "not ok 1 - the tables of flavors in $document are the program's; run tests/cli/stack_docs.sh --write"
	exit 1
fi
