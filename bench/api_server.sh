# Sourced after lib.sh by what needs an API server: one of this benchmark's own, without a node, so that pods stay
# pending and no processor is spent on running them. Sets KUBECONFIG and $kubectl.
folder=$(mktemp -d)
plane=$folder/control-plane
end_api_server() {
	"$root/tests/cluster/control_plane.sh" down "$plane" >/dev/null 2>&1 || true
	rm -rf "$folder"
}
trap end_api_server EXIT
KUBECONFIG=$("$root/tests/cluster/control_plane.sh" up "$plane" 2>/dev/null | tail -1)
export KUBECONFIG
kubectl=$("$root/tests/cluster/build.sh" kube)/kubectl
server=$(sed -n 's/^ *server: //p' "$KUBECONFIG")
image=${IMAGE:-stepop.test/spark:3.5.9} # never pulled here

# new_namespace NAME: usable once its service account is there.
new_namespace() {
	"$kubectl" create namespace "$1" >/dev/null
	"$kubectl" create --raw "/api/v1/namespaces/$1/serviceaccounts" -f - >/dev/null 2>&1 \
		<<<'{"metadata": {"name": "default"}}' || true # the controller may have been faster
}

# applications COUNT [CONF...]: as many SparkApplications, each CONF a "key: value" more of its sparkConf.
applications() {
	local i count=$1 conf
	shift
	for ((i = 0; i < count; i++)); do
		printf -- '---\napiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\n'
		printf 'metadata: {name: pi-%d}\nspec:\n  type: Scala\n  mode: cluster\n  sparkVersion: 3.5.9\n' "$i"
		printf '  image: %s\n  mainClass: org.apache.spark.examples.SparkPi\n' "$image"
		printf '  mainApplicationFile: local:///opt/spark/examples/jars/spark-examples_2.12-3.5.9.jar\n'
		printf '  driver: {cores: 1, memory: 512m}\n  executor: {instances: 1, cores: 1, memory: 512m}\n'
		[ $# = 0 ] || printf '  sparkConf:\n'
		for conf; do printf '    %s\n' "$conf"; done
	done
}

# settle: what the controllers still do for the last load must not be paid by the next.
settle() { sleep "${SETTLE:-5}"; }

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

fail() {
	echo "bench: $*" >&2
	exit 1
}
