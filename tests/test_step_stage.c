/* SPDX-License-Identifier: Apache-2.0 */
/* operator/step_stage: which files go where, once, while the loop goes on. */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/step_stage.h"
#include "tests/fakes/memory_store.h"
#include "tests/fakes/temporary_project.h"

#define PATIENCE_MS 20000
/* Of "hello". */
#define DATA_DIGEST "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

struct stage_test {
	struct temporary_project *temporary;
	struct memory_store store;
	struct pipeline pipeline;
	struct launch_identity identity;
	struct loop *loop;
	char *path;
};

static int setup(void **state)
{
	struct stage_test *test = xcalloc(1, sizeof(*test));
	void *temporary;

	if (temporary_project_setup(&temporary))
		return -1;
	test->temporary = temporary;
	temporary_project_write(test->temporary, "train.csv", "hello");
	temporary_project_write(test->temporary, "copy.csv", "hello");
	test->path = temporary_project_path(test->temporary, "train.csv");
	memory_store_init(&test->store);
	test->loop = loop_new();
	test->pipeline.name = (char *)"spark_pipeline";
	test->identity = (struct launch_identity){ .run_id = "7d1f",
		                                   .run_name = "spark_pipeline-1",
		                                   .pipeline = &test->pipeline,
		                                   .artifacts = &test->store.store };
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct stage_test *test = *state;
	void *temporary = test->temporary;

	loop_free(test->loop);
	memory_store_release(&test->store);
	free(test->path);
	free(test);
	return temporary_project_teardown(&temporary);
}

/* What became of a stage. */
struct outcome {
	bool is_over;
	json_t *files;
	struct error *error;
	size_t ticks;
};

static void note_end(void *context, const json_t *files, const struct error *error)
{
	struct outcome *outcome = context;

	outcome->is_over = true;
	outcome->files = files ? json_deep_copy(files) : NULL;
	outcome->error = error_copy(error);
}

static bool is_over(const void *context)
{
	return ((const struct outcome *)context)->is_over;
}

/* The URI that the file at `path` gets. Owned by the caller. */
static char *stage(struct stage_test *test, const char *path, struct error **err)
{
	struct step_file file = { .name = (char *)"f", .path = (char *)path };
	const struct step step = { .name = (char *)"s", .files = &file, .file_count = 1 };
	struct outcome outcome = { 0 };
	char *uri = NULL;

	step_stage_start(test->loop, &test->identity, &step, note_end, &outcome);
	assert_false(outcome.is_over);
	assert_true(loop_run_until(test->loop, is_over, &outcome, loop_now_ms() + PATIENCE_MS));
	if (outcome.files)
		uri = xstrdup(json_string_value(json_object_get(outcome.files, "f")));
	json_decref(outcome.files);
	return uri ? uri : error_pass(err, outcome.error);
}

static void test_step_stage__uploads_a_content_once(void **state)
{
	struct stage_test *test = *state;
	scoped(text) char *first = stage(test, test->path, NULL);
	scoped(text) char *second = stage(test, test->path, NULL);

	assert_string_equal(first,
	                    "s3://bucket/prefix/spark_pipeline/files/" DATA_DIGEST "/train.csv");
	assert_string_equal(second, first);
	assert_int_equal(test->store.put_count, 1);
	assert_string_equal(json_string_value(json_object_get(test->store.objects, first)),
	                    "hello");
}

/* Spark reads the format off the name. */
static void test_step_stage__keeps_the_name(void **state)
{
	struct stage_test *test = *state;
	scoped(text) char *path = temporary_project_path(test->temporary, "copy.csv");
	scoped(text) char *uri = stage(test, path, NULL);

	assert_true(text_ends_with(uri, "/" DATA_DIGEST "/copy.csv"));
}

