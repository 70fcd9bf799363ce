/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_upload: local files on their way to the pods. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/http.h"
#include "core/loop.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "submit/spark_upload.h"

struct fixture {
	char *folder;
	struct loop *loop;
	struct http_client *http;
	struct spark_app app;
	json_t *warnings;
};

static char *path_of(const struct fixture *fixture, const char *name)
{
	return file_join(fixture->folder, name);
}

static void put(const struct fixture *fixture, const char *name, const char *bytes, size_t size)
{
	scoped(text) char *path = path_of(fixture, name);
	scoped(text) char *folder = file_folder(path);
	struct error *err = NULL;

	assert_ok(file_make_folders(folder, 0700, &err), err);
	assert_ok(file_write(path, bytes, size, 0600, &err), err);
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	char path[] = "/tmp/stepop-test-XXXXXX";

	fixture->folder = realpath(mkdtemp(path), NULL);
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->app.conf = spark_conf_new();
	fixture->app.name = xstrdup("app");
	fixture->app.args = json_array();
	fixture->warnings = json_array();
	put(fixture, "app.py", "print(1)\n", 9);
	put(fixture, "util.py", "x = 1\n", 6);
	put(fixture, "app.jar", "PK\0\xff", 4);
	put(fixture, "lib.jar", "PK\0lib", 6);
	put(fixture, "other/lib.jar", "PK\0other", 8);
	put(fixture, "same/lib.jar", "PK\0lib", 6);
	put(fixture, "with blank.txt", "text\n", 5);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	file_remove_tree(fixture->folder, NULL);
	free(fixture->folder);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	spark_app_release(&fixture->app);
	json_decref(fixture->warnings);
	free(fixture);
	return 0;
}

/* "@" in a text stands for the fixture's folder. Owned by the caller. */
static char *unfolded(const struct fixture *fixture, const char *text)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	for (; *text; text++)
		if (*text == '@')
			fputs(fixture->folder, out);
		else
			fputc(*text, out);
	return text_stream_take(&stream);
}

static void set(struct fixture *fixture, const char *key, const char *value)
{
	scoped(text) char *text = unfolded(fixture, value);

	spark_conf_set(fixture->app.conf, key, text);
}

static const char *get(const struct fixture *fixture, const char *key)
{
	return spark_conf_get(fixture->app.conf, key);
}

static void set_resource(struct fixture *fixture, enum spark_resource kind, const char *resource)
{
	fixture->app.resource = kind;
	free(fixture->app.main_resource);
	fixture->app.main_resource = unfolded(fixture, resource);
}

static void prepare(struct fixture *fixture, struct http_client *http)
{
	struct error *err = NULL;

	assert_ok(spark_upload_prepare(&fixture->app, http, fixture->warnings, &err), err);
}

static void refuse(struct fixture *fixture, enum error_kind kind, const char *message)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *resource = text_copy(fixture->app.main_resource);

	assert_false(spark_upload_prepare(&fixture->app, fixture->http, fixture->warnings, &err));
	assert_error_contains(err, message);
	assert_int_equal(err->kind, kind);
	assert_string_equal(fixture->app.main_resource, resource);
	assert_null(fixture->app.files);
}

/* ---- nothing to do ---- */

static void test_spark_upload__leaves_what_is_not_local(void **state)
{
	struct fixture *fixture = *state;

	set_resource(fixture, SPARK_RESOURCE_JAVA, "local:///opt/app.jar");
	set(fixture, "spark.jars", "s3a://b/x.jar, https://h/y.jar");
	set(fixture, "spark.kubernetes.file.upload.path", "hdfs:///nobody/asks");
	prepare(fixture, NULL);

	assert_string_equal(fixture->app.main_resource, "local:///opt/app.jar");
	assert_string_equal(get(fixture, "spark.jars"), "s3a://b/x.jar, https://h/y.jar");
	assert_null(get(fixture, "spark.files"));
	assert_null(fixture->app.files);
	assert_int_equal(json_array_size(fixture->warnings), 0);
}

/* ---- by ConfigMap ---- */

