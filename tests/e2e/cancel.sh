#!/usr/bin/env bash
# Ctrl-C on a cluster: driver pods deleted, executors gone with them, the run recorded as cancelled.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/cluster_lib.sh"

register_stack >"$out" 2>"$err" || not_ok "the stack is registered"
cat >steps.py <<'PY'
def endless(spark):
    import time
    print("partitions:", spark.range(10).repartition(1).rdd.getNumPartitions(), flush=True)
    spark.range(1).foreach(lambda row: time.sleep(600))
PY
cat >endless.yaml <<YAML
apiVersion: stepop/v1
kind: Pipeline
name: endless
$small_settings
steps:
  endless: {source: "steps.py:endless"}
YAML
mkfifo "$scratch/log"
"$stepop" run -v endless.yaml >"$out" 2>"$scratch/log" &
pid=$!
# The event: the step says that it runs.
exec 3<"$scratch/log"
while read -r line <&3; do
	echo "$line" >>"$err"
	case $line in *partitions:*) break ;; esac
done
cat <&3 >>"$err" &
"$kubectl" get pods -n "$namespace" -l spark-role=executor -o name >"$scratch/executors"
check "an executor was running" test -s "$scratch/executors"
check "logs -f follows the driver while it runs" sh -c "timeout 60 '$stepop' logs -f @latest endless | grep -qm1 partitions:"
kill -INT "$pid"
status=0
wait "$pid" || status=$?
expect_status 130 "Ctrl-C ends with 130"
check "the driver pod is gone" test -z "$("$kubectl" get pods -n "$namespace" -l spark-role=driver -o name)"
while read -r pod; do
	"$kubectl" wait -n "$namespace" --for=delete "$pod" --timeout=60s >/dev/null 2>&1 || true
done <"$scratch/executors"
check "its executors are gone" test -z "$("$kubectl" get pods -n "$namespace" -o name)"
run "$stepop" runs list -o json
check "the run is recorded as cancelled" test "$(json "$out" 'd[0]["state"]')" = cancelled
run "$stepop" logs @latest endless
expect_out 'partitions:' "what the step had said is kept"
