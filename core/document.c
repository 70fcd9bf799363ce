/* SPDX-License-Identifier: Apache-2.0 */
/* Documents: values, and where in the file they stand. */
#include <stdint.h>
#include <uthash.h>

#include "core/document_private.h"
#include "core/file.h"

/*
 * true, false and null have no identity in jansson. Hence a value is found by its own address, a
 * key by the address of its text within the object, and an item without identity by its array
 * and index.
 */
struct place_key {
	const void *of;
	size_t index;
};

struct place {
	struct place_key key;
	struct document_position position;
	UT_hash_handle hh;
};

void document_remember(struct document *document, const void *of, size_t index,
                       struct document_position position)
{
	struct place *place = xcalloc(1, sizeof(*place));

	place->key = (struct place_key){ of, index };
	place->position = position;
	HASH_ADD(hh, document->places, key, sizeof(place->key), place);
}

static struct document_position find_place(const struct document *document, const void *of,
                                           size_t index)
{
	struct place_key key = { of, index };
	struct place *place;

	HASH_FIND(hh, document->places, &key, sizeof(key), place);
	return place ? place->position : (struct document_position){ 0 };
}

bool document_has_identity(const json_t *value)
{
	return !json_is_boolean(value) && !json_is_null(value);
}

const char *document_stored_key(const json_t *object, const char *key)
{
	void *iter = json_object_iter_at((json_t *)object, key);

	return iter ? json_object_iter_key(iter) : NULL;
}

struct document_position document_position(const struct document *document, const json_t *value)
{
	return find_place(document, value, DOCUMENT_NO_INDEX);
}

struct document_position document_key_position(const struct document *document,
                                               const json_t *object, const char *key)
{
	return find_place(document, document_stored_key(object, key), DOCUMENT_NO_INDEX);
}

struct document_position document_item_position(const struct document *document,
                                                const json_t *array, size_t index)
{
	const json_t *item = json_array_get(array, index);

	if (item && document_has_identity(item))
		return document_position(document, item);
	return find_place(document, array, index);
}

const char *document_name(const struct document *document)
{
	return document->name;
}

json_t *document_root(const struct document *document)
{
	return document->root;
}

void document_free(struct document *document)
{
	struct place *place, *next;

	if (!document)
		return;
	HASH_ITER (hh, document->places, place, next) {
		HASH_DEL(document->places, place);
		free(place);
	}
	json_decref(document->root);
	json_decref(document->dropped);
	free(document->name);
	free(document);
}

struct document *document_parse(const char *name, const char *text, size_t size, struct error **err)
{
	scoped(faults) struct faults *faults = faults_new();
	scoped(document) struct document *document =
		document_parse_faults(name, text, size, faults);

	return faults_check(faults, err) ? take(document) : NULL;
}

struct document *document_read(const char *path, struct error **err)
{
	size_t size;
	scoped(text) char *text = file_read(path, DOCUMENT_INPUT_LIMIT, &size, err);

	return text ? document_parse(path, text, size, err) : NULL;
}
