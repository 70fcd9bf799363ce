/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/component: the project folder, component files, options held against their flavor. */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/text.h"
#include "stacks/component.h"
#include "stacks/stack.h"
#include "tests/fakes/temporary_project.h"

static bool check_master(const char *value, struct error **err)
{
	if (text_starts_with(value, "k8s://"))
		return true;
	return error_set(err, ERROR_INVALID, "k8s://https://host:port is expected");
}

static const struct component_flavor spark = {
	.type = COMPONENT_STEP_OPERATOR,
	.name = "spark-kubernetes",
	.help = "pods",
	.options =
		(const struct component_option[]){
			{ "master", OPTION_TEXT, true, "where", check_master },
			{ "docker_parent_image", OPTION_TEXT, false, "image", NULL },
			{ "executors", OPTION_INTEGER, false, "how many", NULL },
			{ "adaptive", OPTION_BOOL, false, "whether", NULL },
			{ "start_timeout", OPTION_DURATION, false, "how long", NULL },
			{ "submit_kwargs", OPTION_JSON, false, "properties", NULL },
			{ 0 },
		},
	.aliases =
		(const struct component_alias[]){
			{ "image", "docker_parent_image" },
			{ 0 },
		},
};
static const struct component_flavor step_local = {
	.type = COMPONENT_STEP_OPERATOR,
	.name = "local",
	.help = "process",
};
static const struct component_flavor store_local = {
	.type = COMPONENT_ARTIFACT_STORE,
	.name = "local",
	.help = "folder",
};
static const struct component_flavor *const flavors[] = { &spark, &step_local, &store_local, NULL };
static const struct catalog catalog = { flavors };

static json_t *parse(const char *json, unsigned flags, struct error **err)
{
	json_auto_t *texts = json_loads(json, 0, NULL);

	return component_options_parse(&spark, texts, flags, err);
}

static bool register_spark(struct temporary_project *temporary, const char *name, const char *json,
                           struct error **err)
{
	json_auto_t *options = json_loads(json, 0, NULL);
	struct component component = { COMPONENT_STEP_OPERATOR, (char *)name,
		                       (char *)"spark-kubernetes", options };

	return component_register(temporary->project, &catalog, &component, err);
}

static void test_catalog_find_any__suggests_and_names_the_types(void **state)
{
	scoped(error) struct error *near = NULL, *several = NULL;

	(void)state;
	assert_ptr_equal(catalog_find_any(&catalog, "spark-kubernetes", NULL), &spark);
	assert_null(catalog_find_any(&catalog, "spark-kubernets", &near));
	assert_null(catalog_find_any(&catalog, "local", &several));

	assert_error_contains(near, "did you mean 'spark-kubernetes'?");
	assert_error_contains(several, "step-operator, artifact-store");
	assert_int_equal(near->kind, ERROR_INVALID);
}

static void test_component_options_parse__gives_values_their_kinds(void **state)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *options = NULL, *expected = NULL;

	(void)state;
	options = parse("{\"adaptive\": \"true\", \"executors\": \"4\", \"image\": \"spark:3\", "
	                "\"master\": \"k8s://x\", \"start_timeout\": \"10m\", "
	                "\"submit_kwargs\": [\"a.b=c=d\", \"{\\\"e\\\": 2}\"]}",
	                0, &err);
	assert_ok(options, err);

	expected = json_loads("{\"master\": \"k8s://x\", \"docker_parent_image\": \"spark:3\", "
	                      "\"executors\": 4, \"adaptive\": true, \"start_timeout\": \"10m\", "
	                      "\"submit_kwargs\": {\"a.b\": \"c=d\", \"e\": 2}}",
	                      0, NULL);
	assert_true(json_equal(options, expected));
}

static void test_component_options_parse__says_all_faults_at_once(void **state)
{
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_null(
		parse("{\"mastr\": \"k8s://x\", \"executors\": \"four\", \"adaptive\": \"maybe\","
	              " \"start_timeout\": \"10 parsecs\", \"submit_kwargs\": \"{\", "
	              "\"docker_parent_image\": \"\", \"zebra\": \"1\"}",
	              0, &err));

	assert_error_contains(err, "--mastr: flavor 'spark-kubernetes' has no such option; did you "
	                           "mean '--master'?");
	assert_error_contains(err, "--executors: a whole number");
	assert_error_contains(err, "--adaptive: true or false");
	assert_error_contains(err, "--start_timeout: a duration");
	assert_error_contains(err, "--submit_kwargs: a mapping");
	assert_error_contains(err, "--docker_parent_image: the value is empty");
	assert_error_contains(err,
	                      "--zebra: flavor 'spark-kubernetes' has no such option; 'stepop");
	assert_error_contains(err, "--master: is required");
	assert_int_equal(err->kind, ERROR_INVALID);
}

