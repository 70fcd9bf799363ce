/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/postgres_fault: what PostgreSQL's errors mean for a transaction and for a user. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "stacks/postgres_fault.h"

static void test_fault_find__says_what_to_do_about_a_state(void **state)
{
	static const struct {
		const char *state;
		enum sql_fault fault;
		enum error_kind kind;
		const char *advice;
	} cases[] = {
		{ "40001", SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" },
		{ "40P01", SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" },
		{ "55P03", SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" },
		{ "08006", SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" },
		{ "57P01", SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" },
		{ "57P05", SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" },
		{ "25P03", SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" },
		{ "25006", SQL_FAULT_LOST, ERROR_UNAVAILABLE, "primary" },
		{ "57P03", SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" },
		{ "53300", SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "max_connections" },
		{ "53100", SQL_FAULT_OTHER, ERROR_UNAVAILABLE, "" },
		{ "23505", SQL_FAULT_DUPLICATE, ERROR_CONFLICT, "" },
		{ "23503", SQL_FAULT_OTHER, ERROR_INTERNAL, "" },
		{ "42P07", SQL_FAULT_EXISTS, ERROR_CONFLICT, "" },
		{ "42501", SQL_FAULT_OTHER, ERROR_AUTH, "docs/metadata.md" },
		{ "42601", SQL_FAULT_OTHER, ERROR_INTERNAL, "" },
		{ "22001", SQL_FAULT_OTHER, ERROR_INVALID, "" },
		{ "28P01", SQL_FAULT_OTHER, ERROR_AUTH, "authentication_secret" },
		{ "28000", SQL_FAULT_OTHER, ERROR_AUTH, "authentication_secret" },
		{ "3D000", SQL_FAULT_OTHER, ERROR_NOT_FOUND, "'database'" },
		{ "", SQL_FAULT_OTHER, ERROR_INTERNAL, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct postgres_fault fault = postgres_fault_find(cases[i].state);

		if (fault.fault != cases[i].fault || fault.kind != cases[i].kind ||
		    !strstr(fault.advice, cases[i].advice))
			fail_msg("%s: fault %d, kind %d, advice '%s'", cases[i].state, fault.fault,
			         fault.kind, fault.advice);
	}
}

static void test_fault_of_connect__reads_what_libpq_says(void **state)
{
	static const struct {
		const char *text;
		enum sql_fault fault;
		enum error_kind kind;
		const char *reason, *advice;
	} cases[] = {
		{ "connection to server at \"localhost\" (::1), port 5432 failed: Connection "
		  "refused\n\tIs the server running on that host?\nconnection to server at "
		  "\"localhost\" (127.0.0.1), port 5432 failed: FATAL:  53300: sorry, too many "
		  "clients already\nLOCATION:  InitProcess, proc.c:350\n",
		  SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "sorry, too many clients already",
		  "max_connections" },
		{ "connection to server at \"db\" (10.0.0.1), port 5432 failed: Connection "
		  "refused\n\tIs the server running on that host and accepting TCP/IP "
		  "connections?\n",
		  SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "Connection refused", "" },
		{ "connection to server on socket \"/run/.s.PGSQL.5432\" failed: No such file or "
		  "directory\n",
		  SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "No such file or directory", "" },
		{ "could not translate host name \"dbb\" to address: Name or service not known\n",
		  SQL_FAULT_BUSY, ERROR_UNAVAILABLE,
		  "could not translate host name \"dbb\" to address: Name or service not known",
		  "" },
		{ "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  28P01: "
		  "password authentication failed for user \"u: FATAL:  53300: x\"\n",
		  SQL_FAULT_OTHER, ERROR_AUTH,
		  "password authentication failed for user \"u: FATAL:  53300: x\"",
		  "authentication_secret" },
		{ "connection to server at \"127.0.0.1\", port 5432 failed: server certificate "
		  "for \"localhost\" does not match host name \"127.0.0.1\"\n",
		  SQL_FAULT_OTHER, ERROR_INVALID,
		  "server certificate for \"localhost\" does not match host name \"127.0.0.1\"",
		  "'host'" },
		{ "connection to server at \"db\" (::1), port 5432 failed: SSL error: certificate "
		  "verify failed\n",
		  SQL_FAULT_OTHER, ERROR_INVALID, "SSL error: certificate verify failed",
		  "'ssl_ca'" },
		{ "connection to server at \"db\" (::1), port 5432 failed: server does not "
		  "support SSL, but SSL was required\n",
		  SQL_FAULT_OTHER, ERROR_INVALID,
		  "server does not support SSL, but SSL was required", "ssl_mode" },
		{ "connection to server at \"db\" (::1), port 5432 failed: fe_sendauth: no "
		  "password supplied\n",
		  SQL_FAULT_OTHER, ERROR_AUTH, "fe_sendauth: no password supplied",
		  "authentication_secret" },
		{ "", SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *reason = NULL;
		struct postgres_fault fault = postgres_fault_of_connect(cases[i].text, &reason);

		assert_string_equal(reason, cases[i].reason);
		if (fault.fault != cases[i].fault || fault.kind != cases[i].kind ||
		    !strstr(fault.advice, cases[i].advice))
			fail_msg("%s: fault %d, kind %d, advice '%s'", cases[i].text, fault.fault,
			         fault.kind, fault.advice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_find__says_what_to_do_about_a_state),
		cmocka_unit_test(test_fault_of_connect__reads_what_libpq_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
