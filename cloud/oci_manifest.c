/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of repositories. */
#include <jansson.h>
#include <string.h>

#include "cloud/oci_digest.h"
#include "cloud/oci_reference.h"
#include "cloud/oci_registry.h"
#include "cloud/oci_request.h"
#include "core/memory.h"
#include "core/text.h"

#define MANIFEST_MAX_BYTES ((size_t)4 << 20)
#define ACCEPT OCI_MANIFEST ", " OCI_INDEX ", " DOCKER_MANIFEST ", " DOCKER_INDEX

void oci_manifest_release(struct oci_manifest *manifest)
{
	free(manifest->bytes);
	free(manifest->media_type);
	free(manifest->digest);
	*manifest = (struct oci_manifest){ 0 };
}

/* ---- what is asked for ---- */

static bool check_reference(const struct oci_place *place, const char *reference,
                            struct error **err)
{
	return oci_is_tag(reference) || oci_is_digest(reference) ||
	       error_set(err, ERROR_INVALID, "%s/%s: '%s' is neither a tag nor a digest",
	                 oci_registry_host(place->registry), place->repository, reference);
}

static char *path_of(const char *reference)
{
	return text_printf("manifests/%s", reference);
}

static char *thing_of(const char *reference)
{
	return text_printf("manifest '%s'", reference);
}

/* ---- what is answered ---- */

/* Some proxies make "application/json" of it; then the manifest itself says what it is. */
static char *media_type_of(const struct http_response *response)
{
	const char *told = response->content_type ? response->content_type : "";
	scoped(text) char *type = xstrndup(told, strcspn(told, "; \t"));
	json_auto_t *root = NULL;
	const char *own;

	if (text_starts_with(type, "application/vnd."))
		return take(type);
	root = json_loadb(response->body ? response->body : "", response->body_size, 0, NULL);
	own = json_string_value(json_object_get(root, "mediaType"));
	return own ? xstrdup(own) : take(type);
}

/* The digest asked for, else the one that the registry tells, else (NULL) our own to compute. */
static char *told_digest(const char *reference, const struct http_response *response)
{
	scoped(text) char *told = http_response_header(response, "Docker-Content-Digest");

	if (oci_is_digest(reference))
		return xstrdup(reference);
	return told && oci_is_digest(told) ? take(told) : NULL;
}

static bool read_manifest(const struct oci_request *request, const char *reference,
                          struct http_response *response, struct oci_manifest *manifest,
                          struct error **err)
{
	scoped(text) char *digest = told_digest(reference, response);

	if (digest && !oci_digest_fits(digest, response->body, response->body_size))
		return error_set(
			err, ERROR_INVALID,
			"%s/%s, %s: what the registry gives does not have the digest %s; it "
			"is damaged, or not to be trusted",
			oci_registry_host(request->place.registry), request->place.repository,
			request->thing, digest);
	*manifest = (struct oci_manifest){
		.size = response->body_size,
		.media_type = media_type_of(response),
		.digest =
			digest ? take(digest) : oci_digest_of(response->body, response->body_size),
	};
	manifest->bytes = take(response->body);
	return true;
}

bool oci_manifest_get(const struct oci_place *place, const char *reference,
                      struct oci_manifest *manifest, struct error **err)
{
	scoped(text) char *path = path_of(reference);
	scoped(text) char *thing = thing_of(reference);
	const struct oci_request request = { .place = *place,
		                             .path = path,
		                             .thing = thing,
		                             .accept = ACCEPT,
		                             .answer_max = MANIFEST_MAX_BYTES };
	struct http_response response = { 0 };
	bool ok = check_reference(place, reference, err) && oci_call(&request, &response, err) &&
	          read_manifest(&request, reference, &response, manifest, err);

	http_response_release(&response);
	return ok;
}

bool oci_manifest_head(const struct oci_place *place, const char *reference,
                       struct oci_manifest *manifest, struct error **err)
{
	scoped(text) char *path = path_of(reference);
	scoped(text) char *thing = thing_of(reference);
	const struct oci_request request = {
		.place = *place, .method = "HEAD", .path = path, .thing = thing, .accept = ACCEPT
	};
	struct http_response response = { 0 };
	bool ok = check_reference(place, reference, err) && oci_call(&request, &response, err);
	char *digest = ok ? told_digest(reference, &response) : NULL;
	int64_t size = response.content_length;

	if (digest && size >= 0)
		*manifest = (struct oci_manifest){ .size = (size_t)size,
			                           .media_type = media_type_of(&response),
			                           .digest = take(digest) };
	http_response_release(&response);
	if (ok && !manifest->digest) { /* it does not tell without the bytes */
		ok = oci_manifest_get(place, reference, manifest, err);
		free(take(manifest->bytes));
	}
	free(digest);
	return ok;
}

/* ---- what is sent ---- */

bool oci_manifest_put(const struct oci_place *place, const char *tag,
                      const struct oci_manifest *manifest, struct error **err)
{
	scoped(text) char *digest = oci_digest_of(manifest->bytes, manifest->size);
	scoped(text) char *path = path_of(tag ? tag : digest);
	/* The type is what a registry may not know: OCI's are younger than Docker's. */
	scoped(text) char *thing =
		text_printf("manifest '%s' of type '%s'", tag ? tag : digest, manifest->media_type);
	const struct oci_request request = { .place = *place,
		                             .method = "PUT",
		                             .path = path,
		                             .thing = thing,
		                             .push = true,
		                             .content_type = manifest->media_type,
		                             .body = manifest->bytes,
		                             .body_size = manifest->size };
	struct http_response response = { 0 };
	bool ok = (!tag || check_reference(place, tag, err)) && oci_call(&request, &response, err);

	http_response_release(&response);
	return ok;
}
