/* SPDX-License-Identifier: Apache-2.0 */
/* submit/submission: order, idempotence, owners and cleaning up, against a client in memory that
 * can be made to fail. tests/api/test_api_submission.c asks a real API server. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/submission.h"

/* What the client of these tests has stored, and the calls that it has seen: "create Pod d". */
struct kube_client {
	json_t *stored, *calls;
	const char *failing; /* this call fails, and does nothing */
	enum error_kind failure;
	const char *lost; /* this call's answer is lost: it fails after its work */
};

static const struct kube_kind kinds[] = {
	{ "/api/v1", "pods", "Pod", false },
	{ "/api/v1", "services", "Service", false },
	{ "/api/v1", "configmaps", "ConfigMap", false },
	{ "/api/v1", "secrets", "Secret", false },
};

const struct kube_kind *kube_kind_find(const char *api_version, const char *kind)
{
	size_t i;

	assert_string_equal(api_version, "v1");
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (text_equal(kinds[i].kind, kind))
			return &kinds[i];
	return NULL;
}

static size_t find(const struct kube_client *client, const char *kind, const char *name)
{
	const json_t *object;
	size_t i;

	json_array_foreach (client->stored, i, object)
		if (text_equal(kube_object_kind(object), kind) &&
		    text_equal(kube_object_name(object), name))
			return i;
	return SIZE_MAX;
}

/* Writes the call down; false when it is to fail. */
static bool called(struct kube_client *client, const char *verb, const char *kind, const char *name,
                   struct error **err)
{
	scoped(text) char *call = text_printf("%s %s %s", verb, kind, name);

	json_array_append_new(client->calls, json_string(call));
	if (text_equal(client->failing, call))
		return error_set(err, client->failure, "%s %s '%s': made to fail", verb, kind,
		                 name);
	return true;
}

static void *answer(struct kube_client *client, const char *verb, json_t *object,
                    struct error **err)
{
	scoped(text) char *call =
		text_printf("%s %s %s", verb, kube_object_kind(object), kube_object_name(object));

	if (text_equal(client->lost, call))
		return error_set(err, ERROR_TIMEOUT, "the answer was lost");
	return json_deep_copy(object);
}

json_t *kube_client_create(struct kube_client *client, const struct kube_kind *kind,
                           const char *namespace, const json_t *object, unsigned flags,
                           struct error **err)
{
	const char *name = kube_object_name(object);
	json_t *stored;

	assert_string_equal(namespace, "ns");
	assert_int_equal(flags, 0);
	if (!called(client, "create", kind->kind, name, err))
		return NULL;
	if (find(client, kind->kind, name) != SIZE_MAX)
		return error_set(err, ERROR_CONFLICT, "%s \"%s\" already exists", kind->plural,
		                 name);
	stored = json_deep_copy(object);
	json_object_set_new(json_object_get(stored, "metadata"), "uid",
	                    json_sprintf("uid-of-%s", name));
	json_array_append_new(client->stored, stored);
	return answer(client, "create", stored, err);
}

json_t *kube_client_get(struct kube_client *client, const struct kube_kind *kind,
                        const char *namespace, const char *name, struct error **err)
{
	size_t at = find(client, kind->kind, name);

	assert_string_equal(namespace, "ns");
	if (!called(client, "get", kind->kind, name, err))
		return NULL;
	if (at == SIZE_MAX)
		return error_set(err, ERROR_NOT_FOUND, "%s \"%s\" not found", kind->plural, name);
	return answer(client, "get", json_array_get(client->stored, at), err);
}

json_t *kube_client_patch(struct kube_client *client, const struct kube_kind *kind,
                          const char *namespace, const char *name, const json_t *patch,
                          struct error **err)
{
	size_t at = find(client, kind->kind, name);

	assert_string_equal(namespace, "ns");
	if (!called(client, "patch", kind->kind, name, err))
		return NULL;
	if (at == SIZE_MAX)
		return error_set(err, ERROR_NOT_FOUND, "%s \"%s\" not found", kind->plural, name);
	json_object_update_recursive(json_array_get(client->stored, at), (json_t *)patch);
	return answer(client, "patch", json_array_get(client->stored, at), err);
}

bool kube_client_delete(struct kube_client *client, const struct kube_kind *kind,
                        const char *namespace, const char *name, int64_t grace_s,
                        struct error **err)
{
	size_t at = find(client, kind->kind, name);

