/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a registry: its address, who asks, its tries, where it is led to. For the parts of
 * cloud/oci_registry. */
#ifndef CLOUD_OCI_REQUEST_H
#define CLOUD_OCI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cloud/oci_auth.h"
#include "cloud/oci_registry.h"
#include "core/error.h"
#include "core/http.h"

#define OCI_COMMIT_TIMEOUT_MS 300000 /* a registry that reads all that was sent to it once more */

struct oci_registry {
	struct http_client *http;
	char *host, *component, *ca_pem;
	struct http_tls tls;
	struct oci_auth *auth;
	char *base;        /* "https://registry:5000" */
	bool is_base_sure; /* false: it may have to be http:// */
	int64_t stall_timeout_ms;
};

/* Everything is borrowed, for as long as the request is under way. */
struct oci_request {
	struct oci_place place;
	const char *method; /* NULL: GET */
	const char *path;   /* below the repository: "manifests/3.5.9" */
	const char *url;    /* instead of the path: where the registry sent us */
	const char *thing;  /* for messages: "manifest '3.5.9'" */
	bool push;
	const char *mount_from;
	const char *accept, *content_type, *content_range, *range; /* values of headers, or NULL */
	const void *body;                                          /* as in struct http_request */
	int body_fd;
	size_t body_size;
	struct http_pipe *body_pipe, *pipe;
	size_t answer_max;  /* 0: 1 MiB */
	int64_t timeout_ms; /* of the whole; 0: 30 s */
	bool is_once;       /* not to be repeated after a failure; after a 401 it is */
	bool is_stream;     /* takes as long as bytes flow */
};

/* ---- requests that wait ---- */

/* Any final answer is a success. The caller releases the response. */
bool oci_perform(const struct oci_request *request, struct http_response *response,
                 struct error **err);
/* The same, but what is no 2xx is an error, too. */
bool oci_call(const struct oci_request *request, struct http_response *response,
              struct error **err);
bool oci_is_success(const struct http_response *response);
/* The error of an answer that is none; returns NULL. */
void *oci_refused(const struct oci_request *request, const struct http_response *response,
                  struct error **err);

/* ---- the same in steps, for streams ---- */

#define OCI_HEADERS_MAX 7

/* One request, as often as it takes. Begins as { .request = … }. */
struct oci_exchange {
	const struct oci_request *request;
	char *url; /* where it goes now */
	char *authorization;
	char *owned[OCI_HEADERS_MAX]; /* the other headers */
	const char *headers[OCI_HEADERS_MAX + 1];
	int failures, refusals, redirects;
};
void oci_exchange_release(struct oci_exchange *exchange);

/* What is to be sent next; borrowed from the exchange until it is called again. May wait for a
 * token. */
bool oci_exchange_next(struct oci_exchange *exchange, struct http_request *http,
                       struct error **err);

enum oci_verdict {
	OCI_ANSWERED, /* whatever it is */
	OCI_AGAIN,    /* call oci_exchange_next() once *delay_ms have passed */
	OCI_FAILED,   /* *err is set */
};
/* `error` (owned, may be NULL) is why there was no answer. */
enum oci_verdict oci_exchange_judge(struct oci_exchange *exchange, struct error *error,
                                    const struct http_response *response, int64_t *delay_ms,
                                    struct error **err);

#endif
