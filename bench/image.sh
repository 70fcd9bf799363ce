#!/usr/bin/env bash
# What user code in an image costs: 1 MB of Python added to the Spark image (790 MB), which the registry has already,
# beside buildah, which has that image unpacked already. RUNS=5; takes root (buildah) and a minute or two.
. "$(dirname "$0")/lib.sh"
runs=${RUNS:-5}
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/stepop-image-XXXXXX")
buildah=(buildah --root "$folder/storage" --runroot "$folder/run" --storage-driver overlay)
end() {
	[ -z "${registry_pid-}" ] || kill "$registry_pid" || true
	umount "$folder/storage/overlay" 2>/dev/null || true
	rm -rf "$folder"
}
trap end EXIT
for program in docker-registry skopeo buildah; do
	type $program >/dev/null || { echo "bench: apt-get install $program" >&2; exit 1; }
done
mkdir "$folder/code"
registry=127.0.0.1:$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
cat >"$folder/registry.yaml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $folder/registry}}
http: {addr: "$registry", secret: bench}
END
docker-registry serve "$folder/registry.yaml" >"$folder/registry.log" 2>&1 &
registry_pid=$!
until curl -s --noproxy '*' -o /dev/null "http://$registry/v2/"; do
	kill -0 "$registry_pid" || { cat "$folder/registry.log" >&2; exit 1; }
done
parent=$registry/spark-py:3.5.9

skopeo copy -q --dest-tls-verify=false "oci:$("$root/tests/cluster/build.sh" spark)" "docker://$parent"
python3 - "$folder/code" <<'END'
import random, sys
random.seed(1)
words = "def return import self value data frame column row index for in if else while print sum mean model".split()
for number in range(50):
    with open(f"{sys.argv[1]}/module_{number}.py", "w") as module:
        size = 0
        while size < 20000:
            size += module.write(" ".join(f"{random.choice(words)}_{random.randint(0, 999)}" for _ in range(8)) + "\n")
END
printf 'FROM %s\nCOPY code /opt/app\n' "$parent" >"$folder/Containerfile"

# Each is a shell that changes one file, and then becomes the program: nothing is found that was there.
change="echo \"# \$\$ \$(cat /proc/sys/kernel/random/uuid)\" >>'$folder/code/module_0.py'"
ours=("$stepop" image push --parent="$parent" -f "$folder/code:/opt/app" --to="$registry/bench/ours" -o name)
theirs="${buildah[*]} bud -q --tls-verify=false -t $registry/bench/theirs '$folder' &&
	${buildah[*]} push -q --tls-verify=false $registry/bench/theirs"

"$stepop" image inspect "$parent" -o json | python3 -c '
import json, sys
image = json.load(sys.stdin)
print("parent: {} layers, {:.0f} MB in the registry".format(len(image["layers"]), image["size_bytes"] / 1e6))'
# As buildah's --tls-verify=false: neither loads the system's certificates.
cd "$folder"
"$stepop" init >/dev/null
"$stepop" container-registry register images --flavor=default --uri="$registry/bench" --insecure=true >/dev/null
"$stepop" stack register bench -c images --set >/dev/null
"${ours[@]}" >/dev/null
sh -c "$theirs" >/dev/null # unpacks the parent: not counted
heading "changed code: build and push (median of $runs)" buildah
rows "$(measure "$runs" sh -c "$change; exec ${ours[*]}")" "$(measure "$runs" sh -c "$change; $theirs")"
heading "unchanged code" buildah
rows "$(measure "$runs" "${ours[@]}")" "$(measure "$runs" sh -c "$theirs")"
