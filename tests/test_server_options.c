/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/server_options and stacks/postgres_url: how a database server is reached. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/text.h"
#include "stacks/postgres_database.h"
#include "stacks/secret.h"

/* A secrets manager with one secret, "db". */
static const char *secret_text;

static json_t *get_secret(struct secret_store *store, const char *name, struct error **err)
{
	(void)store;
	if (strcmp(name, "db"))
		return error_set(err, ERROR_NOT_FOUND, "there is no secret '%s'", name);
	return json_loads(secret_text, 0, NULL);
}

static const struct secret_flavor one_flavor = { .get = get_secret };
static struct secret_store one = { &one_flavor };

static struct server_options *read_options(const char *options_text, struct secret_store *secrets,
                                           struct error **err)
{
	json_auto_t *options = json_loads(options_text, 0, NULL);
	struct component component = { .type = COMPONENT_METADATA_STORE,
		                       .name = (char *)"runs",
		                       .flavor = (char *)"postgres",
		                       .options = options };

	return server_options_read(&component, secrets, err);
}

static void test_read__takes_options_and_secret(void **state)
{
	scoped(server_options) struct server_options *options = NULL;
	scoped(error) struct error *err = NULL;

	(void)state;
	secret_text = "{\"user\": \"u\", \"password\": \"p\", \"ssl_ca\": \"/secret/ca.pem\"}";
	options = read_options("{\"host\": \"db\", \"port\": 7, \"database\": \"d\","
	                       " \"ssl_mode\": \"Verify-CA\", \"ssl_ca\": \"/ca.pem\","
	                       " \"authentication_secret\": \"db\"}",
	                       &one, &err);

	assert_ok(options != NULL, err);
	assert_string_equal(options->host, "db");
	assert_int_equal(options->port, 7);
	assert_string_equal(options->database, "d");
	assert_string_equal(options->user, "u");
	assert_string_equal(options->password, "p");
	assert_int_equal(options->ssl_mode, SERVER_SSL_VERIFY_CA);
	assert_string_equal(options->ssl_ca, "/ca.pem");
	assert_true(server_options_check(options, NULL));
}

/* libpq refuses keys that others can read, and reads files only. */
static void test_read__keeps_the_pem_of_a_secret_in_memory(void **state)
{
	static const char pem[] = "-----BEGIN PRIVATE KEY-----\nx\n";
	scoped(server_options) struct server_options *options = NULL;
	scoped(error) struct error *err = NULL;
	scoped(text) char *text = NULL;
	struct stat status;

	(void)state;
	secret_text = "{\"username\": \"u\", \"ssl_key\": \"-----BEGIN PRIVATE KEY-----\\nx\\n\"}";
	options = read_options("{\"authentication_secret\": \"db\"}", &one, &err);

	assert_ok(options != NULL, err);
	assert_string_equal(options->user, "u");
	assert_null(options->password);
	text = file_read(options->ssl_key, 1000, NULL, &err);
	assert_ok(text != NULL, err);
	assert_string_equal(text, pem);
	assert_int_equal(stat(options->ssl_key, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_read__says_what_is_wrong(void **state)
{
	static const struct {
		const char *options, *secret;
		bool has_secrets;
		enum error_kind kind;
		const char *message;
	} cases[] = {
		{ "{\"authentication_secret\": \"db\"}", "{}", false, ERROR_INVALID,
		  "no secrets manager" },
		{ "{\"authentication_secret\": \"other\"}", "{}", true, ERROR_NOT_FOUND,
		  "option 'authentication_secret': secret 'other'" },
		{ "{\"authentication_secret\": \"db\"}", "{\"password\": \"hidden\"}", true,
		  ERROR_INVALID, "no key 'user'" },
		{ "{\"ssl_mode\": \"always\"}", "{}", true, ERROR_INVALID, "option 'ssl_mode'" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		secret_text = cases[i].secret;
		assert_null(
			read_options(cases[i].options, cases[i].has_secrets ? &one : NULL, &err));
		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].message);
		text = error_text(err);
		assert_null(strstr(text, "hidden"));
	}
}

static void test_check__names_what_is_missing(void **state)
{
	struct server_options options = { 0 };
	scoped(error) struct error *host = NULL, *database = NULL;

	(void)state;
	assert_false(server_options_check(&options, &host));
	assert_error_contains(host, "'host'");
	options.host = (char *)"db";
	assert_false(server_options_check(&options, &database));
	assert_error_contains(database, "'database'");
}

static void test_postgres_url__fills_what_is_not_given(void **state)
{
	scoped(server_options) struct server_options *options = xcalloc(1, sizeof(*options));
	scoped(error) struct error *err = NULL;

	(void)state;
	options->host = xstrdup("mine");
	assert_ok(postgres_parse_url("postgresql://us%40er@db.example.com:6000/runs?sslmode="
	                             "verify-ca&sslrootcert=/ca.pem",
	                             options, &err),
	          err);

	assert_string_equal(options->host, "mine");
	assert_int_equal(options->port, 6000);
	assert_string_equal(options->user, "us@er");
	assert_string_equal(options->database, "runs");
	assert_int_equal(options->ssl_mode, SERVER_SSL_VERIFY_CA);
	assert_string_equal(options->ssl_ca, "/ca.pem");
}

static void test_postgres_url__refuses_what_does_not_belong_there(void **state)
{
	static const struct {
		const char *url, *message;
	} cases[] = {
		{ "postgresql://u:hidden@db/runs", "a password does not belong there" },
		{ "postgresql://u:hidden%zz@db/runs", "a password does not belong there" },
		{ "postgresql://u:hid/hidden@db/runs", "a password does not belong there" },
		{ "postgresql://u:@hidden@db/runs", "a password does not belong there" },
		{ "mysql://db/runs", "postgresql://USER@HOST" },
		{ "postgresql://u@db/runs?password=hidden", "a password does not belong there" },
		{ "postgresql://u@db/runs?options=-c%20x", "'options' is not taken" },
		{ "postgresql://u@db/runs?sslmode=prefer", "'prefer'" },
		{ "postgresql://u@db:0/runs", "port" },
		{ "postgresql://u@db:x/runs", "port" },
		{ "postgresql://u@db/runs?nonsense=1", "nonsense" },
		{ "postgresql://u@db/runs%zz", "%zz" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(server_options) struct server_options *options =
			xcalloc(1, sizeof(*options));
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		assert_false(postgres_parse_url(cases[i].url, options, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "option 'url'");
		assert_error_contains(err, cases[i].message);
		text = error_text(err);
		assert_null(strstr(text, "hidden"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read__takes_options_and_secret),
		cmocka_unit_test(test_read__keeps_the_pem_of_a_secret_in_memory),
		cmocka_unit_test(test_read__says_what_is_wrong),
		cmocka_unit_test(test_check__names_what_is_missing),
		cmocka_unit_test(test_postgres_url__fills_what_is_not_given),
		cmocka_unit_test(test_postgres_url__refuses_what_does_not_belong_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
