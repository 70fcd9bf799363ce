/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/mysql_url: what a URL says of a server, and what it must not hold. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "stacks/mysql_database.h"

static void test_parse_url__reads_each_part(void **state)
{
	static const struct {
		const char *url, *user, *host;
		int64_t port;
		const char *database;
		enum server_ssl_mode ssl_mode;
		const char *ssl_ca;
	} cases[] = {
		{ "mysql://u@db.example.com:3307/runs", "u", "db.example.com", 3307, "runs", 0,
		  NULL },
		{ "mariadb://db/runs", NULL, "db", 0, "runs", 0, NULL },
		{ "mysql://db", NULL, "db", 0, NULL, 0, NULL },
		{ "mysql://db?ssl-mode=REQUIRE", NULL, "db", 0, NULL, SERVER_SSL_REQUIRE, NULL },
		{ "mysql://u@[::1]:3306/d", "u", "::1", 3306, "d", 0, NULL },
		{ "mysql://u@[::1]/d", "u", "::1", 0, "d", 0, NULL },
		{ "mysql://a%40b@%2Frun%2Fmysqld.sock/my%20db?ssl_mode=verify-ca&ssl_ca=/ca%2epem",
		  "a@b", "/run/mysqld.sock", 0, "my db", SERVER_SSL_VERIFY_CA, "/ca.pem" },
		{ "mysql:///d?&ssl_ca=", NULL, NULL, 0, "d", 0, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(server_options) struct server_options *options =
			xcalloc(1, sizeof(*options));
		scoped(error) struct error *err = NULL;

		assert_ok(mysql_parse_url(cases[i].url, options, &err), err);
		if (!text_equal(options->user, cases[i].user) ||
		    !text_equal(options->host, cases[i].host) || options->port != cases[i].port ||
		    !text_equal(options->database, cases[i].database) ||
		    options->ssl_mode != cases[i].ssl_mode ||
		    !text_equal(options->ssl_ca, cases[i].ssl_ca))
			fail_msg("%s was read as another one", cases[i].url);
	}
}

static void test_parse_url__leaves_what_is_given_already(void **state)
{
	scoped(server_options) struct server_options *options = xcalloc(1, sizeof(*options));
	scoped(error) struct error *err = NULL;

	(void)state;
	*options = (struct server_options){ .host = xstrdup("mine"),
		                            .port = 1,
		                            .user = xstrdup("me"),
		                            .ssl_mode = SERVER_SSL_DISABLE };

	assert_ok(mysql_parse_url("mysql://u@h:2/d?ssl_mode=require", options, &err), err);

	assert_string_equal(options->host, "mine");
	assert_int_equal(options->port, 1);
	assert_string_equal(options->user, "me");
	assert_string_equal(options->database, "d");
	assert_int_equal(options->ssl_mode, SERVER_SSL_DISABLE);
}

static void test_parse_url__refuses_what_it_must_not_hold(void **state)
{
	static const struct {
		const char *url, *message;
	} cases[] = {
		{ "postgres://h/d", "mysql://USER@HOST" },
		{ "mysql:h/d", "mysql://USER@HOST" },
		{ "h", "mysql://USER@HOST" },
		{ "mysql://u:hunter2@h/d", "'authentication_secret'" },
		{ "mysql://u:hun@ter2@h/d", "'authentication_secret'" },
		{ "mysql://h:0/d", "its port is no number" },
		{ "mysql://h:hunter2/d", "its port is no number" },
		{ "mysql://[::1/d", "without a ']'" },
		{ "mysql://[::1]x/d", "must follow" },
		{ "mysql://u%4@h/d", "the user has a '%'" },
		{ "mysql://h/%00", "the database has a '%'" },
		{ "mysql://h/d?ssl_mode=sometimes", "verify-full" },
		{ "mysql://h/d?password=hunter2", "'password' is none" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(server_options) struct server_options *options =
			xcalloc(1, sizeof(*options));
		scoped(error) struct error *err = NULL;

		if (mysql_parse_url(cases[i].url, options, &err))
			fail_msg("%s was accepted", cases[i].url);
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].message);
	}
}

static void test_parse_url__does_not_repeat_a_password(void **state)
{
	static const char *const urls[] = { "mysql://u:hunter2@h/d", "mysql://u:hunter2/d" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(urls); i++) {
		scoped(server_options) struct server_options *options =
			xcalloc(1, sizeof(*options));
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		assert_false(mysql_parse_url(urls[i], options, &err));

		text = error_text(err);
		assert_null(strstr(text, "hunter2"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_url__reads_each_part),
		cmocka_unit_test(test_parse_url__leaves_what_is_given_already),
		cmocka_unit_test(test_parse_url__refuses_what_it_must_not_hold),
		cmocka_unit_test(test_parse_url__does_not_repeat_a_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
