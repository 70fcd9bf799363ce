/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical request, string to sign, signature: the three steps of Signature Version 4. */
#include "cloud/aws_sigv4.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/digest.h"
#include "core/text.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define EMPTY_DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* ---- a growing list of owned texts, sorted before it is used ---- */

struct lines {
	char **items;
	size_t count;
};

static void lines_take(struct lines *lines, char *text)
{
	lines->items = xrealloc(lines->items, lines->count + 1, sizeof(*lines->items));
	lines->items[lines->count++] = text;
}

static void lines_cleanup(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		secret_free(lines->items[i]);
	free(lines->items);
}

/* ---- the URL ---- */

struct url {
	char *host; /* as in the header Host */
	char *path, *query;
};

static void url_cleanup(struct url *url)
{
	free(url->host);
	free(url->path);
	secret_free(url->query);
}

/* A default port is not sent in Host. */
static char *host_header(const char *url, const char *host, size_t size)
{
	const char *port = text_starts_with(url, "https:") ? ":443" : ":80";
	char *text = xstrndup(host, size);

	if (text_ends_with(text, port))
		text[size - strlen(port)] = '\0';
	return text;
}

static struct url split_url(const char *text)
{
	const char *scheme_end = strstr(text, "://");
	const char *host = scheme_end ? scheme_end + 3 : text;
	size_t host_size = strcspn(host, "/?#");
	const char *path = host + host_size;
	size_t path_size = strcspn(path, "?#");
	const char *query = path[path_size] == '?' ? path + path_size + 1 : "";

	return (struct url){
		.host = host_header(text, host, host_size),
		.path = path_size ? xstrndup(path, path_size) : xstrdup("/"),
		.query = xstrndup(query, strcspn(query, "#")),
	};
}

static void encode(const char *text, const char *kept, FILE *out)
{
	for (; *text; text++)
		if (isalnum((unsigned char)*text) || strchr(kept, *text))
			fputc(*text, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*text);
}

static void render_path(const char *path, const char *service, FILE *out)
{
	if (text_equal(service, "s3"))
		fputs(path, out);
	else
		encode(path, "-_.~/", out);
}

/* By octets of the encoded name, then of the value: '=' must not take part in the comparison. */
static int compare_parameters(const void *a, const void *b)
{
	const char *one = *(const char *const *)a, *other = *(const char *const *)b;
	size_t one_size = strcspn(one, "="), other_size = strcspn(other, "=");
	size_t shorter = one_size < other_size ? one_size : other_size;
	int order = memcmp(one, other, shorter);

	if (!order && one_size != other_size)
		return one_size < other_size ? -1 : 1;
	return order ? order : strcmp(one + one_size, other + other_size);
}

static char *canonical_parameter(const char *text, size_t size)
{
	scoped(secret) char *parameter = xstrndup(text, size);
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	/* What is encoded stays so. */
	encode(parameter, "-_.~%=", out);
	if (!strchr(parameter, '='))
		fputc('=', out);
	return text_stream_take(&stream);
}

static void render_query(const char *query, FILE *out)
{
	scoped(lines) struct lines parameters = { 0 };

	while (*query) {
		size_t size = strcspn(query, "&");

		if (size)
			lines_take(&parameters, canonical_parameter(query, size));
		query += size + (query[size] == '&');
	}
	if (parameters.count)
		qsort(parameters.items, parameters.count, sizeof(*parameters.items),
		      compare_parameters);
	for (size_t i = 0; i < parameters.count; i++)
		fprintf(out, "%s%s", i ? "&" : "", parameters.items[i]);
}

/* ---- the headers ---- */

/* "Name:  a   b " -> "name:a b" */
static char *canonical_header(const char *line)
{
	size_t name_size = strcspn(line, ":");
	const char *value = line[name_size] ? line + name_size + 1 : "";
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	bool is_first = true;

	for (size_t i = 0; i < name_size; i++)
		fputc(tolower((unsigned char)line[i]), out);
	fputc(':', out);
	while (*(value += strspn(value, " \t"))) {
		size_t size = strcspn(value, " \t");

		fprintf(out, "%s%.*s", is_first ? "" : " ", (int)size, value);
		is_first = false;
		value += size;
	}
	return text_stream_take(&stream);
}

