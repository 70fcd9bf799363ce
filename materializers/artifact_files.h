/* SPDX-License-Identifier: Apache-2.0 */
/* The files that an artifact consists of: what materializers have in common. */
#ifndef MATERIALIZERS_ARTIFACT_FILES_H
#define MATERIALIZERS_ARTIFACT_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "stacks/artifact.h"

struct artifact_files {
	struct artifact_entry *entries; /* in order of names, relative to the artifact's URI */
	size_t count;
};
void artifact_files_release(struct artifact_files *files);

/* NOT_FOUND when there is none. */
bool artifact_files_read(struct artifact_store *store, const char *uri,
                         struct artifact_files *files, struct error **err);
/* Leaves out what Hadoop's file systems put beside the data: names in '_' or '.' anywhere. */
void artifact_files_drop_hidden(struct artifact_files *files);

/* NULL when there is no such file. Borrowed. */
const struct artifact_entry *artifact_files_find(const struct artifact_files *files,
                                                 const char *name);
int64_t artifact_files_size(const struct artifact_files *files);
/* {"size_bytes", "files"} */
json_t *artifact_files_metadata(const struct artifact_files *files);

/*
 * SHA-256 over names, sizes and ETags, or contents where the store has no ETags. Of the random
 * part that Spark gives to each job's file names nothing is kept: the same bytes shall give the
 * same digest.
 */
char *artifact_files_digest(struct artifact_store *store, const char *uri,
                            const struct artifact_files *files, struct error **err);

/* The digest hook of most materializers: all files, and all but hidden ones. */
char *artifact_digest(struct artifact_store *store, const char *uri, struct error **err);
char *artifact_digest_of_data(struct artifact_store *store, const char *uri, struct error **err);

#endif
