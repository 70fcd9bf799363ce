/* SPDX-License-Identifier: Apache-2.0 */
/* submit/submission_lookup: ids, and what is found, killed and told by them. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/submission_lookup.h"
#include "tests/fakes/fake_kube.h"

#define POD(name, role)                                                                   \
	"{\"metadata\": {\"name\": \"" name "\", \"namespace\": \"spark\", \"labels\": {" \
	"\"spark-role\": \"" role "\"}}}"

static void test_submission_id_parse__reads_namespace_name_and_glob(void **state)
{
	static const struct {
		const char *text, *namespace, *name; /* name NULL: refused */
		bool is_glob;
	} cases[] = {
		{ "pi-driver", NULL, "pi-driver", false },
		{ "ns:pi-driver", "ns", "pi-driver", false },
		{ "ns:pi-*", "ns", "pi-", true },
		{ "ns:*", "ns", "", true },
		{ "*", NULL, "", true },
		{ "my.pi-driver", NULL, "my.pi-driver", false },
		{ "my.*", NULL, "my.", true },
		{ "", NULL, NULL, false },
		{ "ns:", NULL, NULL, false },
		{ ":pi", NULL, NULL, false },
		{ "*:pi", NULL, NULL, false },
		{ "a:b:c", NULL, NULL, false },
		{ "pi*driver", NULL, NULL, false },
		{ "pi**", NULL, NULL, false },
		{ "../nodes", NULL, NULL, false },
		{ "Pi", NULL, NULL, false },
		{ ".*", NULL, NULL, false },
	};
	size_t i;
	(void)state;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		struct submission_id id = { 0 };
		bool ok = submission_id_parse(cases[i].text, &id, &err);

		if (ok != (cases[i].name != NULL))
			fail_msg("'%s' is %s", cases[i].text, ok ? "taken" : "refused");
		if (ok) {
			assert_true(text_equal(id.namespace, cases[i].namespace));
			assert_string_equal(id.name, cases[i].name);
			assert_int_equal(id.is_glob, cases[i].is_glob);
		} else {
			assert_int_equal(err->kind, ERROR_INVALID);
			assert_error_contains(err, "is no submission id");
		}
		submission_id_release(&id);
	}
}

static void test_submission_id_of__is_namespace_and_name(void **state)
{
	json_auto_t *pod = kube_object_new("v1", "Pod", "ns", "pi-driver", NULL);
	scoped(text) char *id = submission_id_of(pod);
	(void)state;

	assert_string_equal(id, "ns:pi-driver");
}

/* One answer to all that is asked. */
static json_t *find(const char *id, const char *status, const char *body, char **request,
                    struct error **err)
{
	scoped(text) char *text = fake_http_json(status, NULL, body);
	const struct fake_http_answer answers[] = { { .bytes = text } };
	FAKE_KUBE(kube);
	json_t *pods;

	fake_kube_open(&kube, answers, 1);
	pods = submission_find(kube.client, id, err);
	*request = fake_http_request(kube.server, 0);
	return pods;
}

static void test_submission_find__finds_one_by_its_name(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *request = NULL;
	json_auto_t *pods =
		find("ns:pi-driver", "200 OK", POD("pi-driver", "driver"), &request, &err);
	(void)state;

	assert_ok(pods, err);
	assert_int_equal(json_array_size(pods), 1);
	assert_string_equal(kube_object_name(json_array_get(pods, 0)), "pi-driver");
	assert_true(text_starts_with(request, "GET /api/v1/namespaces/ns/pods/pi-driver HTTP"));
}

static void test_submission_find__finds_drivers_by_a_glob(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *request = NULL;
	json_auto_t *pods =
		find("pi-*", "200 OK",
	             "{\"items\": [" POD("a-driver", "driver") "," POD(
			     "pi-1-driver", "driver") "," POD("pi-2-driver", "driver") "]}",
	             &request, &err);
	(void)state;

	assert_ok(pods, err);
	assert_int_equal(json_array_size(pods), 2);
	assert_string_equal(kube_object_name(json_array_get(pods, 1)), "pi-2-driver");
	assert_true(text_starts_with(request, "GET /api/v1/namespaces/spark/pods?limit=500&"
	                                      "labelSelector=spark-role%3Ddriver HTTP"));
}

static void test_submission_find__says_what_it_looked_for(void **state)
{
	static const struct {
		const char *id, *status, *body, *message;
		enum error_kind kind;
	} cases[] = {
		{ "ns:pi-driver", "404 Not Found", "{\"kind\": \"Status\", \"code\": 404}",
		  "there is no driver pod 'pi-driver' in namespace 'ns'", ERROR_NOT_FOUND },
		{ "pi-*", "200 OK", "{\"items\": [" POD("a", "driver") "]}",
		  "there is no driver pod 'pi-*' in namespace 'spark' (1 others", ERROR_NOT_FOUND },
		{ "pi", "403 Forbidden", "{\"kind\": \"Status\", \"message\": \"no rights\"}",
		  "get Pod 'pi' in namespace 'spark': no rights", ERROR_AUTH },
	};
	size_t i;
	(void)state;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(text) char *request = NULL;

		assert_null(find(cases[i].id, cases[i].status, cases[i].body, &request, &err));

		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].message);
	}
}

