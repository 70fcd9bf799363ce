/* SPDX-License-Identifier: Apache-2.0 */
/* POST, GET and DELETE of upload sessions. */
#include "cloud/oci_upload.h"

#include <stdio.h>
#include <string.h>

#include "cloud/oci_request.h"
#include "core/http_url.h"
#include "core/memory.h"
#include "core/text.h"

char *oci_upload_location(const char *session, const struct http_response *response)
{
	scoped(text) char *location = http_response_header(response, "Location");

	return location ? http_url_join(session, location) : NULL;
}

char *oci_upload_commit_url(const char *session, const char *digest)
{
	scoped(text) char *escaped = http_escape(digest, false);

	return text_printf("%s%cdigest=%s", session, strchr(session, '?') ? '&' : '?', escaped);
}

/* The URL of the session that a POST opened. */
static char *opened(const struct oci_request *request, const struct http_response *response,
                    struct error **err)
{
	const struct oci_registry *registry = request->place.registry;
	scoped(text) char *base = text_printf("%s/v2/%s/%s", registry->base,
	                                      request->place.repository, request->path);
	char *session = oci_upload_location(base, response);

	if (!session)
		error_set(err, ERROR_INVALID,
		          "%s/%s: the registry opened an upload without an address", registry->host,
		          request->place.repository);
	return session;
}

char *oci_upload_start(const struct oci_place *place, struct error **err)
{
	const struct oci_request request = {
		.place = *place, .method = "POST", .path = "blobs/uploads/", .push = true
	};
	struct http_response response = { 0 };
	char *session =
		oci_call(&request, &response, err) ? opened(&request, &response, err) : NULL;

	http_response_release(&response);
	return session;
}

/* What a registry answers that knows nothing of mounting, or not from there. */
static bool is_declined(const struct http_response *response)
{
	return response->status == 404 || response->status == 405 || response->status == 400;
}

bool oci_upload_start_or_mount(const struct oci_place *place, const char *from_repository,
                               const char *digest, char **session, struct error **err)
{
	scoped(text) char *from = http_escape(from_repository, false);
	scoped(text) char *what = http_escape(digest, false);
	scoped(text) char *path = text_printf("blobs/uploads/?mount=%s&from=%s", what, from);
	const struct oci_request request = { .place = *place,
		                             .method = "POST",
		                             .path = path,
		                             .push = true,
		                             .mount_from = from_repository };
	struct http_response response = { 0 };
	bool ok = oci_perform(&request, &response, err);

	*session = NULL;
	if (ok && is_declined(&response)) {
		*session = oci_upload_start(place, err);
		ok = *session;
	} else if (ok && response.status != 201) {
		ok = oci_is_success(&response) || oci_refused(&request, &response, err);
		*session = ok ? opened(&request, &response, err) : NULL;
		ok = *session;
	}
	http_response_release(&response);
	return ok;
}

/* "0-1023" -> 1024; "0-0" stands for nothing, too. */
static int64_t received(const struct http_response *response)
{
	scoped(text) char *range = http_response_header(response, "Range");
	const char *dash = range ? strchr(range, '-') : NULL;
	int64_t last;

	if (!dash || !text_to_int64(dash + 1, 0, INT64_MAX - 1, &last))
		return 0;
	return last ? last + 1 : 0;
}

bool oci_upload_find(const struct oci_place *place, char **session, int64_t *offset)
{
	const struct oci_request request = { .place = *place, .url = *session, .push = true };
	struct http_response response = { 0 };
	bool is_there = oci_perform(&request, &response, NULL) && response.status == 204;
	char *location = is_there ? oci_upload_location(*session, &response) : NULL;

	if (is_there)
		*offset = received(&response);
	if (location) {
		free(*session);
		*session = location;
	}
	http_response_release(&response);
	return is_there;
}

void oci_upload_cancel(const struct oci_place *place, const char *session)
{
	const struct oci_request request = { .place = *place,
		                             .method = "DELETE",
		                             .url = session,
		                             .push = true,
		                             .is_once = true,
		                             .timeout_ms = 5000 };
	struct http_response response = { 0 };

	oci_perform(&request, &response, NULL);
	http_response_release(&response);
}
