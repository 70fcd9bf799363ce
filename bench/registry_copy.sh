#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copies layers of several sizes between two real registries on this machine: memory stays the same.
# usage: bench/registry_copy.sh [MIB...]
set -euo pipefail
cd "$(dirname "$0")/.."
make -s build/bench/registry_copy >&2
folder=$(mktemp -d "${TMPDIR:-/tmp}/stepop-bench-XXXXXX")
end() {
	tests/servers/registries.sh down "$folder/registries" || true
	rm -rf "$folder"
}
trap end EXIT
environment=$(tests/servers/registries.sh up "$folder/registries")
eval "$environment"
[ $# -gt 0 ] || set -- 1 10 100 1024
for size in "$@"; do build/bench/registry_copy "$size"; done
