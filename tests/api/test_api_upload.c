/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit/spark_upload against a real S3 server: STEPOP_TEST_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY
 * and _BUCKET. Skipped, aloud, without them.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/s3.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_s3.h"
#include "submit/spark_upload.h"
#include "tests/fakes/s3_server.h"

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct s3_server server;
	struct s3_client *client;
	char *prefix; /* of this test: "stepop-test/…" */
	char *folder;
	struct spark_app app;
};

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	scoped(text) char *random = digest_random_hex(12);
	char path[] = "/tmp/stepop-test-XXXXXX";
	struct s3_options options = { 0 };
	struct error *err = NULL;

	*state = fixture;
	assert_true(s3_server_find("test_api_upload", &fixture->server));
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->prefix = text_printf("stepop-test/%s", random);
	fixture->folder = realpath(mkdtemp(path), NULL);
	assert_true(s3_server_make_bucket(&fixture->server, fixture->http));
	options = (struct s3_options){ .endpoint_url = fixture->server.endpoint,
		                       .access_key_id = fixture->server.access_key,
		                       .secret_access_key = fixture->server.secret_key };
	assert_ok(fixture->client = s3_client_new(fixture->http, &options, &err), err);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct s3_object *objects = NULL;
	size_t count = 0;

	s3_list(fixture->client, fixture->server.bucket, fixture->prefix, 1000, &objects, &count,
	        NULL);
	for (size_t i = 0; i < count; i++)
		s3_delete(fixture->client, fixture->server.bucket, objects[i].key, NULL);
	s3_objects_free(objects, count);
	s3_client_free(fixture->client);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	file_remove_tree(fixture->folder, NULL);
	free(fixture->folder);
	free(fixture->prefix);
	spark_app_release(&fixture->app);
	free(fixture);
	return 0;
}

/* A file of the test; its path is owned by the caller. */
static char *put(const struct fixture *fixture, const char *name, const char *text)
{
	char *path = file_join(fixture->folder, name);
	struct error *err = NULL;

	assert_ok(file_write(path, text, strlen(text), 0600, &err), err);
	return path;
}

/* A Python application with a file, as the properties of a user of MinIO would have it. */
static void set_app(struct fixture *fixture, const char *secret_key)
{
	struct spark_conf *conf = spark_conf_new();
	scoped(text) char *target =
		text_printf("s3a://%s/%s", fixture->server.bucket, fixture->prefix);
	scoped(text) char *file = put(fixture, "a b+ä.txt", "text");
	scoped(text) char *pattern = text_printf("file://%s/a%%20b%%2Bä.txt", fixture->folder);

	spark_app_release(&fixture->app);
	spark_conf_set(conf, "spark.kubernetes.file.upload.path", target);
	spark_conf_set(conf, "spark.hadoop.fs.s3a.endpoint", fixture->server.endpoint);
	spark_conf_set(conf, "spark.hadoop.fs.s3a.path.style.access", "true");
	spark_conf_set(conf, "spark.hadoop.fs.s3a.access.key", fixture->server.access_key);
	spark_conf_set(conf, "spark.hadoop.fs.s3a.secret.key", secret_key);
	spark_conf_set(conf, "spark.files", pattern);
	fixture->app.conf = conf;
	fixture->app.resource = SPARK_RESOURCE_PYTHON;
	fixture->app.main_resource = put(fixture, "app.py", "print(1)");
	fixture->app.submission_id = xstrdup("id");
}

static void prepare(struct fixture *fixture)
{
	json_auto_t *warnings = json_array();
	struct error *err = NULL;

	assert_ok(spark_upload_prepare(&fixture->app, fixture->http, warnings, &err), err);
	assert_int_equal(json_array_size(warnings), 0);
}

/* The objects of this test; freed by s3_objects_free(). */
static struct s3_object *stored(const struct fixture *fixture, size_t *count)
{
	struct s3_object *objects = NULL;
	struct error *err = NULL;

