/* SPDX-License-Identifier: Apache-2.0 */
/* What commands read of the metadata store, and how its rows look in JSON. */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include <jansson.h>

#include "cli/command.h"
#include "stacks/metadata.h"
#include "stacks/metadata_schema.h"
#include "stacks/secret.h"

/* The metadata store of --stack, or of the active stack. The caller owns it. */
struct metadata_store *records_open(const struct arguments *arguments, struct error **err);
/* How a store is opened: metadata_store_open() or metadata_store_look(). */
typedef struct metadata_store *records_opener(const struct project *project,
                                              const struct component *component,
                                              struct secret_store *secrets, struct error **err);
/* That of a component; `vault` is the secrets manager that its secrets are in, or NULL. */
struct metadata_store *records_open_component(const struct project *project,
                                              const struct component *component,
                                              const struct component *vault, records_opener *opener,
                                              struct error **err);

/*
 * A row as an object, keys as the columns are called: times as RFC 3339 (not yet: null), JSON
 * columns as what they hold, "duration_ms" where there is a start and an end (or, while it goes
 * on, now). `run_id` is left out.
 */
json_t *record_json(const struct metadata_table *table, const void *row);
/* The same for an array of rows, which is freed. */
json_t *records_take_json(const struct metadata_table *table, void *rows, size_t count);

#endif
