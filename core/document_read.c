/* SPDX-License-Identifier: Apache-2.0 */
/* YAML documents are read: libyaml's events become json_t values, whose places are noted. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <uthash.h>
#include <yaml.h>

#include "core/document_private.h"
#include "core/document_scalar.h"
#include "core/text.h"

#define UNFOLDED_LIMIT ((size_t)32 << 20)
/* About what a value takes beside its text. */
#define VALUE_COST 32
#define DEPTH_LIMIT 100

struct anchor {
	char *name;
	json_t *value; /* borrowed from the document */
	UT_hash_handle hh;
};

/* A mapping or sequence that is being read. */
struct frame {
	json_t *container; /* borrowed from the document */
	char *key;         /* read, and waiting for its value */
	struct document_position key_position;
	bool drops; /* the key is at fault: so is its value */
};

struct reader {
	yaml_parser_t yaml;
	const char *text;
	size_t size;
	struct document *document;      /* that is being read */
	struct document_stream *stream; /* those before it; NULL: one document is expected */
	struct faults *faults;
	struct anchor *anchors;
	struct frame frames[DEPTH_LIMIT];
	size_t depth, unfolded;
	bool ended;
};

static struct document_position position_of(yaml_mark_t mark)
{
	return (struct document_position){ (int)mark.line + 1, (int)mark.column + 1 };
}

/* False ends the reading: what follows could only be guessed. */
#define FATAL(reader, ...) (faults_add((reader)->faults, (reader)->document, __VA_ARGS__), false)

static struct frame *top(struct reader *reader)
{
	return reader->depth ? &reader->frames[reader->depth - 1] : NULL;
}

static bool expects_key(struct reader *reader)
{
	const struct frame *frame = top(reader);

	return frame && json_is_object(frame->container) && !frame->key;
}

/* A bound on what aliases unfold to. */
static bool pay(struct reader *reader, struct document_position position, size_t size)
{
	reader->unfolded += size + VALUE_COST;
	if (reader->unfolded > UNFOLDED_LIMIT)
		return FATAL(reader, position,
		             "the document is too large: its values take more than %zu MiB",
		             UNFOLDED_LIMIT >> 20);
	return true;
}

/* `value` (owned) becomes the next value of what is being read. */
static void place_value(struct reader *reader, json_t *value, struct document_position position)
{
	struct document *document = reader->document;
	struct frame *frame = top(reader);

	if (document_has_identity(value))
		document_remember(document, value, DOCUMENT_NO_INDEX, position);
	if (!frame) {
		document->root = value;
	} else if (json_is_array(frame->container)) {
		if (!document_has_identity(value))
			document_remember(document, frame->container,
			                  json_array_size(frame->container), position);
		json_array_append_new(frame->container, value);
	} else if (frame->drops) {
		json_array_append_new(document->dropped, value);
	} else {
		json_object_set_new_nocheck(frame->container, frame->key, value);
		document_remember(document, document_stored_key(frame->container, frame->key),
		                  DOCUMENT_NO_INDEX, frame->key_position);
	}
	if (frame)
		free(take(frame->key));
}

/* The value is at fault: its key, if any, is left out. */
static void skip_value(struct reader *reader)
{
	struct frame *frame = top(reader);

	if (frame)
		free(take(frame->key));
	else
		reader->document->root = json_null();
}

static void set_anchor(struct reader *reader, const yaml_char_t *name, json_t *value)
{
	struct anchor *anchor;

	if (!name)
		return;
	HASH_FIND_STR(reader->anchors, (const char *)name, anchor);
	if (!anchor) {
		anchor = xcalloc(1, sizeof(*anchor));
		anchor->name = xstrdup((const char *)name);
		HASH_ADD_KEYPTR(hh, reader->anchors, anchor->name, strlen(anchor->name), anchor);
	}
	anchor->value = value;
}

static void drop_anchors(struct reader *reader)
{
	struct anchor *anchor, *next;

	HASH_ITER (hh, reader->anchors, anchor, next) {
		HASH_DEL(reader->anchors, anchor);
		free(anchor->name);
		free(anchor);
	}
}

static const char *tag_name(const yaml_char_t *tag)
{
	return tag ? (const char *)tag : "";
}

/* Faults of tags do not end the reading. */
static void check_tag(struct reader *reader, const yaml_char_t *tag, const char *expected,
                      struct document_position position)
{
	if (tag && strcmp(tag_name(tag), "!") && strcmp(tag_name(tag), expected))
		faults_add(reader->faults, reader->document, position,
		           "the tag '%s' is not supported here; leave it out", tag_name(tag));
}

