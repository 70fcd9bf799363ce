#!/usr/bin/env bash
# What one submission costs that does not wait for its application: `stepop submit` beside spark-submit, the same
# command line for both, against an API server of this benchmark's own.
. "$(dirname "$0")/lib.sh"
. "$root/bench/api_server.sh"
runs=${RUNS:-5}
venv=$("$root/scripts/setup.sh" spark)
spark_submit() { "$venv/bin/spark-submit" "$@"; }
stepop_submit() { "$stepop" submit "$@"; }
arguments=(--master "k8s://$server" --deploy-mode cluster --name spark-pi --class org.apache.spark.examples.SparkPi
	--conf spark.kubernetes.container.image="$image" --conf spark.executor.instances=2
	--conf spark.kubernetes.submission.waitAppCompletion=false --conf spark.hadoop.fs.s3a.endpoint=http://s3:9000
	local:///opt/spark/examples/jars/spark-examples_2.12-3.5.9.jar 1000)

for command in stepop_submit spark_submit; do
	"$command" "${arguments[@]}" >"$folder/$command.log" 2>&1 || fail "$command: $(tail -5 "$folder/$command.log")"
done
heading "one submission (mean of $runs)" spark-submit
row "CPU" "$(cpu_ms $((runs * 4)) stepop_submit "${arguments[@]}")" "$(cpu_ms "$runs" spark_submit "${arguments[@]}")" ms
row "wall" "$(wall_ms $((runs * 4)) stepop_submit "${arguments[@]}")" "$(wall_ms "$runs" spark_submit "${arguments[@]}")" ms
row "peak RSS" "$(rss_mib "$stepop" submit "${arguments[@]}")" "$(rss_mib "$venv/bin/spark-submit" "${arguments[@]}")" MiB