static void test_component_options_parse__refuses_an_option_given_twice(void **state)
{
	scoped(error) struct error *repeated = NULL, *alias = NULL;

	(void)state;
	assert_null(parse("{\"master\": [\"k8s://a\", \"k8s://b\"]}", 0, &repeated));
	assert_null(parse("{\"docker_parent_image\": \"a\", \"image\": \"b\"}",
	                  COMPONENT_OPTIONS_PARTIAL, &alias));

	assert_error_contains(repeated, "--master: is given more than once");
	assert_error_contains(alias, "--image: is the same as '--docker_parent_image'");
}

static void test_component_options_parse__refuses_literal_secrets_without_showing_them(void **state)
{
	static const char *const cases[] = {
		"{\"aws_secret_access_key\": \"hush\"}",
		"{\"submit_kwargs\": \"spark.hadoop.fs.s3a.secret.key=hush\"}",
		"{\"submit_kwargs\": \"x=AKIAHUSH567890123456 hush\"}",
		"{\"docker_parent_image\": \"https://me:hush@registry/x\"}",
		"{\"docker_parent_image\": \"-----BEGIN RSA PRIVATE KEY-----hush\"}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		assert_null(parse(cases[i], COMPONENT_OPTIONS_PARTIAL, &err));
		assert_error_contains(err, "secrets manager");
		text = error_text(err);
		assert_null(strstr(text, "hush"));
		assert_null(strstr(text, "HUSH"));
	}
}

static void test_component_options_parse__takes_references_to_secrets(void **state)
{
	static const char *const good[] = {
		"{\"submit_kwargs\": \"spark.hadoop.fs.s3a.secret.key={{ s3.secret_key }}\"}",
		"{\"submit_kwargs\": "
		"\"spark.kubernetes.driver.secretKeyRef.AWS_SECRET_ACCESS_KEY=a:b\"}",
		"{\"submit_kwargs\": \"x=-Xloggc:{{APP_ID}}-{{EXECUTOR_ID}}.gc\"}",
		"{\"master\": \"{{cluster.master}}\"}",
	};
	static const char *const bad[] = {
		"{\"docker_parent_image\": \"{{vault}}\"}",
		"{\"docker_parent_image\": \"{{vault.}}\"}",
		"{\"docker_parent_image\": \"{{vault.key\"}",
		"{\"submit_kwargs\": \"x={{.key}}\"}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		scoped(error) struct error *err = NULL;
		json_auto_t *options = parse(good[i], COMPONENT_OPTIONS_PARTIAL, &err);

		assert_ok(options, err);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		scoped(error) struct error *err = NULL;

		assert_null(parse(bad[i], COMPONENT_OPTIONS_PARTIAL, &err));
		assert_error_contains(err, "{{name.key}}");
	}
}

static void test_project_init__is_safe_to_repeat(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(project) struct project *again = NULL, *completed = NULL;
	scoped(text) char *path = temporary_project_path(temporary, "stacks/default.yaml");
	scoped(text) char *kept = NULL;
	bool created = true;

	temporary_project_write(temporary, "config.yaml", "# mine\n");
	again = project_init(temporary->folder, &created, &err);
	assert_ok(again, err);
	assert_false(created);

	assert_int_equal(remove(path), 0);
	completed = project_init(temporary->folder, &created, &err);
	assert_ok(completed, err);
	assert_true(created);

	kept = temporary_project_read(temporary, "config.yaml");
	assert_string_equal(kept, "# mine\n");
	assert_true(file_exists(path));
}

static void test_project_open__looks_upward_and_lets_the_environment_win(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *none = NULL, *wrong = NULL;
	scoped(project) struct project *found = NULL, *by_home = NULL, *by_parent = NULL;
	scoped(text) char *deep = file_join(temporary->folder, "a/b/c");

	assert_ok(file_make_folders(deep, 0755, &err), err);
	found = project_open(deep, &err);
	assert_ok(found, err);
	assert_string_equal(project_folder(found), project_folder(temporary->project));
	assert_null(project_open("/", &none));
	assert_error_contains(none, "run 'stepop init'");
	assert_int_equal(none->kind, ERROR_NOT_FOUND);

	setenv("STEPOP_HOME", project_folder(temporary->project), 1);
	by_home = project_open("/", &err);
	setenv("STEPOP_HOME", temporary->folder, 1);
	by_parent = project_open("/", &err);
	setenv("STEPOP_HOME", deep, 1);
	assert_null(project_open(temporary->folder, &wrong));
	unsetenv("STEPOP_HOME");

	assert_string_equal(project_folder(by_home), project_folder(temporary->project));
	assert_string_equal(project_folder(by_parent), project_folder(temporary->project));
	assert_error_contains(wrong, "$STEPOP_HOME");
}