static void take_key(struct reader *reader, const yaml_event_t *event)
{
	struct document_position position = position_of(event->start_mark);
	const char *text = (const char *)event->data.scalar.value;
	struct frame *frame = top(reader);

	check_tag(reader, event->data.scalar.tag, YAML_STR_TAG, position);
	frame->key = xstrndup(text, event->data.scalar.length);
	frame->key_position = position;
	frame->drops = true;
	if (strlen(text) != event->data.scalar.length)
		faults_add(reader->faults, reader->document, position,
		           "a key with a NUL character");
	else if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && text_equal(text, "<<"))
		faults_add(reader->faults, reader->document, position,
		           "merge keys ('<<') are not supported; write the fields out");
	else if (json_object_get(frame->container, text))
		faults_add(reader->faults, reader->document, position,
		           "duplicate key '%s'; the first one is in line %d", text,
		           document_key_position(reader->document, frame->container, text).line);
	else
		frame->drops = false;
}

/* What the scalar's text means by its style and tag; NULL with *fault. */
static json_t *scalar_value(const yaml_event_t *event, const char **fault)
{
	const char *text = (const char *)event->data.scalar.value;
	const char *tag = tag_name(event->data.scalar.tag);
	static const char *const tags[] = {
		[JSON_STRING] = YAML_STR_TAG, [JSON_INTEGER] = YAML_INT_TAG,
		[JSON_REAL] = YAML_FLOAT_TAG, [JSON_TRUE] = YAML_BOOL_TAG,
		[JSON_FALSE] = YAML_BOOL_TAG, [JSON_NULL] = YAML_NULL_TAG,
	};
	json_t *value;

	*fault = "text with a NUL character";
	if (strlen(text) != event->data.scalar.length)
		return NULL;
	if (text_equal(tag, YAML_STR_TAG) || text_equal(tag, "!") ||
	    (!*tag && event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE))
		return json_string(text);
	value = document_scalar_resolve(text, fault);
	if (!value || !*tag || text_equal(tag, tags[json_typeof(value)]))
		return value;
	if (json_is_integer(value) && text_equal(tag, YAML_FLOAT_TAG)) {
		double number = (double)json_integer_value(value);

		json_decref(value);
		return json_real(number);
	}
	json_decref(value);
	*fault = "the tag is not supported, or does not fit its value; leave it out";
	return NULL;
}

static bool read_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct document_position position = position_of(event->start_mark);
	const char *fault;
	json_t *value;

	if (!pay(reader, position, event->data.scalar.length))
		return false;
	if (expects_key(reader)) {
		take_key(reader, event);
		return true;
	}
	value = scalar_value(event, &fault);
	if (!value) {
		faults_add(reader->faults, reader->document, position, "%s", fault);
		skip_value(reader);
		return true;
	}
	set_anchor(reader, event->data.scalar.anchor, value);
	place_value(reader, value, position);
	return true;
}

/* `container` (owned) becomes the innermost value that is being read. */
static bool open_container(struct reader *reader, json_t *container, const yaml_char_t *anchor,
                           struct document_position position)
{
	bool is_key = expects_key(reader), is_deep = reader->depth == DEPTH_LIMIT;

	if (is_key || is_deep) {
		json_decref(container);
		return FATAL(reader, position, "%s",
		             is_key ? "a key must be text, not a list or a mapping"
		                    : "the document is nested too deeply (more than 100 levels)");
	}
	set_anchor(reader, anchor, container);
	place_value(reader, container, position);
	reader->frames[reader->depth++] = (struct frame){ .container = container };
	return pay(reader, position, 0);
}

static bool read_sequence(struct reader *reader, const yaml_event_t *event)
{
	struct document_position position = position_of(event->start_mark);

	check_tag(reader, event->data.sequence_start.tag, YAML_SEQ_TAG, position);
	return open_container(reader, json_array(), event->data.sequence_start.anchor, position);
}

static bool read_mapping(struct reader *reader, const yaml_event_t *event)
{
	struct document_position position = position_of(event->start_mark);

	check_tag(reader, event->data.mapping_start.tag, YAML_MAP_TAG, position);
	return open_container(reader, json_object(), event->data.mapping_start.anchor, position);
}

static bool read_end(struct reader *reader, const yaml_event_t *event)
{
	(void)event;
	reader->depth--;
	return true;
}

