#!/usr/bin/env bash
# What a command costs before it does anything: `stepop --version` and `stepop runs list` beside kubectl.
. "$(dirname "$0")/lib.sh"
kubectl=${KUBECTL:-$(command -v kubectl || true)}
[ -n "$kubectl" ] || { echo "bench: no kubectl to compare with (KUBECTL=path)" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$stepop" init >/dev/null

heading "start-up" kubectl
peer_cpu=$(cpu_ms 10 "$kubectl" version --client)
peer_rss=$(rss_mib "$kubectl" version --client)
row "CPU, --version" "$(cpu_ms 50 "$stepop" --version)" "$peer_cpu" ms
row "CPU, runs list" "$(cpu_ms 50 "$stepop" runs list)" "$peer_cpu" ms
row "peak RSS, --version" "$(rss_mib "$stepop" --version)" "$peer_rss" MiB
row "peak RSS, runs list" "$(rss_mib "$stepop" runs list)" "$peer_rss" MiB
