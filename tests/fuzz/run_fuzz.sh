#!/usr/bin/env bash
# Runs each fuzz target that it is given for some seconds, beginning with the golden files.
# usage: run_fuzz.sh SECONDS TARGET...
set -euo pipefail
seconds=$1
shift
for target in "$@"; do
	name=$(basename "$target")
	corpus=$(dirname "$target")/corpus/$name
	mkdir -p "$corpus"
	case $name in
	fuzz_document | fuzz_pipeline) seeds=(tests/golden/pipeline/*/*.yaml examples/*/pipeline.yaml) ;;
	fuzz_pipeline_source) seeds=(tests/golden/pipeline/*/*.py examples/*/*.py) ;;
	fuzz_pod_template) seeds=(tests/golden/pod_template/*.yaml) ;;
	fuzz_spark_application) seeds=(tests/golden/spark_application/*.yaml examples/spark_application/*.yaml) ;;
	*) seeds=() ;;
	esac
	for seed in "${seeds[@]}"; do
		cp "$seed" "$corpus/${seed//\//-}"
	done
	echo "$name: $seconds s"
	if ! "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix="$(dirname "$target")/$name-" "$corpus" >"$corpus.log" 2>&1; then
		tail -60 "$corpus.log"
		exit 1
	fi
	sed -n 's/^stat::number_of_executed_units: */  runs: /p' "$corpus.log"
done
