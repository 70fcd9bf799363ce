/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of reading a pipeline file share; for operator/pipeline*.c only. */
#ifndef OPERATOR_PIPELINE_LOAD_H
#define OPERATOR_PIPELINE_LOAD_H

#include "core/check.h"
#include "operator/pipeline.h"
#include "operator/pipeline_source.h"

struct source_cache; /* Python files, each read once */

struct loader {
	struct check check;
	struct document *document;
	const char *const *types;
	struct source_cache *sources;
	json_t *scope;    /* of expressions */
	json_t *resolved; /* the document's root with expressions resolved; has places too */
	struct pipeline *pipeline;
};

/* The pipeline's parameters with the overrides, and the scope of expressions. */
void pipeline_load_parameters(struct loader *loader, const json_t *overrides);
/* Fills `resolved`. */
void pipeline_load_resolve(struct loader *loader);

/* All of one step but its references to others. */
void pipeline_step_read(struct loader *loader, struct step *step, const char *name,
                        const json_t *value);
void pipeline_step_release(struct step *step);
/* A step's source: the function and what it is given. */
void pipeline_step_read_source(struct loader *loader, struct step *step, const json_t *value);
void pipeline_sources_free(struct source_cache *sources);

/* References between steps: inputs, `after`, cycles. */
void pipeline_link(struct loader *loader);

/* A new object: `over` laid over `under`, mapping by mapping. Either may be NULL. */
json_t *pipeline_settings_merge(const json_t *under, const json_t *over);
/* Text, numbers and booleans as text; owned by the caller. */
char *pipeline_scalar_text(const json_t *value);

#define LOADER_FAULT(loader, ...) \
	faults_add((loader)->check.faults, (loader)->document, __VA_ARGS__)

#endif
