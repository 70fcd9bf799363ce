# Sourced after cluster_lib.sh by the whole runs of `stepop submit`: several applications share the node, each small.
examples=local:///opt/spark/examples
account=spark-service-account
# What every application here has in common; the rest of the command line follows.
submit_arguments=(--master "k8s://$STEPOP_API_SERVER" -n "$namespace" --driver-memory 512m --executor-memory 512m
	--conf "spark.kubernetes.authenticate.driver.serviceAccountName=$account"
	--conf spark.kubernetes.driver.request.cores=100m --conf spark.kubernetes.executor.request.cores=100m
	--conf spark.kubernetes.executor.deleteOnTermination=false --conf spark.ui.enabled=false)
spark3=(--conf "spark.kubernetes.container.image=$STEPOP_SPARK_IMAGE")
spark4=(--conf "spark.kubernetes.container.image=$STEPOP_SPARK4_IMAGE")
# The driver alone is the application: one JVM instead of two.
driver_only=(--conf 'spark.kubernetes.driver.master=local[1]')
no_wait=(--conf spark.kubernetes.submission.waitAppCompletion=false)
declare -A pids=()

# submit ARGUMENT...: `stepop submit` in the foreground; see run.
submit() { run "$stepop" submit "${submit_arguments[@]}" "$@"; }

# begin NAME ARGUMENT...: an application of that name, in the background.
begin() {
	local name=$1
	shift
	begin_command "$name" "$stepop" submit "${submit_arguments[@]}" --name "$name" "$@"
}

# begin_command NAME COMMAND...
begin_command() {
	local name=$1
	shift
	# Children of a script ignore Ctrl-C unless they are told otherwise.
	setsid env --default-signal=INT "$@" >"$scratch/$name.out" 2>"$scratch/$name.err" </dev/null &
	pids[$name]=$!
}

# end NAME: waits for it; $out, $err and $status are then its own.
end() {
	status=0
	wait "${pids[$1]}" || status=$?
	out=$scratch/$1.out err=$scratch/$1.err
}

# driver_of NAME: the pod.
driver_of() {
	"$kubectl" get pods -n "$namespace" -l "spark-role=driver,spark-app-name=$1" -o name | head -1
}

# await_running NAME: until stepop says so; an application that ends before is a failure.
await_running() {
	local said
	exec 7< <(exec tail -n +1 -f --pid="${pids[$1]}" "$scratch/$1.err" 2>/dev/null)
	said=$!
	timeout 120 grep -qm1 ': running' <&7 || { end "$1"; not_ok "the application '$1' runs"; }
	kill "$said" 2>/dev/null || true
	exec 7<&-
}

# log_of NAME: what its driver wrote, to a file for expect_log.
log_of() { "$kubectl" logs -n "$namespace" "$(driver_of "$1")" -c spark-kubernetes-driver >"$scratch/$1.log" 2>&1 || true; }

# expect_log NAME PATTERN DESCRIPTION
expect_log() {
	log_of "$1"
	check "$3" grep -qE -- "$2" "$scratch/$1.log"
}

# executors_of NAME: how many executors carry stepop's labels and have the driver as their owner. Not by their
# spark-app-name: that is what the application calls itself.
executors_of() {
	local driver uid submission
	driver=$(driver_of "$1")
	uid=$("$kubectl" get -n "$namespace" "$driver" -o 'jsonpath={.metadata.uid}')
	submission=$("$kubectl" get -n "$namespace" "$driver" -o 'jsonpath={.metadata.labels.stepop\.dev/submission}')
	"$kubectl" get pods -n "$namespace" -l "spark-role=executor,app.kubernetes.io/managed-by=stepop,stepop.dev/submission=$submission" \
		-o 'jsonpath={range .items[*]}{.metadata.ownerReferences[0].uid}{"\n"}{end}' | grep -c "^$uid$" || true
}
