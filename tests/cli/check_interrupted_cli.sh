#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stack check removes its trial object although it is interrupted while the object is there.
# usage: STEPOP=build/asan/stepop tests/cli/check_interrupted_cli.sh      (output: TAP)
set -uo pipefail
# shellcheck source=tests/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli_lib.sh"
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_CONFIG_FILE

# An S3 server that interrupts whoever reads what he wrote: no real one can be made to do that.
cat >"$folder/server.py" <<'PYTHON'
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, body=b""):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_HEAD(self):
        self.answer()
    def do_PUT(self):
        Handler.content = self.rfile.read(int(self.headers["Content-Length"]))
        print("put", flush=True)
        self.answer()
    def do_GET(self):
        if not self.path.endswith("/trial"):
            return self.answer(b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        os.kill(int(open(sys.argv[1]).read()), signal.SIGINT)
        self.answer(Handler.content)
    def do_DELETE(self):
        print("deleted", flush=True)
        self.answer()
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
coproc server { exec python3 "$folder/server.py" "$folder/pid" 2>/dev/null; }
read -r port <&"${server[0]}"

run init && run secrets-manager register vault --flavor=local &&
	run secrets-manager secret register keys --schema=aws --aws_access_key_id="$id" --aws_secret_access_key="$value" &&
	run artifact-store register store --flavor=s3 --path=s3://bucket --endpoint_url="http://127.0.0.1:$port" --authentication_secret=keys &&
	run stack register s -a store -x vault --set
say $? 'a stack with artifacts in S3'
# The process that becomes stepop says who it is first; python undoes that background jobs ignore Ctrl-C.
timeout 60 python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGINT, signal.SIG_DFL)
open(sys.argv[1], "w").write(str(os.getpid()))
os.execv(sys.argv[2], [sys.argv[2], "stack", "check"])' "$folder/pid" "$stepop" >"$folder/out" 2>"$folder/err"
status=$?
[ $status = 130 ]
say $? "Ctrl-C ends it ($status)"
grep -q ' remove ' "$folder/out" && ! grep -q 'metadata-store' "$folder/out"
say $? 'after the trial object is gone, and before anything else'
read -r first <&"${server[0]}" && read -r second <&"${server[0]}" && [ "$first $second" = 'put deleted' ]
say $? 'the server has seen it go'
kill "$server_PID"

finish
