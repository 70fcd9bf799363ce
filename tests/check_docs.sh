#!/usr/bin/env bash
# The README's table of commands is the program's own; links between documents lead somewhere.
# usage: STEPOP=build/asan/stepop tests/check_docs.sh
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
if ! diff <("$STEPOP" help --markdown) <(sed -n '/^| command | what it does |$/,/^$/p' README.md | sed '/^$/d'); then
	echo "check_docs: README.md's table differs from 'stepop help --markdown' (< is the program's)" >&2
	status=1
fi
for document in $(git ls-files '*.md'); do
	while read -r link; do
		case $link in *://* | '#'*) continue ;; esac
		if [ ! -e "$(dirname "$document")/${link%%#*}" ]; then
			echo "check_docs: $document links to $link, which does not exist" >&2
			status=1
		fi
	done < <(grep -oE '\]\([^) ]+\)' "$document" | sed 's/^](//; s/)$//')
done
exit $status
