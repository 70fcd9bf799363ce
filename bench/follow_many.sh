#!/usr/bin/env bash
# Following many running applications with one stepop: how many watches that takes, and how much memory. There is no
# node: this script says of each driver pod that it runs, and then that it succeeded, through the API.
. "$(dirname "$0")/lib.sh"
. "$root/bench/api_server.sh"
count=${COUNT:-500} namespace=followed
new_namespace "$namespace"
applications "$count" >"$folder/applications.yaml"

# pod_watches: how many watches on pods the API server holds.
pod_watches() {
	"$kubectl" get --raw /metrics | awk '
		/^apiserver_longrunning_requests\{/ && /resource="pods"/ && /verb="WATCH"/ && !/subresource="[a-z]/ {sum += $NF}
		END {print sum + 0}'
}

# set_status STATUS: of all driver pods; curl sends many at a time.
set_status() {
	local pod
	for pod in $("$kubectl" get pods -n "$namespace" -o name); do
		printf 'url = "%s/api/v1/namespaces/%s/%s/status"\nrequest = PATCH\noutput = /dev/null\n' "$server" "$namespace" "${pod/pod/pods}"
		printf 'header = "Content-Type: application/merge-patch+json"\ndata = "@%s"\nfail\n' "$1"
		printf 'cacert = "%s"\ncert = "%s"\nkey = "%s"\nnoproxy = "*"\nnext\n' "$plane/pki/ca.crt" "$plane/pki/admin.crt" "$plane/pki/admin.key"
	done | sed '$d' >"$folder/curl.conf"
	curl --parallel --parallel-max 16 --config "$folder/curl.conf" 2>"$folder/curl.log" ||
		fail "the status of the pods cannot be set: $(tail -1 "$folder/curl.log")"
}

# status PHASE STATE: of a pod and its Spark container, as the kubelet would write it.
status() {
	printf '{"status": {"phase": "%s", "startTime": "2026-01-01T00:00:00Z", "containerStatuses": [{"name": "spark-kubernetes-driver", "ready": true,' "$1"
	printf ' "restartCount": 0, "image": "%s", "imageID": "", "state": {%s}}]}}' "$image" "$2"
}
status Running '"running": {"startedAt": "2026-01-01T00:00:01Z"}' >"$folder/running"
status Succeeded '"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:02Z"}' >"$folder/succeeded"

# await COUNT COMMAND...: until the command prints it.
await() {
	local wanted=$1 deadline=$((SECONDS + 300))
	shift
	until [ "$("$@")" = "$wanted" ]; do [ $SECONDS -lt $deadline ] || fail "'$*' does not reach $wanted"; done
}
pods() { "$kubectl" get pods -n "$namespace" -o name | wc -l; }

before=$(pod_watches)
/usr/bin/time -o "$folder/time" -f '%U %S %M' "$stepop" submit -f "$folder/applications.yaml" -n "$namespace" \
	>"$folder/ours.log" 2>&1 &
follower=$!
await "$count" pods
set_status "$folder/running"
sleep 2
watches=$(($(pod_watches) - before))
set_status "$folder/succeeded"
wait "$follower" || fail "stepop submit: $(tail -5 "$folder/ours.log")"
printf 'following %d running applications\n' "$count"
awk -v w="$watches" '{printf "  watches on pods: %d\n  peak RSS: %.1f MiB\n  CPU, submitting and following: %.2f s\n", w, $3 / 1024, $1 + $2}' "$folder/time"
