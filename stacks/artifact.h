/* SPDX-License-Identifier: Apache-2.0 */
/* Artifact stores: where outputs lie, by URI. */
#ifndef STACKS_ARTIFACT_H
#define STACKS_ARTIFACT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "stacks/component.h"
#include "stacks/probe.h"
#include "stacks/secret.h"

struct artifact_store;

/* A file on its way. Implementations embed it first. */
struct artifact_upload {
	const struct artifact_flavor *flavor;
};
/* Last call, from the loop; `error` is borrowed, NULL when the file is there. */
typedef void artifact_upload_ended(void *context, const struct error *error);

struct artifact_entry {
	char *name; /* relative to the folder that was listed */
	int64_t size_bytes;
	char *etag; /* or NULL */
};
void artifact_entries_free(struct artifact_entry *entries, size_t count);

/*
 * What Spark and other pods need to reach the store, as plain settings (endpoint, region, path
 * style) and as secret values that travel only by Secret reference. Owned members.
 */
struct artifact_access {
	json_t *spark_conf; /* "spark.hadoop.fs.s3a.endpoint": … ; no secret in it */
	json_t *secrets;    /* environment variable -> value: AWS_ACCESS_KEY_ID …;
	                       secret_values_free(); empty when ambient */
	bool own_identity;  /* pods are who they are: of service account, container or node */
};
void artifact_access_release(struct artifact_access *access);

/* One implementation: artifact_local.c, artifact_s3.c. URIs given to the hooks lie within the
 * store. */
struct artifact_flavor {
	const struct component_flavor *component;

	struct artifact_store *(*open)(const struct project *project,
	                               const struct component *component,
	                               struct secret_store *secrets, struct http_client *http,
	                               struct error **err);
	/* Like s3_get: offset may be negative (from the end), size 0 is "to the end". NOT_FOUND. */
	char *(*get)(struct artifact_store *store, const char *uri, int64_t offset, size_t size,
	             size_t limit, size_t *got, struct error **err);
	/* Appears complete or not at all. */
	bool (*put)(struct artifact_store *store, const char *uri, const void *bytes, size_t size,
	            struct error **err);
	bool (*put_file)(struct artifact_store *store, const char *uri, const char *path,
	                 struct error **err);
	/* As put_file, while the loop goes on; both NULL: put_file takes no time worth it. */
	struct artifact_upload *(*upload)(struct artifact_store *store, const char *uri,
	                                  const char *path, artifact_upload_ended *ended,
	                                  void *context, struct error **err);
	void (*upload_cancel)(struct artifact_upload *upload);
	bool (*size)(struct artifact_store *store, const char *uri, int64_t *size_bytes,
	             struct error **err);
	/* Everything below a folder's URI (ending in '/'), in order of names; empty when there is
	 * nothing. */
	bool (*list)(struct artifact_store *store, const char *uri, struct artifact_entry **entries,
	             size_t *count, struct error **err);
	/* Can it be written and read, by this process? Errors say what to do. */
	bool (*check)(struct artifact_store *store, struct error **err);
	/* Tries more than check() does; optional: else check() is what is tried. */
	void (*probe)(struct artifact_store *store, struct probe_report *report);
	/* Adds to the two objects; NULL: there is nothing to add. */
	void (*access)(struct artifact_store *store, struct artifact_access *access);
	/* Environment variables by which a process of this machine is who we are, for as long as
	 * they last; secret_values_free(). NULL: none are needed. May make requests. */
	json_t *(*session)(struct artifact_store *store, struct error **err);
	bool remote;                                 /* pods can reach it */
	void (*close)(struct artifact_store *store); /* all but `root` */
};
struct artifact_store {
	const struct artifact_flavor *flavor;
	char *root; /* "file:///…/" or "s3://bucket/prefix/": ends in '/'; artifact_store_free()
	               frees it */
};
extern const struct artifact_flavor artifact_local, artifact_s3;
const struct artifact_flavor *artifact_flavor_find(const char *name);

/* `secrets` may be NULL; kept and must live longer, like `http`. */
struct artifact_store *artifact_store_open(const struct project *project,
                                           const struct component *component,
                                           struct secret_store *secrets, struct http_client *http,
                                           struct error **err);
void artifact_store_free(struct artifact_store *store);
DEFINE_CLEANUP(artifact_store);

char *artifact_get(struct artifact_store *store, const char *uri, int64_t offset, size_t size,
                   size_t limit, size_t *got, struct error **err);
bool artifact_put(struct artifact_store *store, const char *uri, const void *bytes, size_t size,
                  struct error **err);
bool artifact_put_file(struct artifact_store *store, const char *uri, const char *path,
                       struct error **err);
/* The same while the loop goes on. Where that takes no time it is done at once: *upload is NULL
 * then, and `ended` is not called. */
bool artifact_upload_start(struct artifact_store *store, const char *uri, const char *path,
                           artifact_upload_ended *ended, void *context,
                           struct artifact_upload **upload, struct error **err);
/* NULL is allowed. No callback comes after this, nothing of it is left. Not to be used once ended()
 * was called. */
void artifact_upload_cancel(struct artifact_upload *upload);
bool artifact_size(struct artifact_store *store, const char *uri, int64_t *size_bytes,
                   struct error **err);
bool artifact_list(struct artifact_store *store, const char *uri, struct artifact_entry **entries,
                   size_t *count, struct error **err);
bool artifact_check(struct artifact_store *store, struct error **err);
/* Tries what runs will need of it, and adds what came of it (stacks/probe.h). */
void artifact_probe(struct artifact_store *store, struct probe_report *report);
/* Fills in *access, which the caller releases; nothing is needed for a local store. */
void artifact_access(struct artifact_store *store, struct artifact_access *access);
/* For processes of this machine where artifact_access() gives no secrets: environment variable ->
 * value, secret_values_free(). Empty where none are needed; NULL and *err. */
json_t *artifact_session(struct artifact_store *store, struct error **err);

/* <root><pipeline>/<run id>/<step>/<attempt>/<output>/ ; output NULL: the attempt's folder. Owned
 * by the caller. */
char *artifact_uri(const struct artifact_store *store, const char *pipeline, const char *run_id,
                   const char *step, int attempt, const char *output);

#endif
