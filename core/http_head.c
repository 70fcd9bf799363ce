/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer, and the small change of HTTP. */
#include "core/http_head.h"

#include <string.h>
#include <strings.h>

#include "core/text.h"

void http_response_release(struct http_response *response)
{
	/* It may have been a secret. */
	text_wipe(response->body, response->body_size);
	free(response->body);
	free(response->content_type);
	free(response->etag);
	free(response->request_id);
	free(response->head);
	*response = (struct http_response){ .content_length = -1, .retry_after_ms = -1 };
}

/* The value of the header `name` (with its colon) in an unterminated line, or NULL. */
static char *header_value(const char *line, size_t size, const char *name)
{
	size_t name_size = strlen(name);

	if (size < name_size || strncasecmp(line, name, name_size))
		return NULL;
	line += name_size;
	size -= name_size;
	while (size && (*line == ' ' || *line == '\t')) {
		line++;
		size--;
	}
	while (size && (line[size - 1] == '\r' || line[size - 1] == '\n' || line[size - 1] == ' '))
		size--;
	return xstrndup(line, size);
}

static void keep_header(char **slot, const char *line, size_t size, const char *name)
{
	char *value = header_value(line, size, name);

	if (!value)
		return;
	free(*slot);
	*slot = value;
}

/* Only those of the last head: an informational one may come before it. */
static void keep_line(struct http_head *head, struct http_response *response, const char *line,
                      size_t size)
{
	if (size >= 5 && !memcmp(line, "HTTP/", 5))
		head->size = 0;
	response->head = xrealloc(response->head, head->size + size + 1, 1);
	memcpy(response->head + head->size, line, size);
	head->size += size;
	response->head[head->size] = '\0';
}

char *http_response_header(const struct http_response *response, const char *name)
{
	scoped(text) char *wanted = text_printf("%s:", name);
	const char *line = response->head;

	while (line && *line) {
		const char *end = strchr(line, '\n');
		size_t size = end ? (size_t)(end - line) + 1 : strlen(line);
		char *value = header_value(line, size, wanted);

		if (value)
			return value;
		line += size;
	}
	return NULL;
}

void http_head_add(struct http_head *head, struct http_response *response, const char *line,
                   size_t size)
{
	if (head->complete)
		return;
	head->at_end = size <= 2 && (*line == '\r' || *line == '\n');
	keep_line(head, response, line, size);
	keep_header(&response->etag, line, size, "ETag:");
	keep_header(&response->request_id, line, size, "x-amz-request-id:");
	keep_header(&response->request_id, line, size, "Audit-Id:");
	if (size > 12 && !strncasecmp(line, "Retry-After:", 12))
		head->has_retry_after = true;
}

bool http_head_is_over(struct http_head *head, const struct curl_api *curl, CURL *easy,
                       struct http_response *response)
{
	long status = 0;
	curl_off_t length = -1, retry_s = 0;
	char *type = NULL;

	if (head->complete || !head->at_end)
		return false;
	curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200) /* 100 Continue and its like: the real head is to come */
		return false;
	curl->easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	curl->easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	curl->easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
	response->status = (int)status;
	response->content_length = length;
	response->content_type = text_copy(type);
	response->retry_after_ms = head->has_retry_after ? retry_s * 1000 : -1;
	head->complete = true;
	return true;
}

char *http_escape(const char *text, bool keep_slashes)
{
	static const char kept[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	for (; *text; text++)
		if (strchr(kept, *text) || (keep_slashes && *text == '/'))
			fputc(*text, out);
		else
			fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
	return text_stream_take(&stream);
}
