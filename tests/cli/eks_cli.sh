#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stepop eks as it is typed, as far as it goes without AWS.
# usage: STEPOP=build/asan/stepop tests/cli/eks_cli.sh      (output: TAP)
set -uo pipefail
stepop=$(realpath "${STEPOP:?set it to the stepop to test}") || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for name in $(compgen -e AWS_ || true) KUBECONFIG KUBERNETES_EXEC_INFO; do unset "$name"; done
export HOME=$folder AWS_EC2_METADATA_DISABLED=true
count=0 failed=0

# says NAME STATUS TEXT ARGUMENT...: ends with that status, and the text is among what it says.
says() {
	local name=$1 status=$2 text=$3 got
	shift 3
	"$stepop" "$@" >"$folder/out" 2>"$folder/err" </dev/null
	got=$?
	count=$((count + 1))
	if [ "$got" = "$status" ] && grep -qF -- "$text" "$folder/out" "$folder/err"; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name (status $got, expected $status, and '$text')"
		sed 's/^/# /' "$folder/out" "$folder/err"
	fi
}

says 'a token wants a cluster' 2 '--cluster-name is required' eks get-token
says 'a kubeconfig wants a cluster' 2 '--name is required' eks kubeconfig
says 'no credentials are said to be missing' 4 'there are no credentials of AWS' eks get-token --cluster-name c
says 'an unknown profile is named' 5 "there is no profile 'dev'" eks get-token --cluster-name c --profile dev
says 'a region is needed to ask EKS' 9 'no region is given' eks kubeconfig --name c
says 'a region must look like one' 9 "'eu central' is no region" eks kubeconfig --name c --region 'eu central'

export AWS_ACCESS_KEY_ID=AKID AWS_SECRET_ACCESS_KEY=never-shown
says 'a token is printed' 0 '"token":"k8s-aws-v1.' eks get-token --cluster-name c
export KUBERNETES_EXEC_INFO='{"apiVersion":"client.authentication.k8s.io/v1beta1"}'
says 'a token is printed as it is wanted' 0 'client.authentication.k8s.io/v1beta1' eks get-token --cluster-name c
if grep -q never-shown "$folder/out" "$folder/err"; then
	failed=$((failed + 1))
	echo "not ok - the key is shown"
fi

echo "1..$count"
[ "$failed" = 0 ]
