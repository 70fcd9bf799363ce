#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stepop rbac as it is typed, as far as it goes without a cluster: whose rights, where, and which parts.
# usage: STEPOP=build/asan/stepop tests/cli/rbac_cli.sh      (output: TAP)
set -uo pipefail
# shellcheck source=tests/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli_lib.sh"
unset KUBECONFIG KUBERNETES_SERVICE_HOST

account=(-n team --service-account spark)
# renders NAME OBJECTS ARGUMENT...: these are the objects, by kind and name, behind namespace and account.
renders() {
	local name=$1 objects=$2
	shift 2
	prints "$name" "$objects" rbac render -o name "$@"
}
# pair ROLE BINDING, base NAMESPACE, submitter ID: lines of objects.
pair() { printf 'Role/%s\nRoleBinding/%s' "$1" "$2"; }
base() { printf 'Namespace/%s\nServiceAccount/spark\n%s\n' "$1" "$(pair stepop-driver stepop-driver-spark)"; }
submitter() { printf '%s\n%s\n' "$(pair stepop-submitter "stepop-submitter-$1")" "$(pair stepop-submitter-secrets "stepop-submitter-secrets:$1")"; }

renders 'an account that is typed needs no project' "$(base team)" "${account[@]}"
renders 'a user is bound as a submitter, with Secrets' "$(
	base team
	submitter alice
)" "${account[@]}" --submitter alice
renders 'a group is another submitter than a user of its name' "$(
	base team
	submitter group:alice
)" "${account[@]}" --submitter-group alice
renders 'a runner is an account that is made, too' "$(
	base team
	echo ServiceAccount/stepop
	submitter runner:stepop
)" "${account[@]}" --runner stepop
renders 'a part is left out' "$(
	base team
	pair stepop-submitter stepop-submitter-alice
)" "${account[@]}" --submitter alice --without secrets
for part in volumes network-policies pod-groups secrets-manager stack-check; do
	gives "the part '$part' is a submitter's Role and its binding" \
		"{'stepop-submitter-$part', 'stepop-submitter-$part:alice'} < {o['metadata']['name'] for o in x['items']}" \
		rbac render "${account[@]}" --submitter alice --with $part
done
for part in volumes resizing; do
	gives "the part '$part' is a driver's Role and its binding" \
		"{'stepop-driver-$part', 'stepop-driver-$part:spark'} < {o['metadata']['name'] for o in x['items']}" \
		rbac render "${account[@]}" --with $part
done
gives 'nothing is granted beyond a namespace' \
	"not [o for o in x['items'] if o['kind'].startswith('Cluster') or o['kind'] != 'Namespace' and o['metadata']['namespace'] != 'team']" \
	rbac render "${account[@]}" --submitter alice --with volumes --with secrets-manager

fails 'a part that is not known is refused' 2 '--with is one of secrets, volumes' rbac render "${account[@]}" --with everything
fails 'one submitter is bound at a time' 2 'only one of them' rbac render "${account[@]}" --runner a --submitter b
fails 'drivers have an account of their own' 9 "drivers would have the runner's rights" rbac render "${account[@]}" --runner spark
fails 'a name that Kubernetes refuses is refused' 9 "'Team' cannot be the name of a namespace" rbac render -n Team --service-account spark
fails 'without a project the way out is named' 5 "run 'stepop init'" rbac render

# What a step operator's options call for.
mkdir project && cd project || exit 1
run init
run register --flavor spark-kubernetes three --master=k8s://https://192.0.2.1:6443 --namespace=ns3 --service_account=spark \
	--docker_parent_image=registry/spark:3.5.9
run register --flavor spark-kubernetes four --master=k8s://https://192.0.2.1:6443 --namespace=ns4 --service_account=spark \
	--docker_parent_image=registry/spark:4.3.0
run register --flavor spark-kubernetes more --master=k8s://https://192.0.2.1:6443 --namespace=ns5 --service_account=spark \
	--docker_parent_image=registry/mine --spark_version=3.5 --submit_kwargs='{"spark.kubernetes.driver.pod.featureSteps":
	"org.apache.spark.deploy.k8s.features.VolcanoFeatureStep",
	"spark.kubernetes.executor.volumes.persistentVolumeClaim.a.options.claimName": "OnDemand"}'
renders "a step operator's namespace and account are taken" "$(
	base ns3
	submitter alice
)" --step-operator three --submitter alice
renders 'Spark 4.2 and later call for network policies' "$(
	base ns4
	submitter alice
	pair stepop-submitter-network-policies stepop-submitter-network-policies:alice
)" --step-operator four --submitter alice
renders 'unless they are left out' "$(
	base ns4
	submitter alice
)" --step-operator four --submitter alice --without network-policies
renders 'properties call for volumes and pod groups' "$(
	base ns5
	printf '%s\n' "$(pair stepop-driver-volumes stepop-driver-volumes:spark)"
	submitter alice
	printf '%s\n' "$(pair stepop-submitter-volumes stepop-submitter-volumes:alice)"
	pair stepop-submitter-pod-groups stepop-submitter-pod-groups:alice
)" --step-operator more --submitter alice
fails 'a step operator without pods needs no rights' 9 'makes no pods' rbac render
fails 'an unknown level of pod security is refused when it is typed' 9 "'baseline' is no level of pod security" \
	step-operator update three --pod_security=baseline
fails 'comparing needs a cluster' 5 'kubeconfig' rbac diff "${account[@]}"
finish
