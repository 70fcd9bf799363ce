/* SPDX-License-Identifier: Apache-2.0 */
/* YAML and JSON documents as json_t, with the place in the file of every value. */
#ifndef CORE_DOCUMENT_H
#define CORE_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/error.h"

struct document;

struct document_position {
	int line, column; /* 1-based; 0: unknown */
};

struct faults;

/*
 * Parses one YAML document (JSON is a subset, but for "\\ud83d\\ude00" pairs of escapes) with
 * libyaml. Plain scalars become null, bool, integer, real or string by the core schema of YAML 1.2:
 * yes, no, on and off are text. Anchors and aliases are resolved: each use is a copy of its own.
 * INVALID, all at once and each as "name:line:column: ...": duplicate keys, keys that are lists or
 * mappings (scalars are taken by their text), merge keys ("<<"), tags but those of the schema,
 * integers beyond 64 bits, numbers with leading zeros (octal or decimal? nobody knows), infinite
 * ones, NUL characters, several documents, none, nesting above 100, more than 4 MiB of input or
 * 32 MiB of what it unfolds to (a "billion laughs").
 * `name` is used in messages and is copied.
 */
struct document *document_parse(const char *name, const char *text, size_t size,
                                struct error **err);
/*
 * The same for callers with more to say about the document: faults are added to `faults`. NULL
 * only when it could not be read to its end; otherwise a document, without what was at fault.
 */
struct document *document_parse_faults(const char *name, const char *text, size_t size,
                                       struct faults *faults);
/* Reads the file; NOT_FOUND when it does not exist. */
struct document *document_read(const char *path, struct error **err);
void document_free(struct document *document);
DEFINE_CLEANUP(document);

/*
 * All documents of a file, in order; "---" stands between them. Each has its own anchors, places
 * (lines count from the beginning of the file) and limit of what it unfolds to; together they are
 * 64 MiB at most. Empty ones are left out; NULL when nothing is left. The faults of all are told
 * at once.
 */
struct document_stream {
	struct document **documents;
	size_t count;
};
struct document_stream *document_stream_parse(const char *name, const char *text, size_t size,
                                              struct error **err);
/* The path "-" is the standard input. */
struct document_stream *document_stream_read(const char *path, struct error **err);
void document_stream_free(struct document_stream *stream);
DEFINE_CLEANUP(document_stream);

const char *document_name(const struct document *document);
/* Borrowed; lives as long as the document. Objects keep the order of the file. */
json_t *document_root(const struct document *document);

/*
 * Where `value` (a value within the document, by identity) begins. Scalars are not shared
 * between places: every value of a document is its own json_t (true, false and null too are
 * found by the key or index they stand at, see below).
 */
struct document_position document_position(const struct document *document, const json_t *value);
/* Where the key `key` of `object`, or item `index` of `array`, stands. */
struct document_position document_key_position(const struct document *document,
                                               const json_t *object, const char *key);
struct document_position document_item_position(const struct document *document,
                                                const json_t *array, size_t index);

/*
 * `copy` was made of `value`, a value within the document: from now on its parts stand where those
 * of `value` do; what `value` has not stands where the part around it does. Parts may be shared by
 * both. `copy` must live as long as the document is asked.
 */
void document_copy_places(struct document *document, const json_t *value, const json_t *copy);

/*
 * All faults of a document, shown at once: "pipeline.yaml:7:3: unknown field 'inptus'; did you mean
 * 'inputs'?". `document` may be NULL (what is wrong stands in no file).
 */
struct faults *faults_new(void);
void faults_free(struct faults *faults);
DEFINE_CLEANUP(faults);
void faults_add(struct faults *faults, const struct document *document,
                struct document_position position, const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));
size_t faults_count(const struct faults *faults);
/* No faults: true. Otherwise INVALID with all of them (a hundred at most), one per line, by place.
 */
bool faults_check(const struct faults *faults, struct error **err);

/*
 * Writes `value` as block-style YAML that document_parse reads back as the same value (and that
 * readers of YAML 1.1 take for the same, too); text of several lines becomes a literal block.
 * False when writing failed.
 */
bool document_write_yaml(const json_t *value, FILE *out);
/* Replaces the file at `path` in one step: temporary file with `mode`, fsync, rename. */
bool document_save_yaml(const json_t *value, const char *path, unsigned mode, struct error **err);

#endif
