/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/stack_export, stacks/stack_import, stacks/stack_secrets: a stack goes from one project to
 * another, whole or not at all, and says which secrets it misses there. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/stack.h"
#include "stacks/stack_export.h"
#include "stacks/stack_secrets.h"
#include "tests/fakes/temporary_project.h"

static const char document_text[] = "apiVersion: stepop/v1\n"
				    "kind: StackExport\n"
				    "name: daily\n"
				    "components:\n"
				    "  orchestrator: {name: default, flavor: local}\n"
				    "  step-operator:\n"
				    "    name: spark\n"
				    "    flavor: spark-kubernetes\n"
				    "    options: {docker_parent_image: 'spark:3.5.9', namespace: "
				    "jobs, submit_kwargs: {a: 1}}\n"
				    "  artifact-store:\n"
				    "    name: store\n"
				    "    flavor: local\n"
				    "    options: {path: '/data/{{place.folder}}'}\n"
				    "  secrets-manager: {name: vault, flavor: local}\n"
				    "  metadata-store: {name: default, flavor: sqlite}\n";

static json_t *import(struct temporary_project *temporary, const char *text, const char *name,
                      struct error **err)
{
	scoped(document) struct document *document =
		document_parse("stack.yaml", text, strlen(text), err);

	return document ? stack_import(temporary->project, catalog_built_in(), document, name, err)
	                : NULL;
}

static void assert_imported(struct temporary_project *temporary, const char *name,
                            const char *const results[COMPONENT_TYPE_COUNT])
{
	scoped(error) struct error *err = NULL;
	json_auto_t *done = import(temporary, document_text, name, &err);
	json_t *change;
	size_t i;

	assert_ok(done, err);
	json_array_foreach (json_object_get(done, "changes"), i, change)
		assert_string_equal(json_string_value(json_object_get(change, "result")),
		                    results[i]);
}

static void test_stack_import__makes_what_export_gives_back(void **state)
{
	static const char *const results[] = { "there already", "registered",    "registered",
		                               "registered",    "there already", "registered" };
	struct temporary_project *temporary = *state;
	scoped(document) struct document *document =
		document_parse("stack.yaml", document_text, strlen(document_text), NULL);
	scoped(error) struct error *err = NULL;
	json_auto_t *exported = NULL;

	assert_imported(temporary, NULL, results);

	exported = stack_export(temporary->project, catalog_built_in(), "daily", &err);
	assert_ok(exported, err);
	assert_true(json_equal(exported, document_root(document)));
}

static void test_stack_import__may_be_repeated_and_renamed(void **state)
{
	static const char *const first[] = { "there already", "registered",    "registered",
		                             "registered",    "there already", "registered" };
	static const char *const again[] = { "there already", "there already", "there already",
		                             "there already", "there already", "there already" };
	static const char *const renamed[] = { "there already", "there already", "there already",
		                               "there already", "there already", "registered" };
	json_auto_t *names = NULL;
	struct temporary_project *temporary = *state;

	assert_imported(temporary, NULL, first);
	assert_imported(temporary, NULL, again);
	assert_imported(temporary, "nightly", renamed);

	names = stack_names(temporary->project, NULL);
	assert_int_equal(json_array_size(names), 3);
}

static void add_spark(struct temporary_project *temporary, const char *image)
{
	json_auto_t *options = json_pack("{s:s}", "docker_parent_image", image);
	struct component spark = { COMPONENT_STEP_OPERATOR, (char *)"spark",
		                   (char *)"spark-kubernetes", options };
	scoped(error) struct error *err = NULL;

	assert_ok(component_register(temporary->project, catalog_built_in(), &spark, &err), err);
}

static void assert_untouched(struct temporary_project *temporary)
{
	json_auto_t *stores = component_names(temporary->project, COMPONENT_ARTIFACT_STORE, NULL);
	json_auto_t *vaults = component_names(temporary->project, COMPONENT_SECRETS_MANAGER, NULL);
	json_auto_t *stacks = stack_names(temporary->project, NULL);

	assert_int_equal(json_array_size(stores), 1);
	assert_int_equal(json_array_size(vaults), 0);
	assert_int_equal(json_array_size(stacks), 1);
}

static void test_stack_import__names_every_conflict_and_changes_nothing(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *stack = NULL;

	add_spark(temporary, "other:1");
	assert_null(import(temporary, document_text, NULL, &err));
	assert_untouched(temporary);
	assert_null(import(temporary, document_text, "default", &stack));

	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "step operator 'spark' is registered with other options "
	                           "(namespace, docker_parent_image, submit_kwargs)");
	assert_int_equal(stack->kind, ERROR_CONFLICT);
	assert_error_contains(stack, "stack 'default' is registered with other components "
	                             "(step-operator, artifact-store, secrets-manager)");
	assert_error_contains(stack, "step operator 'spark' is registered");
}