static bool same_name(const char *one, const char *other)
{
	size_t size = strcspn(one, ":");

	return !strncmp(one, other, size) && other[size] == ':';
}

/* Values of one name are joined in the order in which they were given. */
static void add_header(struct lines *headers, const char *line)
{
	char *header = canonical_header(line);

	for (size_t i = 0; i < headers->count; i++) {
		char *before = headers->items[i];

		if (!same_name(header, before))
			continue;
		headers->items[i] = text_printf("%s,%s", before, strchr(header, ':') + 1);
		secret_free(before);
		secret_free(header);
		return;
	}
	lines_take(headers, header);
}

static int compare_names(const void *a, const void *b)
{
	const char *one = *(const char *const *)a, *other = *(const char *const *)b;
	size_t one_size = strcspn(one, ":"), other_size = strcspn(other, ":");
	int order = memcmp(one, other, one_size < other_size ? one_size : other_size);

	return order ? order : (one_size > other_size) - (one_size < other_size);
}

/* `more`: lines of ours beside the request's, NULL where there is none. */
static void collect_headers(struct lines *headers, const struct aws_sigv4_request *request,
                            const struct url *url, const char *const more[2])
{
	scoped(text) char *host = text_printf("host:%s", url->host);

	add_header(headers, host);
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		add_header(headers, request->headers[i]);
	for (size_t i = 0; more && i < 2; i++)
		if (more[i])
			add_header(headers, more[i]);
	qsort(headers->items, headers->count, sizeof(*headers->items), compare_names);
}

/* "host;x-amz-date"; owned by the caller. */
static char *signed_names(const struct lines *headers)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	for (size_t i = 0; i < headers->count; i++)
		fprintf(out, "%s%.*s", i ? ";" : "", (int)strcspn(headers->items[i], ":"),
		        headers->items[i]);
	return text_stream_take(&stream);
}

/* ---- dates and scopes ---- */

struct stamp {
	char time[sizeof("20150830T123600Z")];
	char *scope; /* "20150830/us-east-1/sts/aws4_request" */
};

static void stamp_cleanup(struct stamp *stamp)
{
	free(stamp->scope);
}

static struct stamp stamp_of(const struct aws_sigv4_scope *scope)
{
	time_t seconds = (time_t)(scope->at_ms / 1000);
	struct stamp stamp;
	struct tm utc;

	strftime(stamp.time, sizeof(stamp.time), "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &utc));
	stamp.scope =
		text_printf("%.8s/%s/%s/aws4_request", stamp.time, scope->region, scope->service);
	return stamp;
}

/* ---- the signature ---- */

#define MAC_BYTES 32

static void mac(const void *key, size_t key_size, const char *text, unsigned char result[MAC_BYTES])
{
	unsigned int size;

	if (!HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, strlen(text),
	          result, &size))
		abort();
}

static char *signature_of(const struct aws_sigv4_scope *scope, const struct stamp *stamp,
                          const char *text)
{
	scoped(text) char *date = xstrndup(stamp->time, 8);
	scoped(secret) char *secret = text_printf("AWS4%s", scope->credentials->secret_access_key);
	const char *const parts[] = { scope->region, scope->service, "aws4_request", text };
	unsigned char key[MAC_BYTES];
	char *signature;

	mac(secret, strlen(secret), date, key);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		mac(key, sizeof(key), parts[i], key);
	signature = hex_encode(key, sizeof(key));
	text_wipe((char *)key, sizeof(key));
	return signature;
}