static void test_component_register__writes_a_file_to_review(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(text) char *text = NULL;

	assert_ok(register_spark(temporary, "nightly",
	                         "{\"executors\": 2, \"master\": \"k8s://x\"}", &err),
	          err);

	text = temporary_project_read(temporary, "components/step-operator/nightly.yaml");
	assert_string_equal(text, "apiVersion: stepop/v1\n"
	                          "kind: Component\n"
	                          "flavor: spark-kubernetes\n"
	                          "options:\n"
	                          "  master: k8s://x\n"
	                          "  executors: 2\n");
}

static void test_component_register__refuses_taken_and_unfit_names(void **state)
{
	static const char *const unfit[] = { "", "7up", "a/b", "../x", "a b", "-x" };
	struct temporary_project *temporary = *state;
	scoped(error) struct error *taken = NULL;
	size_t i;

	assert_false(register_spark(temporary, "default", "{\"master\": \"k8s://x\"}", &taken));
	assert_int_equal(taken->kind, ERROR_CONFLICT);
	for (i = 0; i < ARRAY_SIZE(unfit); i++) {
		scoped(error) struct error *err = NULL;

		assert_false(
			register_spark(temporary, unfit[i], "{\"master\": \"k8s://x\"}", &err));
		assert_int_equal(err->kind, ERROR_INVALID);
	}
}

static void test_component_load__gives_typed_values(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(component) struct component *component = NULL;

	temporary_project_write(temporary, "components/step-operator/hand.yaml",
	                        "apiVersion: stepop/v1\nkind: Component\n"
	                        "flavor: spark-kubernetes\noptions:\n  master: k8s://x\n"
	                        "  image: 3.5\n  executors: 7\n  adaptive: true\n"
	                        "  start_timeout: 90s\n");
	component =
		component_load(temporary->project, &catalog, COMPONENT_STEP_OPERATOR, "hand", &err);
	assert_ok(component, err);

	assert_string_equal(component_text(component, "docker_parent_image", NULL), "3.5");
	assert_int_equal(component_integer(component, "executors", 0), 7);
	assert_true(component_bool(component, "adaptive", false));
	assert_int_equal(component_duration_ms(component, "start_timeout", 0), 90000);
	assert_string_equal(component_text(component, "namespace", "none"), "none");
}

static void test_component_load__places_all_faults_of_a_file(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;

	temporary_project_write(temporary, "components/step-operator/bad.yaml",
	                        "apiVersion: stepop/v2\nkind: Component\n"
	                        "flavor: spark-kubernetes\noption: {}\noptions:\n"
	                        "  mastr: k8s://x\n  executors: many\n  executors: 2\n");
	assert_null(
		component_load(temporary->project, &catalog, COMPONENT_STEP_OPERATOR, "bad", &err));

	assert_error_contains(err, "components/step-operator/bad.yaml:1:13: apiVersion must be");
	assert_error_contains(err, "bad.yaml:4:1: unknown field 'option'; did you mean 'options'?");
	assert_error_contains(err, "bad.yaml:6:3: mastr: ");
	assert_error_contains(err, "bad.yaml:7:3: executors: a whole number");
	assert_error_contains(err, "bad.yaml:8:3: ");
	assert_error_contains(err, "master: is required");
	assert_int_equal(err->kind, ERROR_INVALID);
}

static void test_component_load__knows_flavors_and_near_names(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *flavor = NULL, *type = NULL, *name = NULL, *outside = NULL;

	temporary_project_write(
		temporary, "components/step-operator/odd.yaml",
		"apiVersion: stepop/v1\nkind: Component\nflavor: sprk-kubernetes\n");
	temporary_project_write(
		temporary, "components/artifact-store/odd.yaml",
		"apiVersion: stepop/v1\nkind: Component\nflavor: spark-kubernetes\n");
	assert_null(component_load(temporary->project, &catalog, COMPONENT_STEP_OPERATOR, "odd",
	                           &flavor));
	assert_null(component_load(temporary->project, &catalog, COMPONENT_ARTIFACT_STORE, "odd",
	                           &type));
	assert_null(component_load(temporary->project, &catalog, COMPONENT_STEP_OPERATOR, "defalt",
	                           &name));
	assert_null(component_load(temporary->project, &catalog, COMPONENT_STEP_OPERATOR,
	                           "../../config", &outside));

	assert_error_contains(flavor,
	                      "odd.yaml:3:9: unknown flavor 'sprk-kubernetes'; did you mean");
	assert_error_contains(type, "is one of type 'step-operator', not 'artifact-store'");
	assert_error_contains(name, "no step operator named 'defalt'; did you mean 'default'?");
	assert_int_equal(name->kind, ERROR_NOT_FOUND);
	assert_int_equal(outside->kind, ERROR_NOT_FOUND);
}

