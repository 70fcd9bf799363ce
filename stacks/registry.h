/* SPDX-License-Identifier: Apache-2.0 */
/* Container registries: where images go that stepop makes of a parent image and the user's code. */
#ifndef STACKS_REGISTRY_H
#define STACKS_REGISTRY_H

#include <stdbool.h>

#include "cloud/oci_registry.h"
#include "core/error.h"
#include "core/http.h"
#include "stacks/component.h"
#include "stacks/secret.h"

struct container_registry;
struct probe_report;

/* One implementation: registry_default.c, registry_aws.c. */
struct registry_flavor {
	const struct component_flavor *component;

	/* Opens the registry at `host`. Asks nobody yet. `secrets` may be NULL; what is borrowed is
	 * kept and lives longer. The caller owns the registry, whose `host`, `path` and `http` it
	 * fills in afterwards. */
	struct container_registry *(*open)(const struct component *component, const char *host,
	                                   struct secret_store *secrets, struct http_client *http,
	                                   struct error **err);
	/* Called before the first push to a repository, which must be there by then; optional. */
	bool (*prepare)(struct container_registry *registry, const char *repository,
	                struct error **err);
	/* A user and a password by which a node pulls: owned by the caller, who wipes them. NULL:
	 * nodes have their own way. */
	bool (*pull_credentials)(struct container_registry *registry, char **user, char **password,
	                         struct error **err);
	void (*close)(struct container_registry *registry);
};

/* What implementations embed first. */
struct container_registry {
	const struct registry_flavor *flavor;
	struct oci_registry *client;
	char *host; /* "registry:5000" */
	char *path; /* "team/spark": what repositories begin with; "" for none */
	struct http_client *http;
};
extern const struct registry_flavor registry_default, registry_aws;
const struct registry_flavor *registry_flavor_find(const char *name);

/* Refuses a component whose uri makes no sense: INVALID. */
struct container_registry *container_registry_open(const struct component *component,
                                                   struct secret_store *secrets,
                                                   struct http_client *http, struct error **err);
void container_registry_free(struct container_registry *registry);
DEFINE_CLEANUP(container_registry);

/* "<path>/<name>", with what a repository's name may not have (capital letters) made fit; owned by
 * the caller. */
char *container_registry_repository(const struct container_registry *registry, const char *name);
bool container_registry_prepare(struct container_registry *registry, const char *repository,
                                struct error **err);
/*
 * The text of a Secret of type kubernetes.io/dockerconfigjson, by which nodes pull from here; owned
 * by the caller (secret_free). NULL and no error: they need none, or have it from elsewhere.
 */
char *container_registry_pull_config(struct container_registry *registry, struct error **err);
/* Whether the registry answers, and whether it lets us push. */
void container_registry_probe(struct container_registry *registry, struct probe_report *report);

/* For the option `uri` of flavors: "registry:5000/team". */
bool container_registry_check_uri(const char *value, struct error **err);

#endif
