/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of metadata stores, the same for every database behind them. */
#ifndef TESTS_FAKES_METADATA_SUITE_H
#define TESTS_FAKES_METADATA_SUITE_H

#include "stacks/metadata.h"
#include "stacks/metadata_schema.h"
#include "stacks/sql_database.h"

/* What every test starts from: a database that nobody has used yet. */
struct metadata_fixture {
	struct component component;
	struct secret_store *secrets; /* borrowed, or NULL */
	char *folder;                 /* of this test alone */
};
struct metadata_backend {
	const char *flavor;
	/* Gives the component its options, and `secrets`; `drop` takes the database away. */
	void (*make)(struct metadata_fixture *fixture);
	void (*drop)(struct metadata_fixture *fixture); /* or NULL */
	bool has_schema_at_first; /* whoever makes the database gives it its schema, too */
};

/* Runs all of them; how many failed. */
int metadata_suite_run(const struct metadata_backend *backend);

/* For tests of one backend: cmocka's setup and teardown, `*state` is a struct metadata_fixture. */
void metadata_suite_choose(const struct metadata_backend *backend);
int metadata_suite_setup(void **state);
int metadata_suite_teardown(void **state);

/* Eight processes open the store at the same time. */
void metadata_suite_open_in_company(struct metadata_fixture *fixture);
struct metadata_store *metadata_suite_open(struct metadata_fixture *fixture);
/* One statement, behind the store's back. */
void metadata_suite_execute(struct metadata_fixture *fixture, const char *sql);

void metadata_suite_transact(struct metadata_fixture *fixture, sql_body *body, void *context);

/* A run with one step, "s". */
void metadata_suite_create_run(struct metadata_store *store, const char *id, const char *name,
                               struct lease *lease);
struct run_row metadata_suite_run_row(const char *id, const char *name);
struct step_row metadata_suite_step_row(const char *run_id, const char *name, int64_t position);

#endif
