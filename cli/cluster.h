/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to an API server for the length of a command: the loop, HTTP and the client. */
#ifndef CLI_CLUSTER_H
#define CLI_CLUSTER_H

#include "core/error.h"
#include "core/http.h"
#include "core/loop.h"
#include "submit/kube_client.h"

struct cluster {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *client;
};

/* Reads the kubeconfig, or the in-cluster account; makes no request. NULL and *err on failure. */
struct cluster *cluster_open(const struct kube_config_options *options, struct error **err);
/* The same of a configuration that was read already. */
struct cluster *cluster_new_take(struct kube_config *config);
void cluster_free(struct cluster *cluster);
DEFINE_CLEANUP(cluster);

#endif