static void test_stack_import__places_the_faults_of_the_document(void **state)
{
	static const struct {
		const char *from, *to, *said;
	} cases[] = {
		{ "kind: StackExport", "kind: Stack",
		  "stack.yaml:2:7: 'kind' must be 'StackExport'" },
		{ "secrets-manager:", "secret-manager:",
		  "unknown field 'secret-manager'; did you mean 'secrets-manager'?" },
		{ "orchestrator: {name: default, flavor: local}", "orchestrator: default",
		  "'orchestrator' must be a mapping, not 'default'" },
		{ "flavor: spark-kubernetes", "flavor: spark-kubernets",
		  "stack.yaml:8:13: unknown flavor 'spark-kubernets'; did you mean" },
		{ "namespace: jobs", "namespaces: jobs",
		  "namespaces: flavor 'spark-kubernetes' has no such option; did you mean" },
		{ "name: vault", "name: ../vault", "secrets manager '../vault': a name begins" },
		{ "name: daily\n", "", "the file lacks the field 'name'" },
		{ "{a: 1}", "{my.password: hush}", "holds the value of a secret" },
	};
	struct temporary_project *temporary = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = strstr(document_text, cases[i].from);
		scoped(text) char *text = NULL;
		scoped(error) struct error *err = NULL;

		assert_non_null(at);
		text = text_printf("%.*s%s%s", (int)(at - document_text), document_text,
		                   cases[i].to, at + strlen(cases[i].from));
		assert_null(import(temporary, text, NULL, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].said);
		assert_untouched(temporary);
	}
}

/* The third component cannot be written: a file stands where its folder would be. */
static void test_stack_import__takes_back_what_it_wrote(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	json_auto_t *operators = NULL;

	temporary_project_write(temporary, "components/secrets-manager", "in the way");
	assert_null(import(temporary, document_text, NULL, &err));

	assert_error_contains(err, "components/secrets-manager");
	assert_untouched(temporary);
	operators = component_names(temporary->project, COMPONENT_STEP_OPERATOR, NULL);
	assert_int_equal(json_array_size(operators), 1);
}

static const json_t *line_of(const struct probe_report *report, size_t index)
{
	return json_array_get(probe_report_lines(report), index);
}

static const char *field(const json_t *line, const char *name)
{
	return json_string_value(json_object_get(line, name));
}

static void test_stack_secrets_probe__tells_what_is_missing_and_how_to_make_it(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	json_auto_t *done = import(temporary, document_text, NULL, &err);
	scoped(stack) struct stack *stack = NULL;
	scoped(secret_store) struct secret_store *vault = NULL;
	scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
	json_auto_t *other = json_pack("{s:s}", "fodler", "x");
	json_auto_t *right = json_pack("{s:s}", "folder", "x");

	assert_ok(done, err);
	stack = stack_load(temporary->project, catalog_built_in(), "daily", &err);
	assert_ok(stack, err);
	vault = secret_store_open(temporary->project, stack->components[COMPONENT_SECRETS_MANAGER],
	                          NULL, &err);
	stack_secrets_probe(stack, COMPONENT_ARTIFACT_STORE, vault, report);
	assert_ok(secret_put(vault, "place", NULL, other, true, &err), err);
	stack_secrets_probe(stack, COMPONENT_ARTIFACT_STORE, vault, report);
	assert_ok(secret_put(vault, "place", NULL, right, false, &err), err);
	stack_secrets_probe(stack, COMPONENT_ARTIFACT_STORE, vault, report);
	stack_secrets_probe(stack, COMPONENT_ARTIFACT_STORE, NULL, report);

	assert_string_equal(field(line_of(report, 0), "component"), "artifact-store/store");
	assert_string_equal(field(line_of(report, 0), "advice"),
	                    "stepop secrets-manager secret register place -x vault --folder=@FILE");
	assert_non_null(strstr(field(line_of(report, 0), "text"), "option 'path': secret 'place'"));
	assert_string_equal(field(line_of(report, 1), "advice"),
	                    "stepop secrets-manager secret update place -x vault --folder=@FILE");
	assert_string_equal(field(line_of(report, 2), "text"), "1 of 1 references found");
	assert_non_null(strstr(field(line_of(report, 3), "text"), "has no secrets manager"));
}

#define with_project(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_project(test_stack_import__makes_what_export_gives_back),
		with_project(test_stack_import__may_be_repeated_and_renamed),
		with_project(test_stack_import__names_every_conflict_and_changes_nothing),
		with_project(test_stack_import__places_the_faults_of_the_document),
		with_project(test_stack_import__takes_back_what_it_wrote),
		with_project(test_stack_secrets_probe__tells_what_is_missing_and_how_to_make_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
