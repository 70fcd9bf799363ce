/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operator/stack_check with a real API server and a real S3 server: same environment as
 * test_api_kube.c and test_api_s3.c. Skipped, aloud, without it.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/s3.h"
#include "core/digest.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "operator/stack_check.h"
#include "stacks/secret.h"
#include "stacks/stack.h"
#include "submit/kube_client.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"
#include "tests/fakes/s3_server.h"
#include "tests/fakes/temporary_project.h"

#define PATIENCE_MS 30000

struct fixture {
	struct s3_server server;
	void *temporary; /* struct temporary_project */
	struct loop *loop;
	struct http_client *http;
	struct kube_client *admin;
	char *namespace;
	char *path; /* s3://… */
};

static struct project *project_of(const struct fixture *fixture)
{
	const struct temporary_project *temporary = fixture->temporary;

	return temporary->project;
}

static void add_component(const struct fixture *fixture, enum component_type type,
                          const char *flavor, json_t *options)
{
	const struct component component = { type, (char *)"mine", (char *)flavor, options };
	scoped(error) struct error *err = NULL;

	assert_ok(component_register(project_of(fixture), catalog_built_in(), &component, &err),
	          err);
	json_decref(options);
}

static void add_secret(const struct fixture *fixture)
{
	json_auto_t *options = json_object();
	const struct component vault = { COMPONENT_SECRETS_MANAGER, (char *)"mine", (char *)"local",
		                         options };
	json_t *values = json_pack("{s:s, s:s}", "aws_access_key_id", fixture->server.access_key,
	                           "aws_secret_access_key", fixture->server.secret_key);
	scoped(error) struct error *err = NULL;
	scoped(secret_store) struct secret_store *store =
		secret_store_open(project_of(fixture), &vault, NULL, &err);

	assert_ok(store, err);
	assert_ok(secret_put(store, "s3", "aws", values, true, &err), err);
	secret_values_free(values);
}

/* The stack of a team: Spark in its namespace, artifacts in its bucket. */
static void make_stack(const struct fixture *fixture, const char *kubeconfig)
{
	const char *names[COMPONENT_TYPE_COUNT] = {
		[COMPONENT_STEP_OPERATOR] = "mine",
		[COMPONENT_ARTIFACT_STORE] = "mine",
		[COMPONENT_SECRETS_MANAGER] = "mine",
	};
	scoped(error) struct error *err = NULL;

	add_component(fixture, COMPONENT_SECRETS_MANAGER, "local", json_object());
	add_secret(fixture);
	add_component(fixture, COMPONENT_ARTIFACT_STORE, "s3",
	              json_pack("{s:s, s:s, s:s}", "path", fixture->path, "endpoint_url",
	                        fixture->server.endpoint, "authentication_secret", "s3"));
	add_component(fixture, COMPONENT_STEP_OPERATOR, "spark-kubernetes",
	              json_pack("{s:s, s:s, s:s, s:s, s:{s:i, s:s}}", "docker_parent_image",
	                        "127.0.0.1:9/spark:3.5.9", "namespace", fixture->namespace,
	                        "service_account", "spark", "kubeconfig", kubeconfig,
	                        "submit_kwargs", "spark.executor.instances", 3,
	                        "spark.executor.memory", "2g"));
	assert_ok(stack_register(project_of(fixture), catalog_built_in(), "team", names, &err),
	          err);
}

static void make(const struct fixture *fixture, json_t *object)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *stored = kube_client_create(fixture->admin, kube_kind_of(object),
	                                         fixture->namespace, object, 0, &err);

	assert_ok(stored, err);
	json_decref(object);
}

/* Namespace, account and Role, as 'stepop rbac apply' makes them. */
static void grant_rights(const struct fixture *fixture)
{
	const struct rbac_options options = { .namespace = fixture->namespace,
		                              .service_account = "spark",
		                              .parts = RBAC_ALL_PARTS };
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = rbac_objects(&options, &err);
	const json_t *object;
	const char *result;
	size_t i;

	assert_ok(objects, err);
	json_array_foreach (objects, i, object)
		assert_ok(rbac_apply(fixture->admin, object, &result, &err), err);
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	const struct kube_config_options options = { .kubeconfig =
		                                             getenv("STEPOP_TEST_KUBECONFIG") };
	scoped(text) char *random = digest_random_hex(8);
	scoped(error) struct error *err = NULL;
	struct kube_config *config = kube_config_load(&options, &err);

	assert_ok(config, err);
	assert_true(s3_server_find("test_api_stack_check", &fixture->server));
	temporary_project_setup(&fixture->temporary);
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->admin = kube_client_new_take(fixture->http, config);
	fixture->namespace = text_printf("stepop-check-%s", random);
	assert_true(s3_server_make_bucket(&fixture->server, fixture->http));
	fixture->path = text_printf("s3://%s/check-%s", fixture->server.bucket, random);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kube_client_delete(fixture->admin, &kube_namespaces, NULL, fixture->namespace, -1, NULL);
	kube_client_free(fixture->admin);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	temporary_project_teardown(&fixture->temporary);
	free(fixture->namespace);
	free(fixture->path);
	free(fixture);
	return 0;
}

