/* SPDX-License-Identifier: Apache-2.0 */
/* submit/pod_patience: when waiting for a pod's start ends. */
#include "tests/test.h"

#include "core/memory.h"
#include "submit/pod_patience.h"

#define START_MS 600000

/* What is seen at which moment, and what is thought of it then and at other moments. */
struct seen {
	int64_t at_ms;
	enum pod_phase phase;
	const char *reason;
	bool hopeless;
};

static void see(struct pod_patience *patience, const struct seen *seen)
{
	const struct pod_status status = { .phase = seen->phase,
		                           .reason = (char *)seen->reason,
		                           .hopeless = seen->hopeless };

	pod_patience_see(patience, &status, seen->at_ms);
}

static void test_pod_patience__ends_by_rule(void **state)
{
	static const struct {
		struct seen seen[3]; /* those with at_ms 0 were not */
		int64_t deadline_ms;
		enum pod_patience_verdict verdict; /* at the deadline; just before there is some */
	} cases[] = {
		{ { { 0 } }, START_MS, POD_START_TIMED_OUT },
		{ { { 5, POD_PENDING, "Unschedulable", false } }, START_MS, POD_START_TIMED_OUT },
		{ { { 5, POD_RUNNING, NULL, false } }, -1, POD_PATIENCE_LEFT },
		{ { { 5, POD_PENDING, "InvalidImageName", true } }, 5, POD_HOPELESS },
		{ { { 5, POD_PENDING, "ErrImagePull", true },
		    { 9, POD_PENDING, "ImagePullBackOff", true } },
		  30005,
		  POD_HOPELESS },
		/* a pull that came right after all */
		{ { { 5, POD_PENDING, "ErrImagePull", false },
		    { 9, POD_PENDING, "ContainerCreating", false } },
		  START_MS,
		  POD_START_TIMED_OUT },
		{ { { 5, POD_PENDING, "ErrImagePull", false },
		    { 9, POD_PENDING, "ContainerCreating", false },
		    { 10, POD_PENDING, "ErrImagePull", false } },
		  30010,
		  POD_HOPELESS },
		{ { { 5, POD_PENDING, "ErrImagePull", false }, { 9, POD_RUNNING, NULL, false } },
		  -1,
		  POD_PATIENCE_LEFT },
		{ { { START_MS - 10, POD_PENDING, "ErrImagePull", false } },
		  START_MS,
		  POD_START_TIMED_OUT },
	};
	size_t i, j;
	(void)state;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pod_patience patience;
		int64_t deadline_ms = cases[i].deadline_ms;

		pod_patience_begin(&patience, START_MS, 0);
		for (j = 0; j < ARRAY_SIZE(cases[i].seen) && cases[i].seen[j].at_ms; j++)
			see(&patience, &cases[i].seen[j]);

		assert_int_equal(pod_patience_deadline_ms(&patience), deadline_ms);
		assert_int_equal(
			pod_patience_judge(&patience, deadline_ms < 0 ? INT64_MAX : deadline_ms),
			cases[i].verdict);
		assert_int_equal(pod_patience_judge(&patience, deadline_ms - 1), POD_PATIENCE_LEFT);
	}
}

static void test_pod_patience__has_no_end_without_a_timeout(void **state)
{
	struct pod_patience patience;
	const struct seen hopeless = { 7, POD_PENDING, "ErrImageNeverPull", true };
	(void)state;

	pod_patience_begin(&patience, 0, 5);
	assert_int_equal(pod_patience_deadline_ms(&patience), -1);
	assert_int_equal(pod_patience_judge(&patience, INT64_MAX), POD_PATIENCE_LEFT);

	see(&patience, &hopeless);
	assert_int_equal(pod_patience_deadline_ms(&patience), 7);
	assert_int_equal(pod_patience_judge(&patience, 7), POD_HOPELESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pod_patience__ends_by_rule),
		cmocka_unit_test(test_pod_patience__has_no_end_without_a_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
