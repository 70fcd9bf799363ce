#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Uploads to a real S3 server (MinIO, on this machine): one large file, and many small ones, by
# stepop's client and by the AWS CLI; then that memory does not grow with the size.
# usage: bench/s3.sh [FOLDER]      FOLDER: where 5 GiB have room (default: a temporary folder)
. "$(dirname "$0")/lib.sh"
runs=${RUNS:-3}
work=$(mktemp -d -p "${1:-${TMPDIR:-/tmp}}" stepop-bench-XXXXXX)
minio_pid=
end() {
	[ -z "$minio_pid" ] || kill "$minio_pid" 2>/dev/null || true
	rm -rf "$work"
}
trap end EXIT
make -s -C "$root" build/bench/s3_upload >&2
upload=$root/build/bench/s3_upload

# The peer: of PyPI, in a venv of the cache.
cache=${STEPOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stepop}
aws=$cache/awscli-1.45.11/bin/aws
if [ ! -x "$aws" ]; then
	/usr/bin/python3 -m venv "$cache/awscli-1.45.11"
	"$cache/awscli-1.45.11/bin/pip" install -q --disable-pip-version-check awscli==1.45.11 >&2
fi

export AWS_ACCESS_KEY_ID=stepop AWS_SECRET_ACCESS_KEY=stepop-secret AWS_REGION=us-east-1
export AWS_DEFAULT_REGION=us-east-1 AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
minio=$("$root/tests/cluster/build.sh" minio)
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
export AWS_ENDPOINT_URL=http://127.0.0.1:$port
MINIO_ROOT_USER=stepop MINIO_ROOT_PASSWORD=stepop-secret MINIO_BROWSER=off MINIO_UPDATE=off \
	"$minio/minio" server --address "127.0.0.1:$port" --certs-dir "$work/none" "$work/minio" \
	>"$work/minio.log" 2>&1 &
minio_pid=$!
curl -sf --noproxy '*' --retry 60 --retry-delay 1 --retry-connrefused \
	"$AWS_ENDPOINT_URL/minio/health/ready"
"$aws" s3 mb s3://bench >/dev/null

head -c 1G /dev/urandom >"$work/1GiB"
truncate -s 4G "$work/4GiB"
mkdir "$work/small"
for i in $(seq 1000); do head -c 10240 /dev/urandom >"$work/small/$i"; done

heading "one file of 1 GiB" "aws s3 cp"
rows "$(measure "$runs" "$upload" bench large/ "$work/1GiB")" \
	"$(measure "$runs" "$aws" s3 cp --only-show-errors "$work/1GiB" s3://bench/large/1GiB)"
heading "1000 files of 10 KiB" "aws s3 cp"
rows "$(measure "$runs" "$upload" bench small/ "$work"/small/*)" \
	"$(measure "$runs" "$aws" s3 cp --only-show-errors --recursive "$work/small" s3://bench/small/)"
heading "one file of 4 GiB" "of 1 GiB"
memory=($(measure 1 "$upload" bench large/ "$work/4GiB") $(measure 1 "$upload" bench large/ "$work/1GiB"))
row "peak RSS" "${memory[2]}" "${memory[5]}" MiB
