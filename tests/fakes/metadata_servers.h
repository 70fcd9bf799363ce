/* SPDX-License-Identifier: Apache-2.0 */
/* The database servers of tests/servers/databases.sh as backends of metadata stores. */
#ifndef TESTS_FAKES_METADATA_SERVERS_H
#define TESTS_FAKES_METADATA_SERVERS_H

#include <sys/types.h>

#include "tests/fakes/metadata_suite.h"

/* Each in turn: it becomes the backend of metadata_suite.h, with a database of its own for each
 * test. Returns how many tests failed; says which servers there are none of. */
int metadata_servers_run(int (*run)(const struct metadata_backend *backend));

/* Of the present server, as databases.sh gives it: "HOST", "CA", …; NULL: there is none. */
const char *metadata_server_setting(const char *name);
bool metadata_server_is(const char *flavor);

/*
 * The secrets manager of the fixtures: "owner" (who makes the databases), "limited", "admin", and
 * "wrong", whose password is. Options: for one of them and one of the server's databases.
 */
json_t *metadata_server_options(const char *database, const char *user);
/* One statement as the administrator, not in the database of the fixture. */
void metadata_server_administrate(struct metadata_fixture *fixture, const char *sql);

/* From now on the fixture's store is connected to by its Unix socket: children that did not exec()
 * lack the threads that look up names. */
void metadata_server_use_socket(struct metadata_fixture *fixture);

/* "kill", "start", "restart", "pause" or "resume" by databases.sh; the first waits for its end. */
void metadata_server_control(const char *verb);
/* To be given to waitpid(). */
pid_t metadata_server_control_later(const char *verb, int64_t pause_ms);

#endif
