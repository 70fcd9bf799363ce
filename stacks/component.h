/* SPDX-License-Identifier: Apache-2.0 */
/* Registered components: named configurations of flavors, kept as YAML files below .stepop/. */
#ifndef STACKS_COMPONENT_H
#define STACKS_COMPONENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

enum component_type {
	COMPONENT_ORCHESTRATOR,
	COMPONENT_STEP_OPERATOR,
	COMPONENT_ARTIFACT_STORE,
	COMPONENT_CONTAINER_REGISTRY,
	COMPONENT_SECRETS_MANAGER,
	COMPONENT_METADATA_STORE,
	COMPONENT_TYPE_COUNT,
};
/* "step-operator": the noun of the command line and the folder's name. */
const char *component_type_name(enum component_type type);
/* "step operator": as messages say it. */
const char *component_type_label(enum component_type type);
bool component_type_find(const char *name, enum component_type *type);

enum option_kind {
	OPTION_TEXT,
	OPTION_BOOL,
	OPTION_INTEGER,
	OPTION_DURATION, /* "10m" */
	OPTION_JSON,     /* a mapping: submit_kwargs */
};

/* One option of a flavor. Names are snake case; `--service-account` and `--service_account` are the
 * same. */
struct component_option {
	const char *name;
	enum option_kind kind;
	bool required;
	const char *help; /* one line */
	/* Optional: INVALID with what is wrong and how it should look. Of OPTION_JSON it is given
	 * the key of each entry that refers to a secret. */
	bool (*check)(const char *value, struct error **err);
};

struct component_alias {
	const char *alias, *option;
};

/* What a flavor is to the configuration; how it works is its interface's matter. */
struct component_flavor {
	enum component_type type;
	const char *name;                       /* "spark-kubernetes" */
	const char *help;                       /* one line */
	const struct component_option *options; /* ends with a NULL name */
	/* Other names that are understood; files keep the options' own. Ends with a NULL; or NULL.
	 */
	const struct component_alias *aliases;
	/* Options whose values others can read, in pods, arguments or ConfigMaps: they cannot refer
	 * to secrets. Ends with a NULL; or NULL. */
	const char *const *shown;
};

/* All flavors of the program, NULL at the end; higher layers contribute theirs
 * (operator/catalog.c). */
struct catalog {
	const struct component_flavor *const *flavors;
};
const struct component_flavor *catalog_find(const struct catalog *catalog, enum component_type type,
                                            const char *name);
/* By flavor name alone, for `stepop register --flavor F`; INVALID when it is unknown (suggests) or
 * of several types (names them). */
const struct component_flavor *catalog_find_any(const struct catalog *catalog, const char *name,
                                                struct error **err);

struct component {
	enum component_type type;
	char *name;
	char *flavor;
	json_t *options; /* option name -> string, boolean, integer or object; owned */
};
void component_free(struct component *component);                    /* wipes the options */
struct component *component_copy(const struct component *component); /* owned by the caller */
DEFINE_CLEANUP(component);

/* Borrowed; `fallback` when the option is unset. Each is for options of its kind. */
const char *component_text(const struct component *component, const char *option,
                           const char *fallback);
bool component_bool(const struct component *component, const char *option, bool fallback);
int64_t component_integer(const struct component *component, const char *option, int64_t fallback);
int64_t component_duration_ms(const struct component *component, const char *option,
                              int64_t fallback_ms);

/*
 * The project folder. `stepop init` makes .stepop/ with stack 'default'; other commands find it in
 * the current folder or above it (as git does), $STEPOP_HOME wins.
 */
struct project;
/* `start` NULL: the current folder. NOT_FOUND: "not in a stepop project; run 'stepop init' …" */
struct project *project_open(const char *start, struct error **err);
/* `folder` NULL: $STEPOP_HOME, else the current one. Safe to repeat: completes what is missing,
 * keeps what is there. `*created` (may be NULL): something was made. */
struct project *project_init(const char *folder, bool *created, struct error **err);
void project_free(struct project *project);
DEFINE_CLEANUP(project);
const char *project_folder(const struct project *project); /* …/.stepop, absolute; borrowed */

/*
 * Components are files .stepop/components/<type>/<name>.yaml. Names: letters, digits, '_', '-', at
 * most 63, beginning with a letter. All faults of a file or a command line at once; unknown
 * options suggest the nearest. CONFLICT: the name is taken. No value of a secret is ever stored:
 * options hold references.
 */
bool component_register(struct project *project, const struct catalog *catalog,
                        const struct component *component, struct error **err);
/* Merges `options` over the stored ones (null removes one). */
bool component_update(struct project *project, const struct catalog *catalog,
                      enum component_type type, const char *name, const json_t *options,
                      struct error **err);
struct component *component_load(const struct project *project, const struct catalog *catalog,
                                 enum component_type type, const char *name, struct error **err);
/* CONFLICT while a stack uses it (names the stacks). */
bool component_delete(struct project *project, enum component_type type, const char *name,
                      struct error **err);
/* Sorted array of names. */
json_t *component_names(const struct project *project, enum component_type type,
                        struct error **err);

/* INVALID unless `name` is fit for a component, a stack or a secret (`what` says which). */
bool component_name_check(const char *what, const char *name, struct error **err);

/* For options that are the URL of a server: http:// or https://, a host, no user. INVALID. */
bool component_url_check(const char *value, struct error **err);

enum component_options_parse_flags {
	COMPONENT_OPTIONS_PARTIAL = 1, /* for an update: required ones may be missing */
};
/* Values of the command line (strings; arrays of strings where an option was repeated) to typed
 * options, checked against the flavor; all faults at once. */
json_t *component_options_parse(const struct component_flavor *flavor, const json_t *texts,
                                unsigned flags, struct error **err);

#endif
