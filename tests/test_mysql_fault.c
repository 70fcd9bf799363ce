/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/mysql_fault: what an error number of MySQL means for a transaction and for a user. */
#include "tests/test.h"

#include <string.h>

#include "stacks/mysql_fault.h"

static const struct {
	unsigned number;
	const char *message; /* as the server or the client library words it */
	enum sql_fault fault;
	enum error_kind kind;
	const char *advice;
} cases[] = {
	{ 1213, "Deadlock found when trying to get lock; try restarting transaction",
	  SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" },
	{ 1020, "Record has changed since last read in table 'leases'", SQL_FAULT_CONFLICT,
	  ERROR_UNAVAILABLE, "" },
	{ 2006, "Server has gone away", SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" },
	{ 2013, "Lost connection to server during query", SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" },
	{ 1927, "Connection was killed", SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" },
	{ 1290, "The server is running with the --read-only option so it cannot execute this",
	  SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" },
	{ 4031, "The client was disconnected by the server because of inactivity", SQL_FAULT_LOST,
	  ERROR_UNAVAILABLE, "" },
	{ 2002, "Can't connect to server on 'db' (111)", SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" },
	{ 2005, "Unknown server host 'db' (-2)", SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "'host'" },
	{ 1040, "Too many connections", SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "limit" },
	{ 1205, "Lock wait timeout exceeded", SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" },
	{ 1062, "Duplicate entry 'a' for key 'name'", SQL_FAULT_DUPLICATE, ERROR_CONFLICT, "" },
	{ 1050, "Table 'runs' already exists", SQL_FAULT_EXISTS, ERROR_CONFLICT, "" },
	{ 1060, "Duplicate column name 'events'", SQL_FAULT_EXISTS, ERROR_CONFLICT, "" },
	{ 1045, "Access denied for user 'u'@'h' (using password: YES)", SQL_FAULT_OTHER, ERROR_AUTH,
	  "authentication_secret" },
	{ 1142, "CREATE command denied to user 'u'@'h'", SQL_FAULT_OTHER, ERROR_AUTH, "rights" },
	{ 1049, "Unknown database 'd'", SQL_FAULT_OTHER, ERROR_NOT_FOUND, "'database'" },
	{ 2059, "Authentication plugin 'x' cannot be loaded", SQL_FAULT_OTHER, ERROR_AUTH,
	  "caching_sha2_password" },
	{ 2026, "TLS/SSL error: Validation of SSL server certificate failed", SQL_FAULT_OTHER,
	  ERROR_INVALID, "'host'" },
	{ 2026, "TLS/SSL error: self-signed certificate in certificate chain", SQL_FAULT_OTHER,
	  ERROR_INVALID, "'ssl_ca'" },
	{ 2026, "TLS/SSL error: certificate has expired", SQL_FAULT_OTHER, ERROR_INVALID, "clock" },
	{ 2026, "TLS/SSL error: SSL is required, but the server does not support it",
	  SQL_FAULT_OTHER, ERROR_INVALID, "ssl_mode" },
	{ 2026, "TLS/SSL error: Connection timed out (110)", SQL_FAULT_LOST, ERROR_UNAVAILABLE,
	  "" },
	{ 1153, "Got a packet bigger than 'max_allowed_packet' bytes", SQL_FAULT_OTHER,
	  ERROR_INVALID, "max_allowed_packet" },
	{ 1064, "You have an error in your SQL syntax", SQL_FAULT_OTHER, ERROR_INTERNAL, "" },
};

static void test_fault_find__says_what_to_do_about_a_number(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mysql_fault fault = mysql_fault_find(cases[i].number, cases[i].message);

		if (fault.fault != cases[i].fault || fault.kind != cases[i].kind ||
		    !strstr(fault.advice, cases[i].advice))
			print_error("'%s' (%u)\n", cases[i].message, cases[i].number);
		assert_int_equal(fault.fault, cases[i].fault);
		assert_int_equal(fault.kind, cases[i].kind);
		assert_non_null(strstr(fault.advice, cases[i].advice));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_find__says_what_to_do_about_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
