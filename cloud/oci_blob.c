/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs of repositories, one at a time. */
#include <string.h>

#include "cloud/oci_digest.h"
#include "cloud/oci_error.h"
#include "cloud/oci_reference.h"
#include "cloud/oci_registry.h"
#include "cloud/oci_request.h"
#include "cloud/oci_upload.h"
#include "core/memory.h"
#include "core/text.h"

#define BYTES_PER_MS_MIN 100 /* less is taken for a stall */

/* It becomes part of a path. */
static bool check_digest(const struct oci_place *place, const char *digest, struct error **err)
{
	return oci_is_digest(digest) ||
	       error_set(err, ERROR_INVALID, "%s/%s: '%s' is no digest",
	                 oci_registry_host(place->registry), place->repository, digest);
}

static char *path_of(const char *digest)
{
	return text_printf("blobs/%s", digest);
}

static char *thing_of(const char *digest)
{
	return text_printf("layer '%s'", digest);
}

bool oci_blob_exists(const struct oci_place *place, const char *digest, bool *exists,
                     struct error **err)
{
	scoped(text) char *path = path_of(digest);
	scoped(text) char *thing = thing_of(digest);
	const struct oci_request request = {
		.place = *place, .method = "HEAD", .path = path, .thing = thing
	};
	struct http_response response = { 0 };
	bool ok = check_digest(place, digest, err) && oci_perform(&request, &response, err);

	if (ok && response.status != 404)
		ok = oci_is_success(&response) || oci_refused(&request, &response, err);
	if (ok)
		*exists = response.status != 404;
	http_response_release(&response);
	return ok;
}

static bool check_blob(const struct oci_request *request, const struct oci_blob *blob,
                       const struct http_response *response, struct error **err)
{
	if ((int64_t)response->body_size == blob->size_bytes &&
	    oci_digest_fits(blob->digest, response->body, response->body_size))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "%s/%s, %s: what the registry gives (%zu bytes) is not what has this "
	                 "digest (%lld bytes); it is damaged, or not to be trusted",
	                 oci_registry_host(request->place.registry), request->place.repository,
	                 request->thing, response->body_size, (long long)blob->size_bytes);
}

char *oci_blob_get(const struct oci_place *place, const struct oci_blob *blob, struct error **err)
{
	scoped(text) char *path = path_of(blob->digest);
	scoped(text) char *thing = thing_of(blob->digest);
	const struct oci_request request = { .place = *place,
		                             .path = path,
		                             .thing = thing,
		                             .answer_max = (size_t)blob->size_bytes + 4096 };
	struct http_response response = { 0 };
	char *bytes = NULL;

	if (check_digest(place, blob->digest, err) && oci_call(&request, &response, err) &&
	    check_blob(&request, blob, &response, err))
		bytes = take(response.body);
	http_response_release(&response);
	return bytes;
}

bool oci_blob_mount(const struct oci_place *place, const char *from_repository, const char *digest,
                    bool *mounted, struct error **err)
{
	scoped(text) char *session = NULL;

	if (!check_digest(place, digest, err) ||
	    !oci_upload_start_or_mount(place, from_repository, digest, &session, err))
		return false;
	*mounted = !session;
	if (session)
		oci_upload_cancel(place, session);
	return true;
}

/* Ends the upload with all its bytes at once; the registry says what it thinks of the digest. */
static bool send_to(const char *session, const struct oci_place *place, const struct oci_blob *blob,
                    struct error **err)
{
	scoped(text) char *url = oci_upload_commit_url(session, blob->digest);
	scoped(text) char *thing = thing_of(blob->digest);
	const struct oci_request request = {
		.place = *place,
		.method = "PUT",
		.url = url,
		.thing = thing,
		.push = true,
		.content_type = "application/octet-stream",
		.body = blob->bytes,
		.body_fd = blob->fd,
		.body_size = (size_t)blob->size_bytes,
		.is_once = true,
		.timeout_ms = OCI_COMMIT_TIMEOUT_MS + blob->size_bytes / BYTES_PER_MS_MIN,
	};
	struct http_response response = { 0 };
	bool ok = oci_call(&request, &response, err);

	http_response_release(&response);
	return ok;
}

/* What breaks an upload may break its session, too: each try has its own. */
bool oci_blob_push(const struct oci_place *place, const struct oci_blob *blob, struct error **err)
{
	if (!check_digest(place, blob->digest, err))
		return false;
	for (int tries = 1;; tries++) {
		scoped(text) char *session = oci_upload_start(place, err);
		struct error *error = NULL;
		int64_t delay_ms;

		if (!session)
			return false;
		if (send_to(session, place, blob, &error))
			return true;
		if (!oci_is_worth_another_try(tries, error, NULL, &delay_ms))
			return error_pass(err, error);
		error_free(error);
		http_wait(place->registry->http, delay_ms);
	}
}
