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

/*
 * Parses one YAML 1.1 document (JSON is a subset) with libyaml. Plain scalars become null, bool
 * (true/false/yes/no/on/off are NOT all taken: only true and false), integer, real or string by
 * the core schema of YAML 1.2; anchors and aliases are resolved within a bound (a "billion
 * laughs" is refused); duplicate keys, several documents, non-string keys (scalars are taken by
 * their text), nesting above 100 and input above 4 MiB are INVALID with "name:line:column: …".
 * `name` is used in messages and is copied.
 */
struct document *document_parse(const char *name, const char *text, size_t size,
                                struct error **err);
/* Reads the file; NOT_FOUND when it does not exist. */
struct document *document_read(const char *path, struct error **err);
void document_free(struct document *document);
DEFINE_CLEANUP(document);

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

/* All faults of a document, shown at once: "pipeline.yaml:7:3: unknown field 'inptus'; did you mean
 * 'inputs'?" */
struct faults;
struct faults *faults_new(void);
void faults_free(struct faults *faults);
DEFINE_CLEANUP(faults);
void faults_add(struct faults *faults, const struct document *document,
                struct document_position position, const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));
size_t faults_count(const struct faults *faults);
/* No faults: true. Otherwise INVALID with all of them, one per line, sorted by line and column. */
bool faults_check(const struct faults *faults, struct error **err);

/* Writes `value` as block-style YAML; strings that would be read back as something else are quoted.
 */
bool document_write_yaml(const json_t *value, FILE *out);
/* Replaces the file at `path` in one step: temporary file with `mode`, fsync, rename. */
bool document_save_yaml(const json_t *value, const char *path, unsigned mode, struct error **err);

#endif