static void test_component_update__merges_removes_and_checks(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *required = NULL;
	scoped(component) struct component *component = NULL;
	json_auto_t *change = json_pack("{s:s, s:n}", "docker_parent_image", "b", "executors");
	json_auto_t *removal = json_pack("{s:n}", "master");

	assert_ok(
		register_spark(temporary, "s", "{\"master\": \"k8s://x\", \"executors\": 1}", &err),
		err);
	assert_ok(component_update(temporary->project, &catalog, COMPONENT_STEP_OPERATOR, "s",
	                           change, &err),
	          err);
	assert_false(component_update(temporary->project, &catalog, COMPONENT_STEP_OPERATOR, "s",
	                              removal, &required));

	assert_error_contains(required, "--master: is required");
	component =
		component_load(temporary->project, &catalog, COMPONENT_STEP_OPERATOR, "s", &err);
	assert_ok(component, err);
	assert_string_equal(component_text(component, "master", NULL), "k8s://x");
	assert_string_equal(component_text(component, "docker_parent_image", NULL), "b");
	assert_int_equal(component_integer(component, "executors", -1), -1);
}

static void test_component_delete__keeps_what_a_stack_uses(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *used = NULL, *gone = NULL;

	assert_ok(register_spark(temporary, "s", "{\"master\": \"k8s://x\"}", &err), err);
	assert_false(
		component_delete(temporary->project, COMPONENT_STEP_OPERATOR, "default", &used));
	assert_ok(component_delete(temporary->project, COMPONENT_STEP_OPERATOR, "s", &err), err);
	assert_false(component_delete(temporary->project, COMPONENT_STEP_OPERATOR, "s", &gone));

	assert_int_equal(used->kind, ERROR_CONFLICT);
	assert_error_contains(used, "is part of stack 'default'");
	assert_int_equal(gone->kind, ERROR_NOT_FOUND);
}

static void test_component_names__are_sorted(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	json_auto_t *names = NULL, *expected = json_pack("[s, s, s]", "alpha", "beta", "default");

	assert_ok(register_spark(temporary, "beta", "{\"master\": \"k8s://x\"}", &err), err);
	assert_ok(register_spark(temporary, "alpha", "{\"master\": \"k8s://x\"}", &err), err);

	names = component_names(temporary->project, COMPONENT_STEP_OPERATOR, &err);
	assert_true(json_equal(names, expected));
}

#define with_project(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

static void test_component_url_check__takes_urls_of_servers_only(void **state)
{
	static const char *const good[] = { "https://host", "http://127.0.0.1:9000",
		                            "https://[::1]:9000/path", "http://minio/" };
	static const struct {
		const char *url, *said;
	} bad[] = {
		{ "host:9000", "begins with https:// or http://" },
		{ "ftp://host", "begins with https:// or http://" },
		{ "", "begins with https:// or http://" },
		{ "https://", "is no URL of a server" },
		{ "https:///path", "is no URL of a server" },
		{ "https://:9000", "is no URL of a server" },
		{ "https://a host", "is no URL of a server" },
		{ "https://me:hush@host", "credentials are for a secret" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		scoped(error) struct error *err = NULL;

		assert_ok(component_url_check(good[i], &err), err);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		scoped(error) struct error *err = NULL;

		assert_false(component_url_check(bad[i].url, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, bad[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalog_find_any__suggests_and_names_the_types),
		cmocka_unit_test(test_component_options_parse__gives_values_their_kinds),
		cmocka_unit_test(test_component_options_parse__says_all_faults_at_once),
		cmocka_unit_test(test_component_options_parse__refuses_an_option_given_twice),
		cmocka_unit_test(
			test_component_options_parse__refuses_literal_secrets_without_showing_them),
		cmocka_unit_test(test_component_options_parse__takes_references_to_secrets),
		cmocka_unit_test(test_component_url_check__takes_urls_of_servers_only),
		with_project(test_project_init__is_safe_to_repeat),
		with_project(test_project_open__looks_upward_and_lets_the_environment_win),
		with_project(test_component_register__writes_a_file_to_review),
		with_project(test_component_register__refuses_taken_and_unfit_names),
		with_project(test_component_load__gives_typed_values),
		with_project(test_component_load__places_all_faults_of_a_file),
		with_project(test_component_load__knows_flavors_and_near_names),
		with_project(test_component_update__merges_removes_and_checks),
		with_project(test_component_delete__keeps_what_a_stack_uses),
		with_project(test_component_names__are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
