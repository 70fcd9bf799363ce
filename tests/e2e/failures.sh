#!/usr/bin/env bash
# What goes wrong on a cluster, and what the user is told. One run whose steps fail in different ways; then what fails before a run.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/cluster_lib.sh"

register_stack >"$out" 2>"$err" || not_ok "the stack is registered"
operator() { # operator NAME KEY=VALUE...: like spark_step_operator but for what is given
	local name=$1 account=spark-service-account space=$namespace image=$STEPOP_SPARK_IMAGE extra=() option
	shift
	for option; do
		case $option in
		image=*) image=${option#*=} ;;
		namespace=*) space=${option#*=} ;;
		account=*) account=${option#*=} ;;
		*) extra+=("--$option") ;;
		esac
	done
	"$stepop" register --flavor spark-kubernetes "$name" --namespace="$space" --service_account="$account" \
		--docker_parent_image="$image" "${extra[@]}" >/dev/null
}
operator bad_image image=registry.invalid/nobody/spark:1
operator no_account account=no-such-account
operator no_namespace namespace=no-such-namespace
operator impatient start_timeout=5s
cat >limited.kubeconfig <<YAML
apiVersion: v1
kind: Config
current-context: limited
clusters: [{name: node, cluster: {server: "$STEPOP_API_SERVER", certificate-authority-data: $("$kubectl" config view --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}')}}]
users: [{name: limited, user: {token: limited-token}}]
contexts: [{name: limited, context: {cluster: node, user: limited, namespace: $namespace}}]
YAML
operator forbidden kubeconfig="$PWD/limited.kubeconfig"

cat >steps.py <<'PY'
def fine():
    return 1


def raises():
    rows = {"label": 1}
    return rows["lable"]


def eats_memory():
    hoard = []
    while True:
        hoard.append(bytearray(1 << 24))


def never(value=None):
    return 2
PY
cat >failures.yaml <<YAML
apiVersion: stepop/v1
kind: Pipeline
name: failures
$small_settings
steps:
  fine: {source: "steps.py:fine", outputs: {value: json}}
  raises: {source: "steps.py:raises", outputs: {value: json}}
  after_raises: {source: "steps.py:never", inputs: {value: raises.value}, outputs: {value: json}}
  out_of_memory: {source: "steps.py:eats_memory"}
  image: {source: "steps.py:never", operator: bad_image}
  account: {source: "steps.py:never", operator: no_account}
  namespace: {source: "steps.py:never", operator: no_namespace}
  forbidden: {source: "steps.py:never", operator: forbidden}
  unschedulable:
    source: steps.py:never
    operator: impatient
    settings: {spark: {conf: {spark.kubernetes.driver.request.cores: "500"}}}
YAML
run "$stepop" run failures.yaml -o json
expect_status 3 "a run with failed steps has exit status 3"
step_is() { check "$3" test "$(json "$out" "[s['state'] for s in d['steps'] if s['step']=='$1'][0]")" = "$2"; }
step_is fine succeeded "an independent step finishes"
step_is after_raises skipped "what needs a failed step is skipped"
expect_err "step 'raises' failed: KeyError: 'lable'" "an exception in a pod is the reason"
expect_err 'steps.py", line [0-9]+, in raises' "its traceback is shown"
expect_err "step 'out_of_memory' failed: OOMKilled" "an OOM kill is named"
expect_err "memoryOverhead|spark.driver.memory|driver.*memory" "and says what to change"
expect_err "step 'image' failed: .*(ErrImagePull|ImagePullBackOff)" "an image that cannot be pulled is named"
expect_err "registry.invalid/nobody/spark:1" "with the image"
expect_err "step 'account' failed" "a missing service account fails the step"
expect_err "no-such-account" "and is named"
expect_err "no-such-namespace" "a missing namespace is named"
expect_err "stepop rbac apply" "and the way out"
expect_err "forbidden" "a refusal by RBAC is named"
expect_err "step 'unschedulable' failed: .*(Unschedulable|Insufficient)" "a pod that cannot be scheduled is named after start_timeout"
run "$stepop" runs describe @latest
expect_out 'OOMKilled' "runs describe tells it afterwards"
"$kubectl" get pods -n "$namespace" -o name >"$out"
check "the pods that could not start are gone" sh -c "! grep -qE 'image|unschedulable' '$out'"

# What is refused before anything exists.
"$stepop" register --flavor spark-kubernetes nowhere --master=k8s://https://127.0.0.1:1 --docker_parent_image=x >/dev/null
printf 'apiVersion: stepop/v1\nkind: Pipeline\nname: one\nsteps:\n  fine: {source: "steps.py:fine", operator: OPERATOR, outputs: {value: json}}\n' >one.yaml
sed 's/OPERATOR/nowhere/' one.yaml >nowhere.yaml
run "$stepop" run nowhere.yaml
check "an API server that cannot be reached fails the run" test "$status" != 0
expect_err "127.0.0.1:1.*(refused|cannot be reached|reach)" "and is told with its address"
sed 's/certificate-authority-data: [^}]*/insecure-skip-tls-verify: false/' limited.kubeconfig >untrusted.kubeconfig
operator untrusted kubeconfig="$PWD/untrusted.kubeconfig"
sed 's/OPERATOR/untrusted/' one.yaml >untrusted.yaml
run "$stepop" run untrusted.yaml
check "an untrusted certificate fails the run" test "$status" != 0
expect_err "certificate" "and is told as such"
"$stepop" artifact-store register no_bucket --flavor=s3 --path=s3://no-such-bucket/x --endpoint_url="$STEPOP_S3_ENDPOINT" --authentication_secret=s3_authentication >/dev/null
"$stepop" stack register no_bucket_stack -s spark_step_operator -x vault -a no_bucket >/dev/null
run "$stepop" run failures.yaml -s no_bucket_stack
expect_status 5 "a missing bucket is told before anything is created"
expect_err "no-such-bucket" "with its name"
"$stepop" secrets-manager secret register wrong --schema=aws --aws_access_key_id=AKIAWRONG --aws_secret_access_key=@"$scratch/secret_key" >/dev/null
"$stepop" artifact-store register wrong_key --flavor=s3 --path=s3://"$STEPOP_S3_BUCKET"/x --endpoint_url="$STEPOP_S3_ENDPOINT" --authentication_secret=wrong >/dev/null
"$stepop" stack register wrong_key_stack -s spark_step_operator -x vault -a wrong_key >/dev/null
run "$stepop" run failures.yaml -s wrong_key_stack
expect_status 4 "refused credentials are told before anything is created"
expect_err "wrong_key" "with the component"
