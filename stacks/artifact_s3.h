/* SPDX-License-Identifier: Apache-2.0 */
/* The artifact store in S3 as its own parts see it; for stacks/artifact_s3*.c only. */
#ifndef STACKS_ARTIFACT_S3_H
#define STACKS_ARTIFACT_S3_H

#include <jansson.h>

#include "cloud/s3.h"
#include "stacks/artifact.h"

struct s3_store {
	struct artifact_store store;
	struct aws_chain *chain;
	struct s3_client *client;
	char *bucket;
	bool is_path_style;
	bool has_endpoint;   /* the component's own, or the environment's: maybe not AWS */
	bool has_given_keys; /* of authentication_secret */
	char *encryption;    /* as S3's header has it; or NULL */
	char *kms_key_id;    /* or NULL */
	char *storage_class; /* or NULL */
	char *ca_path;       /* or NULL */
	/* Environment variable -> value, for pods; empty: they are what they are by themselves.
	 * secret_values_free() */
	json_t *credentials;
};

extern const struct component_flavor artifact_s3_component;

/* Fills in all but `flavor` and `ca_path`; on failure what there is belongs to the store. Asks
 * nobody. */
bool artifact_s3_set_up(struct s3_store *store, const struct component *component,
                        struct secret_store *secrets, struct http_client *http, struct error **err);
void artifact_s3_release(struct s3_store *store);

/* The hooks of struct artifact_flavor. */
void artifact_s3_access(struct artifact_store *store, struct artifact_access *access);
void artifact_s3_probe(struct artifact_store *store, struct probe_report *report);
json_t *artifact_s3_session(struct artifact_store *store, struct error **err);

#endif
