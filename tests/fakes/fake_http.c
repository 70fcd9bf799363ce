/* SPDX-License-Identifier: Apache-2.0 */
/* A scripted HTTP/1.1 server: one thread accepts, one thread serves each connection. */
#include "tests/fakes/fake_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "core/text.h"

#define CONNECTIONS_LIMIT 64

struct fake_http {
	const struct fake_http_answer *answers;
	size_t count;
	const char *unix_socket;
	SSL_CTX *tls;
	int listener, port;
	int stop_fd, gate_fd; /* readable once it is time */
	pthread_t acceptor;
	pthread_mutex_t lock; /* for all below */
	bool *used;
	char **requests;
	size_t request_count, connection_count;
	pthread_t servers[CONNECTIONS_LIMIT];
};

struct connection {
	struct fake_http *fake;
	int fd;
	SSL *tls;
};

/* ---- bytes ---- */

static bool wait_readable(struct connection *connection, int other_fd, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = connection->fake->stop_fd, .events = POLLIN },
		{ .fd = connection->fd, .events = POLLIN },
		{ .fd = other_fd, .events = POLLIN },
	};

	poll(fds, ARRAY_SIZE(fds), timeout_ms);
	return !fds[0].revents;
}

static ssize_t receive(struct connection *connection, char *bytes, size_t size)
{
	if ((!connection->tls || !SSL_pending(connection->tls)) &&
	    !wait_readable(connection, -1, -1))
		return -1;
	return connection->tls ? SSL_read(connection->tls, bytes, (int)size)
	                       : recv(connection->fd, bytes, size, 0);
}

