/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers the flavors that the parts of the program have. */
#include "operator/catalog.h"

#include <assert.h>

#include "core/memory.h"
#include "stacks/artifact.h"
#include "stacks/metadata.h"
#include "stacks/secret.h"

/* The process that was called drives the run. */
static const struct component_flavor orchestrator_local = {
	.type = COMPONENT_ORCHESTRATOR,
	.name = "local",
	.help = "the calling process drives the run",
	.options = (const struct component_option[]){ { 0 } },
};

static const struct component_flavor registry_default = {
	.type = COMPONENT_CONTAINER_REGISTRY,
	.name = "default",
	.help = "any registry that speaks the OCI distribution API",
	.options =
		(const struct component_option[]){
			{ "uri", OPTION_TEXT, true, "host[:port]/path that images go to", NULL },
			{ "authentication_secret", OPTION_TEXT, false,
	                  "name of a secret with the keys username and password", NULL },
			{ 0 },
		},
};

static const struct component_flavor step_local = {
	.type = COMPONENT_STEP_OPERATOR,
	.name = "local",
	.help = "a step is a process on this machine",
	.options =
		(const struct component_option[]){
			{ "python", OPTION_TEXT, false, "Python to run steps with", NULL }, { 0 } },
};
static const struct component_flavor step_spark = {
	.type = COMPONENT_STEP_OPERATOR,
	.name = "spark-kubernetes",
	.help = "a step is a Spark driver pod and its executors",
	.options =
		(const struct component_option[]){
			{ "master", OPTION_TEXT, false, "k8s://https://host:port of the API server",
	                  NULL },
			{ "namespace", OPTION_TEXT, false, "namespace of the pods", NULL },
			{ "service_account", OPTION_TEXT, false, "account of the driver pods",
	                  NULL },
			{ "docker_parent_image", OPTION_TEXT, true, "image with Spark and Python",
	                  NULL },
			{ "start_timeout", OPTION_DURATION, false, "how long", NULL },
			{ "submit_kwargs", OPTION_JSON, false, "Spark properties", NULL },
			{ 0 } },
};
#define FLAVOR_LIMIT 32

const struct catalog *catalog_built_in(void)
{
	static const struct component_flavor *flavors[FLAVOR_LIMIT + 1];
	static const struct catalog catalog = { flavors };
	size_t count = 0;

	if (*flavors)
		return &catalog;
	flavors[count++] = &orchestrator_local;
	flavors[count++] = &step_local;
	flavors[count++] = &step_spark;
	flavors[count++] = artifact_local.component;
	flavors[count++] = artifact_s3.component;
	flavors[count++] = &registry_default;
	flavors[count++] = secret_local.component;
	flavors[count++] = metadata_sqlite.component;
	assert(count <= FLAVOR_LIMIT);
	return &catalog;
}
