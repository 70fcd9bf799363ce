/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded when it is first needed: linking it triples the start-up time of every command.
 */
#ifndef CORE_CURL_H
#define CORE_CURL_H

#include <curl/curl.h>

#include "core/error.h"

/* clang-format off */
#define CURL_API_FUNCTIONS(X) \
	X(global_init) X(version_info) X(free) X(slist_append) X(slist_free_all) \
	X(easy_init) X(easy_cleanup) X(easy_setopt) X(easy_getinfo) X(easy_pause) X(easy_strerror) \
	X(multi_init) X(multi_cleanup) X(multi_setopt) X(multi_add_handle) X(multi_remove_handle) \
	X(multi_socket_action) X(multi_info_read) X(multi_strerror) \
	X(url) X(url_cleanup) X(url_set) X(url_get) X(url_strerror)
/* clang-format on */

#define CURL_API_MEMBER(name) __typeof__(&curl_##name) name;
/* curl->easy_init() is curl_easy_init(), and so on. */
struct curl_api {
	CURL_API_FUNCTIONS(CURL_API_MEMBER)
};
#undef CURL_API_MEMBER

/* Loads libcurl once per process and initialises it. Borrowed, for ever. */
const struct curl_api *curl_api_load(struct error **err);

#endif
