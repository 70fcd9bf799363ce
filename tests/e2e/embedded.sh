#!/usr/bin/env bash
# The example on the embedded default stack: Spark in local mode, nothing but this machine.
. "$(dirname "$0")/lib.sh"

VIRTUAL_ENV=$("$root/scripts/setup.sh" spark)
export VIRTUAL_ENV
"$stepop" init >/dev/null
run "$stepop" run "$root/examples/spark_pipeline/pipeline.yaml" -o json
expect_status 0 "the example succeeds"
check "all six steps did" test "$(json "$out" '[s["state"] for s in d["steps"]]')" = "$(printf "['succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded']")"
check "the model learnt something" test "$(json "$out" '[a["metadata"]["value"]["accuracy"] > 0.8 for a in d["artifacts"] if a["artifact"]=="evaluator.metrics"][0]')" = True
check "rows are counted from the footers" test "$(json "$out" '[a["metadata"]["rows"] for a in d["artifacts"] if a["artifact"]=="importer.dataset"][0]')" = "$(($(wc -l <"$root/examples/spark_pipeline/data/train.csv") - 1))"
check "the model's class is told" test "$(json "$out" '"RandomForestClassificationModel" in [a["metadata"]["class"] for a in d["artifacts"] if a["artifact"]=="trainer.model"][0]')" = True
run "$stepop" runs describe @latest
expect_out 'evaluator' "runs describe shows its steps"