static bool transmit(struct connection *connection, const char *bytes, size_t size)
{
	while (size) {
		ssize_t sent = connection->tls ? SSL_write(connection->tls, bytes, (int)size)
		                               : send(connection->fd, bytes, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Only for the answers that are meant to be slow: the client is the one that waits. */
static bool pause_answer(struct connection *connection, int pause_ms)
{
	struct pollfd stop = { .fd = connection->fake->stop_fd, .events = POLLIN };

	return poll(&stop, 1, pause_ms) == 0;
}

static bool transmit_answer(struct connection *connection, const struct fake_http_answer *answer)
{
	size_t left = answer->size ? answer->size : strlen(answer->bytes);
	const char *bytes = answer->bytes;

	while (left) {
		size_t piece =
			answer->slow_ms && answer->slow_size < left ? answer->slow_size : left;

		if (!transmit(connection, bytes, piece))
			return false;
		bytes += piece;
		left -= piece;
		if (left && !pause_answer(connection, answer->slow_ms))
			return false;
	}
	return true;
}

/* ---- requests ---- */

static size_t announced_size(const char *head)
{
	const char *line = strcasestr(head, "\r\nContent-Length:");

	return line ? strtoul(line + 17, NULL, 10) : 0;
}

static char *read_request(struct connection *connection)
{
	char *text = xcalloc(1, 1), chunk[16384];
	size_t size = 0, wanted = SIZE_MAX;

	while (size < wanted) {
		ssize_t got = receive(connection, chunk, sizeof(chunk));
		char *end;

		if (got <= 0) {
			free(text);
			return NULL;
		}
		text = xrealloc(text, size + (size_t)got + 1, 1);
		memcpy(text + size, chunk, (size_t)got);
		size += (size_t)got;
		text[size] = '\0';
		if (text[0] == 0x16) /* a TLS client: as much of a request as will come */
			return text;
		end = strstr(text, "\r\n\r\n");
		if (end && wanted == SIZE_MAX) {
			if (strcasestr(text, "\r\nExpect: 100"))
				transmit(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
			wanted = (size_t)(end - text) + 4 + announced_size(text);
		}
	}
	return text;
}

static const struct fake_http_answer *choose_answer(struct fake_http *fake, const char *request)
{
	static const struct fake_http_answer none = {
		.bytes = "HTTP/1.1 599 No Answer Left\r\nContent-Length: 0\r\n\r\n",
	};
	size_t i;

	for (i = 0; i < fake->count; i++) {
		const struct fake_http_answer *answer = &fake->answers[i];

		if (fake->used[i] || (answer->match && !strstr(request, answer->match)))
			continue;
		fake->used[i] = !answer->repeat;
		return answer;
	}
	return &none;
}

static const struct fake_http_answer *note_request(struct fake_http *fake, char *request)
{
	const struct fake_http_answer *answer;

	pthread_mutex_lock(&fake->lock);
	answer = choose_answer(fake, request);
	fake->requests = xrealloc(fake->requests, fake->request_count + 1, sizeof(*fake->requests));
	fake->requests[fake->request_count++] = request;
	pthread_mutex_unlock(&fake->lock);
	return answer;
}

/* Until the client goes away, the gate opens or the server ends. */
static void hold(struct connection *connection, bool gated)
{
	int gate_fd = gated ? connection->fake->gate_fd : -1;
	struct pollfd fds[] = {
		{ .fd = connection->fake->stop_fd, .events = POLLIN },
		{ .fd = connection->fd, .events = POLLRDHUP },
		{ .fd = gate_fd, .events = POLLIN },
	};

	poll(fds, ARRAY_SIZE(fds), -1);
}

static void serve(struct connection *connection)
{
	char *request;

	while ((request = read_request(connection))) {
		const struct fake_http_answer *answer = note_request(connection->fake, request);

		if (!transmit_answer(connection, answer) || answer->after == FAKE_CLOSE)
			return;
		if (answer->after == FAKE_HOLD || answer->after == FAKE_GATE) {
			hold(connection, answer->after == FAKE_GATE);
			return;
		}
	}
}

/* Closing with unread bytes would reset the connection, and our alert would be lost. */
static void linger(struct connection *connection)
{
	char bytes[1024];

	shutdown(connection->fd, SHUT_WR);
	while (wait_readable(connection, -1, -1) &&
	       recv(connection->fd, bytes, sizeof(bytes), 0) > 0)
		continue;
}

static void *serve_thread(void *context)
{
	struct connection *connection = context;
	SSL_CTX *tls = connection->fake->tls;
	bool ready = true;

	if (tls) {
		connection->tls = SSL_new(tls);
		SSL_set_fd(connection->tls, connection->fd);
		ready = wait_readable(connection, -1, -1) && SSL_accept(connection->tls) == 1;
	}
	if (ready)
		serve(connection);
	if (tls) {
		if (ready)
			SSL_shutdown(connection->tls);
		else
			linger(connection);
		SSL_free(connection->tls);
	}
	close(connection->fd);
	free(connection);
	return NULL;
}

static void *accept_thread(void *context)
{
	struct fake_http *fake = context;
	struct pollfd fds[] = {
		{ .fd = fake->stop_fd, .events = POLLIN },
		{ .fd = fake->listener, .events = POLLIN },
	};

	while (poll(fds, ARRAY_SIZE(fds), -1) > 0 && !fds[0].revents) {
		struct connection *connection;
		int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		connection = xcalloc(1, sizeof(*connection));
		connection->fake = fake;
		connection->fd = fd;
		pthread_mutex_lock(&fake->lock);
		assert(fake->connection_count < CONNECTIONS_LIMIT);
		pthread_create(&fake->servers[fake->connection_count++], NULL, serve_thread,
		               connection);
		pthread_mutex_unlock(&fake->lock);
	}
	return NULL;
}

/* ---- start and end ---- */

static void listen_tcp(struct fake_http *fake)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake->listener, (struct sockaddr *)&address, size) ||
	    getsockname(fake->listener, (struct sockaddr *)&address, &size))
		abort();
	fake->port = ntohs(address.sin_port);
}

static void listen_unix(struct fake_http *fake, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake->listener, (struct sockaddr *)&address, sizeof(address)))
		abort();
	fake->unix_socket = path;
}

static X509 *parse_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return certificate;
}