static char *canonical_request(const struct aws_sigv4_request *request, const struct url *url,
                               const struct lines *headers, const char *service)
{
	scoped(text) char *names = signed_names(headers);
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	fprintf(out, "%s\n", request->method);
	render_path(url->path, service, out);
	fputc('\n', out);
	render_query(url->query, out);
	fputc('\n', out);
	for (size_t i = 0; i < headers->count; i++)
		fprintf(out, "%s\n", headers->items[i]);
	fprintf(out, "\n%s\n%s", names, request->body_digest ? request->body_digest : EMPTY_DIGEST);
	return text_stream_take(&stream);
}

static char *sign(const struct aws_sigv4_request *request, const struct url *url,
                  const struct lines *headers, const struct aws_sigv4_scope *scope,
                  const struct stamp *stamp)
{
	scoped(secret) char *canonical = canonical_request(request, url, headers, scope->service);
	scoped(text) char *digest = digest_bytes(canonical, strlen(canonical));
	scoped(text) char *text =
		text_printf(ALGORITHM "\n%s\n%s\n%s", stamp->time, stamp->scope, digest);

	return signature_of(scope, stamp, text);
}

void aws_sigv4_headers_free(struct aws_sigv4_headers *headers)
{
	if (!headers)
		return;
	free(headers->authorization);
	free(headers->date);
	secret_free(headers->token);
	free(headers);
}

struct aws_sigv4_headers *aws_sigv4_sign(const struct aws_sigv4_request *request,
                                         const struct aws_sigv4_scope *scope)
{
	struct aws_sigv4_headers *result = xcalloc(1, sizeof(*result));
	const char *token = scope->credentials->session_token;
	scoped(stamp) struct stamp stamp = stamp_of(scope);
	scoped(url) struct url url = split_url(request->url);
	scoped(lines) struct lines headers = { 0 };
	scoped(text) char *names = NULL;
	scoped(text) char *signature = NULL;

	result->date = text_printf("X-Amz-Date: %s", stamp.time);
	result->token = token ? text_printf("X-Amz-Security-Token: %s", token) : NULL;
	collect_headers(&headers, request, &url,
	                (const char *const[]){ result->date, result->token });
	names = signed_names(&headers);
	signature = sign(request, &url, &headers, scope, &stamp);
	result->authorization = text_printf(
		"Authorization: " ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		scope->credentials->access_key_id, stamp.scope, names, signature);
	return result;
}

/* What stands in the query beside the request's own, but for the signature. */
static char *presigned_query(const char *query, const struct aws_sigv4_scope *scope,
                             const struct stamp *stamp, const char *names, int64_t expires_s)
{
	const char *token = scope->credentials->session_token;
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	fprintf(out, "%s%sX-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=", query,
	        *query ? "&" : "");
	encode(scope->credentials->access_key_id, "-_.~", out);
	fputs("%2F", out);
	encode(stamp->scope, "-_.~", out);
	fprintf(out, "&X-Amz-Date=%s&X-Amz-Expires=%lld", stamp->time, (long long)expires_s);
	fputs("&X-Amz-SignedHeaders=", out);
	encode(names, "-_.~", out);
	if (token) {
		fputs("&X-Amz-Security-Token=", out);
		encode(token, "-_.~", out);
	}
	return text_stream_take(&stream);
}

char *aws_sigv4_presign(const struct aws_sigv4_request *request,
                        const struct aws_sigv4_scope *scope, int64_t expires_s)
{
	scoped(stamp) struct stamp stamp = stamp_of(scope);
	scoped(url) struct url url = split_url(request->url);
	scoped(lines) struct lines headers = { 0 };
	scoped(text) char *names = NULL;
	scoped(text) char *signature = NULL;
	char *own_query = url.query;

	collect_headers(&headers, request, &url, NULL);
	names = signed_names(&headers);
	url.query = presigned_query(own_query, scope, &stamp, names, expires_s);
	free(own_query);
	signature = sign(request, &url, &headers, scope, &stamp);
	return text_printf("%.*s?%s&X-Amz-Signature=%s", (int)strcspn(request->url, "?#"),
	                   request->url, url.query, signature);
}