static json_t *copy_value(struct reader *reader, const json_t *value, size_t depth,
                          struct document_position at);

static json_t *copy_array(struct reader *reader, const json_t *array, size_t depth,
                          struct document_position at)
{
	json_t *copy = json_array(), *item, *item_copy;
	size_t i;

	json_array_foreach (array, i, item) {
		item_copy = copy_value(reader, item, depth + 1, at);
		if (!item_copy)
			break;
		json_array_append_new(copy, item_copy);
		document_remember(reader->document, document_has_identity(item) ? item_copy : copy,
		                  document_has_identity(item) ? DOCUMENT_NO_INDEX : i,
		                  document_item_position(reader->document, array, i));
	}
	if (i == json_array_size(array))
		return copy;
	json_array_append_new(reader->document->dropped, copy);
	return NULL;
}

static json_t *copy_object(struct reader *reader, const json_t *object, size_t depth,
                           struct document_position at)
{
	json_t *copy = json_object(), *value, *value_copy;
	const char *key;

	json_object_foreach ((json_t *)object, key, value) {
		value_copy = copy_value(reader, value, depth + 1, at);
		if (!value_copy || !pay(reader, at, strlen(key))) {
			json_decref(value_copy);
			json_array_append_new(reader->document->dropped, copy);
			return NULL;
		}
		json_object_set_new_nocheck(copy, key, value_copy);
		document_remember(reader->document, document_stored_key(copy, key),
		                  DOCUMENT_NO_INDEX,
		                  document_key_position(reader->document, object, key));
		if (document_has_identity(value))
			document_remember(reader->document, value_copy, DOCUMENT_NO_INDEX,
			                  document_position(reader->document, value));
	}
	return copy;
}

/* A deep copy, whose inner values keep their places; NULL with a fault when it gets too large. */
static json_t *copy_value(struct reader *reader, const json_t *value, size_t depth,
                          struct document_position at)
{
	if (depth > DEPTH_LIMIT) {
		faults_add(reader->faults, reader->document, at,
		           "the alias makes the document too deep (more than 100 levels)");
		return NULL;
	}
	if (!pay(reader, at, json_is_string(value) ? json_string_length(value) : 0))
		return NULL;
	if (json_is_array(value))
		return copy_array(reader, value, depth, at);
	if (json_is_object(value))
		return copy_object(reader, value, depth, at);
	return json_deep_copy(value);
}

static bool is_open(const struct reader *reader, const json_t *container)
{
	size_t i;

	for (i = 0; i < reader->depth; i++)
		if (reader->frames[i].container == container)
			return true;
	return false;
}

static bool read_alias(struct reader *reader, const yaml_event_t *event)
{
	struct document_position position = position_of(event->start_mark);
	const char *name = (const char *)event->data.alias.anchor;
	struct anchor *anchor;
	json_t *copy;

	if (expects_key(reader))
		return FATAL(reader, position, "a key must be text, not the alias '*%s'", name);
	HASH_FIND_STR(reader->anchors, name, anchor);
	if (!anchor || is_open(reader, anchor->value)) {
		faults_add(reader->faults, reader->document, position,
		           anchor ? "the alias '*%s' stands within what it names"
		                  : "no anchor '&%s' stands before this alias",
		           name);
		skip_value(reader);
		return true;
	}
	copy = copy_value(reader, anchor->value, reader->depth + 1, position);
	if (!copy)
		return false;
	place_value(reader, copy, position);
	return true;
}

static struct document *new_document(const char *name)
{
	struct document *document = xcalloc(1, sizeof(*document));

	document->name = xstrdup(name);
	document->dropped = json_array();
	return document;
}

/* An anchor is known within its document only. */
static void next_document(struct reader *reader)
{
	struct document *next = new_document(reader->document->name);

	document_stream_take(reader->stream, reader->document);
	reader->document = next;
	reader->unfolded = 0;
	drop_anchors(reader);
}

static bool read_document_start(struct reader *reader, const yaml_event_t *event)
{
	struct document_position position = position_of(event->start_mark);

	if (!reader->document->root)
		return true;
	if (!reader->stream)
		return FATAL(reader, position, "a second document begins here; one is expected");
	next_document(reader);
	return true;
}

static bool read_stream_end(struct reader *reader, const yaml_event_t *event)
{
	(void)event;
	reader->ended = true;
	if (!reader->document->root)
		return FATAL(reader, (struct document_position){ 0 }, "the document is empty");
	return true;
}