	assert_string_equal(namespace, "ns");
	assert_int_equal(grace_s, -1);
	if (!called(client, "delete", kind->kind, name, err))
		return false;
	if (at == SIZE_MAX)
		return error_set(err, ERROR_NOT_FOUND, "%s \"%s\" not found", kind->plural, name);
	json_array_remove(client->stored, at);
	return true;
}

static struct kube_client client_new(void)
{
	return (struct kube_client){ .stored = json_array(), .calls = json_array() };
}

static void client_release(struct kube_client *client)
{
	json_decref(client->stored);
	json_decref(client->calls);
}

static void assert_calls(const struct kube_client *client, const char *expected)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *text = NULL;
	const json_t *call;
	size_t i;

	json_array_foreach (client->calls, i, call)
		fprintf(out, "%s%s", i ? "; " : "", json_string_value(call));
	text = text_stream_take(&stream);
	assert_string_equal(text, expected);
}

static json_t *application(const char *step)
{
	json_auto_t *labels = json_pack("{s:s, s:s, s:s}", "stepop.dev/run", "r1",
	                                "stepop.dev/step", step, "stepop.dev/attempt", "1");
	json_t *objects = json_array();

	json_array_append_new(objects, kube_object_new("v1", "Secret", "ns", "s", labels));
	json_array_append_new(objects, kube_object_new("v1", "ConfigMap", "ns", "c", labels));
	json_array_append_new(objects, kube_object_new("v1", "Pod", "ns", "d", labels));
	return objects;
}

static void test_submission_create__makes_the_pod_last_and_the_owner(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;
	json_auto_t *pod = submission_create(&client, objects, &err);

	(void)state;
	assert_ok(pod, err);
	assert_string_equal(kube_object_uid(pod), "uid-of-d");
	assert_calls(&client, "create Secret s; create ConfigMap c; create Pod d; "
	                      "patch Secret s; patch ConfigMap c");
	assert_true(kube_object_is_owned_by(json_array_get(client.stored, 0), pod));
	assert_true(kube_object_is_owned_by(json_array_get(client.stored, 1), pod));
	client_release(&client);
}

static void test_submission_create__adopts_what_an_earlier_try_has_made(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;
	json_auto_t *first = submission_create(&client, objects, NULL);
	json_auto_t *second = NULL;

	(void)state;
	json_array_clear(client.calls);
	second = submission_create(&client, objects, &err);

	assert_ok(second, err);
	assert_string_equal(kube_object_uid(second), kube_object_uid(first));
	assert_calls(&client, "create Secret s; get Secret s; create ConfigMap c; get ConfigMap c; "
	                      "create Pod d; get Pod d");
	client_release(&client);
}

static void test_submission_create__goes_on_where_a_crash_ended_it(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;
	json_auto_t *pod = NULL;
	json_t *secret = json_deep_copy(json_array_get(objects, 0));

	(void)state;
	json_array_append_new(client.stored, secret);
	pod = submission_create(&client, objects, &err);

	assert_ok(pod, err);
	assert_int_equal(json_array_size(client.stored), 3);
	assert_true(kube_object_is_owned_by(secret, pod));
	client_release(&client);
}

static void test_submission_create__leaves_alone_what_is_not_ours(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *theirs = application("other");
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;

	(void)state;
	json_array_append(client.stored, json_array_get(theirs, 1));
	assert_null(submission_create(&client, objects, &err));

	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "create ConfigMap 'c' in namespace 'ns'");
	assert_error_contains(err, "run r1, step other");
	assert_calls(&client,
	             "create Secret s; create ConfigMap c; get ConfigMap c; delete Secret s");
	assert_int_equal(json_array_size(client.stored), 1);
	client_release(&client);
}

static void test_submission_create__adopts_nothing_without_labels(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = json_array();
	scoped(error) struct error *err = NULL;

	(void)state;
	json_array_append_new(objects, kube_object_new("v1", "Pod", "ns", "d", NULL));
	json_array_append(client.stored, json_array_get(objects, 0));
	assert_null(submission_create(&client, objects, &err));

	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "was not made by stepop");
	client_release(&client);
}

static void test_submission_create__waits_for_what_is_being_deleted(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;
	json_t *pod = json_deep_copy(json_array_get(objects, 2));

	(void)state;
	json_object_set_new(json_object_get(pod, "metadata"), "deletionTimestamp",
	                    json_string("t"));
	json_array_append_new(client.stored, pod);
	assert_null(submission_create(&client, objects, &err));

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "being deleted");
	client_release(&client);
}

