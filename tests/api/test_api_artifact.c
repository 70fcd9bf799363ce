/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stacks/artifact_s3 and the materializers against a real S3 server; same environment as
 * test_api_s3.c. Skipped, aloud, without it.
 */
#include "tests/test.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/s3.h"
#include "core/digest.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "materializers/materializer.h"
#include "stacks/artifact.h"
#include "tests/fakes/s3_server.h"
#include "tests/fakes/temporary_project.h"

struct fixture {
	struct s3_server server;
	void *project; /* struct temporary_project */
	struct loop *loop;
	struct http_client *http;
	struct secret_store *vault;
	char *path;
	struct artifact_store *store;
};

static struct secret_store *open_vault(const struct fixture *fixture)
{
	const struct temporary_project *temporary = fixture->project;
	json_auto_t *options = json_object();
	json_auto_t *values =
		json_pack("{s:s, s:s}", "aws_access_key_id", fixture->server.access_key,
	                  "aws_secret_access_key", fixture->server.secret_key);
	struct component component = { COMPONENT_SECRETS_MANAGER, (char *)"vault", (char *)"local",
		                       options };
	struct error *err = NULL;
	struct secret_store *vault = secret_store_open(temporary->project, &component, NULL, &err);

	assert_ok(vault, err);
	assert_ok(secret_put(vault, "s3", "aws", values, false, &err), err);
	return vault;
}

static struct artifact_store *open_store(const struct fixture *fixture, const char *path)
{
	const struct temporary_project *temporary = fixture->project;
	json_auto_t *options = json_pack("{s:s, s:s, s:s}", "path", path, "endpoint_url",
	                                 fixture->server.endpoint, "authentication_secret", "s3");
	struct component component = { COMPONENT_ARTIFACT_STORE, (char *)"s3_store", (char *)"s3",
		                       options };
	struct error *err = NULL;
	struct artifact_store *store = artifact_store_open(temporary->project, &component,
	                                                   fixture->vault, fixture->http, &err);

	assert_ok(store, err);
	return store;
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	scoped(text) char *random = digest_random_hex(12);

	*state = fixture;
	assert_true(s3_server_find("test_api_artifact", &fixture->server));
	temporary_project_setup(&fixture->project);
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	assert_true(s3_server_make_bucket(&fixture->server, fixture->http));
	fixture->vault = open_vault(fixture);
	fixture->path = text_printf("s3://%s/stepop test/%s", fixture->server.bucket, random);
	fixture->store = open_store(fixture, fixture->path);
	return 0;
}

static void delete_all(const struct fixture *fixture)
{
	struct s3_options options = {
		.endpoint_url = fixture->server.endpoint,
		.access_key_id = fixture->server.access_key,
		.secret_access_key = fixture->server.secret_key,
	};
	const char *bucket = fixture->server.bucket;
	const char *prefix = fixture->path + strlen("s3://") + strlen(bucket) + 1;
	scoped(s3_client) struct s3_client *client = s3_client_new(fixture->http, &options, NULL);
	struct s3_object *objects = NULL;
	size_t count = 0;

	s3_list(client, bucket, prefix, 10000, &objects, &count, NULL);
	for (size_t i = 0; i < count; i++)
		s3_delete(client, bucket, objects[i].key, NULL);
	s3_objects_free(objects, count);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	delete_all(fixture);
	artifact_store_free(fixture->store);
	secret_store_free(fixture->vault);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	temporary_project_teardown(&fixture->project);
	free(fixture->path);
	free(fixture);
	return 0;
}

static void upload_golden(const struct fixture *fixture, const char *pattern, const char *to)
{
	struct error *err = NULL;
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		scoped(text) char *uri = text_printf("%s%s%s", fixture->store->root, to,
		                                     strrchr(found.gl_pathv[i], '/') + 1);

		assert_ok(artifact_put_file(fixture->store, uri, found.gl_pathv[i], &err), err);
	}
	globfree(&found);
}

