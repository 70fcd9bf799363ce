#!/usr/bin/env bash
# A team's stack: runs in PostgreSQL, secrets in Kubernetes, artifacts in S3. It is registered, checked, used while its
# database dies, moved to MariaDB, and taken to another project.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/cluster_lib.sh"
databases=$root/tests/servers/databases.sh

clean_up() {
	"$databases" down "$scratch/databases" >/dev/null 2>&1
	"$kubectl" delete namespace "$namespace" --wait=false --ignore-not-found >/dev/null
}
"$root/scripts/setup.sh" databases >/dev/null
chmod 711 "$scratch" # the servers are another user's
eval "$(STEPOP_DATABASES_DURABLE=1 "$databases" up "$scratch/databases")"
secret_file() { printf '%s' "$2" >"$scratch/$1" && printf '@%s' "$scratch/$1"; }

# --- Each component is one command.
temporary_credentials
"$kubectl" create namespace "$namespace" >/dev/null
"$stepop" init >/dev/null
"$stepop" register --flavor spark-kubernetes spark_step_operator --namespace="$namespace" \
	--service_account=spark-service-account --docker_parent_image="$STEPOP_SPARK_IMAGE" >/dev/null
"$stepop" secrets-manager register cluster_vault --flavor=kubernetes --namespace="$namespace" >/dev/null
"$stepop" artifact-store register s3_store --flavor=s3 --path=s3://"$STEPOP_S3_BUCKET/$namespace" \
	--endpoint_url="$STEPOP_S3_ENDPOINT" --region="$STEPOP_S3_REGION" --authentication_secret=s3_authentication >/dev/null
"$stepop" metadata-store register postgres_store --flavor=postgres --host="$STEPOP_TEST_POSTGRES_HOST" \
	--port="$STEPOP_TEST_POSTGRES_PORT" --database="$STEPOP_TEST_POSTGRES_DATABASE" \
	--authentication_secret=rds_authentication --ssl_ca="$STEPOP_TEST_POSTGRES_CA" >/dev/null
"$stepop" metadata-store register mysql_store --flavor=mysql --host="$STEPOP_TEST_MYSQL_HOST" \
	--port="$STEPOP_TEST_MYSQL_PORT" --database="$STEPOP_TEST_MYSQL_DATABASE" \
	--authentication_secret=mysql_authentication --ssl_ca="$STEPOP_TEST_MYSQL_CA" >/dev/null
"$stepop" stack register production -o default -s spark_step_operator -x cluster_vault -a s3_store \
	-m postgres_store --set >/dev/null

# --- As long as its secrets and rights are not there, the check says what to do.
run "$stepop" stack check
check "a stack without its secrets fails its check" test "$status" != 0
expect_out 's3_authentication' "the missing secret of the bucket is named"
expect_out 'rds_authentication' "and the database's"

"$stepop" secrets-manager secret register s3_authentication --schema=aws --aws_access_key_id="$s3_access_key" \
	--aws_secret_access_key="$(secret_file s3 "$s3_secret_key")" \
	--aws_session_token="$(secret_file token "$s3_session_token")" >/dev/null
"$stepop" secrets-manager secret register rds_authentication --schema=postgres \
	--user="$STEPOP_TEST_POSTGRES_USER" \
	--password="$(secret_file postgres "$STEPOP_TEST_POSTGRES_PASSWORD")" >/dev/null
"$stepop" secrets-manager secret register mysql_authentication --schema=mysql --user="$STEPOP_TEST_MYSQL_USER" \
	--password="$(secret_file mysql "$STEPOP_TEST_MYSQL_PASSWORD")" >/dev/null
