#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stepop image as it is typed, as far as it goes without a registry.
# usage: STEPOP=build/asan/stepop tests/cli/image_cli.sh      (output: TAP)
set -uo pipefail
stepop=$(realpath "${STEPOP:?set it to the stepop to test}") || exit 1
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder STEPOP_DATA=$root
unset STEPOP_HOME KUBECONFIG
cd "$folder" || exit 1
count=0 failed=0

report() { # report NAME PASSED
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count - $1"
	else
		failed=$((failed + 1))
		echo "not ok $count - $1"
		sed 's/^/# /' out err
	fi
}

# says NAME STATUS TEXT ARGUMENT...: ends with that status, and the text is among what it says.
says() {
	local name=$1 status=$2 text=$3 got
	shift 3
	"$stepop" "$@" >out 2>err </dev/null
	got=$?
	[ "$got" = "$status" ] && grep -qF -- "$text" out err
	report "$name" $?
}

mkdir -p app/deep
printf 'one\n' >app/one.txt
printf 'two\n' >app/deep/two.txt
chmod 700 app/one.txt

says "a layer has the same digest on any machine" 0 "sha256:957fa8d1a2ca8a27cb99f98364c9720bd42253679b45f65e7f8c52675c26b803" image build -f app:/opt/app
says "and is written as a tar archive in gzip" 0 "FILES" image build -f app:/opt/app --layer=layer.tar.gz
tar -tvzf layer.tar.gz >out 2>err
[ "$(awk '{print $1, $2, $4, $6}' out | paste -sd' ')" = "-rw-r--r-- 0/0 1980-01-01 opt/app/deep/two.txt -rwxr-xr-x 0/0 1980-01-01 opt/app/one.txt" ]
report "with plain owners, modes and times" $?
says "nothing to add is said" 2 "nothing to add" image build
says "a file that is none is named" 5 "file 'none'" image build -f none
: >x-1-cp311-cp311-linux_x86_64.whl
says "a wheel for one platform is refused with its tag" 9 "cp311-cp311-linux_x86_64" image build -r x-1-cp311-cp311-linux_x86_64.whl
says "a place is needed to push to" 9 "name a place by --to" image push --parent=a/b -f app:/opt/app
says "a parent is needed to push" 2 "--parent names the image" image push --to=localhost:1/x -f app:/opt/app
says "a digest cannot be asked for" 2 "leave it out" image push --parent=a/b --to="localhost:1/x@sha256:$(printf 0%.0s {1..64})" -f app:/opt/app
says "a variable has a name" 2 "NAME=VALUE" image push --parent=a/b --to=localhost:1/x -f app:/opt/app -e value
says "a pipeline needs a project" 5 "stepop init" image build "$root/examples/image_pipeline/pipeline.yaml"
"$stepop" init >out 2>err
says "and an image to add to" 9 "name one by --parent" image build "$root/examples/image_pipeline/pipeline.yaml"
says "or is told one" 0 "counter" image build "$root/examples/image_pipeline/pipeline.yaml" --parent=registry:5000/spark:3.5.9
says "one layer goes into a file" 0 "counter" image build "$root/examples/image_pipeline/pipeline.yaml" --parent=a/b --layer=layer.tar.gz
tar -tzf layer.tar.gz >out 2>err
grep -qx opt/stepop/main.py out && grep -qx opt/stepop/code/steps.py out && grep -qx opt/stepop/code/lists/stop_words.txt out
report "with runtime, code and files" $?

echo "1..$count"
[ "$failed" = 0 ]
