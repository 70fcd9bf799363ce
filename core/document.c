/* SPDX-License-Identifier: Apache-2.0 */
/* Documents: values, and where in the file they stand. */
#include <stdint.h>

#include "core/document_private.h"
#include "core/file.h"

/*
 * true, false and null have no identity in jansson. Hence a value is found by its own address, a
 * key by the address of its text within the object, and an item without identity by its array
 * and index.
 *
 * Not uthash: a pipeline of 10,000 steps has half a million places, and reading it would spend
 * more time, and four times the memory, on these than on everything else.
 */
struct place {
	const void *of; /* NULL: free */
	size_t index;
	struct document_position position;
};

/* The place, or the free one where it belongs. The capacity is a power of two. */
static struct place *slot(struct place *places, size_t capacity, const void *of, size_t index)
{
	/* Fibonacci hashing; addresses differ above their lowest four bits. */
	uint64_t hash = (((uint64_t)(uintptr_t)of >> 4) + index * 31) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(hash >> 32) & (capacity - 1);

	while (places[at].of && (places[at].of != of || places[at].index != index))
		at = (at + 1) & (capacity - 1);
	return &places[at];
}

static void grow(struct document *document)
{
	size_t capacity = document->place_capacity ? 2 * document->place_capacity : 64, i;
	struct place *places = xcalloc(capacity, sizeof(*places)), *place;

	for (i = 0; i < document->place_capacity; i++) {
		place = &document->places[i];
		if (place->of)
			*slot(places, capacity, place->of, place->index) = *place;
	}
	free(document->places);
	document->places = places;
	document->place_capacity = capacity;
}

void document_remember(struct document *document, const void *of, size_t index,
                       struct document_position position)
{
	struct place *place;

	if (document->place_count * 2 >= document->place_capacity)
		grow(document);
	place = slot(document->places, document->place_capacity, of, index);
	document->place_count += !place->of;
	*place = (struct place){ of, index, position };
}

static struct document_position find_place(const struct document *document, const void *of,
                                           size_t index)
{
	if (!of || !document->place_capacity)
		return (struct document_position){ 0 };
	return slot(document->places, document->place_capacity, of, index)->position;
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

static struct document_position either(struct document_position position,
                                       struct document_position fallback)
{
	return position.line ? position : fallback;
}

static void copy_places(struct document *document, const json_t *value, const json_t *copy,
                        struct document_position around)
{
	struct document_position position = either(document_position(document, value), around);
	struct document_position at;
	const char *key;
	json_t *part;
	size_t i;

	if (copy == value)
		return;
	if (document_has_identity(copy))
		document_remember(document, copy, DOCUMENT_NO_INDEX, position);
	json_array_foreach (copy, i, part) {
		at = either(document_item_position(document, value, i), position);
		if (!document_has_identity(part))
			document_remember(document, copy, i, at);
		copy_places(document, json_array_get(value, i), part, at);
	}
	json_object_foreach ((json_t *)copy, key, part) {
		at = either(document_key_position(document, value, key), position);
		document_remember(document, document_stored_key(copy, key), DOCUMENT_NO_INDEX, at);
		copy_places(document, json_object_get(value, key), part, at);
	}
}

void document_copy_places(struct document *document, const json_t *value, const json_t *copy)
{
	copy_places(document, value, copy, (struct document_position){ 0 });
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
	if (!document)
		return;
	free(document->places);
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