/* libyaml counts the bytes where it found what it cannot decode. */
static struct document_position position_of_offset(const struct reader *reader, size_t offset)
{
	struct document_position position = { 1, 1 };
	size_t i;

	for (i = 0; i < offset && i < reader->size; i++) {
		if (reader->text[i] == '\n')
			position = (struct document_position){ position.line + 1, 1 };
		else if (((unsigned char)reader->text[i] & 0xc0) != 0x80)
			position.column++;
	}
	return position;
}

static char character_at(const struct reader *reader, yaml_mark_t mark)
{
	const char *line = reader->text, *end = reader->text + reader->size;
	size_t n;

	for (n = 0; n < mark.line && line; n++) {
		line = memchr(line, '\n', (size_t)(end - line));
		line = line ? line + 1 : NULL;
	}
	return line && mark.column < (size_t)(end - line) ? line[mark.column] : '\0';
}

static void add_syntax_fault(struct reader *reader)
{
	const yaml_parser_t *yaml = &reader->yaml;
	const char *problem = yaml->problem ? yaml->problem : "not YAML";
	scoped(text) char *context = NULL;

	if (yaml->error == YAML_READER_ERROR) {
		faults_add(reader->faults, reader->document,
		           position_of_offset(reader, yaml->problem_offset), "%s", problem);
		return;
	}
	if (character_at(reader, yaml->problem_mark) == '\t')
		problem = "a tab cannot indent YAML; use spaces";
	else if (yaml->context)
		context = text_printf(" (%s that begins in line %zu)", yaml->context,
		                      yaml->context_mark.line + 1);
	faults_add(reader->faults, reader->document, position_of(yaml->problem_mark), "%s%s",
	           problem, context ? context : "");
}

static bool read_event(struct reader *reader)
{
	static bool (*const readers[])(struct reader *, const yaml_event_t *) = {
		[YAML_STREAM_END_EVENT] = read_stream_end,
		[YAML_DOCUMENT_START_EVENT] = read_document_start,
		[YAML_ALIAS_EVENT] = read_alias,
		[YAML_SCALAR_EVENT] = read_scalar,
		[YAML_SEQUENCE_START_EVENT] = read_sequence,
		[YAML_SEQUENCE_END_EVENT] = read_end,
		[YAML_MAPPING_START_EVENT] = read_mapping,
		[YAML_MAPPING_END_EVENT] = read_end,
	};
	yaml_event_t event;
	bool is_good = true;

	if (!yaml_parser_parse(&reader->yaml, &event)) {
		add_syntax_fault(reader);
		return false;
	}
	assert(event.type < ARRAY_SIZE(readers));
	if (readers[event.type])
		is_good = readers[event.type](reader, &event);
	yaml_event_delete(&event);
	return is_good;
}

static bool read_events(struct reader *reader)
{
	bool is_good = true;
	size_t i;

	if (!yaml_parser_initialize(&reader->yaml))
		abort();
	yaml_parser_set_encoding(&reader->yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->yaml, (const unsigned char *)reader->text,
	                             reader->size);
	while (is_good && !reader->ended)
		is_good = read_event(reader);
	yaml_parser_delete(&reader->yaml);
	drop_anchors(reader);
	for (i = 0; i < reader->depth; i++)
		free(reader->frames[i].key);
	return is_good;
}

static bool check_size(const struct reader *reader, size_t limit)
{
	if (reader->size <= limit)
		return true;
	return FATAL(reader, (struct document_position){ 0 },
	             "the document is too large: more than %zu MiB", limit >> 20);
}

struct document *document_parse_faults(const char *name, const char *text, size_t size,
                                       struct faults *faults)
{
	scoped(document) struct document *document = new_document(name);
	struct reader reader = {
		.text = text, .size = size, .document = document, .faults = faults
	};

	if (!check_size(&reader, DOCUMENT_INPUT_LIMIT) || !read_events(&reader))
		return NULL;
	return take(document);
}

void document_stream_read_events(struct document_stream *stream, const char *name, const char *text,
                                 size_t size, struct faults *faults)
{
	struct reader reader = { .text = text,
		                 .size = size,
		                 .document = new_document(name),
		                 .stream = stream,
		                 .faults = faults };

	if (check_size(&reader, DOCUMENT_STREAM_LIMIT))
		read_events(&reader);
	document_stream_take(stream, reader.document);
}
