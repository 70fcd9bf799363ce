/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite as a driver: one file in WAL mode, shared by the processes of one machine. */
#ifndef STACKS_SQLITE_DATABASE_H
#define STACKS_SQLITE_DATABASE_H

#include "stacks/sql_database.h"

/*
 * The file at `path`, which is made (for its owner alone) when there is none; `prepare` gives the
 * new one its schema before anybody else can see it. Several processes may do this at once.
 * `prepare` NULL: NOT_FOUND when there is none.
 */
struct sql_database *sqlite_database_new(const char *path, sql_body *prepare, struct error **err);

#endif
