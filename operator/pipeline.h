/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline file: parsed and checked as a whole, turned into steps with everything resolved. */
#ifndef OPERATOR_PIPELINE_H
#define OPERATOR_PIPELINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/document.h"
#include "core/error.h"

/* An input is another step's output. */
struct step_input {
	char *name;
	char *source_step, *source_output;
	size_t source; /* index of the step */
};

struct step_output {
	char *name;
	char *type; /* materializer: "spark.dataframe" */
};

/* A file or URI that the step reads: staged into the artifact store, given to the function by this
 * name. */
struct step_file {
	char *name;
	char *path; /* absolute, or a URI (s3://, s3a://, https:// …), after expressions */
};

struct step {
	char *name;
	/* source: "steps.py:importer" … */
	char *file;     /* relative to the pipeline's folder; NULL for main: */
	char *function; /* NULL for main: */
	/* The function has a parameter named "spark"; true as well where that cannot be told by
	 * reading (it is imported or assigned). */
	bool wants_spark;
	/* … or {main: local:///app.jar, class: org.x.Main, args: […]} */
	char *main, *main_class;
	json_t *args;       /* array of strings; or NULL */
	char *operator;     /* name of a step operator component; NULL: the stack's */
	json_t *parameters; /* object, expressions resolved */
	struct step_input *inputs;
	size_t input_count;
	struct step_output *outputs;
	size_t output_count;
	struct step_file *files;
	size_t file_count;
	size_t *after; /* indexes of the steps that `after:` names */
	size_t after_count;
	/* The step's settings merged over the pipeline's, deeply and `conf` by key; expressions
	 * resolved: {"resources": {"cpu", "memory", "gpu"}, "spark": {"driver": {"cores",
	 * "memory", "memory_overhead"}, "executor": {the same and "instances"}, "conf":
	 * {...}}, "environment": {NAME: text}, "start_timeout": "10m",
	 * "image": {"build", "requirements", "files", "platform"}}; never NULL. Amounts are as
	 * written; null in `conf` unsets a property. */
	json_t *settings;
};

struct pipeline {
	char *name;
	char *path;         /* absolute path of the file */
	char *folder;       /* its folder */
	json_t *parameters; /* with the overrides of -p */
	struct step *steps; /* in the order of the file */
	size_t step_count;
};

/*
 * Checks everything that can be known without a stack: fields, types, names (letters, digits, '_',
 * '-'; at most 63), sources (the file exists; the function is defined in it, with parameters that
 * take what it is given, as far as reading can tell), references, output and input names valid
 * Python identifiers, parameters/inputs/files of a step disjoint, materializer types known
 * (`types`, NULL-terminated; NULL: any), cycles (graph.h), expressions, quantities, plain paths of
 * files. INVALID lists all faults, each with file:line:column. `overrides` (an object, or NULL): -p
 * key=value; text becomes text where the default is text, else it is read as YAML or JSON; an
 * undeclared key is a fault that suggests, as is a value of another type than the default's.
 * retry, timeout, when, cache: refused as not supported yet.
 * Expressions are resolved in settings, and in a step's source mapping, operator, parameters, files
 * and settings: ${{ parameters.NAME }} and ${{ pipeline.name }}.
 */
struct pipeline *pipeline_load(const char *path, const json_t *overrides, const char *const *types,
                               struct error **err);
/* The same with the text at hand; `path` names it, and its folder is where files are looked for. */
struct pipeline *pipeline_parse(const char *path, const char *text, size_t size,
                                const json_t *overrides, const char *const *types,
                                struct error **err);
void pipeline_free(struct pipeline *pipeline);
DEFINE_CLEANUP(pipeline);

#endif
