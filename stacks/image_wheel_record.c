/* SPDX-License-Identifier: Apache-2.0 */
/* RECORD of a wheel: which files there are, and their digests. */
#include <stdio.h>
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/image_wheel.h"

enum { FIELDS = 3 };

struct reader {
	const char *at, *end;
	size_t line;
};

static bool at_end_of_field(const struct reader *reader)
{
	return reader->at == reader->end || strchr(",\r\n", *reader->at);
}

/* RFC 4180: quoted fields hold commas, line ends, and quotes that are doubled. */
static bool read_quoted(struct reader *reader, FILE *out)
{
	for (reader->at++; reader->at < reader->end; reader->at++) {
		if (*reader->at == '"' && (reader->at + 1 == reader->end || reader->at[1] != '"')) {
			reader->at++;
			return at_end_of_field(reader);
		}
		reader->at += *reader->at == '"';
		fputc(*reader->at, out);
	}
	return false;
}

/* NULL: the quotes do not match. Owned by the caller. */
static char *read_field(struct reader *reader)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	bool ok = true;
	char *field;

	if (reader->at < reader->end && *reader->at == '"')
		ok = read_quoted(reader, out);
	else
		for (; !at_end_of_field(reader); reader->at++)
			fputc(*reader->at, out);
	field = text_stream_take(&stream);
	if (!ok)
		free(take(field));
	return field;
}

static bool read_fields(struct reader *reader, char *fields[FIELDS])
{
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		fields[i] = read_field(reader);
		if (!fields[i])
			return false;
		if (i + 1 == FIELDS)
			break;
		if (reader->at == reader->end || *reader->at != ',')
			return false;
		reader->at++;
	}
	return at_end_of_field(reader) && (reader->at == reader->end || *reader->at != ',');
}

/* Base64 with '-' and '_', unpadded (RFC 4648, 5), as hex digits; NULL when it is none. */
static char *hex_of(const char *digest)
{
	size_t size = strlen(digest), decoded_size, i;
	scoped(text) char *padded = text_printf("%s%.*s", digest, (int)(-size & 3), "===");
	scoped(text) char *decoded = NULL;
	struct text_stream stream;
	FILE *out;

	for (i = 0; padded[i]; i++)
		padded[i] = padded[i] == '-' ? '+' : padded[i] == '_' ? '/' : padded[i];
	decoded = base64_decode(padded, &decoded_size);
	if (!decoded)
		return NULL;
	out = text_stream_open(&stream);
	for (i = 0; i < decoded_size; i++)
		fprintf(out, "%02x", (unsigned char)decoded[i]);
	return text_stream_take(&stream);
}

static bool fill(struct image_wheel_record *record, char *fields[FIELDS])
{
	const char *equals = strchr(fields[1], '=');

	if (!*fields[0] || (*fields[1] && !equals))
		return false;
	*record = (struct image_wheel_record){ .path = take(fields[0]) };
	if (!equals)
		return true;
	record->algorithm = xstrndup(fields[1], (size_t)(equals - fields[1]));
	record->digest = hex_of(equals + 1);
	return record->digest != NULL;
}

static bool read_line(struct reader *reader, struct image_wheel_record *record, struct error **err)
{
	char *fields[FIELDS] = { 0 };
	bool ok = read_fields(reader, fields) && fill(record, fields);
	size_t i;

	for (i = 0; i < FIELDS; i++)
		free(fields[i]);
	return ok || error_set(err, ERROR_INVALID,
	                       "RECORD, line %zu: 'path,algorithm=digest,size' is expected",
	                       reader->line);
}

static void skip_line_end(struct reader *reader)
{
	while (reader->at < reader->end && strchr("\r\n", *reader->at)) {
		reader->line += *reader->at == '\n';
		reader->at++;
	}
}

bool image_wheel_records_parse(const char *text, size_t size, struct image_wheel_record **records,
                               size_t *count, struct error **err)
{
	struct reader reader = { text, text + size, 1 };
	struct image_wheel_record *found = NULL;
	size_t found_count = 0;
	bool ok = true;

	if (memchr(text, '\0', size))
		return error_set(err, ERROR_INVALID, "RECORD: it has a NUL character");
	for (skip_line_end(&reader); ok && reader.at < reader.end; skip_line_end(&reader)) {
		if (!(found_count & (found_count - 1)))
			found = xrealloc(found, found_count ? 2 * found_count : 1, sizeof(*found));
		found[found_count] = (struct image_wheel_record){ 0 };
		ok = read_line(&reader, &found[found_count++], err);
	}
	if (!ok) {
		image_wheel_records_free(found, found_count);
		return false;
	}
	*records = found;
	*count = found_count;
	return true;
}

void image_wheel_records_free(struct image_wheel_record *records, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(records[i].path);
		free(records[i].algorithm);
		free(records[i].digest);
	}
	free(records);
}
