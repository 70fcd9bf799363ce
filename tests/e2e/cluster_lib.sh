# Sourced after lib.sh by the runs on the real node: its addresses, and the commands of the README's second section.
addresses=$("$root/tests/cluster/node.sh" env)
eval "$addresses"
export KUBECONFIG=$STEPOP_KUBECONFIG
kubectl=$STEPOP_KUBECTL
namespace=e2e-$(basename "$0" .sh | tr -c 'a-z0-9\n' -)-$$

clean_up() { "$kubectl" delete namespace "$namespace" --wait=false --ignore-not-found >/dev/null; }

# Short-lived credentials, as a team has them: their key is found nowhere else, so it can be looked for.
temporary_credentials() {
	local answer
	answer=$(curl -sf --noproxy '*' --aws-sigv4 "aws:amz:$STEPOP_S3_REGION:sts" \
		--user "$STEPOP_S3_ACCESS_KEY:$(cat "$STEPOP_S3_SECRET_FILE")" \
		-d 'Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600' "$STEPOP_S3_ENDPOINT/")
	answer=$(tr -d '\n' <<<"$answer")
	s3_access_key=$(sed 's:.*<AccessKeyId>\(.*\)</AccessKeyId>.*:\1:' <<<"$answer")
	s3_secret_key=$(sed 's:.*<SecretAccessKey>\(.*\)</SecretAccessKey>.*:\1:' <<<"$answer")
	s3_session_token=$(sed 's:.*<SessionToken>\(.*\)</SessionToken>.*:\1:' <<<"$answer")
}

# register_stack: the stack `spark_stack`, as the README registers it.
register_stack() {
	temporary_credentials
	printf '%s' "$s3_secret_key" >"$scratch/secret_key"
	printf '%s' "$s3_session_token" >"$scratch/session_token"
	"$stepop" init
	"$stepop" secrets-manager register vault --flavor=local
	"$stepop" secrets-manager secret register s3_authentication --schema=aws \
		--aws_access_key_id="$s3_access_key" --aws_secret_access_key=@"$scratch/secret_key" \
		--aws_session_token=@"$scratch/session_token"
	"$stepop" register --flavor spark-kubernetes spark_step_operator \
		--master=k8s://"$STEPOP_API_SERVER" --namespace="$namespace" \
		--service_account=spark-service-account --docker_parent_image="$STEPOP_SPARK_IMAGE"
	"$stepop" artifact-store register s3_store --flavor=s3 --path=s3://"$STEPOP_S3_BUCKET/$namespace" \
		--endpoint_url="$STEPOP_S3_ENDPOINT" --region="$STEPOP_S3_REGION" \
		--authentication_secret=s3_authentication
	"$stepop" stack register spark_stack -o default -s spark_step_operator -x vault -a s3_store --set
	"$stepop" rbac apply
}

# Small requests, so that the steps of a test share the node.
small_settings='settings: {spark: {driver: {memory: 512m}, executor: {instances: 1, memory: 512m}, conf: {spark.kubernetes.driver.request.cores: "100m", spark.kubernetes.executor.request.cores: "100m"}}}'
