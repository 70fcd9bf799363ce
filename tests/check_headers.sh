#!/usr/bin/env bash
# Every header compiles alone, so that it shows what it rests on.
set -euo pipefail
cd "$(dirname "$0")/.."
for header in $(git ls-files '*.h' | grep -v '^tests/'); do
	echo "#include \"$header\"" |
		gcc -D_GNU_SOURCE -I. -std=gnu17 -Wall -Wextra -Werror -fsyntax-only -x c - ||
		{ echo "check_headers: $header does not compile alone" >&2; exit 1; }
done
