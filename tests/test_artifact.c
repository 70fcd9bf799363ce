/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/artifact: the local store, and what every store refuses. The S3 store against a real
 * server is in tests/api/test_api_artifact.c. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact.h"
#include "tests/fakes/temporary_project.h"

/* With options of its own, or NULL. */
static struct artifact_store *open_with(const struct temporary_project *temporary,
                                        const char *flavor, json_t *options,
                                        struct secret_store *secrets, struct error **err)
{
	struct component component = { COMPONENT_ARTIFACT_STORE, (char *)"store", (char *)flavor,
		                       options };

	return artifact_store_open(temporary->project, &component, secrets, NULL, err);
}

static struct artifact_store *open_local(const struct temporary_project *temporary)
{
	json_auto_t *options = json_object();
	struct error *err = NULL;
	struct artifact_store *store = open_with(temporary, "local", options, NULL, &err);

	assert_ok(store, err);
	return store;
}

static void put(struct artifact_store *store, const char *name, const char *text)
{
	struct error *err = NULL;
	scoped(text) char *uri = text_printf("%s%s", store->root, name);

	assert_ok(artifact_put(store, uri, text, strlen(text), &err), err);
}

static void test_artifact_uri__keeps_attempts_apart(void **state)
{
	scoped(artifact_store) struct artifact_store *store = open_local(*state);
	scoped(text) char *attempt = artifact_uri(store, "daily", "7d1f", "train", 2, NULL);
	scoped(text) char *output = artifact_uri(store, "daily", "7d1f", "train", 2, "model");

	assert_true(text_starts_with(store->root, "file:///"));
	assert_true(text_ends_with(store->root, "/.stepop/artifacts/"));
	assert_true(text_ends_with(attempt, "/artifacts/daily/7d1f/train/2/"));
	assert_true(text_ends_with(output, "/artifacts/daily/7d1f/train/2/model/"));
	assert_true(text_starts_with(output, store->root));
}

static void test_artifact_local__counts_relative_paths_from_the_project(void **state)
{
	json_auto_t *options = json_pack("{s:s}", "path", "out put[1]");
	scoped(error) struct error *err = NULL;
	scoped(artifact_store) struct artifact_store *store =
		open_with(*state, "local", options, NULL, &err);

	assert_ok(store, err);
	assert_true(text_ends_with(store->root, "/out put[1]/"));
	assert_null(strstr(store->root, ".stepop"));
}

static void test_artifact_get__reads_ranges_from_both_ends(void **state)
{
	static const struct {
		int64_t offset;
		size_t size;
		const char *expected;
	} cases[] = {
		{ 0, 0, "0123456789" },
		{ 2, 3, "234" },
		{ 7, 100, "789" },
		{ -3, 0, "789" },
		{ -3, 2, "78" },
		{ 11, 5, "" },
		{ -65536, 0, "0123456789" },
	};
	scoped(artifact_store) struct artifact_store *store = open_local(*state);
	scoped(text) char *uri = text_printf("%sranges/digits", store->root);

	put(store, "ranges/digits", "0123456789");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		size_t got = 99;
		scoped(text) char *text =
			artifact_get(store, uri, cases[i].offset, cases[i].size, 100, &got, &err);

		assert_ok(text, err);
		assert_string_equal(text, cases[i].expected);
		assert_int_equal(got, strlen(cases[i].expected));
	}
}

