/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/oci_credentials: files of docker and podman, and credential helpers. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/oci_credentials.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define ANN "YW5uOnNlY3JldA==" /* ann:secret */
#define BOB "Ym9iOmE6Yg=="     /* bob:a:b */

/* A home of its own, with a folder of programs before those of the system. */
static int set_up(void **state)
{
	char folder[] = "/tmp/stepop-credentials-XXXXXX";
	scoped(text) char *path = NULL;
	static char *before;

	assert_non_null(mkdtemp(folder));
	if (!before)
		before = xstrdup(getenv("PATH"));
	path = text_printf("%s/bin:%s", folder, before);
	setenv("HOME", folder, 1);
	setenv("PATH", path, 1);
	unsetenv("DOCKER_CONFIG");
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CONFIG_HOME");
	*state = xstrdup(folder);
	return 0;
}

static int tear_down(void **state)
{
	file_remove_tree(*state, NULL);
	free(*state);
	return 0;
}

/* Owned by the caller. */
static char *put(void **state, const char *name, const char *text, unsigned mode)
{
	char *path = file_join(*state, name);
	scoped(text) char *folder = file_folder(path);

	assert_true(file_make_folders(folder, 0700, NULL));
	assert_true(file_write(path, text, strlen(text), mode, NULL));
	return path;
}

static void put_auth(void **state, const char *name, const char *auth)
{
	scoped(text) char *text = text_printf("{\"auths\":{\"q.io\":{\"auth\":\"%s\"}}}", auth);
	scoped(text) char *path = put(state, name, text, 0600);
}

static void put_helper(void **state, const char *script)
{
	scoped(text) char *text = text_printf("#!/bin/sh\n%s\n", script);
	scoped(text) char *helper = put(state, "bin/docker-credential-test", text, 0700);
	scoped(text) char *config =
		put(state, ".docker/config.json", "{\"credsStore\":\"test\"}", 0600);
}

static void test_oci_credentials_find__is_anonymous_without_files(void **state)
{
	struct oci_credentials found = { 0 };
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_ok(oci_credentials_find("q.io", "x", &found, &err), err);

	assert_true(oci_credentials_are_empty(&found));
	oci_credentials_release(&found);
}

