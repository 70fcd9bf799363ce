/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container registry by its HTTP API (OCI distribution specification 1.1): manifests and blobs of
 * repositories, read, written, mounted, and copied from one registry to another.
 *
 * All but oci_copy_start() waits for the answer. A request is tried again after a lost connection,
 * 5xx and 429 (Retry-After is obeyed up to 30 s), and once more with fresh credentials after a 401.
 * Errors name registry, repository and what to do: NOT_FOUND (NAME_UNKNOWN, MANIFEST_UNKNOWN,
 * BLOB_UNKNOWN), AUTH (UNAUTHORIZED, DENIED, a certificate that is not trusted), UNSUPPORTED (the
 * registry does not take it), INVALID (a digest that does not fit its bytes, a limit), UNAVAILABLE
 * (TOOMANYREQUESTS and what lasts longer than the tries), TIMEOUT.
 */
#ifndef CLOUD_OCI_REGISTRY_H
#define CLOUD_OCI_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"

struct oci_registry;

/*
 * Asks somebody else for a user and a password, before the first request and whenever they have
 * expired (*expires_at_ms: wall time, 0: never). Owned by the caller, who wipes them. Both NULL:
 * there are none. That is how ECR's tokens come in (cloud/aws_ecr.h).
 */
typedef bool oci_authorize(void *context, const char *registry, char **user, char **password,
                           int64_t *expires_at_ms, struct error **err);

/* Strings are copied, secrets wiped at the end. */
struct oci_registry_options {
	const char *host; /* "registry:5000", "docker.io" */

	/* Who we are, by the first of them that is set; otherwise by the files that docker and
	 * podman log in to, and their credential helpers; otherwise anonymous. */
	const char *user, *password;
	oci_authorize *authorize;
	void *authorize_context; /* must live as long as the registry */
	bool anonymous;          /* look into no files */

	const char *ca_pem;       /* certificates to trust instead of the system's; or NULL */
	bool insecure;            /* no TLS, or one that is not verified: on the user's word */
	const char *component;    /* for messages: "container registry 'ecr'"; or NULL */
	int64_t stall_timeout_ms; /* of copies: a source from which nothing comes for so long is
	                             asked again (whole seconds); 0: a minute */
};

/* Asks for nothing yet. `http` is kept and must live longer. On this machine itself (localhost,
 * 127.0.0.0/8, ::1) a registry may be without TLS, which is found out by asking. */
struct oci_registry *oci_registry_new(struct http_client *http,
                                      const struct oci_registry_options *options,
                                      struct error **err);
void oci_registry_free(struct oci_registry *registry);
DEFINE_CLEANUP(oci_registry);
/* "docker.io", as in the options. */
const char *oci_registry_host(const struct oci_registry *registry);

/* Where all that follows happens. Borrowed. */
struct oci_place {
	struct oci_registry *registry;
	const char *repository;
};

/* Whether the registry answers and takes our credentials for this: `push` asks for the right to
 * push as well, by an upload that is given up again. For checks. */
bool oci_place_check(const struct oci_place *place, bool push, struct error **err);

/* ---- manifests ---- */

struct oci_manifest {
	char *bytes; /* NUL-terminated, exactly as the registry has them; NULL after _head */
	size_t size;
	char *media_type; /* without parameters */
	char *digest;     /* "sha256:…" of the bytes */
};
void oci_manifest_release(struct oci_manifest *manifest);

/* Image manifests and indexes of OCI and Docker v2, at most 4 MiB; `reference` is a tag or a
 * digest. The digest is computed, and must be the one asked for, or that the registry told. The
 * caller releases *manifest. */
bool oci_manifest_get(const struct oci_place *place, const char *reference,
                      struct oci_manifest *manifest, struct error **err);
/* Without the bytes: which digest a tag has, or whether a digest is there (NOT_FOUND). */
bool oci_manifest_head(const struct oci_place *place, const char *reference,
                       struct oci_manifest *manifest, struct error **err);
/* `tag` NULL: by digest alone. manifest->bytes, size and media_type are read. UNSUPPORTED: the
 * registry refuses this media type; the other family's may do. */
bool oci_manifest_put(const struct oci_place *place, const char *tag,
                      const struct oci_manifest *manifest, struct error **err);

/* ---- blobs ---- */

/* Borrowed. */
struct oci_blob {
	const char *digest;
	int64_t size_bytes;
	const void *bytes; /* to be pushed; NULL: from `fd`, positioned, from its beginning */
	int fd;
};

bool oci_blob_exists(const struct oci_place *place, const char *digest, bool *exists,
                     struct error **err);
/* Whole and verified: exactly size_bytes, and a NUL. For what is small; owned by the caller. */
char *oci_blob_get(const struct oci_place *place, const struct oci_blob *blob, struct error **err);
/* Makes a blob of another repository of the same registry ours, without its bytes. *mounted is
 * false when the registry would rather have the bytes: that is not an error. */
bool oci_blob_mount(const struct oci_place *place, const char *from_repository, const char *digest,
                    bool *mounted, struct error **err);
/* Sends it, whether it is there or not; the registry verifies the digest. */
bool oci_blob_push(const struct oci_place *place, const struct oci_blob *blob, struct error **err);

/* ---- copies ---- */

/* Borrowed until the copy has ended. Digests and sizes of `blobs` are read. */
struct oci_copy_request {
	struct oci_place from, to;
	const struct oci_blob *blobs;
	size_t count;
	int parallel; /* 0: 3 at a time */
	/* Now and then while bytes flow; false gives up (CANCELLED). Optional. */
	bool (*progress)(void *context, int64_t copied_bytes, int64_t total_bytes);
	void *context;
};

struct oci_copy_outcome {
	size_t present, mounted, copied; /* blobs */
	int64_t copied_bytes;
};

/*
 * Blobs that the target lacks are mounted where both registries are one, and otherwise streamed
 * through a buffer of 256 KiB each, whatever their size: what comes in waits for what goes out. A
 * connection that breaks is taken up where it broke. The same blob twice is copied once.
 * Waits, while no other source of the registries' loop is served: see oci_copy_start().
 */
bool oci_blobs_copy(const struct oci_copy_request *request, struct oci_copy_outcome *outcome,
                    struct error **err);

/* The same on the loop of `http`, which may be the registries' own. ended() is the last call;
 * `error` (borrowed) is NULL when all are there. */
struct oci_copy;
typedef void oci_copy_ended(void *context, const struct oci_copy_outcome *outcome,
                            const struct error *error);
struct oci_copy *oci_copy_start(struct http_client *http, const struct oci_copy_request *request,
                                oci_copy_ended *ended, struct error **err);
/* NULL is allowed. Not to be used once ended() was called. */
void oci_copy_cancel(struct oci_copy *copy);

#endif
