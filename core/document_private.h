/* SPDX-License-Identifier: Apache-2.0 */
/* What reading a document and asking for its places share; for core/document*.c only. */
#ifndef CORE_DOCUMENT_PRIVATE_H
#define CORE_DOCUMENT_PRIVATE_H

#include "core/document.h"

#define DOCUMENT_NO_INDEX SIZE_MAX
#define DOCUMENT_INPUT_LIMIT ((size_t)4 << 20)
#define DOCUMENT_STREAM_LIMIT ((size_t)64 << 20)

struct place;

struct document {
	char *name;
	json_t *root;
	json_t *dropped;      /* values at fault: kept, so that no address is used twice */
	struct place *places; /* a hash table with open addressing */
	size_t place_count, place_capacity;
};

/* Notes where `of` stands: a value or a key's text (without index), or an item of an array. */
void document_remember(struct document *document, const void *of, size_t index,
                       struct document_position position);
bool document_has_identity(const json_t *value);
/* The text of the key as `object` keeps it; NULL when there is none. */
const char *document_stored_key(const json_t *object, const char *key);

/* Reads all documents into `stream`; what is wrong is added to `faults`. */
void document_stream_read_events(struct document_stream *stream, const char *name, const char *text,
                                 size_t size, struct faults *faults);
/* Adds `document`, or frees it where it is empty. */
void document_stream_take(struct document_stream *stream, struct document *document);

#endif
