/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a host, looked up by a thread that may be left behind. getaddrinfo_a() would do
 * the same, but does not outlive a fork(). */
#include "core/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"

#define ANSWER_LIMIT 4096

/* The thread's own: it shares nothing with who asked but the two ends of a socket. */
struct lookup {
	int socket;
	char host[];
};

static void print_addresses(const struct addrinfo *first, FILE *out)
{
	const struct addrinfo *at;

	for (at = first; at; at = at->ai_next) {
		char address[INET6_ADDRSTRLEN + sizeof("%interface0123456")];

		if (!getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof(address), NULL, 0,
		                 NI_NUMERICHOST))
			fprintf(out, "%s%s", at == first ? "" : ",", address);
	}
}

/* Says the addresses, or the resolver's status as a number, which no address looks like. */
static void *look_up(void *context)
{
	struct lookup *lookup = context;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int status = getaddrinfo(lookup->host, NULL, &hints, &found);
	scoped(text) char *answer = NULL;
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	if (status)
		fprintf(out, "%d", status);
	else
		print_addresses(found, out);
	answer = text_stream_take(&stream);
	/* Who asked may have left. */
	send(lookup->socket, answer, strlen(answer), MSG_NOSIGNAL);
	if (found)
		freeaddrinfo(found);
	close(lookup->socket);
	free(lookup);
	return NULL;
}

/* Our end of the socket; -1 when there is no thread to be had. */
static int start(const char *host)
{
	size_t size = strlen(host) + 1;
	struct lookup *lookup = xcalloc(1, sizeof(*lookup) + size);
	pthread_attr_t attributes;
	pthread_t thread;
	int ends[2], failed = -1;

	memcpy(lookup->host, host, size);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		lookup->socket = ends[1];
		failed = pthread_create(&thread, &attributes, look_up, lookup);
		if (failed) {
			close(ends[0]);
			close(ends[1]);
		}
	}
	pthread_attr_destroy(&attributes);
	if (!failed)
		return ends[0];
	free(lookup);
	return -1;
}

/* True when `answer` is complete, which is the case when the thread hangs up. */
static bool read_answer(int socket, int64_t deadline_ms, char *answer)
{
	struct pollfd ready = { socket, POLLIN, 0 };
	size_t used = 0;
	ssize_t got = 1;

	while (got > 0) {
		int64_t left = deadline_ms - loop_now_ms();

		if (left <= 0 || poll(&ready, 1, (int)left) == 0)
			return false;
		got = read(socket, answer + used, ANSWER_LIMIT - 1 - used);
		used += got > 0 ? (size_t)got : 0;
	}
	answer[used] = '\0';
	return true;
}

char *resolve_host(const char *host, int64_t deadline_ms, struct error **err)
{
	scoped(fd) int socket = start(host);
	char answer[ANSWER_LIMIT];
	int64_t status = EAI_AGAIN;

	if (socket < 0)
		return error_set(err, ERROR_UNAVAILABLE,
		                 "the host '%s' cannot be resolved: no thread can be started",
		                 host);
	if (!read_answer(socket, deadline_ms, answer))
		return error_set(err, ERROR_TIMEOUT, "the host '%s' was not resolved in time",
		                 host);
	if (*answer && !text_to_int64(answer, INT16_MIN, INT16_MAX, &status))
		return xstrdup(answer);
	return error_set(err,
	                 status == EAI_NONAME || status == EAI_NODATA ? ERROR_NOT_FOUND
	                                                              : ERROR_UNAVAILABLE,
	                 "the host '%s' cannot be resolved: %s", host, gai_strerror((int)status));
}
