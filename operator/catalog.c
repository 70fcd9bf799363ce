/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers the flavors that the parts of the program have. */
#include "operator/catalog.h"

#include <assert.h>

#include "core/memory.h"
#include "operator/flavor.h"
#include "stacks/artifact.h"
#include "stacks/metadata.h"
#include "stacks/registry.h"
#include "stacks/secret.h"

static const struct component_flavor orchestrator_local = {
	.type = COMPONENT_ORCHESTRATOR,
	.name = "local",
	.help = "the calling process drives the run",
	.options =
		(const struct component_option[]){
			{ .name = "max_parallel_steps",
	                  .kind = OPTION_INTEGER,
	                  .help = "steps active at once; default: the number of processors, 64 for "
	                          "pods" },
			{ 0 },
		},
};

#define FLAVOR_LIMIT 32

const struct catalog *catalog_built_in(void)
{
	static const struct component_flavor *flavors[FLAVOR_LIMIT + 1];
	static const struct catalog catalog = { flavors };
	const struct component_flavor *const others[] = {
		artifact_local.component,  artifact_s3.component,       registry_default.component,
		registry_aws.component,    secret_local.component,      secret_aws.component,
		metadata_sqlite.component, &orchestrator_local,         metadata_postgres.component,
		metadata_mysql.component,  secret_kubernetes.component,
	};
	const struct flavor *const *flavor;
	size_t count = 0, i;

	for (flavor = flavor_list(); *flavor; flavor++)
		flavors[count++] = (*flavor)->component;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		flavors[count++] = others[i];
	assert(count <= FLAVOR_LIMIT);
	return &catalog;
}
