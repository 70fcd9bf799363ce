/* SPDX-License-Identifier: Apache-2.0 */
/* What S3 answers: listings and faults. */
#include "cloud/s3_answer.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/xml.h"
#include "core/memory.h"
#include "core/text.h"

void s3_fault_release(struct s3_fault *fault)
{
	free(fault->code);
	free(fault->message);
	free(fault->region);
	free(fault->endpoint);
	*fault = (struct s3_fault){ 0 };
}

static void fault_element(void *context, const char *path, const char *text)
{
	struct s3_fault *fault = context;
	char **member = text_equal(path, "Error/Code")       ? &fault->code
	                : text_equal(path, "Error/Message")  ? &fault->message
	                : text_equal(path, "Error/Region")   ? &fault->region
	                : text_equal(path, "Error/Endpoint") ? &fault->endpoint
	                                                     : NULL;

	if (!member || !*text)
		return;
	free(*member);
	*member = xstrdup(text);
}

void s3_fault_parse(const char *body, size_t size, struct s3_fault *fault)
{
	*fault = (struct s3_fault){ 0 };
	if (!xml_read(body, size, fault_element, fault))
		s3_fault_release(fault);
}

void s3_page_release(struct s3_page *page)
{
	s3_objects_free(page->objects, page->count);
	free(page->continuation);
	*page = (struct s3_page){ 0 };
}

struct page_reader {
	struct s3_page *page;
	struct s3_object object; /* the one that is being read */
	bool is_truncated, is_broken;
};

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

/* As of a form: keys may hold characters that XML cannot. */
static char *unescape(const char *text)
{
	char *plain = xstrdup(text), *to = plain;

	while (*text) {
		if (*text == '%' && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0) {
			*to++ = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
			text += 3;
		} else {
			*to++ = *text == '+' ? ' ' : *text;
			text++;
		}
	}
	*to = '\0';
	return plain;
}

char *s3_plain_etag(const char *text)
{
	size_t size = strlen(text);

	if (size >= 2 && text[0] == '"' && text[size - 1] == '"')
		return xstrndup(text + 1, size - 2);
	return xstrdup(text);
}

static void finish_object(struct page_reader *reader)
{
	struct s3_page *page = reader->page;

	if (!reader->object.key) {
		reader->is_broken = true;
		return;
	}
	page->objects = xrealloc(page->objects, page->count + 1, sizeof(*page->objects));
	page->objects[page->count++] = reader->object;
	reader->object = (struct s3_object){ 0 };
}

static void page_element(void *context, const char *path, const char *text)
{
	struct page_reader *reader = context;

	if (text_equal(path, "ListBucketResult/Contents/Key")) {
		free(reader->object.key);
		reader->object.key = unescape(text);
	} else if (text_equal(path, "ListBucketResult/Contents/Size")) {
		reader->is_broken |= !text_to_int64(text, 0, INT64_MAX, &reader->object.size_bytes);
	} else if (text_equal(path, "ListBucketResult/Contents/ETag")) {
		free(reader->object.etag);
		reader->object.etag = s3_plain_etag(text);
	} else if (text_equal(path, "ListBucketResult/Contents")) {
		finish_object(reader);
	} else if (text_equal(path, "ListBucketResult/IsTruncated")) {
		reader->is_truncated = text_equal(text, "true");
	} else if (text_equal(path, "ListBucketResult/NextContinuationToken")) {
		free(reader->page->continuation);
		reader->page->continuation = xstrdup(text);
	} else if (text_equal(path, "ListBucketResult")) {
		reader->is_broken |= reader->is_truncated && !reader->page->continuation;
	}
}

bool s3_page_parse(const char *body, size_t size, struct s3_page *page, struct error **err)
{
	struct page_reader reader = { .page = page };
	bool is_good;

	*page = (struct s3_page){ 0 };
	is_good = xml_read(body, size, page_element, &reader) && !reader.is_broken;
	free(reader.object.key);
	free(reader.object.etag);
	if (is_good && !reader.is_truncated)
		free(take(page->continuation));
	if (is_good)
		return true;
	s3_page_release(page);
	return error_set(err, ERROR_INVALID, "the server's listing makes no sense: is it S3?");
}

static void upload_id_element(void *context, const char *path, const char *text)
{
	char **id = context;

	if (!text_equal(path, "InitiateMultipartUploadResult/UploadId") || !*text)
		return;
	free(*id);
	*id = xstrdup(text);
}

char *s3_upload_id_parse(const char *body, size_t size, struct error **err)
{
	scoped(text) char *id = NULL;

	if (xml_read(body, size, upload_id_element, &id) && id)
		return take(id);
	return error_set(err, ERROR_INVALID,
	                 "the server's answer to an upload in parts makes no sense: is it S3?");
}
