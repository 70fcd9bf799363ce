/* SPDX-License-Identifier: Apache-2.0 */
/* An http_request in libcurl's terms; a part of core/http. */
#ifndef CORE_HTTP_SETUP_H
#define CORE_HTTP_SETUP_H

#include <stdbool.h>

#include "core/curl.h"
#include "core/http.h"

/* What must live as long as the easy handle. */
struct http_setup {
	struct curl_slist *headers, *connect_to;
	char *origin;                /* "https://host:6443", for messages */
	char *host;                  /* whose name the certificate must carry */
	struct http_pipe *body_pipe; /* instead of the descriptor; or NULL */
	int body_fd;
	curl_off_t body_size, body_start, body_done;
};

/* Sets all options of `easy` but callbacks for the answer. INVALID: URL, TLS material, method. */
bool http_setup_apply(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                      const struct http_request *request, struct error **err);
void http_setup_release(struct http_setup *setup, const struct curl_api *curl);

#endif
