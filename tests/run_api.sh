#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs tests against a real API server, a real S3 server, real databases, moto and real registries,
# which it starts and ends; no root.
# usage: run_api.sh TEST...
# With STEPOP_TEST_KUBECONFIG set, that API server is used, and STEPOP_TEST_LIMITED_KUBECONFIG;
# with STEPOP_TEST_DATABASES or _REGISTRIES, those of that folder (tests/servers/).
set -euo pipefail
# shellcheck source=tests/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/cluster/lib.sh"

folder=$(mktemp -d "${TMPDIR:-/tmp}/stepop-api-XXXXXX")
state=$folder/servers
end() {
	"$here/control_plane.sh" down "$folder/control-plane" || true
	stop minio || true
	stop moto || true
	"$here/../servers/databases.sh" down "$folder/databases" || true
	"$here/../servers/registries.sh" down "$folder/registries" || true
	rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_control_plane() {
	STEPOP_TEST_KUBECONFIG=$("$here/control_plane.sh" up "$folder/control-plane" | tail -n 1)
	STEPOP_TEST_LIMITED_KUBECONFIG=$folder/control-plane/etc/limited.kubeconfig
	export STEPOP_TEST_KUBECONFIG STEPOP_TEST_LIMITED_KUBECONFIG
}

start_minio() {
	local minio port
	minio=$("$here/build.sh" minio)
	port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
	export STEPOP_TEST_S3_ENDPOINT=http://127.0.0.1:$port STEPOP_TEST_S3_BUCKET=stepop-test
	export STEPOP_TEST_S3_ACCESS_KEY=stepop STEPOP_TEST_S3_SECRET_KEY=stepop-secret
	MINIO_ROOT_USER=stepop MINIO_ROOT_PASSWORD=stepop-secret MINIO_BROWSER=off MINIO_UPDATE=off \
		MINIO_KMS_SECRET_KEY="stepop-key:$(head -c 32 /dev/urandom | base64)" \
		start minio "$minio/minio" server --address "127.0.0.1:$port" \
		--certs-dir "$folder/no-certificates" "$folder/minio"
	wait_ready minio 60 curl -sf --noproxy '*' "$STEPOP_TEST_S3_ENDPOINT/minio/health/ready"
}

# It knows no more of AWS than a test has told it: accounts, clusters.
start_moto() {
	local moto port
	moto=$("$setup" moto)
	port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
	export STEPOP_TEST_AWS_ENDPOINT=http://127.0.0.1:$port
	start moto "$moto/bin/moto_server" -H 127.0.0.1 -p "$port"
	wait_ready moto 60 curl -sf --noproxy '*' "$STEPOP_TEST_AWS_ENDPOINT/moto-api/data.json"
}

start_databases() {
	local environment
	chmod 711 "$folder" # for the user that they run as
	environment=$("$here/../servers/databases.sh" up "$folder/databases")
	eval "$environment"
}

start_registries() {
	local environment
	environment=$("$here/../servers/registries.sh" up "$folder/registries")
	eval "$environment"
}

if [ -z "${STEPOP_TEST_KUBECONFIG-}" ] || [ -z "${STEPOP_TEST_S3_ENDPOINT-}" ] ||
	[ -z "${STEPOP_TEST_DATABASES-}" ] || [ -z "${STEPOP_TEST_AWS_ENDPOINT-}" ] ||
	[ -z "${STEPOP_TEST_REGISTRIES-}" ]; then
	"$setup" servers >/dev/null
fi
[ -n "${STEPOP_TEST_KUBECONFIG-}" ] || start_control_plane
[ -n "${STEPOP_TEST_S3_ENDPOINT-}" ] || start_minio
[ -n "${STEPOP_TEST_DATABASES-}" ] || start_databases
[ -n "${STEPOP_TEST_AWS_ENDPOINT-}" ] || start_moto
[ -n "${STEPOP_TEST_REGISTRIES-}" ] || start_registries
"$here/../run_unit.sh" "$@"