static void test_spark_upload__carries_a_python_application_in_a_config_map(void **state)
{
	struct fixture *fixture = *state;
	const json_t *contents;

	set_resource(fixture, SPARK_RESOURCE_PYTHON, "file://@/app.py");
	set(fixture, "spark.submit.pyFiles", "s3a://b/c.zip,file:@/util.py");
	set(fixture, "spark.files", "@/with%20blank.txt#there,@/lib.jar");
	prepare(fixture, NULL);

	assert_string_equal(fixture->app.main_resource, "local:///opt/stepop/files/app.py");
	assert_string_equal(get(fixture, "spark.submit.pyFiles"),
	                    "file:///opt/stepop/files/util.py,s3a://b/c.zip");
	assert_string_equal(get(fixture, "spark.files"),
	                    "file:///opt/stepop/files/with%20blank.txt#there,"
	                    "file:///opt/stepop/files/lib.jar");
	assert_string_equal(fixture->app.files->mount_path, "/opt/stepop/files");
	contents = fixture->app.files->contents;
	assert_int_equal(json_object_size(contents), 3);
	assert_string_equal(json_string_value(json_object_get(contents, "app.py")), "print(1)\n");
	assert_string_equal(
		json_string_value(json_object_get(fixture->app.files->binaries, "lib.jar")),
		"UEsAbGli");
	assert_int_equal(json_array_size(fixture->warnings), 0);
}

static void test_spark_upload__makes_a_main_jar_the_last_of_the_jars(void **state)
{
	struct fixture *fixture = *state;

	set_resource(fixture, SPARK_RESOURCE_JAVA, "@/app.jar");
	set(fixture, "spark.jars", "local:///a.jar,@/lib.jar");
	prepare(fixture, NULL);

	assert_string_equal(fixture->app.main_resource, "spark-internal");
	assert_string_equal(get(fixture, "spark.jars"),
	                    "file:///opt/stepop/files/lib.jar,file:///opt/stepop/files/app.jar,"
	                    "local:///a.jar");
}

static void test_spark_upload__puts_files_beside_what_travels_already(void **state)
{
	struct fixture *fixture = *state;
	struct spark_files *files = xcalloc(1, sizeof(*files));

	files->mount_path = xstrdup("/opt/stepop");
	files->contents = json_pack("{s:s}", "main.py", "runtime");
	fixture->app.files = files;
	set_resource(fixture, SPARK_RESOURCE_PYTHON, "local:///opt/stepop/main.py");
	set(fixture, "spark.archives", "@/lib.jar#env");
	prepare(fixture, NULL);

	assert_string_equal(get(fixture, "spark.archives"), "file:///opt/stepop/files/lib.jar#env");
	assert_string_equal(fixture->app.files->mount_path, "/opt/stepop");
	assert_non_null(json_object_get(fixture->app.files->contents, "main.py"));
	assert_non_null(json_object_get(fixture->app.files->binaries, "files/lib.jar"));
}

static void test_spark_upload__mounts_text_and_bytes_from_one_config_map(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;
	json_auto_t *objects = NULL;
	const json_t *map = NULL, *object;
	size_t i;

	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	set(fixture, "spark.jars", "@/lib.jar");
	set(fixture, "spark.kubernetes.container.image", "apache/spark:3.5.9");
	prepare(fixture, NULL);
	assert_ok(objects = driver_objects_build(&fixture->app, &err), err);

	json_array_foreach (objects, i, object)
		if (text_ends_with(kube_object_name(object), "-files"))
			map = object;
	assert_non_null(map);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(map, "data"), "app.py")),
		"print(1)\n");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(map, "binaryData"), "lib.jar")),
		"UEsAbGli");
}

static void test_spark_upload__refuses_what_a_config_map_cannot_carry(void **state)
{
	struct fixture *fixture = *state;
	size_t size = 800 * 1024;
	scoped(text) char *bytes = xcalloc(size, 1);

	put(fixture, "big.bin", bytes, size); /* base64 makes it too large */
	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	set(fixture, "spark.files", "@/big.bin");
	refuse(fixture, ERROR_INVALID, "the largest is 'big.bin', 1066 KiB");
	refuse(fixture, ERROR_INVALID, "set spark.kubernetes.file.upload.path");

	memset(bytes, 'x', size);
	put(fixture, "big.bin", bytes, size); /* but text is not */
	put(fixture, "more.bin", bytes, size);
	set(fixture, "spark.files", "@/big.bin,@/more.bin");
	refuse(fixture, ERROR_INVALID, "are 1600 KiB together, and a ConfigMap carries 900 KiB");
	set(fixture, "spark.files", "@/big.bin");
	prepare(fixture, NULL);
}