static void test_step_stage__leaves_uris_alone(void **state)
{
	struct stage_test *test = *state;
	scoped(text) char *uri = stage(test, "s3a://other/x.csv", NULL);

	assert_string_equal(uri, "s3a://other/x.csv");
	assert_int_equal(test->store.put_count, 0);
}

static void test_step_stage__leaves_files_to_a_store_of_this_machine(void **state)
{
	struct stage_test *test = *state;
	struct artifact_store local = { .flavor = &artifact_local, .root = (char *)"file:///x/" };
	scoped(text) char *expected = text_printf("file://%s", test->path);
	scoped(text) char *uri = NULL;

	test->identity.artifacts = &local;
	uri = stage(test, test->path, NULL);

	assert_string_equal(uri, expected);
}

static void test_step_stage__does_not_take_an_unreachable_store_for_an_empty_one(void **state)
{
	struct stage_test *test = *state;
	scoped(error) struct error *err = NULL;

	test->store.is_down = true;

	assert_null(stage(test, test->path, &err));

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "train.csv' of step 's'");
	assert_int_equal(test->store.put_count, 0);
}

static void test_step_stage__names_the_file_that_is_gone(void **state)
{
	scoped(error) struct error *err = NULL;

	assert_null(stage(*state, "/nowhere/x.csv", &err));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "/nowhere/x.csv");
}

static void count_tick(void *context)
{
	((struct outcome *)context)->ticks++;
}

/* Several slices of one file: what else is due comes between them. */
static void test_step_stage__digests_a_large_file_slice_by_slice(void **state)
{
	const size_t size = ((size_t)9 << 20) + 1;
	struct stage_test *test = *state;
	scoped(text) char *bytes = xcalloc(size + 1, 1);
	struct step_file file = { .name = (char *)"f", .path = test->path };
	const struct step step = { .name = (char *)"s", .files = &file, .file_count = 1 };
	struct outcome outcome = { 0 };
	struct error *err = NULL;
	struct step_stage *started;

	memset(bytes, 'x', size);
	assert_ok(file_write(test->path, bytes, size, 0600, &err), err);
	started = step_stage_start(test->loop, &test->identity, &step, note_end, &outcome);
	loop_step(test->loop, loop_now_ms() + PATIENCE_MS);
	loop_start_timer(test->loop, 0, count_tick, &outcome);
	while (!outcome.ticks)
		loop_step(test->loop, loop_now_ms() + PATIENCE_MS);
	assert_false(outcome.is_over);
	step_stage_cancel(started);

	assert_false(loop_step(test->loop, loop_now_ms() + 1));
	assert_false(outcome.is_over);
	assert_int_equal(test->store.put_count, 0);
}

static void test_step_stage_is_needed__for_files_of_this_machine_alone(void **state)
{
	struct stage_test *test = *state;
	struct step_file files[] = { { .name = (char *)"a", .path = (char *)"s3a://b/x" },
		                     { .name = (char *)"b", .path = test->path } };
	const struct step none = { .files = NULL, .file_count = 0 };
	const struct step uri = { .files = files, .file_count = 1 };
	const struct step both = { .files = files, .file_count = 2 };

	assert_false(step_stage_is_needed(&test->identity, &none));
	assert_false(step_stage_is_needed(&test->identity, &uri));
	assert_true(step_stage_is_needed(&test->identity, &both));
}

#define WITH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST(test_step_stage__uploads_a_content_once),
		WITH_TEST(test_step_stage__keeps_the_name),
		WITH_TEST(test_step_stage__leaves_uris_alone),
		WITH_TEST(test_step_stage__leaves_files_to_a_store_of_this_machine),
		WITH_TEST(test_step_stage__does_not_take_an_unreachable_store_for_an_empty_one),
		WITH_TEST(test_step_stage__names_the_file_that_is_gone),
		WITH_TEST(test_step_stage__digests_a_large_file_slice_by_slice),
		WITH_TEST(test_step_stage_is_needed__for_files_of_this_machine_alone),
	};

	memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