static void test_submission_create__undoes_what_it_made_when_the_pod_is_refused(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;

	(void)state;
	client.failing = "create Pod d";
	client.failure = ERROR_AUTH;
	assert_null(submission_create(&client, objects, &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "create Pod 'd': made to fail");
	assert_int_equal(json_array_size(client.stored), 0);
	client_release(&client);
}

static void test_submission_create__keeps_all_when_the_answer_is_lost(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;
	scoped(error) struct error *again = NULL;
	json_auto_t *pod = NULL;

	(void)state;
	client.lost = "create Pod d";
	assert_null(submission_create(&client, objects, &err));
	assert_int_equal(err->kind, ERROR_TIMEOUT);
	assert_int_equal(json_array_size(client.stored), 3);

	client.lost = NULL;
	pod = submission_create(&client, objects, &again);
	assert_ok(pod, again);
	assert_int_equal(json_array_size(client.stored), 3);
	assert_true(kube_object_is_owned_by(json_array_get(client.stored, 0), pod));
	client_release(&client);
}

static void test_submission_create__undoes_the_pod_when_it_cannot_own(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;

	(void)state;
	client.failing = "patch ConfigMap c";
	client.failure = ERROR_AUTH;
	assert_null(submission_create(&client, objects, &err));

	assert_error_contains(err, "make the driver pod the owner: patch ConfigMap 'c'");
	assert_int_equal(json_array_size(client.stored), 0);
	client_release(&client);
}

/* A `stepop submit` is known by the one label; all that is wanted must be equal. */
static void test_submission_create__knows_a_submission_by_its_id(void **state)
{
	static const struct {
		const char *wanted, *stored; /* the labels */
		bool adopts;
	} cases[] = {
		{ "{\"stepop.dev/submission\": \"1\"}", "{\"stepop.dev/submission\": \"1\"}",
		  true },
		{ "{\"stepop.dev/submission\": \"1\", \"a\": \"b\"}",
		  "{\"stepop.dev/submission\": \"1\", \"a\": \"c\"}", true },
		{ "{\"stepop.dev/submission\": \"1\"}", "{\"stepop.dev/submission\": \"2\"}",
		  false },
		{ "{\"stepop.dev/submission\": \"1\", \"stepop.dev/step\": \"a\"}",
		  "{\"stepop.dev/submission\": \"1\"}", false },
		{ "{\"stepop.dev/step\": \"a\"}", "{\"stepop.dev/step\": \"a\"}", false },
		{ "{\"stepop.dev/submission\": \"1\"}", "{}", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_client client = client_new();
		json_auto_t *wanted = json_loads(cases[i].wanted, 0, NULL);
		json_auto_t *stored = json_loads(cases[i].stored, 0, NULL);
		json_auto_t *objects = json_array();
		scoped(error) struct error *err = NULL;
		json_auto_t *pod = NULL;

		json_array_append_new(objects, kube_object_new("v1", "Pod", "ns", "d", wanted));
		json_array_append_new(client.stored,
		                      kube_object_new("v1", "Pod", "ns", "d", stored));
		pod = submission_create(&client, objects, &err);

		if (cases[i].adopts)
			assert_ok(pod, err);
		else
			assert_int_equal(err->kind, ERROR_CONFLICT);
		client_release(&client);
	}
}

static void test_submission_create__makes_anew_what_went_with_an_earlier_pod(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;
	scoped(error) struct error *again = NULL;
	json_auto_t *pod = NULL;

	(void)state;
	client.failing = "patch ConfigMap c";
	client.failure = ERROR_NOT_FOUND;
	assert_null(submission_create(&client, objects, &err));
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_int_equal(json_array_size(client.stored), 3);

	json_array_remove(client.stored, 1);
	client.failing = NULL;
	pod = submission_create(&client, objects, &again);
	assert_ok(pod, again);
	assert_true(kube_object_is_owned_by(json_array_get(client.stored, 2), pod));
	client_release(&client);
}

static void test_submission_create__creates_again_what_vanished_before_it_was_seen(void **state)
{
	struct kube_client client = client_new();
	json_auto_t *objects = application("train");
	scoped(error) struct error *err = NULL;

	(void)state;
	client.failing = "create Secret s";
	client.failure = ERROR_CONFLICT;
	assert_null(submission_create(&client, objects, &err));

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "create Secret 's' in namespace 'ns': it was deleted at this "
	                           "moment");
	assert_calls(&client, "create Secret s; get Secret s; create Secret s; get Secret s; "
	                      "create Secret s; get Secret s");
	client_release(&client);
}

static void test_submission_delete__is_content_when_the_pod_is_gone(void **state)
{
	struct kube_client client = client_new();
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_ok(submission_delete(&client, "ns", "d", -1, &err), err);

	client.failing = "delete Pod d";
	client.failure = ERROR_AUTH;
	assert_false(submission_delete(&client, "ns", "d", -1, &err));
	assert_error_contains(err, "delete Pod 'd': made to fail");
	client_release(&client);
}

static void test_submission_advice__says_what_to_do(void **state)
{
	static const struct {
		enum error_kind kind;
		const char *message, *advice; /* NULL: none */
	} cases[] = {
		{ ERROR_NOT_FOUND, "namespaces \"ns\" not found",
		  "the namespace 'ns' does not exist; create it with 'stepop rbac apply'" },
		{ ERROR_AUTH,
		  "pods \"d\" is forbidden: error looking up service account ns/spark: "
		  "serviceaccount \"spark\" not found",
		  "the service account 'spark' does not exist in namespace 'ns'; create it with "
		  "'stepop rbac apply'" },
		{ ERROR_AUTH,
		  "pods is forbidden: User \"alice\" cannot create resource \"pods\" in API group "
		  "\"\" in the namespace \"ns\"",
		  "'alice' may not create pods in namespace 'ns'; someone who may can allow it "
		  "with "
		  "'stepop rbac apply --submitter alice'" },
		{ ERROR_AUTH,
		  "networkpolicies.networking.k8s.io is forbidden: User \"alice\" cannot create "
		  "resource \"networkpolicies\" in API group \"networking.k8s.io\"",
		  "'stepop rbac apply --submitter alice --with network-policies'" },
		{ ERROR_AUTH,
		  "pods \"d\" is forbidden: exceeded quota: small, requested: "
		  "limits.memory=1433Mi, "
		  "used: limits.memory=0, limited: limits.memory=1Gi",
		  "the quota 'small' of namespace 'ns' has no room" },
		{ ERROR_AUTH, "pods \"d\" is forbidden: failed quota: q: must specify limits.cpu",
		  "spark.kubernetes.driver.limit.cores" },
		{ ERROR_AUTH,
		  "pods \"d\" is forbidden: violates PodSecurity \"restricted:latest\": "
		  "allowPrivilegeEscalation != false",
		  "enforces Pod Security 'restricted:latest'" },
		{ ERROR_AUTH,
		  "pods \"d\" is forbidden: unable to create new content in namespace ns because "
		  "it "
		  "is being terminated",
		  "is being deleted" },
		{ ERROR_INVALID, "admission webhook \"p.example.org\" denied the request: no",
		  "'p.example.org'" },
		{ ERROR_AUTH, "Unauthorized", "log in again" },
		{ ERROR_INVALID, "Pod \"d\" is invalid: spec.containers[0].image: Invalid value",
		  "docker_parent_image" },
		{ ERROR_INVALID,
		  "Pod \"d\" is invalid: spec.containers[0].resources.requests: Invalid value: "
		  "\"2\": must be less than or equal to cpu limit of 1",
		  "spark.kubernetes.driver.limit.cores" },
		{ ERROR_INTERNAL, "something else", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(text) char *advice = NULL;

		error_set(&err, cases[i].kind, "%s", cases[i].message);
		error_wrap(&err, "create Pod 'd'");
		advice = submission_advice(err, "ns", "spark");
		if (!advice != !cases[i].advice || (advice && !strstr(advice, cases[i].advice)))
			fail_msg("'%s' gives the advice '%s'", cases[i].message, advice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_submission_create__makes_the_pod_last_and_the_owner),
		cmocka_unit_test(test_submission_create__adopts_what_an_earlier_try_has_made),
		cmocka_unit_test(test_submission_create__goes_on_where_a_crash_ended_it),
		cmocka_unit_test(test_submission_create__leaves_alone_what_is_not_ours),
		cmocka_unit_test(test_submission_create__adopts_nothing_without_labels),
		cmocka_unit_test(test_submission_create__waits_for_what_is_being_deleted),
		cmocka_unit_test(
			test_submission_create__undoes_what_it_made_when_the_pod_is_refused),
		cmocka_unit_test(test_submission_create__keeps_all_when_the_answer_is_lost),
		cmocka_unit_test(test_submission_create__undoes_the_pod_when_it_cannot_own),
		cmocka_unit_test(test_submission_create__knows_a_submission_by_its_id),
		cmocka_unit_test(test_submission_create__makes_anew_what_went_with_an_earlier_pod),
		cmocka_unit_test(
			test_submission_create__creates_again_what_vanished_before_it_was_seen),
		cmocka_unit_test(test_submission_delete__is_content_when_the_pod_is_gone),
		cmocka_unit_test(test_submission_advice__says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
