/* SPDX-License-Identifier: Apache-2.0 */
/* Why a transfer failed, in words that say what to do; a part of core/http. */
#ifndef CORE_HTTP_FAULT_H
#define CORE_HTTP_FAULT_H

#include <stdint.h>

#include "core/curl.h"
#include "core/http_setup.h"

struct http_failure {
	CURLcode code;
	const char *detail; /* libcurl's own words; may be empty */
	int64_t timeout_ms, connect_timeout_ms;
};

/* Sets *err and returns NULL. */
void *http_fault_set(struct error **err, const struct curl_api *curl, CURL *easy,
                     const struct http_setup *setup, const struct http_failure *failure);

#endif
