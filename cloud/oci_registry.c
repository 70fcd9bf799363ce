/* SPDX-License-Identifier: Apache-2.0 */
/* A registry: where it is, how it is trusted, and whether it lets us in. */
#include "cloud/oci_registry.h"

#include <string.h>

#include "cloud/oci_auth.h"
#include "cloud/oci_reference.h"
#include "cloud/oci_request.h"
#include "cloud/oci_upload.h"
#include "core/http_url.h"
#include "core/memory.h"
#include "core/text.h"

#define STALL_TIMEOUT_MS 60000

void oci_registry_free(struct oci_registry *registry)
{
	if (!registry)
		return;
	oci_auth_free(registry->auth);
	free(registry->host);
	free(registry->component);
	free(registry->ca_pem);
	free(registry->base);
	free(registry);
}

struct oci_registry *oci_registry_new(struct http_client *http,
                                      const struct oci_registry_options *options,
                                      struct error **err)
{
	struct oci_registry *registry;

	if (!oci_is_registry(options->host))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no host of a registry: it should look like "
		                 "registry.example:5000, without https:// and without a path",
		                 options->host);
	if (options->user && strchr(options->user, ':'))
		return error_set(err, ERROR_INVALID,
		                 "the user of a registry cannot have a colon in its name");
	registry = xcalloc(1, sizeof(*registry));
	registry->http = http;
	registry->host = xstrdup(options->host);
	registry->component = text_copy(options->component);
	registry->ca_pem = text_copy(options->ca_pem);
	registry->tls =
		(struct http_tls){ .ca_pem = registry->ca_pem, .insecure = options->insecure };
	registry->base = text_printf("https://%s", text_equal(options->host, "docker.io")
	                                                   ? "registry-1.docker.io"
	                                                   : options->host);
	registry->is_base_sure = !options->insecure && !http_host_is_loopback(options->host);
	registry->stall_timeout_ms =
		options->stall_timeout_ms ? options->stall_timeout_ms : STALL_TIMEOUT_MS;
	registry->auth = oci_auth_new(http, options, &registry->tls);
	return registry;
}

const char *oci_registry_host(const struct oci_registry *registry)
{
	return registry->host;
}

/* A page of one tag asks for no more than the right to pull. */
static bool check_pull(const struct oci_place *place, struct error **err)
{
	const struct oci_request request = { .place = *place, .path = "tags/list?n=1" };
	struct http_response response = { 0 };
	/* A repository that nobody has pushed to yet does not exist. */
	bool ok = oci_perform(&request, &response, err) &&
	          (oci_is_success(&response) || response.status == 404 ||
	           oci_refused(&request, &response, err));

	http_response_release(&response);
	return ok;
}

static bool check_push(const struct oci_place *place, struct error **err)
{
	scoped(text) char *session = oci_upload_start(place, err);

	if (session)
		oci_upload_cancel(place, session);
	return session;
}

bool oci_place_check(const struct oci_place *place, bool push, struct error **err)
{
	return push ? check_push(place, err) : check_pull(place, err);
}
