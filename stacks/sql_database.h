/* SPDX-License-Identifier: Apache-2.0 */
/* One SQL database behind a driver: connecting, transactions that are repeated, statements. */
#ifndef STACKS_SQL_DATABASE_H
#define STACKS_SQL_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct sql_database;

/* What SQL databases do not agree on. The texts are pasted into the SQL. */
struct sql_dialect {
	const char *integer; /* 64 bits */
	const char *text;    /* of any length */
	const char *key;     /* text of at most 191 characters, indexed and compared by its bytes */
	const char *sequence; /* an ascending primary key that the database gives, never reused */
	const char *now;      /* the database's clock: milliseconds since the epoch */
	const char *lock;     /* ends a SELECT whose rows this transaction will write; or "" */
	const char *replace; /* ends an INSERT, before "column = …" of what it replaces; {keys} */
	const char *given_before, *given_after; /* make a column's name the value that was given */
	const char *size;                       /* a scalar query: bytes that the database takes */
	const char *version; /* an expression: the version of the server or the library */
	char parameter;      /* '?': one after the other; '$': numbered from $1 */
};

enum sql_kind { SQL_NULL, SQL_INTEGER, SQL_TEXT };
struct sql_value {
	enum sql_kind kind;
	int64_t integer;
	const char *text; /* UTF-8, ends in a NUL; borrowed */
};

/* Of what a query gave: drivers may give integers as their decimal text. NULL is 0. */
int64_t sql_integer(const struct sql_value *value);

/* Parameters stand in the text in the order of their values. */
struct sql_statement {
	const char *text;
	size_t number; /* the same number always means the same text, which is prepared once */
};
#define SQL_STATEMENT_LIMIT 96
#define SQL_UNPREPARED SQL_STATEMENT_LIMIT /* run once */

/* Takes one row; its values live until it returns. False with *err ends the query. */
typedef bool sql_row_function(void *context, const struct sql_value *values, struct error **err);

/* What a failure means for the transaction. */
enum sql_fault {
	SQL_FAULT_NONE, /* it is not the database's: the body of a transaction refused */
	SQL_FAULT_OTHER,
	SQL_FAULT_CONFLICT,  /* deadlock, serialization: rolled back, will do when repeated */
	SQL_FAULT_LOST,      /* the connection; whether a commit was carried out is not known */
	SQL_FAULT_BUSY,      /* not reachable now, starting, too many connections, locked */
	SQL_FAULT_DUPLICATE, /* of a unique key */
	SQL_FAULT_EXISTS,    /* a table, column or index that is made is there already */
};

/* Which application's a database is, and how far its schema has come. */
struct sql_mark {
	int64_t version;    /* migrations that are complete; 0 in an empty database */
	int64_t statements; /* of the next one: so many are done */
};

enum sql_mode {
	SQL_READ,   /* one query, or several that need not see the same moment */
	SQL_WRITE,  /* survives a killed process */
	SQL_DURABLE /* survives a power cut, it and all before it */
};

/*
 * A driver: sqlite_database.c, postgres_database.c, mysql_database.c. A hook that fails sets
 * database->fault and *err: UNAVAILABLE for CONFLICT, LOST and BUSY, AUTH when credentials or
 * grants do not do, INVALID when the database or its certificate is not what it should be. No hook
 * waits beyond database->deadline_ms (loop_now_ms()): then the fault is LOST, the kind TIMEOUT.
 * What the text of errors quotes never holds a password.
 */
struct sql_driver {
	const char *name; /* "PostgreSQL" */
	const struct sql_dialect *dialect;
	size_t rows_per_statement; /* INSERTs are made for so many rows at once, or for one */
	bool keeps_ddl;            /* CREATE and ALTER commit at once: they cannot be rolled back */

	/* One attempt. Called anew after disconnect(). */
	bool (*connect)(struct sql_database *database, struct error **err);
	/* Closes at once, whatever is going on; there need not be a connection. */
	void (*disconnect)(struct sql_database *database);
	bool (*begin)(struct sql_database *database, enum sql_mode mode, struct error **err);
	/* A failure of fault LOST leaves open whether it was carried out. */
	bool (*commit)(struct sql_database *database, struct error **err);
	/* Also after a failure within the transaction, and without one. A connection that cannot
	 * is closed, and is_connected false. */
	void (*rollback)(struct sql_database *database);
	/* Gives no rows. May only be queued: a failure is then that of the next query or commit. */
	bool (*run)(struct sql_database *database, const struct sql_statement *statement,
	            const struct sql_value *values, size_t count, struct error **err);
	bool (*query)(struct sql_database *database, const struct sql_statement *statement,
	              const struct sql_value *values, size_t count, sql_row_function *row,
	              void *context, struct error **err);
	/* INVALID when the database holds another application's tables. Outside a transaction or
	 * within migrate(). */
	bool (*read_mark)(struct sql_database *database, struct sql_mark *mark, struct error **err);
	bool (*write_mark)(struct sql_database *database, const struct sql_mark *mark,
	                   struct error **err);
	/* Runs `body` while no other process is in migrate() on this database; in one transaction
	 * unless keeps_ddl. */
	bool (*migrate)(struct sql_database *database,
	                bool (*body)(struct sql_database *database, void *context,
	                             struct error **err),
	                void *context, struct error **err);
	/* Frees all but what struct sql_database owns; disconnect() was called. */
	void (*free)(struct sql_database *database);
};

/* What drivers embed first. */
struct sql_database {
	const struct sql_driver *driver;
	char *name;           /* as messages call it, quotes included; owned */
	bool is_connected;    /* kept by sql_database.c */
	enum sql_fault fault; /* of the last failure; set by drivers */
	int64_t deadline_ms;  /* of the present call */
	int64_t patience_ms;  /* how long a call may take, with all repetitions */
};
#define SQL_PATIENCE_MS 5000

/* Disconnects and frees. NULL is allowed. */
void sql_database_free(struct sql_database *database);
DEFINE_CLEANUP(sql_database);

/*
 * Runs `body` as one transaction: all of it or, when it fails, nothing. It is repeated as a whole
 * after deadlocks, and with a new connection after a loss, within database->patience_ms: it must
 * bear that it was carried out before. False when it failed, or with UNAVAILABLE or TIMEOUT;
 * database->fault tells more.
 */
typedef bool sql_body(struct sql_database *database, void *context, struct error **err);
bool sql_transact(struct sql_database *database, enum sql_mode mode, sql_body *body, void *context,
                  struct error **err);

/* Within a transaction. */
bool sql_run(struct sql_database *database, const struct sql_statement *statement,
             const struct sql_value *values, size_t count, struct error **err);
bool sql_query(struct sql_database *database, const struct sql_statement *statement,
               const struct sql_value *values, size_t count, sql_row_function *row, void *context,
               struct error **err);
/* A query without parameters that gives one integer. */
bool sql_query_integer(struct sql_database *database, const char *text, int64_t *value,
                       struct error **err);

/* Sets the fault and *err; NULL. For drivers. */
void *sql_fail(struct sql_database *database, enum sql_fault fault, enum error_kind kind,
               struct error **err, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));

/* The milliseconds until the deadline, 0 when it is over. */
int64_t sql_time_left_ms(const struct sql_database *database);

#endif
