/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Thrift's compact protocol from memory that nobody vouches for. */
#ifndef MATERIALIZERS_THRIFT_H
#define MATERIALIZERS_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum thrift_type {
	THRIFT_STOP = 0,
	THRIFT_TRUE = 1, /* a boolean field's value is its type */
	THRIFT_FALSE = 2,
	THRIFT_BYTE = 3,
	THRIFT_I16 = 4,
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_DOUBLE = 7,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_SET = 10,
	THRIFT_MAP = 11,
	THRIFT_STRUCT = 12,
};

/*
 * A place in the input. After a fault `failed` stays set, and every read gives 0, an empty text
 * or the end of a structure: loops end, and callers need to look at `failed` only once.
 */
struct thrift {
	const unsigned char *at, *end; /* borrowed */
	int depth;                     /* structures that are open */
	bool failed;
};

/* Filled in by thrift_begin() and thrift_next(). */
struct thrift_field {
	int id;
	enum thrift_type type;
};

struct thrift thrift_on(const void *bytes, size_t size);

/* while (thrift_next(in, &field)) { read exactly one value of field.type, or thrift_skip() }.
 * Structures nest 64 deep at most. */
void thrift_begin(struct thrift *in, struct thrift_field *field);
bool thrift_next(struct thrift *in, struct thrift_field *field);

/* A value of the field; one of another type is skipped and gives the fallback: Thrift's own rule
 * for fields whose type has changed. */
bool thrift_bool(struct thrift *in, const struct thrift_field *field);
int64_t thrift_integer(struct thrift *in, const struct thrift_field *field);
/* Borrowed from the input. */
const char *thrift_binary(struct thrift *in, const struct thrift_field *field, size_t *size);
/* How many structures follow; 0 for a list of anything else, which is skipped. At most as many as
 * bytes are left. */
size_t thrift_structs(struct thrift *in, const struct thrift_field *field);
void thrift_skip(struct thrift *in, const struct thrift_field *field);

#endif
