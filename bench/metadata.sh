#!/usr/bin/env bash
# Times the metadata store on the file system of FOLDER (default: a temporary folder).
# usage: bench/metadata.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d -p "${1:-${TMPDIR:-/tmp}}" stepop-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
make -s build/bench/metadata >&2
build/bench/metadata "$work"
