/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a host, by a thread of the C library. */
#include "core/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"

struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char *host;
};

static void lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return;
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	free(lookup->host);
	free(lookup);
}
DEFINE_CLEANUP(lookup);

/* False at the deadline. */
static bool wait_for(struct lookup *lookup, int64_t deadline_ms)
{
	const struct gaicb *list[] = { &lookup->request };
	int64_t left;

	while (gai_error(&lookup->request) == EAI_INPROGRESS) {
		left = deadline_ms - loop_now_ms();
		if (left <= 0)
			return false;
		gai_suspend(list, 1,
		            &(struct timespec){ left / 1000, (left % 1000) * 1000 * 1000 });
	}
	return true;
}

static char *render(const struct addrinfo *first)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const struct addrinfo *at;

	for (at = first; at; at = at->ai_next) {
		char address[INET6_ADDRSTRLEN + sizeof("%interface0123456")];

		if (!getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof(address), NULL, 0,
		                 NI_NUMERICHOST))
			fprintf(out, "%s%s", at == first ? "" : ",", address);
	}
	return text_stream_take(&stream);
}

static void *refuse(const char *host, int status, struct error **err)
{
	bool absent = status == EAI_NONAME || status == EAI_NODATA;

	return error_set(err, absent ? ERROR_NOT_FOUND : ERROR_UNAVAILABLE,
	                 "the host '%s' cannot be resolved: %s", host, gai_strerror(status));
}

char *resolve_host(const char *host, int64_t deadline_ms, struct error **err)
{
	scoped(lookup) struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	struct gaicb *list[] = { &lookup->request };
	int status;

	lookup->host = xstrdup(host);
	lookup->hints = (struct addrinfo){ .ai_socktype = SOCK_STREAM };
	lookup->request.ar_name = lookup->host;
	lookup->request.ar_request = &lookup->hints;
	status = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	if (status)
		return refuse(host, status, err);
	if (!wait_for(lookup, deadline_ms)) {
		/* The thread goes on with what it has begun, and writes into it. */
		if (gai_cancel(&lookup->request) == EAI_NOTCANCELED)
			lookup = NULL;
		return error_set(err, ERROR_TIMEOUT, "the host '%s' was not resolved in time",
		                 host);
	}
	status = gai_error(&lookup->request);
	return status ? refuse(host, status, err) : render(lookup->request.ar_result);
}
