#!/usr/bin/env bash
# From the command to the first driver pod in the API, the CPU that it took, and the memory of following the run,
# beside spark-submit, on the node of tests/cluster (make cluster-up).
. "$(dirname "$0")/lib.sh"
addresses=$("$root/tests/cluster/node.sh" env)
eval "$addresses"
export KUBECONFIG=$STEPOP_KUBECONFIG
kubectl=$STEPOP_KUBECTL
runs=${RUNS:-5}
namespace=bench-$$
folder=$(mktemp -d)
clean_up() {
	"$kubectl" delete namespace "$namespace" --wait=false >/dev/null 2>&1 || true
	rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder"
"$stepop" init >/dev/null
"$stepop" secrets-manager register vault --flavor=local >/dev/null
"$stepop" secrets-manager secret register s3 --schema=aws --aws_access_key_id="$STEPOP_S3_ACCESS_KEY" \
	--aws_secret_access_key=@"$STEPOP_S3_SECRET_FILE" >/dev/null
"$stepop" register --flavor spark-kubernetes spark --master=k8s://"$STEPOP_API_SERVER" \
	--namespace="$namespace" --service_account=spark --docker_parent_image="$STEPOP_SPARK_IMAGE" >/dev/null
"$stepop" artifact-store register s3 --flavor=s3 --path=s3://"$STEPOP_S3_BUCKET/$namespace" \
	--endpoint_url="$STEPOP_S3_ENDPOINT" --region="$STEPOP_S3_REGION" --authentication_secret=s3 >/dev/null
"$stepop" stack register spark -s spark -x vault -a s3 --set >/dev/null
"$stepop" rbac apply >/dev/null
printf 'def step():\n    return 1\n' >steps.py
cat >one.yaml <<'YAML'
apiVersion: stepop/v1
kind: Pipeline
name: one
settings: {spark: {driver: {memory: 512m}, conf: {spark.kubernetes.driver.request.cores: "100m"}}}
steps:
  step: {source: "steps.py:step", outputs: {value: json}}
YAML

# cpu_ns PID: time on a processor so far, all threads.
cpu_ns() { cat /proc/"$1"/task/*/schedstat 2>/dev/null | awk '{sum += $1} END {print sum}'; }

# first_pod COMMAND...: "wall_ms cpu_ms" until a watch that was there before shows a pod that it had not seen.
first_pod() {
	local began ended line pid cpu watch
	"$kubectl" delete pods -n "$namespace" --all --wait=true >/dev/null 2>&1
	coproc WATCH { exec "$kubectl" get pods -n "$namespace" -o name --watch; }
	watch=$WATCH_PID
	# The watch is there once it has shown a pod of our own.
	"$kubectl" run marker -n "$namespace" --image="$STEPOP_BUSYBOX_IMAGE" --restart=Never -- true >/dev/null
	read -r line <&"${WATCH[0]}"
	began=$EPOCHREALTIME
	"$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	while read -r line <&"${WATCH[0]}"; do case $line in *-driver) break ;; esac done
	ended=$EPOCHREALTIME
	cpu=$(cpu_ns "$pid")
	kill "$watch"
	wait "$pid" "$watch" 2>/dev/null || true
	awk -v a="$began" -v b="$ended" -v c="$cpu" 'BEGIN {printf "%.1f %.1f\n", (b - a) * 1000, c / 1e6}'
}

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
first_pods() { for ((i = 0; i < runs; i++)); do first_pod "$@"; done; }

venv=$("$root/scripts/setup.sh" spark)
submit() {
	exec "$venv/bin/spark-submit" --master k8s://"$STEPOP_API_SERVER" --deploy-mode cluster --name one \
		--conf spark.kubernetes.namespace="$namespace" --conf spark.kubernetes.container.image="$STEPOP_SPARK_IMAGE" \
		--conf spark.kubernetes.authenticate.driver.serviceAccountName=spark --conf spark.driver.memory=512m \
		--conf spark.kubernetes.driver.request.cores=100m --conf spark.executor.instances=1 \
		--conf spark.kubernetes.submission.waitAppCompletion=false local:///opt/spark/examples/src/main/python/pi.py 1
}
ours=$(first_pods "$stepop" run one.yaml)
peers=$(first_pods submit)
heading "to the first driver pod (median of $runs)" spark-submit
row "wall" "$(cut -d' ' -f1 <<<"$ours" | median)" "$(cut -d' ' -f1 <<<"$peers" | median)" ms
row "CPU until then" "$(cut -d' ' -f2 <<<"$ours" | median)" "$(cut -d' ' -f2 <<<"$peers" | median)" ms
export -f submit
export venv STEPOP_API_SERVER STEPOP_SPARK_IMAGE namespace
row "peak RSS: whole run followed / submission" "$(measure 1 "$stepop" run one.yaml | cut -d' ' -f3)" \
	"$(measure 1 bash -c submit | cut -d' ' -f3)" MiB
