/* SPDX-License-Identifier: Apache-2.0 */
/* A run that is recorded event by event, for tests of what servers do to it meanwhile. */
#include "tests/fakes/recorded_run.h"

#include "tests/test.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text.h"

void recorded_run_start(struct recorded_run *run, struct metadata_fixture *fixture)
{
	*run = (struct recorded_run){ .store = metadata_suite_open(fixture) };
	metadata_suite_create_run(run->store, RECORDED_RUN_ID, "one", &run->lease);
}

void recorded_run_end(struct recorded_run *run)
{
	lease_release(&run->lease);
	metadata_store_free(run->store);
}

bool recorded_run_record(struct recorded_run *run, struct error **err)
{
	scoped(text) char *number = text_printf("%" PRId64, run->recorded);
	struct step_row step = metadata_suite_step_row(RECORDED_RUN_ID, "s", 0);
	struct event_row event = { .run_id = (char *)RECORDED_RUN_ID,
		                   .kind = (char *)"state",
		                   .message = number };
	struct metadata_change change = {
		.steps = &step, .step_count = 1, .events = &event, .event_count = 1
	};

	if (!metadata_record(run->store, &run->lease, &change, err))
		return false;
	run->recorded++;
	return true;
}

void recorded_run_continue(struct recorded_run *run)
{
	int attempt;

	for (attempt = 0; attempt < 10; attempt++) {
		scoped(error) struct error *err = NULL;

		if (recorded_run_record(run, &err))
			return;
		assert_ok(error_is_retryable(err), err);
	}
	fail_msg("the server does not come back");
}

void recorded_run_check(struct recorded_run *run)
{
	scoped(error) struct error *err = NULL;
	struct event_row *rows;
	size_t count, i;

	assert_ok(metadata_events(run->store, RECORDED_RUN_ID, 0, &rows, &count, &err), err);
	assert_int_equal(count, run->recorded);
	for (i = 0; i < count; i++) {
		scoped(text) char *number = text_printf("%zu", i);

		assert_string_equal(rows[i].message, number);
	}
	metadata_rows_free(&metadata_table_event, rows, count);
}

pid_t test_child_start(bool (*body)(void *context), void *context)
{
	pid_t child = fork();

	if (!child)
		_exit(body(context) ? 0 : 1);
	assert_true(child > 0);
	return child;
}

void test_child_wait(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

bool test_child_opens(void *context)
{
	struct metadata_fixture *fixture = context;
	int attempt;

	for (attempt = 0; attempt < 10; attempt++) {
		scoped(error) struct error *err = NULL;
		struct metadata_store *store =
			metadata_store_open(NULL, &fixture->component, fixture->secrets, &err);

		metadata_store_free(store);
		if (store || !error_is_retryable(err))
			return store != NULL;
	}
	return false;
}