static void test_artifact_get__refuses_more_than_its_limit_and_what_is_not_there(void **state)
{
	scoped(artifact_store) struct artifact_store *store = open_local(*state);
	scoped(text) char *uri = text_printf("%slarge", store->root);
	scoped(text) char *absent = text_printf("%sabsent", store->root);
	struct error *err = NULL;

	put(store, "large", "0123456789");
	assert_null(artifact_get(store, uri, 0, 0, 9, NULL, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	error_free(take(err));
	assert_null(artifact_get(store, absent, 0, 0, 9, NULL, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(err);
}

static void test_artifact__refuses_uris_outside_the_store(void **state)
{
	static const char *const parts[] = { "../secret", "a/../../secret", "a//b", "./a",
		                             "a/..",      "a/./b",          "" };
	scoped(artifact_store) struct artifact_store *store = open_local(*state);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		scoped(text) char *uri = text_printf("%s%s", store->root, parts[i]);
		scoped(error) struct error *err = NULL;

		assert_false(artifact_put(store, uri, "x", 1, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
	}
	scoped(error) struct error *err = NULL;
	assert_null(artifact_get(store, "file:///etc/passwd", 0, 0, 100, NULL, &err));
	assert_error_contains(err, "is not in this artifact store");
}

static void test_artifact_list__gives_all_files_below_in_order_of_names(void **state)
{
	static const char *const names[] = { "a", "b/c", "b/d/e", "b-x" };
	scoped(artifact_store) struct artifact_store *store = open_local(*state);
	scoped(text) char *uri = text_printf("%slisted/", store->root);
	scoped(text) char *empty = text_printf("%snothing/", store->root);
	struct error *err = NULL;
	struct artifact_entry *entries = NULL;
	size_t count = 99;

	put(store, "listed/b/d/e", "12345");
	put(store, "listed/b/c", "1");
	put(store, "listed/b-x", "");
	put(store, "listed/a", "");
	assert_ok(artifact_list(store, uri, &entries, &count, &err), err);
	assert_int_equal(count, 4);
	assert_string_equal(entries[0].name, names[0]);
	assert_string_equal(entries[1].name, names[3]); /* '-' comes before '/' */
	assert_string_equal(entries[2].name, names[1]);
	assert_string_equal(entries[3].name, names[2]);
	assert_int_equal(entries[3].size_bytes, 5);
	artifact_entries_free(entries, count);

	assert_ok(artifact_list(store, empty, &entries, &count, &err), err);
	assert_int_equal(count, 0);
	artifact_entries_free(entries, count);
}

static void test_artifact_list__follows_no_links(void **state)
{
	scoped(artifact_store) struct artifact_store *store = open_local(*state);
	scoped(text) char *uri = text_printf("%slinks/", store->root);
	scoped(text) char *link = text_printf("%sway", uri + strlen("file://"));
	struct error *err = NULL;
	struct artifact_entry *entries = NULL;
	size_t count = 0;

	put(store, "links/a", "");
	assert_int_equal(symlink("/etc", link), 0);
	assert_ok(artifact_list(store, uri, &entries, &count, &err), err);
	assert_int_equal(count, 1);
	artifact_entries_free(entries, count);
}

static void test_artifact_put_file__copies_and_leaves_nothing_else(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(artifact_store) struct artifact_store *store = open_local(temporary);
	scoped(text) char *source = file_join(project_folder(temporary->project), "source");
	scoped(text) char *folder = text_printf("%scopies/", store->root);
	scoped(text) char *uri = text_printf("%sx/copy", folder);
	scoped(text) char *text = NULL;
	struct error *err = NULL;
	struct artifact_entry *entries = NULL;
	size_t count = 0, got = 0;
	int64_t size_bytes = 0;

	assert_ok(file_write_atomic(source, "content", 7, 0600, &err), err);
	assert_ok(artifact_put_file(store, uri, source, &err), err);
	assert_ok(artifact_put_file(store, uri, source, &err), err);

	assert_ok(artifact_size(store, uri, &size_bytes, &err), err);
	assert_int_equal(size_bytes, 7);
	assert_ok(text = artifact_get(store, uri, 0, 0, 100, &got, &err), err);
	assert_string_equal(text, "content");
	assert_ok(artifact_list(store, folder, &entries, &count, &err), err);
	assert_int_equal(count, 1);
	artifact_entries_free(entries, count);
}

static void test_artifact_check__leaves_the_store_as_it_was(void **state)
{
	scoped(artifact_store) struct artifact_store *store = open_local(*state);
	scoped(text) char *probe = text_printf("%s.stepop-check", store->root);
	struct error *err = NULL;
	struct artifact_access access = { 0 };
	int64_t size_bytes;

	assert_ok(artifact_check(store, &err), err);
	assert_false(artifact_size(store, probe, &size_bytes, NULL));
	artifact_access(store, &access);
	assert_int_equal(json_object_size(access.spark_conf), 0);
	assert_int_equal(json_object_size(access.secrets), 0);
	assert_false(store->flavor->remote);
	artifact_access_release(&access);
}

static void test_artifact_s3__shows_the_right_form_of_a_path(void **state)
{
	static const struct {
		const char *path, *part;
	} cases[] = {
		{ "my-bucket", "s3://my-bucket/artifacts" },
		{ "s3:///prefix", "s3://bucket/prefix" },
		{ "gs://bucket/x", "s3://bucket/prefix" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *options = json_pack("{s:s}", "path", cases[i].path);
		scoped(error) struct error *err = NULL;

		assert_null(open_with(*state, "s3", options, NULL, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].part);
	}
}

static struct secret_store *open_vault(const struct temporary_project *temporary,
                                       const json_t *values)
{
	json_auto_t *options = json_object();
	struct component component = { COMPONENT_SECRETS_MANAGER, (char *)"vault", (char *)"local",
		                       options };
	struct error *err = NULL;
	struct secret_store *vault = secret_store_open(temporary->project, &component, NULL, &err);

	assert_ok(vault, err);
	assert_ok(secret_put(vault, "s3_authentication", "aws", values, false, &err), err);
	return vault;
}

/* Nothing is asked before it is needed: a dry run takes no credentials. */
static void test_artifact_s3__says_where_credentials_may_come_from(void **state)
{
	json_auto_t *options = json_pack("{s:s}", "path", "s3://bucket/prefix");
	json_auto_t *named = json_pack("{s:s, s:s}", "path", "s3://bucket/prefix",
	                               "authentication_secret", "s3_authentication");
	struct error *err = NULL;
	scoped(artifact_store) struct artifact_store *store =
		open_with(*state, "s3", options, NULL, &err);

	assert_ok(store, err);
	assert_false(artifact_check(store, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "authentication_secret is not set");
	assert_error_contains(err, "AWS_ACCESS_KEY_ID");
	error_free(take(err));
	assert_null(open_with(*state, "s3", named, NULL, &err));
	assert_error_contains(err, "the stack has no secrets manager");
	error_free(err);
}

static void test_artifact_s3__refuses_options_that_contradict_each_other(void **state)
{
	static const struct {
		const char *option, *value, *part;
	} cases[] = {
		{ "profile", "dev", "which keys are meant" },
		{ "pod_credentials", "node", "secret or identity" },
		{ "sse", "KMS", "AES256, aws:kms" },
		{ "ca", "/no/such/file", "ca: " },
		{ "endpoint_url", "minio", "http://minio.example:9000" },
		{ "region", "Frankfurt", "eu-central-1" },
	};
	json_auto_t *values = json_pack("{s:s, s:s}", "aws_access_key_id", "AKID",
	                                "aws_secret_access_key", "never/shown");
	scoped(secret_store) struct secret_store *vault = open_vault(*state, values);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *options = json_pack("{s:s, s:s, s:s}", "path", "s3://bucket/prefix",
		                                 "authentication_secret", "s3_authentication",
		                                 cases[i].option, cases[i].value);
		scoped(error) struct error *err = NULL;

		assert_null(open_with(*state, "s3", options, vault, &err));
		assert_error_contains(err, cases[i].part);
	}
}

/* No keys of this process reach pods that have their own: access() gives properties alone. */
static void test_artifact_access__leaves_pods_their_own_identity(void **state)
{
	json_auto_t *options = json_pack("{s:s, s:s, s:s, s:s, s:s}", "path", "s3://bucket/prefix",
	                                 "pod_credentials", "identity", "kms_key_id", "alias/key",
	                                 "storage_class", "STANDARD_IA", "region", "eu-west-1");
	struct error *err = NULL;
	scoped(artifact_store) struct artifact_store *store = NULL;
	struct artifact_access access = { 0 };
	json_t *session;

	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "never/shown", 1);
	store = open_with(*state, "s3", options, NULL, &err);
	assert_ok(store, err);
	artifact_access(store, &access);
	assert_ok(session = artifact_session(store, &err), err);
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	scoped(text) char *conf = json_dumps(access.spark_conf, JSON_COMPACT | JSON_SORT_KEYS);

	assert_true(access.own_identity);
	assert_int_equal(json_object_size(access.secrets), 0);
	assert_string_equal(
		conf, "{\"spark.hadoop.fs.s3.impl\":\"org.apache.hadoop.fs.s3a.S3AFileSystem\","
		      "\"spark.hadoop.fs.s3a.create.storage.class\":\"STANDARD_IA\","
		      "\"spark.hadoop.fs.s3a.encryption.algorithm\":\"SSE-KMS\","
		      "\"spark.hadoop.fs.s3a.encryption.key\":\"alias/key\","
		      "\"spark.hadoop.fs.s3a.endpoint.region\":\"eu-west-1\","
		      "\"spark.hadoop.fs.s3a.path.style.access\":\"false\"}");
	assert_string_equal(json_string_value(json_object_get(session, "AWS_ACCESS_KEY_ID")),
	                    "AKID");
	secret_values_free(session);
	artifact_access_release(&access);
}

static void test_artifact_access__keeps_keys_out_of_the_configuration(void **state)
{
	json_auto_t *values =
		json_pack("{s:s, s:s, s:s}", "aws_access_key_id", "AKID", "aws_secret_access_key",
	                  "never/shown", "aws_session_token", "token+never+shown");
	json_auto_t *options = json_pack("{s:s, s:s, s:s, s:s}", "path", "s3://bucket/prefix/",
	                                 "endpoint_url", "http://minio:9000", "region", "eu-west-1",
	                                 "authentication_secret", "s3_authentication");
	scoped(secret_store) struct secret_store *vault = open_vault(*state, values);
	struct error *err = NULL;
	scoped(artifact_store) struct artifact_store *store =
		open_with(*state, "s3", options, vault, &err);
	struct artifact_access access = { 0 };

	assert_ok(store, err);
	assert_string_equal(store->root, "s3://bucket/prefix/");
	assert_true(store->flavor->remote);
	artifact_access(store, &access);
	scoped(text) char *conf = json_dumps(access.spark_conf, JSON_COMPACT | JSON_SORT_KEYS);
	scoped(text) char *secrets = json_dumps(access.secrets, JSON_COMPACT | JSON_SORT_KEYS);
	artifact_access_release(&access);

	assert_string_equal(
		conf, "{\"spark.hadoop.fs.s3.impl\":\"org.apache.hadoop.fs.s3a.S3AFileSystem\","
		      "\"spark.hadoop.fs.s3a.aws.credentials.provider\":"
		      "\"com.amazonaws.auth.EnvironmentVariableCredentialsProvider\","
		      "\"spark.hadoop.fs.s3a.connection.ssl.enabled\":\"false\","
		      "\"spark.hadoop.fs.s3a.endpoint\":\"http://minio:9000\","
		      "\"spark.hadoop.fs.s3a.endpoint.region\":\"eu-west-1\","
		      "\"spark.hadoop.fs.s3a.path.style.access\":\"true\"}");
	assert_string_equal(secrets, "{\"AWS_ACCESS_KEY_ID\":\"AKID\","
	                             "\"AWS_SECRET_ACCESS_KEY\":\"never/shown\","
	                             "\"AWS_SESSION_TOKEN\":\"token+never+shown\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_artifact_uri__keeps_attempts_apart),
		cmocka_unit_test(test_artifact_local__counts_relative_paths_from_the_project),
		cmocka_unit_test(test_artifact_get__reads_ranges_from_both_ends),
		cmocka_unit_test(
			test_artifact_get__refuses_more_than_its_limit_and_what_is_not_there),
		cmocka_unit_test(test_artifact__refuses_uris_outside_the_store),
		cmocka_unit_test(test_artifact_list__gives_all_files_below_in_order_of_names),
		cmocka_unit_test(test_artifact_list__follows_no_links),
		cmocka_unit_test(test_artifact_put_file__copies_and_leaves_nothing_else),
		cmocka_unit_test(test_artifact_check__leaves_the_store_as_it_was),
		cmocka_unit_test(test_artifact_s3__shows_the_right_form_of_a_path),
		cmocka_unit_test(test_artifact_s3__says_where_credentials_may_come_from),
		cmocka_unit_test(test_artifact_s3__refuses_options_that_contradict_each_other),
		cmocka_unit_test(test_artifact_access__leaves_pods_their_own_identity),
		cmocka_unit_test(test_artifact_access__keeps_keys_out_of_the_configuration),
	};

	memory_init();
	/* Whatever this machine is elsewhere, it is nobody here. */
	unsetenv("AWS_ACCESS_KEY_ID");
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	return cmocka_run_group_tests(tests, temporary_project_setup, temporary_project_teardown);
}