	assert_ok(s3_list(fixture->client, fixture->server.bucket, fixture->prefix, 100, &objects,
	                  count, &err),
	          err);
	return objects;
}

/* The key that a URI of the application means; owned by the caller. */
static char *key_of(const struct fixture *fixture, const char *uri)
{
	scoped(text) char *start = text_printf("s3a://%s/", fixture->server.bucket);

	assert_true(text_starts_with(uri, start));
	return xstrdup(uri + strlen(start));
}

static void test_spark_upload__puts_files_where_the_application_says_they_are(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;
	struct s3_object *objects;
	scoped(text) char *key = NULL;
	scoped(text) char *body = NULL;
	size_t count;

	set_app(fixture, fixture->server.secret_key);
	prepare(fixture);

	key = key_of(fixture, fixture->app.main_resource);
	assert_ok(
		body = s3_get(fixture->client, fixture->server.bucket, key, 0, 0, 100, NULL, &err),
		err);
	assert_string_equal(body, "print(1)");
	assert_true(
		text_ends_with(spark_conf_get(fixture->app.conf, "spark.files"), "/a%20b+ä.txt"));
	objects = stored(fixture, &count);
	assert_int_equal(count, 2);
	assert_true(text_ends_with(objects[0].key, "/a b+ä.txt") ||
	            text_ends_with(objects[1].key, "/a b+ä.txt"));
	s3_objects_free(objects, count);
}

static void test_spark_upload__puts_nothing_twice_under_one_submission_id(void **state)
{
	struct fixture *fixture = *state;
	struct s3_object *objects;
	scoped(text) char *first = NULL;
	size_t count;

	set_app(fixture, fixture->server.secret_key);
	prepare(fixture);
	first = xstrdup(fixture->app.main_resource);
	set_app(fixture, fixture->server.secret_key);
	prepare(fixture);

	assert_string_equal(fixture->app.main_resource, first);
	objects = stored(fixture, &count);
	assert_int_equal(count, 2);
	s3_objects_free(objects, count);
}

/* The server is its own STS: the keys of the session put the files. */
static void test_spark_upload__assumes_a_role(void **state)
{
	struct fixture *fixture = *state;
	struct s3_object *objects;
	size_t count;

	set_app(fixture, fixture->server.secret_key);
	spark_conf_set(fixture->app.conf, "spark.hadoop.fs.s3a.aws.credentials.provider",
	               "org.apache.hadoop.fs.s3a.auth.AssumedRoleCredentialProvider");
	spark_conf_set(fixture->app.conf, "spark.hadoop.fs.s3a.assumed.role.arn",
	               "arn:aws:iam::000000000000:role/writer");
	spark_conf_set(fixture->app.conf, "spark.hadoop.fs.s3a.assumed.role.sts.endpoint",
	               fixture->server.endpoint);
	prepare(fixture);

	objects = stored(fixture, &count);
	assert_int_equal(count, 2);
	s3_objects_free(objects, count);
}

static void test_spark_upload__says_whose_credentials_are_wrong(void **state)
{
	struct fixture *fixture = *state;
	scoped(error) struct error *err = NULL;
	scoped(text) char *message = NULL;

	set_app(fixture, "wr0ng-secret");
	assert_false(spark_upload_prepare(&fixture->app, fixture->http, NULL, &err));

	message = error_text(err);
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "upload 2 files to ");
	assert_null(strstr(message, "wr0ng-secret"));
	assert_true(text_starts_with(fixture->app.main_resource, "/tmp/"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spark_upload__puts_files_where_the_application_says_they_are),
		TEST(test_spark_upload__puts_nothing_twice_under_one_submission_id),
		TEST(test_spark_upload__assumes_a_role),
		TEST(test_spark_upload__says_whose_credentials_are_wrong),
	};
	struct s3_server server;

	memory_init();
	if (!s3_server_find("test_api_upload", &server))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
