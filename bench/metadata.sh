#!/usr/bin/env bash
# Times the metadata store on the file system of FOLDER (default: a temporary folder).
# usage: bench/metadata.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d -p "${1:-${TMPDIR:-/tmp}}" stepop-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
make -s >&2
objects=({core,cloud,submit,stacks}/*.c)
objects=("${objects[@]/#/build/release/}")
objects=("${objects[@]/%.c/.o}")
gcc -D_GNU_SOURCE -I. -std=gnu17 -O2 bench/metadata.c "${objects[@]}" \
	$(pkg-config --cflags --libs jansson yaml-0.1 libcrypto sqlite3 expat) -ldl -o "$work/metadata"
"$work/metadata" "$work"
