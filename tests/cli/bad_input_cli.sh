#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Mistakes in components, as they are typed: each is answered with the option and the way out.
# usage: STEPOP=build/asan/stepop tests/cli/bad_input_cli.sh      (output: TAP)
set -uo pipefail
# shellcheck source=tests/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli_lib.sh"
unset KUBECONFIG AWS_PROFILE AWS_ACCESS_KEY_ID AWS_CONFIG_FILE

run init && run secrets-manager register vault --flavor=local &&
	run secrets-manager secret register place --bucket=data --password="$value"
say $? 'a project with a secret'

while IFS='|' read -r name part arguments; do
	# shellcheck disable=SC2086 # words of a command line
	fails "$name" 9 "$part" $arguments
done <<'MISTAKES'
a mistyped flavor|unknown flavor 'mysqll'; did you mean 'mysql'?|metadata-store register m --flavor=mysqll --host=h
a mistyped option|metadata store 'm': --databse: flavor 'mysql' has no such option; did you mean '--database'?|metadata-store register m --flavor=mysql --databse=x
a number that is none|--port: a whole number is expected|metadata-store register m --flavor=mysql --host=h --port=abc --database=x
the URL of another kind of database|--url: a URL looks like postgresql://|metadata-store register m --flavor=postgres --url=mysql://h/x
a password in an option|metadata store 'm': --password: looks like the value of a secret|metadata-store register m --flavor=mysql --host=h --password=hush
a password in a URL|--url: holds the value of a secret|metadata-store register m --flavor=postgres --url=postgresql://me:hush@h/x
no such way to use TLS|--ssl_mode: 'full' is no way to use TLS: give disable, require|metadata-store register m --flavor=mysql --host=h --database=x --ssl_mode=full
a bucket without its scheme|--path: 'bucket/x' lacks the scheme: a bucket is written as s3://bucket/x|artifact-store register s --flavor=s3 --path=bucket/x
another scheme|'https://bucket/x' is no place in S3|artifact-store register s --flavor=s3 --path=https://bucket/x
an endpoint of another protocol|--endpoint_url: a URL that begins with https:// or http:// is expected|artifact-store register s --flavor=s3 --path=s3://b --endpoint_url=ftp://h
an endpoint without a host|--endpoint_url: 'http:///x' is no URL of a server|artifact-store register s --flavor=s3 --path=s3://b --endpoint_url=http:///x
an endpoint with a user|--endpoint_url: a URL without a user is expected|artifact-store register s --flavor=s3 --path=s3://b --endpoint_url=http://me@h
no such encryption|--sse|artifact-store register s --flavor=s3 --path=s3://b --sse=AES
a master that is none|--master: 'htp://x' is no Kubernetes master; it looks like k8s://https://host:6443|step-operator register o --flavor=spark-kubernetes --image=i --master=htp://x
a secret where pods show it|--namespace: refers to a secret, but others can read this option's value|step-operator register o --flavor=spark-kubernetes --image=i --namespace={{place.bucket}}
a secret in a property that Spark shows|--submit_kwargs: spark.x: refers to a secret, but is no property that Spark keeps secret|step-operator register o --flavor=spark-kubernetes --image=i --submit_kwargs=spark.x={{place.bucket}}
half a reference|--path: a reference to a secret begins with '{{' but '}}' is missing|artifact-store register s --flavor=s3 --path=s3://{{place.bucket
a reference without a key|'{{place}}' is not a reference to a secret; write {{name.key}}|artifact-store register s --flavor=s3 --path=s3://{{place}}
a secrets manager that refers to itself|--key_file: refers to a secret, but a secrets manager cannot be opened with what lies in it|secrets-manager register v --flavor=local --key_file={{vault.key}}
a namespace that cannot be|--namespace: 'A_b' cannot be the name of a namespace|secrets-manager register v --flavor=kubernetes --namespace=A_b
a prefix that cannot be|--prefix: lower-case letters|secrets-manager register v --flavor=kubernetes --prefix=A_b
no such schema|there is no secret schema 'postgre'; did you mean 'postgres'?|secrets-manager secret register x -x vault --schema=postgre --user=u
MISTAKES

# What shows when the component is opened: `stack check` says it of all, `run` of the first.
# checks NAME STATUS PART: the stack 'bad' is checked.
checks() {
	local got
	run stack check bad
	got=$?
	[ $got = "$2" ] && grep -qF -- "$3" "$folder/out"
	say $? "$1"
}

run artifact-store register store --flavor=local --path='{{plaec.bucket}}' && run stack register bad -a store
checks 'a reference, and no secrets manager' 9 "option 'path': it refers to secret 'plaec', but the stack has no secrets manager"
run stack update bad -x vault
checks 'no such secret' 5 "artifact-store/store             secrets          option 'path': secret 'plaec': no such secret; did you mean 'place'?"
grep -qF 'stepop secrets-manager secret register plaec -x vault --bucket=@FILE' "$folder/out"
say $? 'and what makes it'
run artifact-store update store --path='{{place.bukcet}}'
checks 'no such key' 5 "secret 'place' has no key 'bukcet'; did you mean 'bucket'?"
grep -qF 'metadata-store/default' "$folder/out" && grep -qF 'step-operator/default' "$folder/out"
say $? 'the others are tried nevertheless'
run artifact-store update store --path='{{place.bucket}}'
checks 'what it refers to' 0 '/data/'

run artifact-store register far --flavor=s3 --path=s3://bucket --endpoint_url=http://127.0.0.1:1 --region=eu-west-1 --authentication_secret=place &&
	run stack update bad -a far
checks 'a secret of another schema' 9 "secret 'place' has no aws_access_key_id: it must be of schema aws"
run secrets-manager secret register keys -x vault --schema=aws --aws_access_key_id="$id" --aws_secret_access_key="$value" &&
	run artifact-store update far --authentication_secret=keys
checks 'nobody listens' 1 'cannot connect to http://127.0.0.1:1: connection refused'
run artifact-store update far --endpoint_url=http://no-such-host.invalid
checks 'a host that nobody knows' 1 "the name 'no-such-host.invalid' is not known (DNS)"

# A server whose certificate nobody vouches for. It tells when it listens.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key.pem" -out "$folder/cert.pem" -days 1 \
	-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
cat >"$folder/tls.py" <<'PYTHON'
import http.server, ssl, sys
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
coproc tls { exec python3 "$folder/tls.py" "$folder/cert.pem" "$folder/key.pem" 2>/dev/null; }
read -r port <&"${tls[0]}"
run artifact-store update far --endpoint_url="https://127.0.0.1:$port"
checks 'a certificate that is not trusted' 4 "certificate"
grep -q '^fault .*artifact-store/far.*127.0.0.1' "$folder/out"
say $? 'of which component, and of which server'
kill "$tls_PID"

run register --flavor spark-kubernetes spark --docker_parent_image=spark:3.5.9 --master=k8s://https://127.0.0.1:1 &&
	run stack update bad -s spark -a far
checks 'an API server that is not there' 1 'cannot reach the API server; see that it runs'

echo tampered >>.stepop/secrets/vault.json
checks 'a vault that was changed' 9 '.stepop/secrets/vault.json'
! grep -rlF -e hush/hush "$said" .stepop >"$folder/out"
say $? 'no value is in any file or output'

finish