run "$stepop" stack check
check "one without rights, too" test "$status" != 0
expect_out 'stepop rbac apply' "and the command that grants them is told"
"$stepop" rbac apply >/dev/null
run "$stepop" stack check -o json
expect_status 0 "with them it passes"
cp "$out" "$scratch/check.json"
check "no line of it is a fault" test "$(json "$scratch/check.json" 'sum(l["result"]=="fault" for l in d)')" = 0
for component in step-operator/spark_step_operator artifact-store/s3_store secrets-manager/cluster_vault metadata-store/postgres_store; do
	check "$component was tried" test "$(json "$scratch/check.json" "any(l['component']=='$component' and l['result']=='ok' for l in d)")" = True
done

# --- The database dies while steps run, and comes back.
cat >steps.py <<'PY'
def first():
    return 1


def then(spark, value):
    return value + spark.range(10).count()
PY
cat >chain.yaml <<YAML
apiVersion: stepop/v1
kind: Pipeline
name: chain
$small_settings
steps:
  one: {source: "steps.py:first", outputs: {value: json}}
  two: {source: "steps.py:then", inputs: {value: one.value}, outputs: {value: json}}
  three: {source: "steps.py:then", inputs: {value: two.value}, outputs: {value: json}}
YAML
"$stepop" run chain.yaml -o json --progress=plain >"$out" 2>"$err" &
pid=$!
"$kubectl" wait pod -n "$namespace" -l stepop.dev/step=two,spark-role=driver --for=create --timeout=120s >/dev/null || true
"$databases" kill "$scratch/databases" postgres
"$kubectl" wait pod -n "$namespace" -l stepop.dev/step=two,spark-role=driver --timeout=120s \
	--for='jsonpath={.status.phase}'=Succeeded >/dev/null || true
"$databases" start "$scratch/databases" postgres >/dev/null
status=0
wait "$pid" || status=$?
expect_status 0 "a run outlives its database"
check "no step ran twice" test "$("$kubectl" get pods -n "$namespace" -l spark-role=driver -o name | wc -l)" = 3
run "$stepop" runs describe @latest -o json
check "all of it is recorded" test "$(json "$out" '[(s["name"], s["state"], len(s["attempts"])) for s in d["steps"]]')" = "[('one', 'succeeded', 1), ('two', 'succeeded', 1), ('three', 'succeeded', 1)]"
check "with its artifacts" test "$(json "$out" '[a["metadata"]["value"] for a in d["artifacts"] if a["artifact"]=="three.value"]')" = '[21]'
check "and nothing is there twice" test "$(json "$out" 'len(d["artifacts"])')" = 3

# --- Moved to another database.
run "$stepop" metadata-store copy postgres_store mysql_store
expect_status 0 "the runs are copied to MariaDB"
"$stepop" runs describe @latest -o json | grep -v '"sequence"' >"$scratch/before.json"
"$stepop" stack update production -m mysql_store >/dev/null
"$stepop" runs describe @latest -o json | grep -v '"sequence"' >"$scratch/after.json"
check "and are the same there" cmp "$scratch/before.json" "$scratch/after.json"

# --- Taken to another project: references, no values.
"$stepop" stack export -f "$scratch/production.yaml" >/dev/null
mkdir "$scratch/elsewhere"
(cd "$scratch/elsewhere" && "$stepop" init && "$stepop" stack import "$scratch/production.yaml" --set) >"$out" 2>"$err" ||
	not_ok "the stack is imported elsewhere"
run sh -c "cd '$scratch/elsewhere' && '$stepop' stack check"
expect_status 0 "the stack works there, too"
"$kubectl" get pods,services,configmaps,events -n "$namespace" -o yaml >"$scratch/objects.yaml"
check "no secret is in any file of the projects, or in an object that is none" sh -c "! grep -rlaF -e '$s3_secret_key' \
	-e '$s3_session_token' -e '$STEPOP_TEST_POSTGRES_PASSWORD' -e '$STEPOP_TEST_MYSQL_PASSWORD' \
	'$scratch/project' '$scratch/elsewhere' '$scratch/production.yaml' '$scratch/objects.yaml'"
