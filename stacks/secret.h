/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets managers: named sets of key=value that never leave but to where they are used. */
#ifndef STACKS_SECRET_H
#define STACKS_SECRET_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "core/http.h"
#include "stacks/component.h"

struct probe_report;
struct secret_store;

/* One implementation: secret_local.c is an encrypted file. */
struct secret_flavor {
	const struct component_flavor *component;

	/* The caller owns the store. `http` is for stores that are elsewhere, and is kept. No
	 * request is made. */
	struct secret_store *(*open)(const struct project *project,
	                             const struct component *component, struct http_client *http,
	                             struct error **err);
	/* An object of strings, owned by the caller, released with secret_values_free(). NOT_FOUND.
	 */
	json_t *(*get)(struct secret_store *store, const char *name, struct error **err);
	/* Replaces the whole secret when `create_only` is false; CONFLICT when it exists and
	 * create_only. `schema` may be NULL. */
	bool (*put)(struct secret_store *store, const char *name, const char *schema,
	            const json_t *values, bool create_only, struct error **err);
	bool (*remove)(struct secret_store *store, const char *name, struct error **err);
	/* Array of {"name", "schema", "keys": [...]}: no values. */
	json_t *(*list)(struct secret_store *store, struct error **err);
	/* Tries what get, put and remove will need; optional (stacks/probe.h). */
	void (*probe)(struct secret_store *store, struct probe_report *report);
	void (*close)(struct secret_store *store);
};
/* What implementations embed first. */
struct secret_store {
	const struct secret_flavor *flavor;
};
extern const struct secret_flavor secret_local, secret_aws, secret_kubernetes;
const struct secret_flavor *secret_flavor_find(const char *name);

/* The thin callers' side of the hooks. `http` must live longer; NULL will do for `local`. */
struct secret_store *secret_store_open(const struct project *project,
                                       const struct component *component, struct http_client *http,
                                       struct error **err);
json_t *secret_get(struct secret_store *store, const char *name, struct error **err);
bool secret_put(struct secret_store *store, const char *name, const char *schema,
                const json_t *values, bool create_only, struct error **err);
bool secret_remove(struct secret_store *store, const char *name, struct error **err);
json_t *secret_list(struct secret_store *store, struct error **err);
void secret_probe(struct secret_store *store, struct probe_report *report);
void secret_store_free(struct secret_store *store);
DEFINE_CLEANUP(secret_store);

/* Wipes the strings before it frees them. */
void secret_values_free(json_t *values);

/* The value of `key` among the values of secret `name`; borrowed. NOT_FOUND suggests the nearest.
 */
const char *secret_value(const json_t *values, const char *name, const char *key,
                         struct error **err);

/* Schemas: which keys a kind of secret must and may have ("aws": aws_access_key_id,
 * aws_secret_access_key, aws_session_token). NULL or "basic"-free form: any. INVALID suggests. */
bool secret_schema_check(const char *schema, const json_t *values, struct error **err);

/* Replaces `{{name.key}}` in `text` by the secret's value; owned by the caller (secret_free).
 * `store` NULL and a reference: INVALID. */
char *secret_resolve(struct secret_store *store, const char *text, struct error **err);

#endif
