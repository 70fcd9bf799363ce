#!/usr/bin/env bash
# The README's second section on the real node: the example as driver and executor pods with artifacts in S3.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/cluster_lib.sh"

register_stack >"$out" 2>"$err" || not_ok "the stack is registered"

# Nothing of the credentials may be seen while the run goes on: in no process's arguments, on the node or here.
"$stepop" run "$root/examples/spark_pipeline/pipeline.yaml" -o json --progress=plain >"$out" 2>"$err" &
pid=$!
leaks=0
while kill -0 "$pid" 2>/dev/null; do
	if grep -qsaF -e "$s3_secret_key" -e "$s3_session_token" -e "$s3_access_key" /proc/[0-9]*/cmdline; then
		leaks=$((leaks + 1))
	fi
done
status=0
wait "$pid" || status=$?
expect_status 0 "the example succeeds on the cluster"
check "no process had a key in its arguments" test "$leaks" = 0
check "the model learnt something" test "$(json "$out" '[a["metadata"]["value"]["accuracy"] > 0.8 for a in d["artifacts"] if a["artifact"]=="evaluator.metrics"][0]')" = True
check "the artifacts lie in S3" test "$(json "$out" 'all(a["uri"].startswith("s3://") for a in d["artifacts"])')" = True
check "the model's class is read from S3" test "$(json "$out" '[a["metadata"]["summary"] for a in d["artifacts"] if a["artifact"]=="trainer.model"][0]')" = RandomForestClassificationModel
id=$(json "$out" 'd["run"]')

# A step has ended when Spark's container has; the pod's phase follows within a second.
"$kubectl" wait pods -n "$namespace" -l "stepop.dev/run=$id,spark-role=driver" \
	--for=jsonpath='{.status.phase}'=Succeeded --timeout=60s >/dev/null || true
objects=$scratch/objects.json
"$kubectl" get pods,services,configmaps -n "$namespace" -l "stepop.dev/run=$id" -o json >"$objects"
check "each step is one driver pod" test "$(json "$objects" 'len([o for o in d["items"] if o["kind"]=="Pod" and o["metadata"]["labels"].get("spark-role")=="driver"])')" = 6
check "each driver pod succeeded" test "$(json "$objects" 'set(o["status"]["phase"] for o in d["items"] if o["kind"]=="Pod" and o["metadata"]["labels"].get("spark-role")=="driver")')" = "{'Succeeded'}"
check "pods carry the labels of pipeline, run, step and attempt" test "$(json "$objects" 'all(all("stepop.dev/"+k in o["metadata"]["labels"] for k in ("pipeline","run","step","attempt")) and o["metadata"]["labels"]["app.kubernetes.io/managed-by"]=="stepop" for o in d["items"])')" = True
check "what belongs to a pod is owned by it" test "$(json "$objects" 'all(o["metadata"]["ownerReferences"][0]["kind"]=="Pod" for o in d["items"] if o["kind"]!="Pod")')" = True
check "pods are named after pipeline, run, step and attempt" test "$(json "$objects" "'spark-pipeline-${id:0:8}-trainer-1-driver' in [o['metadata']['name'] for o in d['items']]")" = True

# The keys are in Secrets, and nowhere else: objects of all kinds, logs, the database, the project.
"$kubectl" get pods,services,configmaps,events,serviceaccounts,roles,rolebindings -n "$namespace" -o yaml >"$scratch/objects.yaml"
for pod in $("$kubectl" get pods -n "$namespace" -o name); do
	"$kubectl" logs -n "$namespace" "$pod" --all-containers >>"$scratch/logs" || true
done
check "there are logs to look at" grep -q SparkContext "$scratch/logs"
# shellcheck disable=SC2046
check "no key is in any object, log, database or file of the project" sh -c "! grep -rlaF -e '$s3_secret_key' -e '$s3_session_token' -e '$s3_access_key' '$scratch/objects.yaml' '$scratch/logs' '$scratch/project' '$out' '$err'"
check "the drivers refer to a Secret" grep -q 'secretKeyRef' "$scratch/objects.yaml"

run "$stepop" logs @latest trainer
expect_out 'SparkContext' "stepop logs prints the driver's log"
run "$stepop" artifact preview @latest evaluator.metrics
expect_out 'accuracy' "an artifact in S3 can be looked at"
run "$stepop" run "$root/examples/spark_pipeline/pipeline.yaml" --dry-run=client
expect_status 0 "a dry run prints the plan"
expect_out '^kind: Pod$' "a dry run prints the manifests"
check "a dry run shows no key" sh -c "! grep -qaF -e '$s3_secret_key' -e '$s3_session_token' '$out'"
