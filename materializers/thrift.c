/* SPDX-License-Identifier: Apache-2.0 */
/* Thrift's compact protocol: variable-length integers, field numbers as differences. */
#include "materializers/thrift.h"

enum { DEPTH_MAX = 64 };

static void skip_value(struct thrift *in, int type);

struct thrift thrift_on(const void *bytes, size_t size)
{
	const unsigned char *start = bytes;

	return (struct thrift){ .at = start, .end = start + size };
}

/* Nothing is left to read: whatever reads on ends at once. */
static uint64_t fail(struct thrift *in)
{
	in->failed = true;
	in->at = in->end;
	return 0;
}

static size_t left(const struct thrift *in)
{
	return (size_t)(in->end - in->at);
}

static unsigned read_byte(struct thrift *in)
{
	return in->at < in->end ? *in->at++ : (unsigned)fail(in);
}

static uint64_t read_varint(struct thrift *in)
{
	uint64_t value = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		unsigned byte = read_byte(in);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return in->failed ? 0 : value;
	}
	return fail(in);
}

static int64_t read_zigzag(struct thrift *in)
{
	uint64_t value = read_varint(in);

	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static void skip_bytes(struct thrift *in, uint64_t count)
{
	if (count > left(in))
		fail(in);
	else
		in->at += count;
}

void thrift_begin(struct thrift *in, struct thrift_field *field)
{
	*field = (struct thrift_field){ 0 };
	if (++in->depth > DEPTH_MAX)
		fail(in);
}

bool thrift_next(struct thrift *in, struct thrift_field *field)
{
	unsigned head = read_byte(in);
	int64_t id;

	field->type = (enum thrift_type)(head & 0x0f);
	if (field->type == THRIFT_STOP) {
		in->depth--;
		return false;
	}
	id = head >> 4 ? field->id + (int64_t)(head >> 4) : read_zigzag(in);
	if (in->failed || field->type > THRIFT_STRUCT || id < INT16_MIN || id > INT16_MAX) {
		fail(in);
		return false;
	}
	field->id = (int)id;
	return true;
}

bool thrift_bool(struct thrift *in, const struct thrift_field *field)
{
	if (field->type != THRIFT_TRUE)
		thrift_skip(in, field);
	return field->type == THRIFT_TRUE;
}

int64_t thrift_integer(struct thrift *in, const struct thrift_field *field)
{
	if (field->type == THRIFT_BYTE)
		return (signed char)read_byte(in);
	if (field->type >= THRIFT_I16 && field->type <= THRIFT_I64)
		return read_zigzag(in);
	thrift_skip(in, field);
	return 0;
}

const char *thrift_binary(struct thrift *in, const struct thrift_field *field, size_t *size)
{
	const unsigned char *start;
	uint64_t count;

	*size = 0;
	if (field->type != THRIFT_BINARY) {
		thrift_skip(in, field);
		return "";
	}
	count = read_varint(in);
	start = in->at;
	skip_bytes(in, count);
	if (in->failed)
		return "";
	*size = (size_t)count;
	return (const char *)start;
}

static size_t read_list_head(struct thrift *in, int *type)
{
	unsigned head = read_byte(in);
	uint64_t count = head >> 4;

	*type = (int)(head & 0x0f);
	if (count == 15)
		count = read_varint(in);
	/* Each element takes a byte at least: no short input can ask for a long loop. */
	if (in->failed || count > left(in))
		return (size_t)fail(in);
	return (size_t)count;
}

static void skip_elements(struct thrift *in, int type, size_t count)
{
	if (++in->depth > DEPTH_MAX)
		fail(in);
	for (size_t i = 0; i < count && !in->failed; i++) {
		/* In a list, unlike in a field, a boolean is a byte of its own. */
		if (type == THRIFT_TRUE || type == THRIFT_FALSE)
			skip_bytes(in, 1);
		else
			skip_value(in, type);
	}
	in->depth--;
}

size_t thrift_structs(struct thrift *in, const struct thrift_field *field)
{
	int type;
	size_t count;

	if (field->type != THRIFT_LIST) {
		thrift_skip(in, field);
		return 0;
	}
	count = read_list_head(in, &type);
	if (type == THRIFT_STRUCT)
		return count;
	skip_elements(in, type, count);
	return 0;
}

static void skip_map(struct thrift *in)
{
	uint64_t count = read_varint(in);
	unsigned types = count ? read_byte(in) : 0;

	if (count > left(in))
		fail(in);
	for (uint64_t i = 0; i < count && !in->failed; i++) {
		skip_elements(in, (int)(types >> 4), 1);
		skip_elements(in, (int)(types & 0x0f), 1);
	}
}

static void skip_struct(struct thrift *in)
{
	struct thrift_field field;

	thrift_begin(in, &field);
	while (thrift_next(in, &field))
		thrift_skip(in, &field);
}

static void skip_value(struct thrift *in, int type)
{
	int element;
	size_t count;

	switch (type) {
	case THRIFT_TRUE:
	case THRIFT_FALSE:
		break;
	case THRIFT_BYTE:
		skip_bytes(in, 1);
		break;
	case THRIFT_I16:
	case THRIFT_I32:
	case THRIFT_I64:
		read_varint(in);
		break;
	case THRIFT_DOUBLE:
		skip_bytes(in, 8);
		break;
	case THRIFT_BINARY:
		skip_bytes(in, read_varint(in));
		break;
	case THRIFT_LIST:
	case THRIFT_SET:
		count = read_list_head(in, &element);
		skip_elements(in, element, count);
		break;
	case THRIFT_MAP:
		skip_map(in);
		break;
	case THRIFT_STRUCT:
		skip_struct(in);
		break;
	default:
		fail(in);
	}
}

void thrift_skip(struct thrift *in, const struct thrift_field *field)
{
	skip_value(in, field->type);
}