static struct probe_report *check(const struct fixture *fixture)
{
	const struct stack_check_options options = { .stack = "team", .timeout_ms = PATIENCE_MS };
	struct probe_report *report = probe_report_new(NULL, NULL);
	scoped(error) struct error *err = NULL;

	assert_ok(stack_check(project_of(fixture), &options, report, &err), err);
	return report;
}

/* The first line about `what`, which must be there. */
static const json_t *line_of(const struct probe_report *report, const char *what)
{
	const json_t *line;
	size_t i;

	json_array_foreach (probe_report_lines(report), i, line)
		if (text_equal(json_string_value(json_object_get(line, "what")), what))
			return line;
	print_error("no line about '%s'\n", what);
	fail();
	return NULL;
}

static void assert_line(const struct probe_report *report, const char *what, const char *result,
                        const char *part)
{
	const json_t *line = line_of(report, what);
	const char *text = json_string_value(json_object_get(line, "text"));

	if (!text_equal(json_string_value(json_object_get(line, "result")), result) ||
	    !strstr(text, part)) {
		print_error("%s: %s: %s\n", what,
		            json_string_value(json_object_get(line, "result")), text);
		fail();
	}
}

static size_t count_objects(const struct fixture *fixture)
{
	const struct s3_options options = { .endpoint_url = fixture->server.endpoint,
		                            .access_key_id = fixture->server.access_key,
		                            .secret_access_key = fixture->server.secret_key };
	const char *bucket = fixture->server.bucket;
	const char *prefix = fixture->path + strlen("s3://") + strlen(bucket) + 1;
	scoped(error) struct error *err = NULL;
	scoped(s3_client) struct s3_client *client = s3_client_new(fixture->http, &options, &err);
	struct s3_object *objects = NULL;
	size_t count = 0;

	assert_ok(client, err);
	assert_ok(s3_list(client, bucket, prefix, 100, &objects, &count, &err), err);
	s3_objects_free(objects, count);
	return count;
}

static void test_api_stack_check__finds_nothing_wrong_and_leaves_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	scoped(probe_report) struct probe_report *report = NULL;
	scoped(error) struct error *err = NULL;
	json_auto_t *pods = NULL;

	make_stack(fixture, getenv("STEPOP_TEST_KUBECONFIG"));
	grant_rights(fixture);
	report = check(fixture);

	assert_ok(probe_report_check(report, &err), err);
	assert_line(report, "secrets", "ok", "1 of 1 references found");
	assert_line(report, "write", "ok", "s3://");
	assert_line(report, "remove", "ok", "gone again");
	assert_line(report, "API server", "ok", "v1.");
	assert_line(report, "clock", "ok", "within");
	assert_line(report, "identity", "ok", "admin");
	assert_line(report, "namespace", "ok", "Pod Security level: privileged");
	assert_line(report, "your rights", "ok", "granted to you");
	assert_line(report, "driver's rights", "ok", ":spark");
	assert_line(report, "dry run", "ok", "objects of a step would be taken");
	assert_line(report, "room", "ok", "for a driver and 3 executors (0 quotas");
	assert_line(report, "image", "warning", "cannot be seen from this machine");
	pods = kube_client_list(fixture->admin, &kube_pods, fixture->namespace, NULL, NULL, &err);
	assert_int_equal(json_array_size(pods), 0);
	assert_int_equal(count_objects(fixture), 0);
}

static void test_api_stack_check__goes_on_when_there_is_no_namespace(void **state)
{
	struct fixture *fixture = *state;
	scoped(probe_report) struct probe_report *report = NULL;
	scoped(error) struct error *err = NULL;

	make_stack(fixture, getenv("STEPOP_TEST_KUBECONFIG"));
	report = check(fixture);

	assert_false(probe_report_check(report, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_line(report, "namespace", "fault", "not found");
	assert_line(report, "remove", "ok", "gone again");
}

static void test_api_stack_check__names_the_rights_of_others_that_are_missing(void **state)
{
	struct fixture *fixture = *state;
	scoped(probe_report) struct probe_report *report = NULL;
	scoped(error) struct error *err = NULL;

	make_stack(fixture, getenv("STEPOP_TEST_LIMITED_KUBECONFIG"));
	grant_rights(fixture);
	report = check(fixture);

	assert_false(probe_report_check(report, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_line(report, "namespace", "warning", "may not be looked at");
	assert_line(report, "your rights", "fault", "create pods");
	assert_line(report, "driver's rights", "warning", "you may not ask about");
	assert_line(report, "dry run", "fault", "is forbidden");
	assert_line(report, "room", "warning", "quotas may not be looked at");
}

/* As the seed of many a tutorial has it. */
static json_t *edit_binding(const struct fixture *fixture)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s}]}",
	                 "apiVersion", "rbac.authorization.k8s.io/v1", "kind", "RoleBinding",
	                 "metadata", "name", "spark-edit", "namespace", fixture->namespace,
	                 "roleRef", "apiGroup", "rbac.authorization.k8s.io", "kind", "ClusterRole",
	                 "name", "edit", "subjects", "kind", "ServiceAccount", "name", "spark",
	                 "namespace", fixture->namespace);
}

