#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A stack goes from one project to another as one file, without its secrets.
# usage: STEPOP=build/asan/stepop tests/cli/export_cli.sh      (output: TAP)
set -uo pipefail
# shellcheck source=tests/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli_lib.sh"

mkdir here there && cd here || exit 1
run init && run secrets-manager register vault --flavor=local &&
	run secrets-manager secret register s3 --schema=aws --aws_access_key_id="$id" --aws_secret_access_key="$value" &&
	run register --flavor spark-kubernetes spark --docker_parent_image=spark:3.5.9 --namespace=jobs &&
	run artifact-store register store --flavor=s3 --path=s3://bucket/p --authentication_secret=s3 &&
	run stack register daily -s spark -a store -x vault --set
say $? 'a stack is made'
run stack export && mv "$folder/out" "$folder/daily.yaml"
say $? 'the active stack is exported'
cmp -s "$folder/daily.yaml" - <<'YAML'
apiVersion: stepop/v1
kind: StackExport
name: daily
components:
  orchestrator:
    name: default
    flavor: local
  step-operator:
    name: spark
    flavor: spark-kubernetes
    options:
      namespace: jobs
      docker_parent_image: spark:3.5.9
  artifact-store:
    name: store
    flavor: s3
    options:
      path: s3://bucket/p
      authentication_secret: s3
  secrets-manager:
    name: vault
    flavor: local
  metadata-store:
    name: default
    flavor: sqlite
YAML
say $? 'it is one readable file, without values'
run stack export daily -f "$folder/file.yaml" && cmp -s "$folder/file.yaml" "$folder/daily.yaml"
say $? 'into a file'
gives 'as JSON' 'x["components"]["artifact-store"]["options"]["authentication_secret"] == "s3"' stack export daily
fails 'an unknown stack' 5 "did you mean 'daily'?" stack export dayly

cd ../there && run init || exit 1
gives 'another project takes it, and learns what is missing' \
	'[c["result"] for c in x["changes"]].count("registered") == 4 and
	x["missing_secrets"][0]["component"] == "artifact-store/store" and
	x["missing_secrets"][0]["advice"] == "stepop secrets-manager secret register s3 -x vault --KEY=@FILE"' \
	stack import "$folder/daily.yaml" --set
gives 'it is the active one' 'x["name"] == "daily"' stack describe
run stack import - --name copy <"$folder/daily.yaml" && grep -qx 'stack/copy registered' "$folder/out" &&
	grep -qx 'artifact-store/store there already' "$folder/out" &&
	grep -qF "to do: artifact-store/store: option 'authentication_secret': secret 's3'" "$folder/err"
say $? 'from standard input, under another name'
run stack export copy && sed -i 's/^name: copy$/name: daily/' "$folder/out" && cmp -s "$folder/out" "$folder/daily.yaml"
say $? 'what was imported is exported the same'
run secrets-manager secret register s3 -x vault --schema=aws --aws_access_key_id="$id" --aws_secret_access_key="$value" &&
	run stack import "$folder/daily.yaml" && [ ! -s "$folder/err" ]
say $? 'nothing is missing once the secret is there'

sed -i 's/^      namespace: jobs/      namespace: nights/; s/^name: daily/name: nightly/' "$folder/daily.yaml"
fails 'what is there and different is named' 6 "step operator 'spark' is registered with other options (namespace)" \
	stack import "$folder/daily.yaml"
fails 'and nothing is registered' 5 "no stack named 'nightly'" stack describe nightly
fails 'no file' 5 'nowhere.yaml' stack import nowhere.yaml
echo 'kind: Stack' >"$folder/bad.yaml"
fails 'not an export' 9 "'kind' must be 'StackExport'" stack import "$folder/bad.yaml"
printf -- '---\na: 1\n---\nb: 1\n' >"$folder/two.yaml"
fails 'two documents' 9 'holds 2 documents' stack import "$folder/two.yaml"

finish
