/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer, line by line as libcurl hands it over; a part of core/http. */
#ifndef CORE_HTTP_HEAD_H
#define CORE_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/curl.h"
#include "core/http.h"

struct http_head {
	bool at_end, has_retry_after;
	bool complete; /* what follows are trailers */
	size_t size;   /* of the lines that are kept */
};

/* `line` is not terminated. */
void http_head_add(struct http_head *head, struct http_response *response, const char *line,
                   size_t size);
/* True once, after the last line of the final head: the response has all but its body then. */
bool http_head_is_over(struct http_head *head, const struct curl_api *curl, CURL *easy,
                       struct http_response *response);

#endif
