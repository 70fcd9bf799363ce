/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit/submission_queue and submit/follower against a real API server: many applications are
 * submitted at the same time, and each comes to the end that its status tells. No node is needed:
 * the statuses are written by the test. Skipped, aloud, without STEPOP_TEST_KUBECONFIG.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/follower.h"
#include "submit/kube_exchange.h"
#include "submit/kube_object.h"
#include "submit/submission_queue.h"

#define PATIENCE_MS 60000
#define MANY 40

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *client;
	char *namespace; /* of this test; deleted at the end */
	struct follower *follower;
	size_t given, submitted, seen, written, ended, deleted;
	size_t ends[MANY]; /* how often each came to its end */
	bool is_done;
};

static int set_up(void **state)
{
	const struct kube_config_options options = { .kubeconfig =
		                                             getenv("STEPOP_TEST_KUBECONFIG") };
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	scoped(text) char *digits = digest_random_hex(8);
	struct error *err = NULL;
	struct kube_config *config = kube_config_load(&options, &err);
	json_auto_t *namespace = NULL;
	json_auto_t *account = NULL;
	json_auto_t *stored = NULL;

	assert_ok(config, err);
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->client = kube_client_new_take(fixture->http, config);
	fixture->namespace = text_printf("follower-%s", digits);
	namespace = kube_object_new("v1", "Namespace", NULL, fixture->namespace, NULL);
	stored = kube_client_create(fixture->client, &kube_namespaces, NULL, namespace, 0, &err);
	assert_ok(stored, err);
	account = kube_object_new("v1", "ServiceAccount", fixture->namespace, "spark", NULL);
	json_decref(stored);
	stored =
		kube_client_create(fixture->client, &kube_service_accounts, NULL, account, 0, &err);
	assert_ok(stored, err);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kube_client_delete(fixture->client, &kube_namespaces, NULL, fixture->namespace, -1, NULL);
	follower_free(fixture->follower);
	kube_client_free(fixture->client);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture->namespace);
	free(fixture);
	return 0;
}

/* ---- submitting ---- */

static json_t *on_next(void *context, void **item)
{
	struct fixture *fixture = context;
	scoped(text) char *id = NULL;
	struct error *err = NULL;
	struct spark_app app;
	json_t *objects;

	if (fixture->given == MANY)
		return NULL;
	*item = &fixture->ends[fixture->given];
	id = text_printf("%016zx", ++fixture->given);
	app = (struct spark_app){
		.name = xstrdup("many"),
		.resource_prefix = text_printf("many-%zu", fixture->given),
		.namespace = xstrdup(fixture->namespace),
		.resource = SPARK_RESOURCE_PYTHON,
		.main_resource = xstrdup("local:///main.py"),
		.conf = spark_conf_new(),
		.labels = json_pack("{s:s}", "stepop.dev/submission", id),
	};
	spark_conf_set(app.conf, "spark.kubernetes.container.image", "example.org/spark:3.5.9");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.driver.serviceAccountName",
	               "spark");
	objects = driver_objects_build(&app, &err);
	assert_ok(objects, err);
	spark_app_release(&app);
	return objects;
}

static void on_submitted(void *context, void *item, const json_t *pod)
{
	struct fixture *fixture = context;

	fixture->submitted++;
	assert_true(follower_add(fixture->follower, pod, NULL, item));
}

static void on_failed(void *context, void *item, const struct error *error)
{
	scoped(text) char *text = error_text(error);

	(void)context;
	(void)item;
	fail_msg("%s", text);
}

static void on_done(void *context)
{
	((struct fixture *)context)->is_done = true;
}

static const struct submission_queue_events queue_events = { on_next, on_submitted, on_failed,
	                                                     on_done };

/* ---- following ---- */

static void on_changed(void *context, void *item, const struct pod_status *status,
                       const json_t *pod)
{
	struct fixture *fixture = context;

	(void)item;
	(void)pod;
	assert_int_equal(status->phase, POD_PENDING);
	fixture->seen++;
}

/* The odd ones were told to fail with their number. */
static void on_ended(void *context, void *item, const struct pod_status *status, const json_t *pod)
{
	struct fixture *fixture = context;
	size_t number = (size_t)((size_t *)item - fixture->ends);

	(void)pod;
	fixture->ended++;
	fixture->ends[number]++;
	if (text_equal(status->reason, "Deleted"))
		fixture->deleted++;
	else if (number % 2)
		assert_int_equal(status->exit_code, number);
	else
		assert_int_equal(status->phase, POD_SUCCEEDED);
}