static void test_oci_credentials_find__looks_into_the_files_in_their_order(void **state)
{
	static const struct {
		const char *file, *variable, *value;
	} cases[] = {
		/* each stands before those above it */
		{ ".config/containers/auth.json", NULL, NULL },
		{ "config/containers/auth.json", "XDG_CONFIG_HOME", "config" },
		{ "run/containers/auth.json", "XDG_RUNTIME_DIR", "run" },
		{ ".docker/config.json", NULL, NULL },
		{ "docker/config.json", "DOCKER_CONFIG", "docker" },
		{ "named.json", "REGISTRY_AUTH_FILE", "named.json" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *value =
			cases[i].value ? file_join(*state, cases[i].value) : NULL;
		scoped(text) char *path = file_join(*state, cases[i].file);
		struct oci_credentials found = { 0 };

		put_auth(state, cases[i].file, i % 2 ? ANN : BOB);
		if (value)
			setenv(cases[i].variable, value, 1);

		assert_true(oci_credentials_find("q.io", "x", &found, NULL));

		assert_string_equal(found.user, i % 2 ? "ann" : "bob");
		assert_non_null(strstr(found.source, path));
		oci_credentials_release(&found);
	}
}

static void test_oci_credentials_find__goes_on_to_the_file_that_knows_the_registry(void **state)
{
	struct oci_credentials found = { 0 };
	scoped(text) char *docker =
		put(state, ".docker/config.json", "{\"auths\":{\"other.io\":{}}}", 0600);

	put_auth(state, ".config/containers/auth.json", ANN);

	assert_true(oci_credentials_find("q.io", "x", &found, NULL));

	assert_string_equal(found.user, "ann");
	oci_credentials_release(&found);
}

static void test_oci_credentials_find__refuses_a_file_that_is_no_object(void **state)
{
	struct oci_credentials found = { 0 };
	scoped(error) struct error *err = NULL;
	scoped(text) char *path = put(state, ".docker/config.json", "{\n\"auths\":", 0600);

	assert_false(oci_credentials_find("q.io", "x", &found, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, path);
	assert_error_contains(err, "is no JSON object (line 2)");
}

static void test_oci_credentials_find__asks_the_helper_for_the_registry(void **state)
{
	struct oci_credentials found = { 0 }, hub = { 0 };
	scoped(error) struct error *err = NULL;

	put_helper(state, "read -r server; [ \"$1\" = get ] && "
	                  "printf '{\"Username\":\"u\",\"Secret\":\"%s\"}' \"$server\"");

	assert_ok(oci_credentials_find("q.io:5000", "x", &found, &err), err);
	assert_ok(oci_credentials_find("docker.io", "x", &hub, &err), err);

	assert_string_equal(found.user, "u");
	assert_string_equal(found.password, "q.io:5000");
	assert_string_equal(found.source, "docker-credential-test");
	assert_string_equal(hub.password, "https://index.docker.io/v1/");
	oci_credentials_release(&found);
	oci_credentials_release(&hub);
}

static void test_oci_credentials_find__takes_a_token_for_what_it_is(void **state)
{
	struct oci_credentials found = { 0 };

	put_helper(state, "echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");

	assert_true(oci_credentials_find("q.io", "x", &found, NULL));

	assert_string_equal(found.identity_token, "refresh");
	assert_null(found.user);
	oci_credentials_release(&found);
}

static void
test_oci_credentials_find__takes_a_helper_that_knows_nothing_for_no_failure(void **state)
{
	struct oci_credentials found = { 0 };
	scoped(error) struct error *err = NULL;

	put_helper(state, "echo 'credentials not found in native keychain'; exit 1");

	assert_ok(oci_credentials_find("q.io", "x", &found, &err), err);

	assert_true(oci_credentials_are_empty(&found));
	oci_credentials_release(&found);
}

static void test_oci_credentials_find__says_why_a_helper_failed(void **state)
{
	static const struct {
		const char *script, *reason;
	} cases[] = {
		{ "echo 'the keychain is locked'; exit 1",
		  "the credential helper docker-credential-test: failed with exit status 1: the "
		  "keychain is locked" },
		{ "echo '{}'", "docker-credential-test: printed no user name and secret" },
		{ "echo 'sEcReT'", "printed no user name and secret" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_credentials found = { 0 };
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		put_helper(state, cases[i].script);

		assert_false(oci_credentials_find("q.io", "x", &found, &err));

		text = error_text(err);
		assert_int_equal(err->kind, ERROR_AUTH);
		assert_error_contains(err, ".docker/config.json");
		assert_error_contains(err, cases[i].reason);
		assert_null(strstr(text, "sEcReT"));
	}
}

static void test_oci_credentials_find__says_that_a_helper_is_missing(void **state)
{
	struct oci_credentials found = { 0 };
	scoped(error) struct error *err = NULL;
	scoped(text) char *config =
		put(state, ".docker/config.json", "{\"credsStore\":\"nowhere\"}", 0600);

	assert_false(oci_credentials_find("q.io", "x", &found, &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "docker-credential-nowhere, which is not on PATH");
}

static void test_oci_credentials_find__runs_no_helper_of_another_folder(void **state)
{
	struct oci_credentials found = { 0 };
	scoped(error) struct error *err = NULL;
	scoped(text) char *config =
		put(state, ".docker/config.json", "{\"credsStore\":\"x/../../evil\"}", 0600);

	assert_false(oci_credentials_find("q.io", "x", &found, &err));

	assert_error_contains(err, "is no name of a credential helper");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_oci_credentials_find__is_anonymous_without_files),
		TEST(test_oci_credentials_find__looks_into_the_files_in_their_order),
		TEST(test_oci_credentials_find__goes_on_to_the_file_that_knows_the_registry),
		TEST(test_oci_credentials_find__refuses_a_file_that_is_no_object),
		TEST(test_oci_credentials_find__asks_the_helper_for_the_registry),
		TEST(test_oci_credentials_find__takes_a_token_for_what_it_is),
		TEST(test_oci_credentials_find__takes_a_helper_that_knows_nothing_for_no_failure),
		TEST(test_oci_credentials_find__says_why_a_helper_failed),
		TEST(test_oci_credentials_find__says_that_a_helper_is_missing),
		TEST(test_oci_credentials_find__runs_no_helper_of_another_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
