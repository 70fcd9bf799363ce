#!/usr/bin/env bash
# Code, wheels and files as a layer of the image: stepop pushes it to a registry in the node's network, with TLS and
# users; the node pulls it, and steps run from it.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/cluster_lib.sh"
"$root/scripts/setup.sh" node >&2
registry=$STEPOP_NODE_IP:5000
registry_pid=

clean_up() {
	[ -z "$registry_pid" ] || kill "$registry_pid" || true
	rm -rf "${STEPOP_REGISTRY_HOSTS:?}/$registry"
	"$kubectl" delete namespace "$namespace" --wait=false --ignore-not-found >/dev/null
}

# ---- a registry, and what the node needs to trust it ----

start_registry() {
	local pki=${STEPOP_REGISTRY_HOSTS%/*/*}/pki password
	password=$(openssl rand -hex 10)
	printf %s "$password" >"$scratch/password"
	# Perl's crypt() is libxcrypt's, which knows the bcrypt that registries want.
	perl -e 'printf "%s:%s\n", $ARGV[0], crypt($ARGV[1], "\$2b\$04\$" . substr($ARGV[2], 0, 21) . "u")' \
		builder "$password" "$(openssl rand -hex 11)" >"$scratch/htpasswd"
	cat >"$scratch/registry.yaml" <<-YAML
		version: 0.1
		log: {level: warn, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $scratch/registry}}
		auth: {htpasswd: {realm: e2e, path: $scratch/htpasswd}}
		http: {addr: "$registry", secret: e2e, tls: {certificate: $pki/server.crt, key: $pki/server.key}}
	YAML
	nsenter --net="$STEPOP_NODE_NETNS" -- docker-registry serve "$scratch/registry.yaml" >"$scratch/registry.log" 2>&1 &
	registry_pid=$!
	cp "$pki/ca.crt" "$scratch/ca.crt"
	mkdir -p "$STEPOP_REGISTRY_HOSTS/$registry"
	printf 'server = "https://%s"\n[host."https://%s"]\n  ca = "%s"\n' "$registry" "$registry" "$pki/ca.crt" \
		>"$STEPOP_REGISTRY_HOSTS/$registry/hosts.toml"
	until curl -s --noproxy '*' --cacert "$scratch/ca.crt" -o /dev/null "https://$registry/v2/"; do
		kill -0 "$registry_pid" || { cat "$scratch/registry.log" >&2; exit 1; }
	done
}

# The Spark image is on the node by another name; here it comes from a registry, as everywhere.
push_parent() {
	mkdir -p "$scratch/trust"
	cp "$scratch/ca.crt" "$scratch/trust/"
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$registry" "$(printf 'builder:%s' "$(cat "$scratch/password")" | base64)" \
		>"$scratch/auth.json"
	skopeo copy -q --dest-cert-dir "$scratch/trust" --dest-authfile "$scratch/auth.json" \
		"oci:$("$root/tests/cluster/build.sh" spark)" "docker://$registry/spark-py:3.5.9"
}

# ---- a pipeline that needs it ----

write_pipeline() {
	/usr/bin/python3 - <<-'PY'
		import base64, hashlib, zipfile
		files = {"greeting.py": b"def greet(name):\n    return 'hello ' + name\n",
		         "greeting-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
		         "greeting-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
		digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
		record = "".join(f"{name},sha256={digest(text)},{len(text)}\n" for name, text in files.items())
		with zipfile.ZipFile("greeting-1.0-py3-none-any.whl", "w") as wheel:
		    for name, text in files.items():
		        wheel.writestr(name, text)
		    wheel.writestr("greeting-1.0.dist-info/RECORD", record + "greeting-1.0.dist-info/RECORD,,\n")
		with open("large.py", "w") as module:  # more than a ConfigMap carries
		    module.write("TABLE = [\n" + "    'some text that takes its room',\n" * 40000 + "]\n")
	PY
	mkdir -p words
	printf 'world' >words/first.txt
	cat >steps.py <<-'PY'
		import os

		import large


		def first(spark):
		    import greeting
		    word = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "words", "first.txt")).read()
		    there = spark.sparkContext.parallelize([word], 1).map(lambda name: __import__("greeting").greet(name)).collect()
		    return {"driver": greeting.greet(word), "executor": there[0], "rows": len(large.TABLE)}


		def second():
		    return large.TABLE[0]
	PY
	cat >pipeline.yaml <<-YAML
		apiVersion: stepop/v1
		kind: Pipeline
		name: Image_Pipeline
		$small_settings
		steps:
		  first:
		    source: steps.py:first
		    outputs: {said: json}
		    settings: {image: {requirements: [greeting-1.0-py3-none-any.whl], files: [words]}}
		  second:
		    source: steps.py:second
		    outputs: {said: text}
		    after: [first]
	YAML
}

start_registry
push_parent
register_stack >"$out" 2>"$err" || not_ok "the stack is registered"
"$stepop" step-operator update spark_step_operator --docker_parent_image="$registry/spark-py:3.5.9" >"$out"
write_pipeline

run "$stepop" run pipeline.yaml
expect_status 9 "large code is refused without a registry"
expect_err 'container-registry register' "and the way out is named"

"$stepop" secrets-manager secret register login --schema=registry --username=builder --password=@"$scratch/password" >"$out"
"$stepop" container-registry register images --flavor=default --uri="$registry/team" --ca="$scratch/ca.crt" \
	--authentication_secret=login >"$out"
"$stepop" stack update spark_stack -c images >"$out"
run "$stepop" stack check
expect_out 'push' "stack check asks for the right to push"

run "$stepop" run pipeline.yaml --dry-run=client
expect_status 0 "a dry run asks no registry"
expect_out "image: $registry/team/image-pipeline:layer-[0-9a-f]{12}\$" "and shows the image"
check "and not the password" sh -c "! grep -qaF '$(cat "$scratch/password")' '$out'"

run "$stepop" run pipeline.yaml -o json --progress=plain
expect_status 0 "steps run from images that stepop pushed"
cp "$out" "$scratch/run.json"
said=$(json "$scratch/run.json" '[a["metadata"]["value"] for a in d["artifacts"] if a["artifact"]=="first.said"][0]')
check "the driver has wheel, file and code" grep -q "'driver': 'hello world'.*'rows': 40000" <<<"$said"
check "the executors have the wheel" grep -q "'executor': 'hello world'" <<<"$said"
id=$(json "$scratch/run.json" 'd["run"]')
"$kubectl" get pods,secrets -n "$namespace" -l "stepop.dev/run=$id" -o json >"$scratch/objects.json"
images=$(json "$scratch/objects.json" 'sorted({c["image"] for o in d["items"] if o["kind"]=="Pod" for c in o["spec"]["containers"]})')
check "pods have images of two layers, by digest" test "$(grep -o "$registry/team/image-pipeline@sha256:[0-9a-f]\{64\}" <<<"$images" | wc -l)" = 2
check "each attempt has a Secret to pull by" test "$(json "$scratch/objects.json" '[o["type"] for o in d["items"] if o["metadata"]["name"].endswith("-registry")]')" = "['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockerconfigjson']"
run "$stepop" runs describe "$id" -o json
check "the run's plan has the images" test "$(json "$out" '[s["image"].split("@")[0] for s in d["plan"]["steps"]]')" = "['$registry/team/image-pipeline', '$registry/team/image-pipeline']"

run "$stepop" image push pipeline.yaml -o json
expect_status 0 "the same again is pushed by hand"
check "and was there" test "$(json "$out" '[i["state"] for i in d]')" = "['exists', 'exists']"
run "$stepop" image inspect "$(json "$out" 'd[0]["image"]')" -o json
check "inspect tells parent and layer" test "$(json "$out" 'd["stepop"]["parent"], len(d["layers"])')" = "('$registry/spark-py:3.5.9', 5)"
