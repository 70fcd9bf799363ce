/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_artifact: what people read of the artifacts of a recorded run. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact.h"
#include "stacks/metadata.h"
#include "tests/fakes/temporary_project.h"

#define RUN_ID "7d1f0000000000000000000000000000"

static struct artifact_store *open_artifacts(const struct project *project)
{
	json_auto_t *options = json_object();
	struct component component = { COMPONENT_ARTIFACT_STORE, (char *)"default", (char *)"local",
		                       options };
	struct error *err = NULL;
	struct artifact_store *store = artifact_store_open(project, &component, NULL, NULL, &err);

	assert_ok(store, err);
	return store;
}

static void record(const struct project *project, const struct artifact_row *artifacts,
                   size_t count)
{
	json_auto_t *options = json_object();
	struct component component = { COMPONENT_METADATA_STORE, (char *)"default",
		                       (char *)"sqlite", options };
	struct error *err = NULL;
	scoped(metadata_store) struct metadata_store *store =
		metadata_store_open(project, &component, NULL, &err);
	struct run_row run = { .id = (char *)RUN_ID,
		               .name = (char *)"daily-1",
		               .pipeline = (char *)"daily",
		               .stack = (char *)"default",
		               .state = (char *)"succeeded",
		               .created_at = 1 };
	struct step_row step = { .run_id = run.id, .name = (char *)"trainer", .state = run.state };
	struct metadata_change change = { .artifacts = artifacts, .artifact_count = count };
	struct lease lease = { 0 };

	assert_ok(store, err);
	assert_ok(metadata_create_run(store, &run, &step, 1, NULL, 0, &lease, &err), err);
	assert_ok(metadata_record(store, &lease, &change, &err), err);
	lease_release(&lease);
}

static struct artifact_row row(const char *name, int64_t attempt, const char *uri,
                               const char *metadata)
{
	return (struct artifact_row){ .run_id = (char *)RUN_ID,
		                      .step = (char *)"trainer",
		                      .attempt = attempt,
		                      .name = (char *)name,
		                      .type = (char *)"json",
		                      .uri = (char *)uri,
		                      .digest = (char *)"d1",
		                      .metadata = (char *)metadata,
		                      .created_at = 1 };
}

static int set_up(void **state)
{
	struct temporary_project *temporary;
	struct error *err = NULL;

	temporary_project_setup(state);
	temporary = *state;
	setenv("STEPOP_HOME", project_folder(temporary->project), 1);
	scoped(artifact_store) struct artifact_store *store = open_artifacts(temporary->project);
	scoped(text) char *metrics = artifact_uri(store, "daily", RUN_ID, "trainer", 2, "metrics");
	scoped(text) char *labels = artifact_uri(store, "daily", RUN_ID, "trainer", 2, "labels");
	scoped(text) char *file = text_printf("%svalue.json", metrics);
	struct artifact_row rows[] = {
		row("metrics", 1, "file:///gone/", "{\"summary\": \"old\"}"),
		row("metrics", 2, metrics, "{\"summary\": \"0.91\", \"value\": 0.91}"),
		row("labels", 2, labels, "{\"summary\": \"2 items\"}"),
	};

	assert_ok(artifact_put(store, file, "0.91\n", 5, &err), err);
	record(temporary->project, rows, ARRAY_SIZE(rows));
	return 0;
}

static int tear_down(void **state)
{
	unsetenv("STEPOP_HOME");
	return temporary_project_teardown(state);
}

/* Runs a command; what it prints, or NULL with *err set. Owned by the caller. */
static char *run(const struct temporary_project *temporary, char **argv, struct error **err)
{
	const struct command *command = NULL;
	scoped(text) char *path = temporary_project_path(temporary, "stdout");
	scoped(fd) int saved = dup(STDOUT_FILENO);
	int argc = 0;
	bool help = false, is_good;

	while (argv[argc])
		argc++;
	scoped(arguments) struct arguments *arguments =
		arguments_parse(argc, argv, &command, &help, err);
	if (!arguments)
		return NULL;
	fflush(stdout);
	assert_non_null(freopen(path, "w", stdout));
	is_good = command->run(arguments, err);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	return is_good ? file_read(path, 1 << 20, NULL, err) : NULL;
}
#define RUN(state, err, ...) run(state, (char *[]){ (char *)"artifact", __VA_ARGS__, NULL }, err)
#define WORD(text) ((char *)(text))

static void test_artifact_list__shows_what_each_step_left(void **state)
{
	struct error *err = NULL;
	scoped(text) char *text = RUN(*state, &err, WORD("list"), WORD("@latest"));

	assert_ok(text, err);
	assert_non_null(strstr(text, "ARTIFACT"));
	assert_non_null(strstr(text, "trainer.labels"));
	assert_non_null(strstr(text, "2 items"));
}

static void test_artifact_describe__takes_the_latest_attempt(void **state)
{
	struct error *err = NULL;
	scoped(text) char *text = RUN(*state, &err, WORD("describe"), WORD("7d1f"),
	                              WORD("trainer.metrics"), WORD("-o"), WORD("json"));
	json_auto_t *object = NULL;

	assert_ok(text, err);
	object = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(object, "attempt")), 2);
	assert_string_equal(json_string_value(json_object_get(object, "summary")), "0.91");
}

static void test_artifact_preview__reads_the_store(void **state)
{
	struct error *err = NULL;
	scoped(text) char *text =
		RUN(*state, &err, WORD("preview"), WORD("daily-1"), WORD("trainer.metrics"));

	assert_ok(text, err);
	assert_string_equal(text, "0.91\n");
}

static void test_artifact_preview__suggests_what_there_is(void **state)
{
	struct error *err = NULL;

	assert_null(RUN(*state, &err, WORD("preview"), WORD("@latest"), WORD("trainer.metric")));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "did you mean 'trainer.metrics'?");
	error_free(take(err));
	assert_null(RUN(*state, &err, WORD("preview"), WORD("@latest"), WORD("trainer")));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "several outputs");
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_artifact_list__shows_what_each_step_left),
		cmocka_unit_test(test_artifact_describe__takes_the_latest_attempt),
		cmocka_unit_test(test_artifact_preview__reads_the_store),
		cmocka_unit_test(test_artifact_preview__suggests_what_there_is),
	};

	memory_init();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
