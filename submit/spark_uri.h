/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of files as Spark reads them: lists between commas, local paths, patterns, fragments. */
#ifndef SUBMIT_SPARK_URI_H
#define SUBMIT_SPARK_URI_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"

/* Whether it names a file of this machine: a path, or a file: URI. local: is the image's. */
bool spark_uri_is_local(const char *uri);
/* "#name" at its end, under which Spark links or unpacks the file; borrowed, "" where none is. */
const char *spark_uri_fragment(const char *uri);
/* What follows the last '/', without the fragment; owned by the caller. */
char *spark_uri_base_name(const char *uri);

/* Utils.resolveURI: a bare path becomes an absolute "file:///…", without links and ".." where it
 * has no fragment; what has a scheme stays as it is. Owned by the caller. */
char *spark_uri_resolve(const char *path);
/* The "file:///…" of an absolute path; owned by the caller. */
char *spark_uri_from_path(const char *path);
/* The path of a local URI, decoded and without its fragment; owned by the caller. */
char *spark_uri_path(const char *uri);

/* The list that spark_conf_split() would part again; owned by the caller. */
char *spark_uri_join(const json_t *uris);

/*
 * DependencyUtils.resolveGlobPaths: each URI of the list resolved, local patterns (* ? [] {})
 * replaced by the files that match, in the order of their names. Patterns of other file systems are
 * left to the driver, which expands them, too. An array, owned by the caller. NOT_FOUND when
 * nothing matches; INVALID when several do and the pattern has a fragment.
 */
json_t *spark_uri_expand(const char *list, struct error **err);

#endif
