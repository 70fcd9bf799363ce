/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to an API server for the length of a command. */
#include "cli/cluster.h"

#include "core/memory.h"

struct cluster *cluster_new_take(struct kube_config *config)
{
	struct cluster *cluster = xcalloc(1, sizeof(*cluster));

	cluster->loop = loop_new();
	cluster->http = http_client_new(cluster->loop);
	cluster->client = kube_client_new_take(cluster->http, config);
	return cluster;
}

struct cluster *cluster_open(const struct kube_config_options *options, struct error **err)
{
	struct kube_config *config = kube_config_load(options, err);

	return config ? cluster_new_take(config) : NULL;
}

void cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return;
	kube_client_free(cluster->client);
	http_client_free(cluster->http);
	loop_free(cluster->loop);
	free(cluster);
}
