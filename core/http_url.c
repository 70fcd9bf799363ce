/* SPDX-License-Identifier: Apache-2.0 */
/* URLs by libcurl's parser, which also judges what is asked for. */
#include "core/http_url.h"

#include <string.h>
#include <strings.h>

#include "core/curl.h"
#include "core/memory.h"
#include "core/text.h"

static char *part_of(const struct curl_api *curl, CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL, *copy = NULL;

	if (!curl->url_get(url, part, &text, flags))
		copy = xstrdup(text);
	curl->free(text);
	return copy;
}

char *http_url_join(const char *base, const char *reference)
{
	const struct curl_api *curl = curl_api_load(NULL);
	CURLU *url = curl && *reference ? curl->url() : NULL;
	scoped(text) char *scheme = NULL;
	char *joined = NULL;

	if (!url)
		return NULL;
	if (!curl->url_set(url, CURLUPART_URL, base, CURLU_PATH_AS_IS) &&
	    !curl->url_set(url, CURLUPART_URL, reference,
	                   CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME))
		scheme = part_of(curl, url, CURLUPART_SCHEME, 0);
	if (text_equal(scheme, "https") || text_equal(scheme, "http"))
		joined = part_of(curl, url, CURLUPART_URL, 0);
	curl->url_cleanup(url);
	return joined;
}

/* "https://host:443"; NULL when it is no URL. Owned by the caller. */
static char *origin_of(const char *text)
{
	const struct curl_api *curl = curl_api_load(NULL);
	CURLU *url = curl ? curl->url() : NULL;
	char *origin = NULL;

	if (!url)
		return NULL;
	if (!curl->url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS)) {
		scoped(text) char *scheme = part_of(curl, url, CURLUPART_SCHEME, 0);
		scoped(text) char *host = part_of(curl, url, CURLUPART_HOST, 0);
		scoped(text) char *port = part_of(curl, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);

		origin = text_printf("%s://%s:%s", scheme, host ? host : "", port ? port : "");
	}
	curl->url_cleanup(url);
	return origin;
}

bool http_url_same_origin(const char *a, const char *b)
{
	scoped(text) char *one = origin_of(a);
	scoped(text) char *other = origin_of(b);

	return one && other && !strcasecmp(one, other);
}

bool http_host_is_loopback(const char *host)
{
	static const char *const names[] = { "localhost", "[::1]", "::1" };

	if (text_starts_with(host, "127."))
		return host[strspn(host, "0123456789.:")] == '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t size = strlen(names[i]);

		if (!strncasecmp(host, names[i], size) && (!host[size] || host[size] == ':'))
			return true;
	}
	return false;
}
