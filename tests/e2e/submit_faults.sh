#!/usr/bin/env bash
# What goes wrong while `stepop submit` waits, on the real node: what its exit status says, and what it tells the user.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/cluster_lib.sh"
. "$root/tests/e2e/submit_lib.sh"

register_stack >"$out" 2>"$err" || not_ok "the service account is made"
cat >fails.py <<'PY'
import sys

print("the last words of the driver", flush=True)
sys.exit(3)
PY
# An application that goes on until it is told to end: no session, so no executors either.
cat >waits.py <<'PY'
import os
import time

print("waiting", flush=True)
while not os.path.exists("/tmp/go"):
    time.sleep(0.2)
PY
release() { "$kubectl" exec -n "$namespace" "$(driver_of "$1")" -c spark-kubernetes-driver -- touch /tmp/go; }

# --- Starts that never come; they need no processor, so they wait beside everything else.
begin no-image --conf spark.kubernetes.container.image=stepop.test/nobody:1 --start-timeout=15s waits.py
begin too-big "${spark3[@]}" --conf spark.kubernetes.driver.request.cores=1000 --start-timeout=15s waits.py

# --- The driver's own end.
begin fails "${spark3[@]}" fails.py
begin deleted "${spark3[@]}" waits.py
end no-image
expect_status 7 "an image that does not exist ends the wait"
expect_err 'stepop.test/nobody:1' "the image is named"
end too-big
expect_status 7 "a pod that fits nowhere ends the wait"
expect_err 'Insufficient cpu' "the scheduler's reason is told"
end fails
expect_status 3 "a driver that exits 3 is a failed application"
expect_err 'exit(ed)?( with)?( code| status)? 3' "its exit code is told"
expect_err 'the last words of the driver' "its last words are told"
await_running deleted
"$kubectl" delete -n "$namespace" "$(driver_of deleted)" --wait=false --now >/dev/null
end deleted
expect_status 3 "a driver that somebody deletes is a failed application"
expect_err 'delet' "the deletion is told"

# --- The API server goes while three wait: with a certificate, with a token that is void afterwards, and one that is interrupted.
"$kubectl" create serviceaccount -n "$namespace" submitter >/dev/null
"$stepop" rbac apply --submitter "system:serviceaccount:$namespace:submitter" >/dev/null
cat >token.sh <<SH
#!/bin/sh
# Each token is good for as long as a Secret of its own exists.
set -e
number=\$(wc -l <"$scratch/tokens")
echo "\$number" >>"$scratch/tokens"
export KUBECONFIG="$STEPOP_KUBECONFIG"
"$kubectl" create secret generic -n "$namespace" "token-\$number" >/dev/null
token=\$("$kubectl" create token -n "$namespace" submitter --bound-object-kind Secret --bound-object-name "token-\$number")
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}\n' "\$token"
SH
chmod +x token.sh
: >"$scratch/tokens"
cat >token.kubeconfig <<YAML
apiVersion: v1
kind: Config
current-context: token
clusters: [{name: node, cluster: {server: "$STEPOP_API_SERVER", certificate-authority-data: $("$kubectl" config view --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}')}}]
users: [{name: token, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: $PWD/token.sh, interactiveMode: Never}}}]
contexts: [{name: token, context: {cluster: node, user: token, namespace: $namespace}}]
YAML
begin restart "${spark3[@]}" waits.py
begin expired "${spark3[@]}" --kubeconfig token.kubeconfig waits.py
begin interrupted "${spark3[@]}" waits.py
await_running restart
await_running expired
await_running interrupted
kill -INT "${pids[interrupted]}"
end interrupted
expect_status 130 "Ctrl-C ends the wait"
check "and leaves the application running" test "$("$kubectl" get -n "$namespace" "$(driver_of interrupted)" -o 'jsonpath={.status.phase}{.metadata.deletionTimestamp}')" = Running
expect_err "$namespace:interrupted-" "and says how to find it"
"$kubectl" delete secrets -n "$namespace" -l '!stepop.dev/submission' --field-selector metadata.name=token-0 >/dev/null
"$root/tests/cluster/node.sh" kill kube-apiserver
"$root/tests/cluster/node.sh" up 2>/dev/null
release restart
release expired
end restart
expect_status 0 "an application that outlives the API server is followed to its end"
end expired
expect_status 0 "one with a token that expires, too"
check "by a second token" test "$(wc -l <"$scratch/tokens")" -ge 2

# --- --status and --kill find what was left running.
submit "${spark3[@]}" "${no_wait[@]}" -o name --name left-1 waits.py
expect_status 0 "without waiting, submit returns at once"
id=$(cat "$out")
check "stdout is the submission id" grep -qE "^$namespace:left-1-[0-9a-z-]*-driver$" "$out"
"$kubectl" wait -n "$namespace" "$(driver_of left-1)" --for='jsonpath={.status.phase}=Running' --timeout=120s >/dev/null || true
run "$stepop" submit --master "k8s://$STEPOP_API_SERVER" --status "$id"
expect_status 0 "--status finds it"
expect_out 'Running' "and says that it runs"
run "$stepop" submit --master "k8s://$STEPOP_API_SERVER" --kill "$namespace:left-*"
expect_status 0 "--kill takes a pattern"
run "$stepop" submit --master "k8s://$STEPOP_API_SERVER" --kill "$namespace:interrupted-*"
expect_status 0 "--kill ends what Ctrl-C had left"
"$kubectl" wait -n "$namespace" --for=delete pods -l 'spark-role=driver,spark-app-name in (left-1, interrupted)' --timeout=60s >/dev/null 2>&1 || true
check "they are gone" test -z "$(driver_of left-1)$(driver_of interrupted)"
run "$stepop" submit --master "k8s://$STEPOP_API_SERVER" --status "$namespace:left-*"
expect_status 5 "what is gone is not found"

# --- Once more under the same id is the same application.
for time in first second; do
	submit "${spark3[@]}" "${no_wait[@]}" --name twice --submission-id=e2e-twice --conf spark.kubernetes.driver.request.cores=1000 waits.py
	expect_status 0 "submitting the $time time succeeds"
done
check "there is one driver" test "$("$kubectl" get pods -n "$namespace" -l spark-role=driver,spark-app-name=twice -o name | wc -l)" = 1

# --- What is refused before anything runs.
submit "${spark3[@]}" --name nowhere -n no-such-namespace waits.py
expect_status 5 "a namespace that is missing is told"
sed -e 's/user: {exec: .*}}/user: {token: limited-token}}/' token.kubeconfig >limited.kubeconfig
submit "${spark3[@]}" --name forbidden --kubeconfig limited.kubeconfig waits.py
expect_status 4 "somebody without rights is refused"
submit "${spark3[@]}" --name checked --dry-run=server waits.py
expect_status 0 "a dry run on the server succeeds"
check "and creates nothing" test -z "$(driver_of checked)"
submit "${spark3[@]}" --name checked --kubeconfig limited.kubeconfig --dry-run=server waits.py
expect_status 4 "a dry run tells what rights are missing"
