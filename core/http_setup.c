/* SPDX-License-Identifier: Apache-2.0 */
/* An http_request in libcurl's terms. */
#include "core/http_setup.h"

#include <assert.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/http_url.h"
#include "core/text.h"

#define CONNECT_TIMEOUT_MS 10000

/* True while every option so far was taken. */
#define SET(option, value) (curl->easy_setopt(easy, option, value) == CURLE_OK)

static char *url_part(const struct curl_api *curl, CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL, *copy = NULL;

	if (!curl->url_get(url, part, &text, flags))
		copy = xstrdup(text);
	curl->free(text);
	return copy;
}

/* Without the query, which may be a signature. */
static bool url_error(const struct curl_api *curl, const char *text, CURLUcode code,
                      struct error **err)
{
	size_t shown = strchr(text, '@') ? 0 : strcspn(text, "?#");

	return error_set(err, ERROR_INVALID, "'%.*s' is not a usable URL: %s", (int)shown, text,
	                 curl->url_strerror(code));
}

/*
 * tls->server_name stands in for the host in the URL, so that libcurl verifies it and sends it as
 * SNI; the connection is led to the real host, which also remains the Host header.
 */
static void replace_host(struct http_setup *setup, const struct curl_api *curl, CURLU *url,
                         const char *server_name)
{
	scoped(text) char *host = url_part(curl, url, CURLUPART_HOST, 0);
	scoped(text) char *port = url_part(curl, url, CURLUPART_PORT, 0);
	scoped(text) char *real_port = url_part(curl, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	scoped(text) char *to = text_printf("%s:%s:%s:%s", server_name, real_port, host, real_port);
	scoped(text) char *header =
		text_printf("Host: %s%s%s", host, port ? ":" : "", port ? port : "");

	setup->connect_to = curl->slist_append(setup->connect_to, to);
	setup->headers = curl->slist_append(setup->headers, header);
	free(setup->host);
	setup->host = xstrdup(server_name);
}

static bool apply_parsed_url(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                             CURLU *url, const struct http_request *request, struct error **err)
{
	const char *server_name = request->tls ? request->tls->server_name : NULL;
	scoped(text) char *scheme = url_part(curl, url, CURLUPART_SCHEME, 0);
	scoped(text) char *port = url_part(curl, url, CURLUPART_PORT, 0);
	scoped(text) char *user = url_part(curl, url, CURLUPART_USER, 0);
	scoped(text) char *full = NULL;
	CURLUcode code;

	setup->host = url_part(curl, url, CURLUPART_HOST, 0);
	if (user)
		return error_set(err, ERROR_INVALID,
		                 "the URL of host '%s' has a user name in it; take it out",
		                 setup->host);
	if (!text_equal(scheme, "https") && !text_equal(scheme, "http"))
		return error_set(err, ERROR_INVALID,
		                 "URLs begin with https:// or http://, not %s://", scheme);
	setup->origin =
		text_printf("%s://%s%s%s", scheme, setup->host, port ? ":" : "", port ? port : "");
	/* As Go has it: an environment's proxy is not meant for this machine itself. */
	if (!request->proxy_url && http_host_is_loopback(setup->host) && !SET(CURLOPT_PROXY, ""))
		return error_set(err, ERROR_INTERNAL, "libcurl does not take the proxy");
	if (server_name && text_equal(scheme, "https")) {
		replace_host(setup, curl, url, server_name);
		code = curl->url_set(url, CURLUPART_HOST, server_name, 0);
		if (code)
			return url_error(curl, server_name, code, err);
	}
	full = url_part(curl, url, CURLUPART_URL, 0);
	/* Keys of objects may hold dots; nothing that we ask for is to become another resource. */
	return (full && SET(CURLOPT_PATH_AS_IS, 1L) && SET(CURLOPT_URL, full)) ||
	       error_set(err, ERROR_INTERNAL, "libcurl does not take the URL");
}

static bool apply_url(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                      const struct http_request *request, struct error **err)
{
	CURLU *url = curl->url();
	CURLUcode code = curl->url_set(url, CURLUPART_URL, request->url,
	                               CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
	bool ok = code ? url_error(curl, request->url, code, err)
	               : apply_parsed_url(setup, curl, easy, url, request, err);

	curl->url_cleanup(url);
	return ok;
}

static bool has_header(const struct http_request *request, const char *name)
{
	size_t size = strlen(name), i;

	for (i = 0; request->headers && request->headers[i]; i++)
		if (!strncasecmp(request->headers[i], name, size) &&
		    request->headers[i][size] == ':')
			return true;
	return false;
}

static bool apply_headers(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                          const struct http_request *request, struct error **err)
{
	size_t i;

	for (i = 0; request->headers && request->headers[i]; i++) {
		if (strpbrk(request->headers[i], "\r\n"))
			return error_set(err, ERROR_INVALID, "a header has a line break in it");
		setup->headers = curl->slist_append(setup->headers, request->headers[i]);
	}
	/*
	 * libcurl's own additions are unwanted: waiting for "100 Continue" costs a round trip, and
	 * the type is never a form's. Its signatures (7.88) would cover these lines, though.
	 */
	if (!request->aws_sigv4) {
		setup->headers = curl->slist_append(setup->headers, "Expect:");
		if (!has_header(request, "Content-Type"))
			setup->headers = curl->slist_append(setup->headers, "Content-Type:");
	}
	return SET(CURLOPT_HTTPHEADER, setup->headers) ||
	       error_set(err, ERROR_INTERNAL, "libcurl does not take the headers");
}

/* Positioned reads: the caller's descriptor may be used by several parts of one upload. */
static size_t read_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_setup *setup = context;
	curl_off_t left = setup->body_size - setup->body_done;
	size_t wanted = size * count;
	ssize_t got;

	if ((curl_off_t)wanted > left)
		wanted = (size_t)left;
	got = pread(setup->body_fd, bytes, wanted, setup->body_start + setup->body_done);
	if (got < 0 || (got == 0 && wanted))
		return CURL_READFUNC_ABORT;
	setup->body_done += got;
	return (size_t)got;
}

static int seek_body(void *context, curl_off_t offset, int origin)
{
	struct http_setup *setup = context;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	setup->body_done = offset;
	return CURL_SEEKFUNC_OK;
}

static size_t read_pipe(char *bytes, size_t size, size_t count, void *context)
{
	struct http_setup *setup = context;
	curl_off_t left = setup->body_size - setup->body_done;
	size_t wanted = size * count, got;

	if ((curl_off_t)wanted > left)
		wanted = (size_t)left;
	got = http_pipe_take(setup->body_pipe, bytes, wanted);
	setup->body_done += (curl_off_t)got;
	return got || !wanted ? got : CURL_READFUNC_PAUSE;
}

/* What went through a pipe is gone: such a request cannot begin anew. */
static bool apply_pipe_body(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                            const struct http_request *request)
{
	setup->body_pipe = request->body_pipe;
	setup->body_size = (curl_off_t)request->body_size;
	return SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_INFILESIZE_LARGE, setup->body_size) &&
	       SET(CURLOPT_READFUNCTION, read_pipe) && SET(CURLOPT_READDATA, setup);
}