static void test_api_stack_check__warns_of_an_account_that_may_too_much(void **state)
{
	struct fixture *fixture = *state;
	scoped(probe_report) struct probe_report *report = NULL;
	scoped(text) char *lines = NULL;

	make_stack(fixture, getenv("STEPOP_TEST_KUBECONFIG"));
	grant_rights(fixture);
	make(fixture, edit_binding(fixture));
	report = check(fixture);

	lines = json_dumps(probe_report_lines(report), 0);
	assert_line(report, "driver's rights", "ok", ":spark");
	assert_non_null(strstr(lines, "spark-edit"));
}

static json_t *quota(const char *memory)
{
	return json_pack("{s:s, s:s, s:{s:s}, s:{s:{s:s, s:s}}}", "apiVersion", "v1", "kind",
	                 "ResourceQuota", "metadata", "name", "team", "spec", "hard",
	                 "requests.memory", memory, "pods", "10");
}

/* A driver of 1g fits, three executors of 2g do not: the API server would take the driver. */
static void test_api_stack_check__sees_that_executors_have_no_room(void **state)
{
	struct fixture *fixture = *state;
	scoped(probe_report) struct probe_report *report = NULL;

	make_stack(fixture, getenv("STEPOP_TEST_KUBECONFIG"));
	grant_rights(fixture);
	make(fixture, quota("4Gi"));
	report = check(fixture);

	assert_line(report, "room", "fault", "requests.memory: ");
	assert_line(report, "room", "fault", "quota 'team' has 4Gi of 4Gi left");
}

static void test_api_stack_check__says_that_pod_security_refuses_a_pod(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *level = json_pack("{s:{s:{s:s}}}", "metadata", "labels",
	                               "pod-security.kubernetes.io/enforce", "baseline");
	json_auto_t *host =
		json_pack("{s:{s:s, s:s, s:s, s:s}}", "submit_kwargs",
	                  "spark.kubernetes.driver.volumes.hostPath.x.mount.path", "/x",
	                  "spark.kubernetes.driver.volumes.hostPath.x.options.path", "/x",
	                  "spark.executor.instances", "1", "spark.executor.memory", "1g");
	scoped(probe_report) struct probe_report *report = NULL;
	scoped(error) struct error *err = NULL;
	json_auto_t *stored = NULL;

	make_stack(fixture, getenv("STEPOP_TEST_KUBECONFIG"));
	grant_rights(fixture);
	stored = kube_client_patch(fixture->admin, &kube_namespaces, NULL, fixture->namespace,
	                           level, &err);
	assert_ok(stored, err);
	assert_ok(component_update(project_of(fixture), catalog_built_in(), COMPONENT_STEP_OPERATOR,
	                           "mine", host, &err),
	          err);
	report = check(fixture);

	assert_line(report, "namespace", "ok", "Pod Security level: baseline");
	assert_line(report, "dry run", "fault", "violates PodSecurity");
}

static void test_api_stack_check__tells_a_missing_bucket_and_a_silent_server(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *nowhere = json_pack("{s:s}", "master", "k8s://http://127.0.0.1:9");
	scoped(probe_report) struct probe_report *report = NULL;
	scoped(error) struct error *err = NULL;

	free(fixture->path);
	fixture->path = xstrdup("s3://stepop-no-such-bucket/x");
	make_stack(fixture, getenv("STEPOP_TEST_KUBECONFIG"));
	assert_ok(component_update(project_of(fixture), catalog_built_in(), COMPONENT_STEP_OPERATOR,
	                           "mine", nowhere, &err),
	          err);
	report = check(fixture);

	assert_false(probe_report_check(report, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_line(report, "bucket", "fault", "stepop-no-such-bucket");
	assert_line(report, "API server", "fault", "cannot reach the API server");
	assert_line(report, "database", "ok", "");
}

static void test_api_stack_check__needs_servers(void **state)
{
	(void)state;
	print_message(
		"SKIPPED: test_api_stack_check: STEPOP_TEST_KUBECONFIG or the variables of S3 "
		"are not set\n");
	skip();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest skipped[] = { cmocka_unit_test(
		test_api_stack_check__needs_servers) };
	const struct CMUnitTest tests[] = {
		TEST(test_api_stack_check__finds_nothing_wrong_and_leaves_nothing_behind),
		TEST(test_api_stack_check__goes_on_when_there_is_no_namespace),
		TEST(test_api_stack_check__names_the_rights_of_others_that_are_missing),
		TEST(test_api_stack_check__warns_of_an_account_that_may_too_much),
		TEST(test_api_stack_check__sees_that_executors_have_no_room),
		TEST(test_api_stack_check__says_that_pod_security_refuses_a_pod),
		TEST(test_api_stack_check__tells_a_missing_bucket_and_a_silent_server),
	};

	memory_init();
	if (!getenv("STEPOP_TEST_KUBECONFIG") || !getenv("STEPOP_TEST_LIMITED_KUBECONFIG") ||
	    !getenv("STEPOP_TEST_S3_ENDPOINT"))
		return cmocka_run_group_tests(skipped, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