static void test_submission_kill__deletes_in_the_background(void **state)
{
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	scoped(text) char *gone =
		fake_http_json("404 Not Found", NULL, "{\"kind\": \"Status\", \"code\": 404}");
	const struct fake_http_answer answers[] = { { .bytes = ok }, { .bytes = gone } };
	json_auto_t *pod = json_loads(POD("pi-driver", "driver"), 0, NULL);
	scoped(error) struct error *err = NULL;
	scoped(text) char *first = NULL;
	scoped(text) char *second = NULL;
	FAKE_KUBE(kube);
	(void)state;
	fake_kube_open(&kube, answers, 2);

	assert_ok(submission_kill(kube.client, pod, 7, &err), err);
	assert_ok(submission_kill(kube.client, pod, -1, &err), err);

	first = fake_http_request(kube.server, 0);
	second = fake_http_request(kube.server, 1);
	assert_true(text_starts_with(first, "DELETE /api/v1/namespaces/spark/pods/pi-driver HTTP"));
	assert_non_null(strstr(first, "\"propagationPolicy\":\"Background\""));
	assert_non_null(strstr(first, "\"gracePeriodSeconds\":7"));
	assert_null(strstr(second, "gracePeriodSeconds"));
}

static void test_submission_kill__leaves_alone_what_is_no_driver(void **state)
{
	json_auto_t *pod = json_loads(POD("pi-exec-1", "executor"), 0, NULL);
	scoped(error) struct error *err = NULL;
	FAKE_KUBE(kube);
	(void)state;
	fake_kube_open(&kube, NULL, 0);

	assert_false(submission_kill(kube.client, pod, -1, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "pod 'pi-exec-1' in namespace 'spark' is no driver");
	assert_int_equal(fake_http_requests(kube.server), 0);
}

static char *described(const char *json)
{
	json_auto_t *pod = json_loads(json, 0, NULL);
	struct text_stream stream;

	assert_non_null(pod);
	submission_describe(pod, text_stream_open(&stream));
	return text_stream_take(&stream);
}

static void test_submission_describe__tells_how_it_ended(void **state)
{
	scoped(text) char *text = described(
		"{\"metadata\": {\"name\": \"pi-driver\", \"namespace\": \"ns\", \"uid\": \"u\","
		"\"creationTimestamp\": \"2026-01-01T00:00:00Z\", \"labels\": {\"a\": \"1\","
		"\"b\": \"2\"}}, \"spec\": {\"serviceAccountName\": \"spark\", \"nodeName\": \"n\","
		"\"volumes\": [{\"name\": \"x\"}, {\"name\": \"y\"}]}, \"status\": {\"phase\": "
		"\"Failed\", \"startTime\": \"2026-01-01T00:00:01Z\", \"containerStatuses\": ["
		"{\"name\": \"driver\", \"image\": \"spark\", \"state\": {\"terminated\": {"
		"\"startedAt\": \"2026-01-01T00:00:02Z\", \"finishedAt\": \"2026-01-01T00:00:03Z\","
		"\"exitCode\": 3, \"reason\": \"Error\"}}}]}}");
	(void)state;

	assert_string_equal(text, "pod name                pi-driver\n"
	                          "namespace               ns\n"
	                          "labels                  a=1, b=2\n"
	                          "pod uid                 u\n"
	                          "creation time           2026-01-01T00:00:00Z\n"
	                          "service account name    spark\n"
	                          "volumes                 x, y\n"
	                          "node name               n\n"
	                          "start time              2026-01-01T00:00:01Z\n"
	                          "phase                   Failed\n"
	                          "container name          driver\n"
	                          "  container image       spark\n"
	                          "  container state       terminated\n"
	                          "  started at            2026-01-01T00:00:02Z\n"
	                          "  finished at           2026-01-01T00:00:03Z\n"
	                          "  exit code             3\n"
	                          "  termination reason    Error\n");
}

static void test_submission_describe__says_what_is_missing(void **state)
{
	scoped(text) char *empty = described("{}");
	scoped(text) char *waiting = described(
		"{\"status\": {\"containerStatuses\": [{\"name\": \"a\", \"state\": {\"waiting\": {"
		"\"reason\": \"ImagePullBackOff\"}}}, {\"name\": \"b\", \"state\": {\"running\": "
		"{}}}, "
		"{\"name\": \"c\"}]}}");
	(void)state;

	assert_non_null(strstr(empty, "node name               N/A\n"));
	assert_non_null(strstr(empty, "volumes                 N/A\n"));
	assert_true(text_ends_with(empty, "container status        N/A\n"));
	assert_non_null(strstr(waiting, "  container state       waiting\n"
	                                "  pending reason        ImagePullBackOff\n"));
	assert_non_null(strstr(waiting, "  container state       running\n"
	                                "  started at            N/A\n"));
	assert_true(text_ends_with(waiting, "  container state       N/A\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_submission_id_parse__reads_namespace_name_and_glob),
		cmocka_unit_test(test_submission_id_of__is_namespace_and_name),
		cmocka_unit_test(test_submission_find__finds_one_by_its_name),
		cmocka_unit_test(test_submission_find__finds_drivers_by_a_glob),
		cmocka_unit_test(test_submission_find__says_what_it_looked_for),
		cmocka_unit_test(test_submission_kill__deletes_in_the_background),
		cmocka_unit_test(test_submission_kill__leaves_alone_what_is_no_driver),
		cmocka_unit_test(test_submission_describe__tells_how_it_ended),
		cmocka_unit_test(test_submission_describe__says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
