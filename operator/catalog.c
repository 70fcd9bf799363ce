/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers the flavors that the parts of the program have. */
#include "operator/catalog.h"

#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact.h"
#include "stacks/metadata.h"
#include "stacks/secret.h"

static const struct component_flavor orchestrator_local = {
	.type = COMPONENT_ORCHESTRATOR,
	.name = "local",
	.help = "the calling process drives the run",
};

static const struct component_flavor registry_default = {
	.type = COMPONENT_CONTAINER_REGISTRY,
	.name = "default",
	.help = "any registry that speaks the OCI distribution API",
	.options =
		(const struct component_option[]){
			{ .name = "uri",
	                  .required = true,
	                  .help = "host[:port]/path that images go to" },
			{ .name = "authentication_secret",
	                  .help = "secret of schema registry in the stack's secrets manager" },
			{ 0 },
		},
};

/* Step operators: until operator/flavor.h's flavor_list() is there to be asked. */
static const struct component_flavor operator_local = {
	.type = COMPONENT_STEP_OPERATOR,
	.name = "local",
	.help = "a step is a process on this machine",
	.options =
		(const struct component_option[]){
			{ .name = "python",
	                  .help = "Python to run steps with; default: of the active virtual "
	                          "environment, else python3" },
			{ 0 },
		},
};

static const struct component_flavor operator_spark_local = {
	.type = COMPONENT_STEP_OPERATOR,
	.name = "spark-local",
	.help = "a step is a Spark application on this machine",
	.options =
		(const struct component_option[]){
			{ .name = "master",
	                  .help = "local[*] (the default), local[N] or spark://host:port" },
			{ .name = "spark_home",
	                  .help = "folder of Spark; default: $SPARK_HOME, else the pyspark of the "
	                          "Python, else spark-submit of the PATH" },
			{ .name = "python",
	                  .help = "Python of the driver; default: of the active virtual "
	                          "environment, else python3" },
			{ 0 },
		},
};

static bool check_master(const char *value, struct error **err)
{
	if (text_starts_with(value, "k8s://"))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "the API server's address is expected, as in k8s://https://host:6443");
}

static const struct component_flavor operator_spark_kubernetes = {
	.type = COMPONENT_STEP_OPERATOR,
	.name = "spark-kubernetes",
	.help = "a step is a Spark driver pod and its executors",
	.options =
		(const struct component_option[]){
			{ .name = "master",
	                  .help = "k8s://https://host:port of the API server; default: the "
	                          "kubeconfig's",
	                  .check = check_master },
			{ .name = "namespace",
	                  .help = "namespace of the pods; default: the kubeconfig's" },
			{ .name = "service_account", .help = "account of the driver pods" },
			{ .name = "docker_parent_image",
	                  .required = true,
	                  .help = "image with Spark and Python" },
			{ .name = "image_pull_policy",
	                  .help = "IfNotPresent (the default), Always or Never" },
			{ .name = "image_pull_secrets",
	                  .help = "comma-separated names of pull secrets" },
			{ .name = "spark_version", .help = "of the image; default: 3.5.9" },
			{ .name = "start_timeout",
	                  .kind = OPTION_DURATION,
	                  .help = "how long a driver may take to start; default: 10m" },
			{ .name = "submit_kwargs",
	                  .kind = OPTION_JSON,
	                  .help = "Spark properties for every step, as JSON or key=value" },
			{ .name = "kubeconfig",
	                  .help = "file to use instead of $KUBECONFIG or ~/.kube/config" },
			{ .name = "context", .help = "context of the kubeconfig" },
			{ 0 },
		},
	.aliases =
		(const struct component_alias[]){
			{ "image", "docker_parent_image" },
			{ "container_image", "docker_parent_image" },
			{ 0 },
		},
};

#define FLAVOR_LIMIT 32

const struct catalog *catalog_built_in(void)
{
	static const struct component_flavor *flavors[FLAVOR_LIMIT + 1];
	static const struct catalog catalog = { flavors };
	const struct component_flavor *const found[] = {
		&operator_local,          &operator_spark_local,     &operator_spark_kubernetes,
		artifact_local.component, artifact_s3.component,     &registry_default,
		secret_local.component,   metadata_sqlite.component, &orchestrator_local,
	};
	size_t i;

	_Static_assert(ARRAY_SIZE(found) <= FLAVOR_LIMIT, "the end of the list is a NULL");
	for (i = 0; i < ARRAY_SIZE(found); i++)
		flavors[i] = found[i];
	return &catalog;
}