static SSL_CTX *tls_new(const struct fake_http_options *options)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	X509 *certificate = parse_certificate(options->certificate->certificate_pem);
	BIO *bio = BIO_new_mem_buf(options->certificate->key_pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	SSL_CTX_use_certificate(tls, certificate);
	SSL_CTX_use_PrivateKey(tls, key);
	if (options->client_ca_pem) {
		X509 *ca = parse_certificate(options->client_ca_pem);

		X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), ca);
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		X509_free(ca);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return tls;
}

struct fake_http *fake_http_start(const struct fake_http_answer *answers, size_t count,
                                  const struct fake_http_options *options)
{
	static const struct fake_http_options none;
	struct fake_http *fake = xcalloc(1, sizeof(*fake));
	sigset_t pipe_signal, before;

	options = options ? options : &none;
	fake->answers = answers;
	fake->count = count;
	fake->used = xcalloc(count, sizeof(*fake->used));
	fake->stop_fd = eventfd(0, EFD_CLOEXEC);
	fake->gate_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&fake->lock, NULL);
	if (options->certificate)
		fake->tls = tls_new(options);
	if (options->unix_socket)
		listen_unix(fake, options->unix_socket);
	else
		listen_tcp(fake);
	if (listen(fake->listener, 16))
		abort();
	/* OpenSSL writes without MSG_NOSIGNAL; threads inherit the mask. */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	pthread_create(&fake->acceptor, NULL, accept_thread, fake);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return fake;
}

static void raise_flag(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

void fake_http_open_gate(struct fake_http *fake)
{
	raise_flag(fake->gate_fd);
}

void fake_http_free(struct fake_http *fake)
{
	size_t i;

	if (!fake)
		return;
	raise_flag(fake->stop_fd);
	pthread_join(fake->acceptor, NULL);
	for (i = 0; i < fake->connection_count; i++)
		pthread_join(fake->servers[i], NULL);
	for (i = 0; i < fake->request_count; i++)
		free(fake->requests[i]);
	free(fake->requests);
	free(fake->used);
	close(fake->listener);
	close(fake->stop_fd);
	close(fake->gate_fd);
	if (fake->unix_socket)
		unlink(fake->unix_socket);
	SSL_CTX_free(fake->tls);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

/* ---- what it saw ---- */

int fake_http_port(const struct fake_http *fake)
{
	return fake->port;
}

char *fake_http_url(const struct fake_http *fake, const char *path)
{
	return text_printf("%s://127.0.0.1:%d%s", fake->tls ? "https" : "http", fake->port, path);
}

size_t fake_http_connections(struct fake_http *fake)
{
	size_t count;

	pthread_mutex_lock(&fake->lock);
	count = fake->connection_count;
	pthread_mutex_unlock(&fake->lock);
	return count;
}

size_t fake_http_requests(struct fake_http *fake)
{
	size_t count;

	pthread_mutex_lock(&fake->lock);
	count = fake->request_count;
	pthread_mutex_unlock(&fake->lock);
	return count;
}

char *fake_http_request(struct fake_http *fake, size_t index)
{
	char *copy = NULL;

	pthread_mutex_lock(&fake->lock);
	if (index < fake->request_count)
		copy = xstrdup(fake->requests[index]);
	pthread_mutex_unlock(&fake->lock);
	return copy;
}

char *fake_http_json(const char *status, const char *extra_headers, const char *body)
{
	return text_printf("HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
	                   "Content-Length: %zu\r\n%s\r\n%s",
	                   status, strlen(body), extra_headers ? extra_headers : "", body);
}

char *fake_http_chunked(const char *const *lines, bool end)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	fputs("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	      "Transfer-Encoding: chunked\r\n\r\n",
	      out);
	for (; *lines; lines++)
		fprintf(out, "%zx\r\n%s\n\r\n", strlen(*lines) + 1, *lines);
	if (end)
		fputs("0\r\n\r\n", out);
	return text_stream_take(&stream);
}

int fake_http_closed_port(void)
{
	struct fake_http *fake = fake_http_start(NULL, 0, NULL);
	int port = fake->port;

	fake_http_free(fake);
	return port;
}