static void test_spark_upload__refuses_two_files_of_one_name_but_not_one_file_twice(void **state)
{
	struct fixture *fixture = *state;

	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	set(fixture, "spark.jars", "@/lib.jar,@/other/lib.jar");
	refuse(fixture, ERROR_INVALID, "are both named 'lib.jar'");
	set(fixture, "spark.jars", "@/lib.jar,@/same/lib.jar");
	prepare(fixture, NULL);
	assert_string_equal(get(fixture, "spark.jars"),
	                    "file:///opt/stepop/files/lib.jar,file:///opt/stepop/files/lib.jar");
}

static void test_spark_upload__refuses_files_that_cannot_be_read(void **state)
{
	struct fixture *fixture = *state;

	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/no.py");
	refuse(fixture, ERROR_NOT_FOUND, "the application: there is no file '");
	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	set(fixture, "spark.files", "@/other");
	refuse(fixture, ERROR_INVALID, "spark.files: '");
	refuse(fixture, ERROR_INVALID, "is a folder");
}

/* ---- to an upload path ---- */

/* The path of a URI "file://…/spark-upload-…/name", checked; owned by the caller. */
static char *uploaded_path(const struct fixture *fixture, const char *uri, const char *name)
{
	scoped(text) char *start = unfolded(fixture, "file://@/up/spark-upload-");
	const char *rest = uri + strlen(start);

	assert_true(text_starts_with(uri, start));
	assert_int_equal(strspn(rest, "0123456789abcdef-"), 36);
	assert_int_equal(rest[36], '/');
	assert_string_equal(rest + 37, name);
	return xstrdup(uri + strlen("file://"));
}

static void assert_content(const char *path, const char *expected)
{
	struct error *err = NULL;
	scoped(text) char *text = file_read(path, 1000, NULL, &err);

	assert_ok(text, err);
	assert_string_equal(text, expected);
}

static void test_spark_upload__copies_to_a_folder(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *path = NULL;
	scoped(text) char *encoded = NULL;

	set(fixture, "spark.kubernetes.file.upload.path", "file://@/up//");
	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	set(fixture, "spark.files", "local:///x,file://@/with%20blank.txt#z");
	prepare(fixture, fixture->http);

	path = uploaded_path(fixture, fixture->app.main_resource, "app.py");
	assert_content(path, "print(1)\n");
	assert_true(text_ends_with(get(fixture, "spark.files"), "/with%20blank.txt#z,local:///x"));
	encoded = xstrndup(get(fixture, "spark.files") + strlen("file://"),
	                   strcspn(get(fixture, "spark.files"), "%") - strlen("file://"));
	free(take(path));
	path = text_printf("%s blank.txt", encoded);
	assert_content(path, "text\n");
	assert_null(fixture->app.files);
	assert_int_equal(json_array_size(fixture->warnings), 0);
}

static void test_spark_upload__lists_uploaded_jars_first_and_the_main_jar_last(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *jars = NULL;
	const char *list;

	set(fixture, "spark.kubernetes.file.upload.path", "@/up");
	set_resource(fixture, SPARK_RESOURCE_JAVA, "@/app.jar");
	set(fixture, "spark.jars", "s3a://b/x.jar,@/lib.jar,@/other/lib.jar,@/same/lib.jar");
	prepare(fixture, fixture->http);

	list = get(fixture, "spark.jars");
	assert_string_equal(fixture->app.main_resource, "spark-internal");
	assert_true(text_starts_with(list, fixture->folder));
	assert_true(text_ends_with(list, "/app.jar,s3a://b/x.jar"));
	jars = json_array();
	for (size_t size; *list; list += size + (list[size] == ',')) {
		size = strcspn(list, ",");
		json_array_append_new(jars, json_stringn(list, size));
	}
	assert_int_equal(json_array_size(jars), 5);
	/* One content, one place; one name twice is no clash here. */
	assert_true(json_equal(json_array_get(jars, 0), json_array_get(jars, 2)));
	assert_false(json_equal(json_array_get(jars, 0), json_array_get(jars, 1)));
}

