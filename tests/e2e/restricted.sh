#!/usr/bin/env bash
# A namespace that enforces Pod Security `restricted`, and an account with no rights but a runner's: the example, and
# applications on both Sparks that look at what they run as.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/cluster_lib.sh"
. "$root/tests/e2e/submit_lib.sh"

clean_up() {
	"$kubectl" delete namespace "$namespace" --wait=false --ignore-not-found >/dev/null
	"$kubectl" delete persistentvolume,storageclass "$namespace" --wait=false --ignore-not-found >/dev/null
}
register_stack >"$out" 2>"$err" || not_ok "the stack is registered"
"$kubectl" label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted >/dev/null

# --- From here on stepop is the runner: what is missing of its rights, or of the driver's, shows.
"$stepop" rbac apply --runner stepop --with network-policies --with volumes >"$out"
run "$stepop" rbac check --runner stepop --with network-policies --with volumes
expect_status 0 "runner and driver have the rights that they need"
check "and no warning is given of others" test ! -s "$err"
run "$stepop" rbac diff --runner stepop --with network-policies --with volumes
expect_status 0 "the rights are those of the manifests"
"$kubectl" create rolebinding -n "$namespace" edit --clusterrole=edit --serviceaccount="$namespace:$account" >/dev/null
"$kubectl" patch role -n "$namespace" stepop-driver --type=json -p '[{"op": "add", "path": "/rules/0/verbs/-", "value": "update"}]' >/dev/null
run "$stepop" rbac check --runner stepop
expect_status 0 "what is too much is no failure"
expect_err 'read all Secrets of the namespace.*by RoleBinding "edit/.*" of ClusterRole "edit"' "but a warning, with the binding"
expect_out '^yes +no +system:serviceaccount:.* list +secrets' "and a row"
run "$stepop" rbac diff --runner stepop
expect_status 6 "a Role that somebody changed is told"
expect_out '^Role/stepop-driver +update +rules\[0\].verbs .*"update"' "with the field"
"$kubectl" delete rolebinding -n "$namespace" edit >/dev/null
"$stepop" rbac apply >"$out"
"$kubectl" config view --raw --minify >runner.kubeconfig
token=$("$kubectl" create token -n "$namespace" stepop)
"$kubectl" --kubeconfig runner.kubeconfig config set-credentials runner --token="$token" >/dev/null
"$kubectl" --kubeconfig runner.kubeconfig config set-context --current --user=runner >/dev/null
submit_arguments+=(--kubeconfig runner.kubeconfig)

# --- The file system of a claim is root's when it is new.
mkdir -m 755 "$scratch/volume"
node=$("$kubectl" get nodes -o 'jsonpath={.items[0].metadata.name}')
"$kubectl" apply -f - >/dev/null <<YAML
apiVersion: v1
kind: List
items:
  - {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: "$namespace"}, provisioner: kubernetes.io/no-provisioner}
  - apiVersion: v1
    kind: PersistentVolume
    metadata: {name: "$namespace"}
    spec:
      {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: "$namespace", persistentVolumeReclaimPolicy: Retain, local: {path: "$scratch/volume"},
       nodeAffinity: {required: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: ["$node"]}]}]}}}
YAML
claim=spark.kubernetes.driver.volumes.persistentVolumeClaim.data

cat >looks.py <<'PY'
import json
import os
import sys

from pyspark.sql import SparkSession


def is_writable(folder):
    try:
        path = os.path.join(folder, "written")
        with open(path, "w") as file:
            file.write("yes")
        return True
    except OSError:
        return False


def look(role):
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    facts = {
        "user": os.getuid(),
        "gains privileges": status["NoNewPrivs"].strip() != "1",
        "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
        "seccomp": status["Seccomp"].strip(),
        "token": os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        "local folder": is_writable(os.environ["SPARK_LOCAL_DIRS"].split(",")[0]),
        "work folder": is_writable("."),
        "temporary folder": is_writable("/tmp"),
    }
    return "%s: %s" % (role, json.dumps(facts, sort_keys=True))


spark = SparkSession.builder.getOrCreate()
print(look("driver"))
print(spark.sparkContext.parallelize([0], 1).map(lambda _: look("executor")).first())
# Through the local folders of the executors, and Python's workers.
pairs = spark.sparkContext.parallelize(range(1000), 4).map(lambda n: (n % 10, 1))
print("counted:", sorted(pairs.reduceByKey(lambda a, b: a + b, 4).collect())[0])
if len(sys.argv) > 1:
    print("claim:", is_writable(sys.argv[1]))
spark.stop()
PY

# --- Spark's own pods are refused, and the way out is told.
submit "${spark3[@]}" --name as-ever looks.py
expect_status 4 "a pod as Spark makes it is refused"
expect_err 'violates PodSecurity' "admission's words are told"
expect_err '--pod-security=restricted' "and the way in"
submit "${spark3[@]}" --name as-ever --dry-run=server looks.py
expect_out 'refused.*allowPrivilegeEscalation != false.*capabilities.*runAsNonRoot != true.*seccompProfile' "a dry run names the controls"

begin spark-3 "${spark3[@]}" --pod-security=restricted --num-executors 1 --conf $claim.options.claimName=OnDemand \
	--conf $claim.options.storageClass="$namespace" --conf $claim.options.sizeLimit=1Gi --conf $claim.mount.path=/data looks.py /data
begin spark-4 "${spark4[@]}" --pod-security=restricted --num-executors 1 looks.py
seen='"capabilities": 0, "gains privileges": false, "local folder": true, "seccomp": "2", "temporary folder": true'
for spark in 3 4; do
	end spark-$spark
	expect_status 0 "an application succeeds on Spark $spark"
	expect_log spark-$spark "^driver: \{$seen, \"token\": true, \"user\": 185, \"work folder\": true\}" "its driver has no privileges, and folders to write to"
	expect_log spark-$spark "^executor: \{$seen, \"token\": false, \"user\": 185, \"work folder\": true\}" "its executor neither, and no token"
	expect_log spark-$spark '^counted: \(0, 100\)' "it shuffled"
	check "no right was missing" sh -c "! grep -qi -e forbidden -e 'check account permissions' '$scratch/spark-$spark.log'"
done
expect_log spark-3 '^claim: True' "the claim is the user's to write to"

# --- The example, step by step, by the operator's option.
"$stepop" step-operator update spark_step_operator --pod_security=restricted >/dev/null
run "$stepop" run "$root/examples/spark_pipeline/pipeline.yaml" --kubeconfig runner.kubeconfig -o json --progress=plain
expect_status 0 "the example succeeds"
check "the model learnt something" test "$(json "$out" '[a["metadata"]["value"]["accuracy"] > 0.8 for a in d["artifacts"] if a["artifact"]=="evaluator.metrics"][0]')" = True
