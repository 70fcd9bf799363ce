/* SPDX-License-Identifier: Apache-2.0 */
/* operator/verdict: the job's end, its exit code and result.json, reconciled. */
#include "tests/test.h"

#include <string.h>

#include "operator/verdict.h"

#define SUCCEEDED                                                                     \
	"{\"version\":1,\"run\":\"r1\",\"step\":\"trainer\",\"attempt\":2,\"state\":" \
	"\"succeeded\","                                                              \
	"\"outputs\":{\"model\":{\"type\":\"spark.model\",\"uri\":\"s3://b/m/\"}},\"error\":null}"
#define FAILED                                                                                   \
	"{\"version\":1,\"run\":\"r1\",\"step\":\"trainer\",\"attempt\":2,\"state\":\"failed\"," \
	"\"outputs\":{},\"error\":{\"type\":\"ValueError\",\"message\":\"no column "             \
	"'label'\\nreally\","                                                                    \
	"\"traceback\":\"Traceback: here\"}}"

struct verdict_test {
	const char *name;
	struct job_report report;
	const char *result;
	bool store_is_down, is_jar;
	bool succeeded;
	const char *reason, *warning; /* NULL: must be NULL; else a part of it */
};

static const struct verdict_test table[] = {
	{ "all agree", { .phase = JOB_SUCCEEDED }, SUCCEEDED, false, false, true, NULL, NULL },
	{ "saved everything, then died",
	  { .phase = JOB_FAILED, .reason = (char *)"OOMKilled" },
	  SUCCEEDED,
	  false,
	  false,
	  true,
	  NULL,
	  "OOMKilled" },
	{ "the user's exception",
	  { .phase = JOB_FAILED, .reason = (char *)"exit code 1" },
	  FAILED,
	  false,
	  false,
	  false,
	  "ValueError: no column 'label'",
	  NULL },
	{ "the exception, and killed",
	  { .phase = JOB_FAILED, .reason = (char *)"OOMKilled", .advice = (char *)"more memory" },
	  FAILED,
	  false,
	  false,
	  false,
	  "(OOMKilled)",
	  NULL },
	{ "failed result of a job that says it succeeded",
	  { .phase = JOB_SUCCEEDED },
	  FAILED,
	  false,
	  false,
	  false,
	  "ValueError",
	  NULL },
	{ "no result, killed",
	  { .phase = JOB_FAILED, .reason = (char *)"OOMKilled" },
	  NULL,
	  false,
	  false,
	  false,
	  "OOMKilled",
	  NULL },
	{ "no result, exit code only",
	  { .phase = JOB_FAILED, .has_exit_code = true, .exit_code = 137 },
	  NULL,
	  false,
	  false,
	  false,
	  "exit code 137",
	  NULL },
	{ "no result, nothing known",
	  { .phase = JOB_FAILED },
	  NULL,
	  false,
	  false,
	  false,
	  "without saying why",
	  NULL },
	{ "no result, but the termination log",
	  { .phase = JOB_FAILED, .reason = (char *)"Error", .result = (char *)FAILED },
	  NULL,
	  false,
	  false,
	  false,
	  "ValueError",
	  NULL },
	{ "a function that left no result",
	  { .phase = JOB_SUCCEEDED },
	  NULL,
	  false,
	  false,
	  false,
	  "without writing its result",
	  NULL },
	{ "the store is down",
	  { .phase = JOB_SUCCEEDED },
	  NULL,
	  true,
	  false,
	  false,
	  "cannot be read",
	  NULL },
	{ "a jar that ended well",
	  { .phase = JOB_SUCCEEDED },
	  NULL,
	  false,
	  true,
	  true,
	  NULL,
	  NULL },
	{ "somebody else's result",
	  { .phase = JOB_SUCCEEDED },
	  "{\"version\":1,\"run\":\"r1\",\"step\":\"trainer\",\"attempt\":1,\"state\":"
	  "\"succeeded\","
	  "\"outputs\":{\"model\":{}}}",
	  false,
	  false,
	  false,
	  "without writing its result",
	  NULL },
	{ "a result that lacks an output",
	  { .phase = JOB_SUCCEEDED },
	  "{\"version\":1,\"run\":\"r1\",\"step\":\"trainer\",\"attempt\":2,\"state\":"
	  "\"succeeded\",\"outputs\":{}}",
	  false,
	  false,
	  false,
	  "lacks output 'model'",
	  NULL },
	{ "a termination log that is no JSON",
	  { .phase = JOB_FAILED, .reason = (char *)"Error", .result = (char *)"Killed\n" },
	  NULL,
	  false,
	  false,
	  false,
	  "Error",
	  NULL },
};

static void assert_part(const char *name, const char *text, const char *part)
{
	if (!part && !text)
		return;
	if (!part || !text || !strstr(text, part)) {
		print_error("%s: '%s', expected '%s'\n", name, text ? text : "(null)",
		            part ? part : "(null)");
		fail();
	}
}

static void test_verdict_reach__reconciles_the_witnesses(void **state)
{
	struct step_output model = { .name = (char *)"model", .type = (char *)"spark.model" };
	scoped(error) struct error *down = NULL;
	size_t i;

	(void)state;
	error_set(&down, ERROR_UNAVAILABLE, "connection refused");
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		const struct verdict_test *test = &table[i];
		json_auto_t *result = test->result ? json_loads(test->result, 0, NULL) : NULL;
		struct verdict_case of = { .run_id = "r1",
			                   .step = "trainer",
			                   .attempt = 2,
			                   .has_function = !test->is_jar,
			                   .outputs = &model,
			                   .output_count = test->is_jar ? 0 : 1 };
		struct verdict verdict;

		verdict_reach(&of, &test->report, result, test->store_is_down ? down : NULL,
		              &verdict);

		if (verdict.succeeded != test->succeeded)
			print_error("%s\n", test->name);
		assert_int_equal(verdict.succeeded, test->succeeded);
		assert_part(test->name, verdict.reason, test->reason);
		assert_part(test->name, verdict.warning, test->warning);
		verdict_release(&verdict);
	}
}

static void test_verdict_reach__keeps_the_reason_to_one_line(void **state)
{
	json_auto_t *result = json_loads(FAILED, 0, NULL);
	struct verdict_case of = {
		.run_id = "r1", .step = "trainer", .attempt = 2, .has_function = true
	};
	struct job_report report = { .phase = JOB_FAILED };
	struct verdict verdict;

	(void)state;
	verdict_reach(&of, &report, result, NULL, &verdict);

	assert_null(strchr(verdict.reason, '\n'));
	assert_string_equal(verdict.message, "Traceback: here");
	verdict_release(&verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_reach__reconciles_the_witnesses),
		cmocka_unit_test(test_verdict_reach__keeps_the_reason_to_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