/* Prepares `main` of the fixture anew; the URI is owned by the caller. */
static char *uri_of_main(struct fixture *fixture, const char *id, struct http_client *http)
{
	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	free(fixture->app.submission_id);
	fixture->app.submission_id = text_copy(id);
	prepare(fixture, http);
	return xstrdup(fixture->app.main_resource);
}

static void test_spark_upload__finds_what_a_try_before_has_put(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *first = NULL;
	scoped(text) char *again = NULL;
	scoped(text) char *other = NULL;
	scoped(text) char *random = NULL;
	struct stat before, after;

	set(fixture, "spark.kubernetes.file.upload.path", "@/up");
	first = uri_of_main(fixture, "id", fixture->http);
	assert_int_equal(stat(first, &before), 0);
	again = uri_of_main(fixture, "id", fixture->http);
	assert_int_equal(stat(first, &after), 0);
	other = uri_of_main(fixture, "id2", fixture->http);
	random = uri_of_main(fixture, NULL, fixture->http);

	assert_string_equal(again, first);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_string_not_equal(other, first);
	assert_string_not_equal(random, first);
	free(take(again));
	again = uri_of_main(fixture, NULL, fixture->http);
	assert_string_not_equal(again, random);

	put(fixture, "app.py", "print(2)\n", 9);
	free(take(again));
	again = uri_of_main(fixture, "id", fixture->http);
	assert_string_not_equal(again, first);
}

static void test_spark_upload__sends_nothing_in_a_dry_run(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *up = path_of(fixture, "up");
	const char *warning;

	set(fixture, "spark.kubernetes.file.upload.path", "@/up");
	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	prepare(fixture, NULL);

	assert_true(text_starts_with(fixture->app.main_resource, up));
	assert_false(file_exists(up));
	assert_int_equal(json_array_size(fixture->warnings), 1);
	warning = json_string_value(json_array_get(fixture->warnings, 0));
	assert_true(text_starts_with(warning, "1 local file is not uploaded to "));
}

static void test_spark_upload__refuses_places_that_it_cannot_reach(void **state)
{
	struct fixture *fixture = *state;

	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	set(fixture, "spark.kubernetes.file.upload.path", "hdfs://h/p");
	refuse(fixture, ERROR_INVALID, "'hdfs://h/p': files are uploaded to s3a://bucket/prefix");
	set(fixture, "spark.kubernetes.file.upload.path", "s3a:///p");
	refuse(fixture, ERROR_INVALID, "names no bucket");
	set(fixture, "spark.kubernetes.file.upload.path", "@/app.py/x");
	refuse(fixture, ERROR_NOT_FOUND, "upload '");
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	set(fixture, "spark.kubernetes.file.upload.path", "s3a://b/p");
	refuse(fixture, ERROR_AUTH, "bucket 'b': there are no credentials of AWS");
}

static void test_spark_upload__knows_the_uri_in_s3_without_credentials_in_a_dry_run(void **state)
{
	struct fixture *fixture = *state;

	set_resource(fixture, SPARK_RESOURCE_PYTHON, "@/app.py");
	set(fixture, "spark.kubernetes.file.upload.path", "s3a://b");
	prepare(fixture, NULL);
	assert_true(text_starts_with(fixture->app.main_resource, "s3a://b/spark-upload-"));
	assert_true(text_ends_with(fixture->app.main_resource, "/app.py"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spark_upload__leaves_what_is_not_local),
		TEST(test_spark_upload__carries_a_python_application_in_a_config_map),
		TEST(test_spark_upload__makes_a_main_jar_the_last_of_the_jars),
		TEST(test_spark_upload__puts_files_beside_what_travels_already),
		TEST(test_spark_upload__mounts_text_and_bytes_from_one_config_map),
		TEST(test_spark_upload__refuses_what_a_config_map_cannot_carry),
		TEST(test_spark_upload__refuses_two_files_of_one_name_but_not_one_file_twice),
		TEST(test_spark_upload__refuses_files_that_cannot_be_read),
		TEST(test_spark_upload__copies_to_a_folder),
		TEST(test_spark_upload__lists_uploaded_jars_first_and_the_main_jar_last),
		TEST(test_spark_upload__finds_what_a_try_before_has_put),
		TEST(test_spark_upload__sends_nothing_in_a_dry_run),
		TEST(test_spark_upload__refuses_places_that_it_cannot_reach),
		TEST(test_spark_upload__knows_the_uri_in_s3_without_credentials_in_a_dry_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
