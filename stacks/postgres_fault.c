/* SPDX-License-Identifier: Apache-2.0 */
/* What the errors of PostgreSQL and of its client library mean for a caller. */
#include "stacks/postgres_fault.h"

#include <ctype.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define STATE_SIZE 5
#define CHECK_SECRET "; check user and password of the secret in the option 'authentication_secret'"

static const struct {
	const char *state; /* a class where it is shorter */
	struct postgres_fault fault;
} states[] = {
	{ "40", { SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" } },    /* serialization, deadlock */
	{ "55P03", { SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" } }, /* lock not available */
	{ "53300",                                                  /* too many connections */
	  { SQL_FAULT_BUSY, ERROR_UNAVAILABLE,
	    "; raise max_connections, or put a pooler in front of the server" } },
	{ "53", { SQL_FAULT_OTHER, ERROR_UNAVAILABLE, "" } },   /* disk full, out of memory */
	{ "57P03", { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" } }, /* starting up, shutting down */
	{ "57P04", { SQL_FAULT_OTHER, ERROR_NOT_FOUND, "" } },  /* database dropped */
	{ "57P", { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },   /* the session was ended */
	{ "25P", { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },   /* by a timeout */
	{ "08", { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },    /* of the connection */
	{ "25006", /* after a failover, the name may lead to the old primary for a while */
	  { SQL_FAULT_LOST, ERROR_UNAVAILABLE,
	    "; the server is a standby: give the host of the primary" } },
	{ "23505", { SQL_FAULT_DUPLICATE, ERROR_CONFLICT, "" } },
	{ "42P07", { SQL_FAULT_EXISTS, ERROR_CONFLICT, "" } },
	{ "42501",
	  { SQL_FAULT_OTHER, ERROR_AUTH,
	    "; the user needs the rights that docs/metadata.md lists" } },
	{ "22001", { SQL_FAULT_OTHER, ERROR_INVALID, "" } }, /* a name is too long */
	{ "28", { SQL_FAULT_OTHER, ERROR_AUTH, CHECK_SECRET } },
	{ "3D000",
	  { SQL_FAULT_OTHER, ERROR_NOT_FOUND,
	    "; create it, or give another one in the option 'database'" } },
};

struct postgres_fault postgres_fault_find(const char *state)
{
	const struct postgres_fault other = { SQL_FAULT_OTHER, ERROR_INTERNAL, "" };
	size_t i, best = ARRAY_SIZE(states);

	for (i = 0; i < ARRAY_SIZE(states); i++)
		if (text_starts_with(state, states[i].state) &&
		    (best == ARRAY_SIZE(states) ||
		     strlen(states[i].state) > strlen(states[best].state)))
			best = i;
	return best < ARRAY_SIZE(states) ? states[best].fault : other;
}

/* What libpq itself says of TLS and passwords, which no waiting would help. */
static const struct {
	const char *part;
	enum error_kind kind;
	const char *advice;
} refusals[] = {
	{ "does not match host name", ERROR_INVALID,
	  "; give the name that the certificate has in the option 'host'" },
	{ "certificate verify failed", ERROR_INVALID,
	  "; give the certificate of the server's authority in the option 'ssl_ca'" },
	{ "root certificate file", ERROR_INVALID,
	  "; give the certificate of the server's authority in the option 'ssl_ca'" },
	{ "could not read root certificate", ERROR_INVALID, "; see the option 'ssl_ca'" },
	{ "certificate file", ERROR_INVALID, "; see 'ssl_cert' and 'ssl_key' of the secret" },
	{ "private key", ERROR_INVALID, "; see 'ssl_cert' and 'ssl_key' of the secret" },
	{ "does not support SSL", ERROR_INVALID,
	  "; a server within a trusted network can be used without by 'ssl_mode=disable'" },
	{ "no password supplied", ERROR_AUTH,
	  "; name a secret with user and password in the option 'authentication_secret'" },
	{ "requires a password", ERROR_AUTH, CHECK_SECRET },
};

/* "…: SEVERITY:  STATE: text": where STATE is; NULL when there is none. */
static const char *find_state(const char *line)
{
	const char *at;

	for (at = strstr(line, ":  "); at; at = strstr(at + 1, ":  ")) {
		const char *state = at + strlen(":  ");
		size_t i;

		for (i = 0; isupper((unsigned char)state[i]) || isdigit((unsigned char)state[i]);)
			i++;
		if (i == STATE_SIZE && text_starts_with(state + i, ": "))
			return state;
	}
	return NULL;
}

/* The line of the last address that was tried. */
static char *last_attempt(const char *text)
{
	const char *start = text, *next;

	for (next = strstr(text, "connection to server"); next;
	     next = strstr(next + 1, "connection to server"))
		start = next;
	return xstrndup(start, strcspn(start, "\n"));
}

struct postgres_fault postgres_fault_of_connect(const char *text, char **reason)
{
	static const char failed[] = " failed: ";
	scoped(text) char *line = last_attempt(text);
	const char *state = find_state(line), *start = strstr(line, failed);
	struct postgres_fault fault = { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" };
	size_t i;

	if (state) {
		*reason = xstrdup(state + STATE_SIZE + strlen(": "));
		return postgres_fault_find(state);
	}
	*reason = xstrdup(start ? start + strlen(failed) : line);
	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		if (strstr(line, refusals[i].part)) {
			fault = (struct postgres_fault){ SQL_FAULT_OTHER, refusals[i].kind,
				                         refusals[i].advice };
			break;
		}
	return fault;
}
