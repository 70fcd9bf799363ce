#!/usr/bin/env bash
# `stepop submit` on the real node: Spark's own examples on both Sparks, and what applications bring along.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/cluster_lib.sh"
. "$root/tests/e2e/submit_lib.sh"

clean_up() {
	"$kubectl" delete namespace "$namespace" --wait=false --ignore-not-found >/dev/null
	"$kubectl" delete persistentvolume,storageclass "$namespace" --wait=false --ignore-not-found >/dev/null
}
register_stack >"$out" 2>"$err" || not_ok "the service account is made"

# --- Spark's examples, two executors each.
jar3=$examples/jars/spark-examples_2.12-3.5.9.jar
jar4=$examples/jars/spark-examples_2.13-4.3.0.jar
pi_class=org.apache.spark.examples.SparkPi
begin jvm-3 "${spark3[@]}" --num-executors 2 --class $pi_class "$jar3" 4
begin python-3 "${spark3[@]}" --num-executors 2 $examples/src/main/python/pi.py 4
end jvm-3
expect_status 0 "SparkPi succeeds on Spark 3.5"
expect_out "^$namespace:jvm-3-[0-9a-z-]*-driver +succeeded" "stdout has its submission id"
expect_log jvm-3 '^Pi is roughly 3\.' "it computed Pi"
check "on two executors, which carry stepop's labels" test "$(executors_of jvm-3)" = 2
begin jvm-4 "${spark4[@]}" --num-executors 2 --class $pi_class "$jar4" 4
end python-3
expect_status 0 "pi.py succeeds on Spark 3.5"
expect_log python-3 '^Pi is roughly 3\.' "it computed Pi"
begin python-4 "${spark4[@]}" --num-executors 2 $examples/src/main/python/pi.py 4
end jvm-4
expect_status 0 "SparkPi succeeds on Spark 4.3"
expect_log jvm-4 '^Pi is roughly 3\.' "it computed Pi"
check "on two executors" test "$(executors_of jvm-4)" = 2

# --- An executor is asked for when there is work, and not before.
begin dynamic "${spark3[@]}" --conf spark.dynamicAllocation.enabled=true --conf spark.dynamicAllocation.shuffleTracking.enabled=true \
	--conf spark.dynamicAllocation.minExecutors=0 --conf spark.dynamicAllocation.maxExecutors=2 --class $pi_class "$jar3" 40

# --- A template's containers: Spark's is the last of them, and its end is the application's.
cat >template.yaml <<YAML
apiVersion: v1
kind: Pod
metadata:
  labels: {from: template}
spec:
  tolerations: [{key: dedicated, operator: Equal, value: spark, effect: NoSchedule}]
  containers:
    - name: spark
      env: [{name: FROM_TEMPLATE, value: "yes"}]
    - name: sidecar
      image: $STEPOP_BUSYBOX_IMAGE
      command: [sleep, "3600"]
      resources: {requests: {cpu: 10m}}
YAML
begin sidecar "${spark3[@]}" "${driver_only[@]}" --conf spark.kubernetes.driver.podTemplateFile=template.yaml \
	--conf spark.kubernetes.driver.podTemplateContainerName=spark --class $pi_class "$jar3" 1
end python-4
expect_status 0 "pi.py succeeds on Spark 4.3"
expect_log python-4 '^Pi is roughly 3\.' "it computed Pi"
end sidecar
expect_status 0 "an application has succeeded when Spark's container has, whatever a sidecar does"
"$kubectl" get -n "$namespace" "$(driver_of sidecar)" -o json >"$scratch/pod.json"
check "the sidecar still runs" test "$(json "$scratch/pod.json" '[list(c["state"]) for c in d["status"]["containerStatuses"] if c["name"] == "sidecar"]')" = "[['running']]"
check "the template's toleration, label and environment are there" test "$(json "$scratch/pod.json" \
	'any(t.get("key") == "dedicated" for t in d["spec"]["tolerations"]) and d["metadata"]["labels"]["from"] == "template" and any(e["name"] == "FROM_TEMPLATE" for c in d["spec"]["containers"] for e in c.get("env", []))')" = True
"$kubectl" delete -n "$namespace" "$(driver_of sidecar)" --wait=false --now >/dev/null

# --- Files of this machine, once by S3 and once by ConfigMap.
cat >greeting_module.py <<'PY'
def greeting(name):
    return "hello " + name
PY
echo world >name.txt
cat >files.py <<'PY'
import os
import sys

from pyspark import SparkFiles
from pyspark.sql import SparkSession

from greeting_module import greeting

spark = SparkSession.builder.getOrCreate()
with open(SparkFiles.get("name.txt")) as file:
    name = file.read().strip()
