/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic and documents of an upload in parts. */
#include "cloud/s3_multipart.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/http.h"
#include "core/text.h"

#define GRAIN_BYTES ((int64_t)1 << 20) /* sizes of parts are round, where they had to grow */

void s3_multipart_init(struct s3_multipart *parts, int64_t size_bytes, size_t part_bytes)
{
	int64_t least = (size_bytes + S3_PARTS_MAX - 1) / S3_PARTS_MAX;

	*parts = (struct s3_multipart){ .size_bytes = size_bytes,
		                        .part_bytes = (int64_t)part_bytes };
	if (parts->part_bytes < least)
		parts->part_bytes = (least + GRAIN_BYTES - 1) / GRAIN_BYTES * GRAIN_BYTES;
	parts->count = (size_t)((size_bytes + parts->part_bytes - 1) / parts->part_bytes);
	parts->etags = xcalloc(parts->count, sizeof(*parts->etags));
}

void s3_multipart_release(struct s3_multipart *parts)
{
	for (size_t i = 0; parts->etags && i < parts->count; i++)
		free(parts->etags[i]);
	free(parts->etags);
	free(parts->upload_id);
	*parts = (struct s3_multipart){ 0 };
}

int64_t s3_multipart_offset(const struct s3_multipart *parts, size_t index)
{
	return (int64_t)index * parts->part_bytes;
}

size_t s3_multipart_size(const struct s3_multipart *parts, size_t index)
{
	int64_t left = parts->size_bytes - s3_multipart_offset(parts, index);

	return (size_t)(left < parts->part_bytes ? left : parts->part_bytes);
}

void s3_multipart_arrived(struct s3_multipart *parts, size_t index, char *etag)
{
	parts->etags[index] = etag;
	parts->done++;
}

bool s3_multipart_is_whole(const struct s3_multipart *parts)
{
	return parts->done == parts->count;
}

char *s3_multipart_part_query(const struct s3_multipart *parts, size_t index)
{
	scoped(text) char *id = http_escape(parts->upload_id, false);

	return text_printf("partNumber=%zu&uploadId=%s", index + 1, id);
}

char *s3_multipart_query(const struct s3_multipart *parts)
{
	scoped(text) char *id = http_escape(parts->upload_id, false);

	return text_printf("uploadId=%s", id);
}

/* An ETag is the server's word: nothing in it may become markup. */
static void render_text(const char *text, FILE *out)
{
	for (; *text; text++)
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else
			fputc(*text, out);
}

char *s3_multipart_body(const struct s3_multipart *parts)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	fputs("<CompleteMultipartUpload "
	      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
	      out);
	for (size_t i = 0; i < parts->count; i++) {
		fprintf(out, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
		render_text(parts->etags[i], out);
		fputs("</ETag></Part>", out);
	}
	fputs("</CompleteMultipartUpload>", out);
	return text_stream_take(&stream);
}