static bool method_takes_body(const char *method)
{
	return text_equal(method, "POST") || text_equal(method, "PUT") ||
	       text_equal(method, "PATCH");
}

static bool apply_file_body(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                            const struct http_request *request)
{
	setup->body_fd = request->body_fd;
	setup->body_size = (curl_off_t)request->body_size;
	setup->body_start = (curl_off_t)request->body_offset;
	return SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_INFILESIZE_LARGE, setup->body_size) &&
	       SET(CURLOPT_READFUNCTION, read_body) && SET(CURLOPT_READDATA, setup) &&
	       SET(CURLOPT_SEEKFUNCTION, seek_body) && SET(CURLOPT_SEEKDATA, setup) &&
	       SET(CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
}

static bool apply_method(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                         const struct http_request *request, struct error **err)
{
	const char *method = request->method ? request->method : "GET";
	bool ok = true;

	if (text_equal(method, "HEAD"))
		ok = SET(CURLOPT_NOBODY, 1L);
	else if (request->body_pipe)
		ok = apply_pipe_body(setup, curl, easy, request);
	else if (!request->body && request->body_size)
		ok = apply_file_body(setup, curl, easy, request);
	else if (request->body_size || method_takes_body(method))
		ok = SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size) &&
		     SET(CURLOPT_POSTFIELDS, request->body ? request->body : "");
	return (ok && SET(CURLOPT_CUSTOMREQUEST, method)) ||
	       error_set(err, ERROR_INTERNAL, "libcurl does not take the method %s", method);
}

