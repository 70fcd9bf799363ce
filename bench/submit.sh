#!/usr/bin/env bash
# What one submission costs that does not wait for its application: `stepop submit` beside spark-submit, the same
# command line for both, against an API server of this benchmark's own.
. "$(dirname "$0")/lib.sh"
. "$root/bench/api_server.sh"
runs=${RUNS:-5}
venv=$("$root/scripts/setup.sh" spark)
spark_submit=$venv/bin/spark-submit
arguments=(--master "k8s://$server" --deploy-mode cluster --name spark-pi --class org.apache.spark.examples.SparkPi
	--conf spark.kubernetes.container.image="$image" --conf spark.executor.instances=2
	--conf spark.kubernetes.submission.waitAppCompletion=false --conf spark.hadoop.fs.s3a.endpoint=http://s3:9000
	local:///opt/spark/examples/jars/spark-examples_2.12-3.5.9.jar 1000)
# A JVM as light as it gets: classes from an archive, no optimising compiler, one collector's thread.
lean="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xshare:auto"

for command in "$stepop submit" "$spark_submit"; do
	$command "${arguments[@]}" >"$folder/log" 2>&1 || fail "$command: $(tail -5 "$folder/log")"
done
SPARK_SUBMIT_OPTS="$lean -XX:ArchiveClassesAtExit=$folder/classes.jsa" "$spark_submit" "${arguments[@]}" >"$folder/log" 2>&1
[ -s "$folder/classes.jsa" ] || fail "no archive of classes: $(tail -5 "$folder/log")"

ours=$(measure $((runs * 4)) "$stepop" submit "${arguments[@]}")
heading "one submission (median of $runs)" spark-submit
rows "$ours" "$(measure "$runs" "$spark_submit" "${arguments[@]}")"
export SPARK_SUBMIT_OPTS="$lean -XX:SharedArchiveFile=$folder/classes.jsa"
heading "the same beside a lean JVM" spark-submit
rows "$ours" "$(measure "$runs" "$spark_submit" "${arguments[@]}")"