static void on_gave_up(void *context, void *item, const struct pod_status *status,
                       const struct error *error)
{
	(void)status;
	on_failed(context, item, error);
}

static const struct follower_events follower_events = { on_changed, on_ended, on_gave_up, NULL };

static bool is_submitted(const void *context)
{
	const struct fixture *fixture = context;

	return fixture->is_done && fixture->seen >= MANY;
}

static bool has_ended(const void *context)
{
	const struct fixture *fixture = context;

	return fixture->ended == MANY && fixture->written == MANY - 1;
}

static void on_written(void *context, json_t *answer, const struct error *error)
{
	struct fixture *fixture = context;

	(void)answer;
	if (error)
		on_failed(context, NULL, error);
	fixture->written++;
}

/* As a kubelet would. */
static void write_end(struct fixture *fixture, size_t number)
{
	bool fails = number % 2;
	struct kube_call *call =
		kube_call_new_take("PATCH",
	                           text_printf("/api/v1/namespaces/%s/pods/many-%zu-driver/status",
	                                       fixture->namespace, number + 1),
	                           text_printf("write the status of %zu", number));

	call->content_type = "application/merge-patch+json";
	call->body = text_printf(
		"{\"status\": {\"phase\": \"%s\", \"containerStatuses\": [{\"name\": "
		"\"spark-kubernetes-driver\", \"image\": \"i\", \"imageID\": \"\", \"ready\": "
		"false, \"restartCount\": 0, \"state\": {\"terminated\": {\"exitCode\": %zu}}}]}}",
		fails ? "Failed" : "Succeeded", fails ? number : 0);
	kube_exchange_start_take(fixture->client, call, on_written, fixture);
}

static void submit_many(struct fixture *fixture)
{
	static const struct follower_options options = { 0 };
	struct submission_queue *queue;

	fixture->follower = follower_new(fixture->client, &options, &follower_events, fixture);
	queue = submission_queue_start(fixture->client, 8, &queue_events, fixture);
	assert_true(
		loop_run_until(fixture->loop, is_submitted, fixture, loop_now_ms() + PATIENCE_MS));
	submission_queue_free(queue);
}

static void test_follower__sees_the_end_of_many_that_were_submitted_at_once(void **state)
{
	struct fixture *fixture = *state;
	size_t i;

	submit_many(fixture);
	assert_int_equal(fixture->submitted, MANY);
	assert_int_equal(follower_count(fixture->follower), MANY);
	assert_ok(kube_client_delete(fixture->client, &kube_pods, fixture->namespace,
	                             "many-1-driver", 0, NULL),
	          NULL);
	for (i = 1; i < MANY; i++)
		write_end(fixture, i);
	assert_true(loop_run_until(fixture->loop, has_ended, fixture, loop_now_ms() + PATIENCE_MS));

	assert_int_equal(fixture->deleted, 1);
	for (i = 0; i < MANY; i++)
		assert_int_equal(fixture->ends[i], 1);
	assert_int_equal(follower_count(fixture->follower), 0);
}

/* The same applications once more: all are there, and ours. */
static void test_submission_queue__adopts_what_was_submitted_before(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *pods = NULL;

	submit_many(fixture);
	follower_free(take(fixture->follower));
	fixture->given = fixture->submitted = fixture->seen = 0;
	fixture->is_done = false;
	submit_many(fixture);

	pods = kube_client_list(fixture->client, &kube_pods, fixture->namespace, NULL, NULL, NULL);
	assert_int_equal(fixture->submitted, MANY);
	assert_int_equal(json_array_size(pods), MANY);
}

static void test_follower__needs_an_api_server(void **state)
{
	(void)state;
	print_message("SKIPPED: test_api_follower: STEPOP_TEST_KUBECONFIG is not set\n");
	skip();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_follower__sees_the_end_of_many_that_were_submitted_at_once),
		TEST(test_submission_queue__adopts_what_was_submitted_before),
	};
	const struct CMUnitTest none[] = {
		cmocka_unit_test(test_follower__needs_an_api_server),
	};

	if (!getenv("STEPOP_TEST_KUBECONFIG"))
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
