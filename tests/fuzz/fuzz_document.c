/* SPDX-License-Identifier: Apache-2.0 */
/* core/document under any input: what is taken is written so that it reads back the same. */
#include <stdint.h>
#include <string.h>

#include "core/document.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_places(const struct document *document, const json_t *value)
{
	const char *key;
	json_t *part;
	size_t i;

	json_array_foreach (value, i, part) {
		if (!document_item_position(document, value, i).line)
			abort();
		check_places(document, part);
	}
	json_object_foreach ((json_t *)value, key, part) {
		if (!document_key_position(document, value, key).line)
			abort();
		check_places(document, part);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error *err = NULL;
	struct document *document = document_parse("fuzz", (const char *)data, size, &err), *again;
	struct text_stream stream;
	char *text;

	if (!document) {
		if (err->kind != ERROR_INVALID)
			abort();
		error_free(err);
		return 0;
	}
	check_places(document, document_root(document));
	document_write_yaml(document_root(document), text_stream_open(&stream));
	text = text_stream_take_sized(&stream, &size);
	again = document_parse("written", text, size, &err);
	/* A document close to the limits may be beyond them once it is written out. */
	if (again ? !json_equal(document_root(document), document_root(again))
	          : !strstr(err->message, "too large"))
		abort();
	error_free(err);
	document_free(again);
	document_free(document);
	free(text);
	return 0;
}