print(spark.sparkContext.parallelize([name], 1).map(greeting).collect()[0], *sys.argv[1:])
if os.path.isdir("/data"):
    with open("/data/seen", "w") as out:
        out.write(name)
spark.stop()
PY
s3_conf=(--conf spark.kubernetes.file.upload.path=s3a://"$STEPOP_S3_BUCKET/$namespace/uploads"
	--conf spark.hadoop.fs.s3a.endpoint="$STEPOP_S3_ENDPOINT" --conf spark.hadoop.fs.s3a.path.style.access=true
	--conf spark.hadoop.fs.s3a.connection.ssl.enabled=false
	--conf spark.hadoop.fs.s3a.aws.credentials.provider=org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider)
# By a file: what stands in arguments can be read by everyone.
cat >s3.conf <<CONF
spark.hadoop.fs.s3a.access.key $s3_access_key
spark.hadoop.fs.s3a.secret.key $s3_secret_key
spark.hadoop.fs.s3a.session.token $s3_session_token
CONF
begin uploaded "${spark3[@]}" --num-executors 1 --properties-file s3.conf "${s3_conf[@]}" --py-files greeting_module.py --files name.txt files.py by S3

# --- A volume that is claimed when the application needs it; no provisioner here, so one lies ready.
mkdir -m 777 "$scratch/volume"
"$kubectl" apply -f - >/dev/null <<YAML
apiVersion: v1
kind: List
items:
  - {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: "$namespace"}, provisioner: kubernetes.io/no-provisioner}
  - apiVersion: v1
    kind: PersistentVolume
    metadata: {name: "$namespace"}
    spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: "$namespace", persistentVolumeReclaimPolicy: Retain, hostPath: {path: "$scratch/volume"}}
YAML
claim=spark.kubernetes.driver.volumes.persistentVolumeClaim.data
begin carried "${spark3[@]}" "${driver_only[@]}" --conf $claim.options.claimName=OnDemand --conf $claim.options.storageClass="$namespace" \
	--conf $claim.options.sizeLimit=1Gi --conf $claim.mount.path=/data --py-files greeting_module.py --files name.txt files.py by ConfigMap

end dynamic
expect_status 0 "dynamic allocation succeeds"
check "it asked for executors" test "$(executors_of dynamic)" -ge 1
end uploaded
expect_status 0 "an application with files in S3 succeeds"
expect_log uploaded '^hello world by S3$' "it found its module, its file and its arguments"
"$kubectl" get configmaps,pods,services -n "$namespace" -o yaml >"$scratch/objects.yaml"
check "its files went to the upload path" grep -q "s3a://$STEPOP_S3_BUCKET/$namespace/uploads/spark-upload-" "$scratch/objects.yaml"
check "no key is in a ConfigMap, a pod or a log" sh -c "! grep -qaF -e '$s3_secret_key' -e '$s3_session_token' -e '$s3_access_key' '$scratch/objects.yaml' '$scratch/uploaded.log' '$out' '$err'"
end carried
expect_status 0 "an application with small files and no upload path succeeds"
expect_log carried '^hello world by ConfigMap$' "it found them"
check "its volume was claimed and written to" grep -qx world "$scratch/volume/seen"
check "the claim is the driver's" test "$("$kubectl" get persistentvolumeclaims -n "$namespace" -o 'jsonpath={.items[*].metadata.ownerReferences[*].kind}')" = Pod

# --- Manifests of the Kubeflow operator, several in one file.
application() { # application NAME IMAGE TYPE FILE
	cat <<YAML
---
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: $1, namespace: $namespace}
spec:
  type: $3
  mode: cluster
  image: $2
  sparkVersion: "${2##*:}"
  mainApplicationFile: $4
  arguments: ["1"]
  restartPolicy: {type: Never}
  driver: {coreRequest: 100m, memory: 512m, serviceAccount: $account}
  executor: {instances: 1, memory: 512m}
  sparkConf: {"spark.kubernetes.driver.master": "local[1]", "spark.ui.enabled": "false"}
YAML
}
{
	application manifest-3 "$STEPOP_SPARK_IMAGE" Scala "$jar3" | sed "s/^  type: Scala/&\n  mainClass: $pi_class/"
	application manifest-4 "$STEPOP_SPARK4_IMAGE" Python $examples/src/main/python/pi.py
} >applications.yaml
"$stepop" submit -f - <applications.yaml >"$out" 2>"$err" && status=0 || status=$?
expect_status 0 "two SparkApplications in one file succeed"
expect_log manifest-3 '^Pi is roughly 3\.' "the first computed Pi"
expect_log manifest-4 '^Pi is roughly 3\.' "the second, too"
