#!/usr/bin/env bash
# What a command costs before it does anything: `stepop --version` and `stepop runs list` beside kubectl.
. "$(dirname "$0")/lib.sh"
kubectl=${KUBECTL:-$(command -v kubectl || true)}
[ -n "$kubectl" ] || { echo "bench: no kubectl to compare with (KUBECTL=path)" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$stepop" init >/dev/null

peer=$(measure 10 "$kubectl" version --client)
heading "stepop --version" "kubectl"
rows "$(measure 50 "$stepop" --version)" "$peer"
heading "stepop runs list" "kubectl"
rows "$(measure 50 "$stepop" runs list)" "$peer"