/* Copied: an exec plugin may replace a certificate while a stream of the old one goes on. */
static bool apply_blob(const struct curl_api *curl, CURL *easy, CURLoption option, const char *pem)
{
	struct curl_blob blob = { .data = (void *)pem, .flags = CURL_BLOB_COPY };

	if (!pem)
		return true;
	blob.len = strlen(pem);
	return SET(option, &blob);
}

static bool apply_tls(const struct curl_api *curl, CURL *easy, const struct http_tls *tls,
                      struct error **err)
{
	bool ok = SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

	if (tls && !tls->certificate_pem != !tls->key_pem)
		return error_set(err, ERROR_INVALID,
		                 "a client certificate and its key must be given together");
	if (tls) {
		ok = ok && apply_blob(curl, easy, CURLOPT_CAINFO_BLOB, tls->ca_pem) &&
		     apply_blob(curl, easy, CURLOPT_SSLCERT_BLOB, tls->certificate_pem) &&
		     apply_blob(curl, easy, CURLOPT_SSLKEY_BLOB, tls->key_pem);
		/* Otherwise the system's folder of certificates would be trusted as well. */
		if (tls->ca_pem)
			ok = ok && SET(CURLOPT_CAPATH, NULL);
		if (tls->insecure)
			ok = ok && SET(CURLOPT_SSL_VERIFYPEER, 0L) &&
			     SET(CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return ok || error_set(err, ERROR_INTERNAL, "libcurl does not take the TLS options");
}

static bool apply_connection(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                             const struct http_request *request, struct error **err)
{
	long connect_timeout_ms = request->connect_timeout_ms ? (long)request->connect_timeout_ms
	                                                      : CONNECT_TIMEOUT_MS;
	bool ok = SET(CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms) &&
	          SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) &&
	          SET(CURLOPT_TCP_KEEPALIVE, 1L) && SET(CURLOPT_TCP_KEEPIDLE, 30L) &&
	          SET(CURLOPT_TCP_KEEPINTVL, 15L);

	if (request->stall_timeout_ms)
		ok = ok && SET(CURLOPT_LOW_SPEED_LIMIT, 1L) &&
		     SET(CURLOPT_LOW_SPEED_TIME, (long)(request->stall_timeout_ms / 1000));
	if (setup->connect_to)
		ok = ok && SET(CURLOPT_CONNECT_TO, setup->connect_to);
	if (request->proxy_url)
		ok = ok && SET(CURLOPT_PROXY, request->proxy_url);
	if (request->unix_socket)
		ok = ok && SET(CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	if (request->user_password)
		ok = ok && SET(CURLOPT_USERPWD, request->user_password);
	if (request->aws_sigv4) /* "Expect: 100-continue" stays, but nobody waits for the answer */
		ok = ok && SET(CURLOPT_AWS_SIGV4, request->aws_sigv4) &&
		     SET(CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
	return ok ||
	       error_set(err, ERROR_INVALID, "libcurl does not take the connection's options");
}

bool http_setup_apply(struct http_setup *setup, const struct curl_api *curl, CURL *easy,
                      const struct http_request *request, struct error **err)
{
	bool ok = SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
	          SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	          SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	          SET(CURLOPT_USERAGENT, "stepop/" STEPOP_VERSION);

	if (!ok)
		return error_set(err, ERROR_INTERNAL, "libcurl lacks a basic option");
#if LIBCURL_VERSION_NUM >= 0x075700
	/* 7.87: do not wait for a name server when the transfer is over; older ones do wait. */
	curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	return apply_url(setup, curl, easy, request, err) &&
	       apply_headers(setup, curl, easy, request, err) &&
	       apply_method(setup, curl, easy, request, err) &&
	       apply_tls(curl, easy, request->tls, err) &&
	       apply_connection(setup, curl, easy, request, err);
}

/* Authorization is one of them. */
static void wipe_headers(struct curl_slist *headers)
{
	for (; headers; headers = headers->next)
		text_wipe(headers->data, strlen(headers->data));
}

void http_setup_release(struct http_setup *setup, const struct curl_api *curl)
{
	wipe_headers(setup->headers);
	curl->slist_free_all(setup->headers);
	curl->slist_free_all(setup->connect_to);
	free(setup->origin);
	free(setup->host);
	*setup = (struct http_setup){ 0 };
}