static json_t *must_describe(const struct fixture *fixture, const char *type, const char *folder)
{
	struct error *err = NULL;
	scoped(text) char *uri = text_printf("%s%s", fixture->store->root, folder);
	json_t *metadata =
		materializer_describe(materializer_find(type), fixture->store, uri, &err);

	assert_ok(metadata, err);
	return metadata;
}

static void test_artifact_s3__is_described_by_ranges_alone(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *frame = NULL, *model = NULL;

	upload_golden(fixture, "tests/golden/parquet/spark/data/*", "frame/data/");
	upload_golden(fixture, "tests/golden/parquet/model/model/metadata/*",
	              "model/model/metadata/");
	frame = must_describe(fixture, "spark.dataframe", "frame/");
	model = must_describe(fixture, "spark.model", "model/");

	assert_string_equal(json_string_value(json_object_get(frame, "summary")),
	                    "20 rows × 16 columns");
	assert_string_equal(json_string_value(json_object_get(model, "summary")),
	                    "LogisticRegressionModel");
}

/* Names and ETags come with the listing: nothing is downloaded. */
static void test_artifact_s3__has_the_same_digest_for_the_same_bytes(void **state)
{
	const struct materializer *json = materializer_find("json");
	struct fixture *fixture = *state;
	struct error *err = NULL;
	char *digests[3];

	for (int i = 0; i < 3; i++) {
		scoped(text) char *folder = text_printf("%sdigest/%d/", fixture->store->root, i);
		scoped(text) char *uri = text_printf("%svalue.json", folder);

		assert_ok(artifact_put(fixture->store, uri, i < 2 ? "1" : "2", 1, &err), err);
		assert_ok(digests[i] = materializer_digest(json, fixture->store, folder, &err),
		          err);
	}
	assert_string_equal(digests[0], digests[1]);
	assert_string_not_equal(digests[0], digests[2]);
	for (int i = 0; i < 3; i++)
		free(digests[i]);
}

/* As S3A and web consoles leave them. */
static void test_artifact_s3__ignores_objects_that_mark_folders(void **state)
{
	struct fixture *fixture = *state;
	const char *bucket = fixture->server.bucket;
	struct s3_options options = {
		.endpoint_url = fixture->server.endpoint,
		.access_key_id = fixture->server.access_key,
		.secret_access_key = fixture->server.secret_key,
	};
	struct error *err = NULL;
	scoped(s3_client) struct s3_client *client = s3_client_new(fixture->http, &options, &err);
	scoped(text) char *folder = text_printf("%smarked/", fixture->store->root);
	scoped(text) char *file = text_printf("%sb/c", folder);
	scoped(text) char *marker =
		text_printf("%sempty/", folder + strlen("s3://") + strlen(bucket) + 1);
	struct artifact_entry *entries = NULL;
	size_t count = 0;

	assert_ok(s3_put(client, bucket, marker, "", 0, NULL, &err), err);
	assert_ok(artifact_put(fixture->store, file, "1", 1, &err), err);
	assert_ok(artifact_list(fixture->store, folder, &entries, &count, &err), err);

	assert_int_equal(count, 1);
	assert_string_equal(entries[0].name, "b/c");
	assert_non_null(entries[0].etag);
	artifact_entries_free(entries, count);
}

static void test_artifact_s3__checks_that_it_can_be_written(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;
	struct artifact_store *other = open_store(fixture, "s3://stepop-no-such-bucket/prefix");

	assert_ok(artifact_check(fixture->store, &err), err);
	assert_false(artifact_check(other, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "no such bucket");
	error_free(err);
	artifact_store_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_artifact_s3__is_described_by_ranges_alone),
		cmocka_unit_test(test_artifact_s3__has_the_same_digest_for_the_same_bytes),
		cmocka_unit_test(test_artifact_s3__ignores_objects_that_mark_folders),
		cmocka_unit_test(test_artifact_s3__checks_that_it_can_be_written),
	};

	struct s3_server server;

	memory_init();
	if (!s3_server_find("test_api_artifact", &server))
		return 0;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
