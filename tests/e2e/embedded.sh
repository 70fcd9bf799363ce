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

# Flavor spark-local: Spark's own spark-submit on this machine, for functions and for whole programs.
cat >steps.py <<'PY'
def count(spark, n):
    return {"rows": spark.range(n).count(), "partitions": spark.conf.get("spark.sql.shuffle.partitions")}
PY
cat >app.py <<'PY'
import sys
from pyspark.sql import SparkSession
print("app counted", SparkSession.builder.getOrCreate().range(int(sys.argv[1])).count())
PY
cat >spark_local.yaml <<YAML
apiVersion: stepop/v1
kind: Pipeline
name: spark_local
settings: {spark: {conf: {spark.sql.shuffle.partitions: "3"}}}
steps:
  count: {source: "steps.py:count", parameters: {n: 41}, outputs: {result: json}}
  program: {source: {main: "local://$PWD/app.py", args: ["7"]}, after: [count]}
YAML
"$stepop" register --flavor spark-local laptop --master='local[2]' >/dev/null
"$stepop" stack register laptop_stack -s laptop >/dev/null
run "$stepop" run spark_local.yaml -s laptop_stack -o json
expect_status 0 "spark-local runs a function and a program"
check "a step's settings reach Spark" test "$(json "$out" '[a["metadata"]["value"] for a in d["artifacts"] if a["artifact"]=="count.result"][0]')" = "{'rows': 41, 'partitions': '3'}"
run "$stepop" logs @latest program
expect_out 'app counted 7' "a program's arguments and output"
