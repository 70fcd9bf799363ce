/* SPDX-License-Identifier: Apache-2.0 */
/* json, text and bytes: one file with one value. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "materializers/artifact_files.h"
#include "materializers/built_in.h"
#include "materializers/display.h"

enum {
	VALUE_MAX = 1024,           /* longer ones are not part of the metadata */
	READ_MAX = 4 * 1024 * 1024, /* longer JSON is not looked into */
	SHOWN_MAX = 64 * 1024,
	SHOWN_BYTES_MAX = 256,
	SUMMARY_MAX = 60,
};

/* Reads the value's file unless it is longer than READ_MAX: then *text stays NULL. The caller owns
 * *text and the metadata. */
static json_t *begin(struct artifact_store *store, const char *uri, const char *name, char **text,
                     size_t *size, struct error **err)
{
	scoped(text) char *file = text_printf("%s%s", uri, name);
	json_auto_t *metadata = NULL;
	int64_t size_bytes = 0;
	struct error *error = NULL;

	if (!artifact_size(store, file, &size_bytes, &error)) {
		bool is_absent = error->kind == ERROR_NOT_FOUND;

		error_pass(err, error);
		return is_absent ? error_wrap(err, "%s is incomplete", uri) : NULL;
	}
	metadata = json_pack("{s:I, s:i}", "size_bytes", (json_int_t)size_bytes, "files", 1);
	if (size_bytes <= READ_MAX) {
		*text = artifact_get(store, file, 0, 0, READ_MAX, size, err);
		if (!*text)
			return NULL;
	}
	return json_incref(metadata);
}

static void set_summary(json_t *metadata, char *summary)
{
	json_object_set_new(metadata, "summary", json_string(summary));
	free(summary);
}

static char *size_summary(const json_t *metadata)
{
	return display_size(json_integer_value(json_object_get(metadata, "size_bytes")));
}

/* The value itself when it is short, else what kind it is. */
static char *json_summary(const json_t *value)
{
	scoped(text) char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));

	if (strlen(text) <= SUMMARY_MAX)
		return display_line(text, strlen(text), SUMMARY_MAX);
	if (json_is_object(value))
		return display_count((int64_t)json_object_size(value), "key", "keys");
	if (json_is_array(value))
		return display_count((int64_t)json_array_size(value), "item", "items");
	return display_line(text, strlen(text), SUMMARY_MAX);
}

static json_t *describe_json(struct artifact_store *store, const char *uri, struct error **err)
{
	scoped(text) char *text = NULL;
	size_t size = 0;
	json_auto_t *metadata = begin(store, uri, "value.json", &text, &size, err);
	json_error_t fault;
	json_t *value;

	if (!metadata)
		return NULL;
	if (!text) {
		set_summary(metadata, size_summary(metadata));
		return json_incref(metadata);
	}
	value = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &fault);
	if (!value)
		return error_set(err, ERROR_INVALID, "%svalue.json is no JSON: line %d, column %d",
		                 uri, fault.line, fault.column);
	set_summary(metadata, json_summary(value));
	if (size <= VALUE_MAX)
		json_object_set(metadata, "value", value);
	json_decref(value);
	return json_incref(metadata);
}

static json_t *describe_text(struct artifact_store *store, const char *uri, struct error **err)
{
	scoped(text) char *text = NULL;
	size_t size = 0;
	json_auto_t *metadata = begin(store, uri, "value.txt", &text, &size, err);

	if (!metadata)
		return NULL;
	if (!text || !text_is_utf8(text, size)) {
		set_summary(metadata, size_summary(metadata));
		return json_incref(metadata);
	}
	set_summary(metadata, display_line(text, strcspn(text, "\r\n"), SUMMARY_MAX));
	if (size <= VALUE_MAX)
		json_object_set_new(metadata, "value", json_stringn(text, size));
	return json_incref(metadata);
}

static json_t *describe_bytes(struct artifact_store *store, const char *uri, struct error **err)
{
	scoped(text) char *file = text_printf("%svalue.bin", uri);
	int64_t size_bytes = 0;
	json_t *metadata;

	if (!artifact_size(store, file, &size_bytes, err))
		return error_wrap(err, "%s is incomplete", uri);
	metadata = json_pack("{s:I, s:i}", "size_bytes", (json_int_t)size_bytes, "files", 1);
	set_summary(metadata, size_summary(metadata));
	return metadata;
}

static bool preview_text_of(struct artifact_store *store, const char *uri, const char *name,
                            FILE *out, struct error **err)
{
	scoped(text) char *file = text_printf("%s%s", uri, name);
	size_t got = 0;
	bool is_cut;
	scoped(text) char *text =
		artifact_get(store, file, 0, SHOWN_MAX + 1, SHOWN_MAX + 1, &got, err);

	if (!text)
		return false;
	is_cut = got > SHOWN_MAX;
	if (is_cut)
		got = SHOWN_MAX;
	/* Not within a character. */
	while (is_cut && got > 0 && ((unsigned char)text[got] & 0xc0) == 0x80)
		got--;
	display_text(text, got, out);
	if (is_cut)
		fputs("… (cut)\n", out);
	return true;
}

static bool preview_json(struct artifact_store *store, const char *uri, FILE *out,
                         struct error **err)
{
	return preview_text_of(store, uri, "value.json", out, err);
}

static bool preview_text(struct artifact_store *store, const char *uri, FILE *out,
                         struct error **err)
{
	return preview_text_of(store, uri, "value.txt", out, err);
}

static void print_hex_line(const unsigned char *bytes, size_t at, size_t size, FILE *out)
{
	fprintf(out, "%08zx ", at);
	for (size_t i = at; i < at + 16; i++)
		if (i < size)
			fprintf(out, " %02x", bytes[i]);
		else
			fputs("   ", out);
	fputs("  |", out);
	for (size_t i = at; i < at + 16 && i < size; i++)
		fputc(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.', out);
	fputs("|\n", out);
}

static bool preview_bytes(struct artifact_store *store, const char *uri, FILE *out,
                          struct error **err)
{
	scoped(text) char *file = text_printf("%svalue.bin", uri);
	size_t got = 0;
	scoped(text) char *bytes =
		artifact_get(store, file, 0, SHOWN_BYTES_MAX, SHOWN_BYTES_MAX, &got, err);

	if (!bytes)
		return false;
	for (size_t at = 0; at < got; at += 16)
		print_hex_line((const unsigned char *)bytes, at, got, out);
	return true;
}

const struct materializer materializer_json = {
	.abi = MATERIALIZER_ABI,
	.type = "json",
	.help = "what JSON can hold: numbers, texts, lists, dicts",
	.describe = describe_json,
	.digest = artifact_digest,
	.preview = preview_json,
};
const struct materializer materializer_text = {
	.abi = MATERIALIZER_ABI,
	.type = "text",
	.help = "text in UTF-8",
	.describe = describe_text,
	.digest = artifact_digest,
	.preview = preview_text,
};
const struct materializer materializer_bytes = {
	.abi = MATERIALIZER_ABI,
	.type = "bytes",
	.help = "bytes as they are",
	.describe = describe_bytes,
	.digest = artifact_digest,
	.preview = preview_bytes,
};
