/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/stack: stack files and the active stack. */
#include "tests/test.h"

#include <string.h>

#include "operator/catalog.h"
#include "stacks/stack.h"
#include "tests/fakes/temporary_project.h"

static bool add_vault(struct temporary_project *temporary, struct error **err)
{
	json_auto_t *options = json_object();
	struct component vault = { COMPONENT_SECRETS_MANAGER, (char *)"vault", (char *)"local",
		                   options };

	return component_register(temporary->project, catalog_built_in(), &vault, err);
}

static bool add_stack(struct temporary_project *temporary, const char *name, const char *operator,
                      const char * vault, struct error **err)
{
	const char *components[COMPONENT_TYPE_COUNT] = {
		[COMPONENT_STEP_OPERATOR] = operator,
		[COMPONENT_SECRETS_MANAGER] = vault,
	};

	return stack_register(temporary->project, catalog_built_in(), name, components, err);
}

static void test_stack_load__opens_the_default_one_of_a_new_project(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(stack) struct stack *stack =
		stack_load(temporary->project, catalog_built_in(), NULL, &err);

	assert_ok(stack, err);
	assert_string_equal(stack->name, "default");
	assert_string_equal(stack->components[COMPONENT_STEP_OPERATOR]->flavor, "local");
	assert_string_equal(stack->components[COMPONENT_METADATA_STORE]->flavor, "sqlite");
	assert_null(stack->components[COMPONENT_SECRETS_MANAGER]);
}

static void test_stack_register__fills_in_defaults_and_keeps_names(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	json_auto_t *names = NULL;
	json_auto_t *expected = json_pack("{s:s, s:s, s:s, s:s, s:s}", "orchestrator", "default",
	                                  "step-operator", "default", "artifact-store", "default",
	                                  "secrets-manager", "vault", "metadata-store", "default");

	assert_ok(add_vault(temporary, &err), err);
	assert_ok(add_stack(temporary, "daily", NULL, "vault", &err), err);

	names = stack_components(temporary->project, "daily", &err);
	assert_ok(names, err);
	assert_true(json_equal(names, expected));
}

static void test_stack_register__names_everything_that_is_missing(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *taken = NULL;

	assert_false(add_stack(temporary, "daily", "defualt", "vault", &err));
	assert_false(add_stack(temporary, "default", NULL, NULL, &taken));

	assert_error_contains(err, "no step operator named 'defualt'; did you mean 'default'?");
	assert_error_contains(err, "'stepop secrets-manager register vault --flavor=");
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_int_equal(taken->kind, ERROR_CONFLICT);
}

static void test_stack_update__replaces_what_is_named_only(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *missing = NULL;
	const char *with[COMPONENT_TYPE_COUNT] = { [COMPONENT_SECRETS_MANAGER] = "vault" };
	const char *without[COMPONENT_TYPE_COUNT] = { [COMPONENT_ARTIFACT_STORE] = "nowhere" };
	json_auto_t *names = NULL;

	assert_ok(add_vault(temporary, &err), err);
	assert_ok(stack_update(temporary->project, catalog_built_in(), "default", with, &err), err);
	assert_false(
		stack_update(temporary->project, catalog_built_in(), "default", without, &missing));

	names = stack_components(temporary->project, NULL, &err);
	assert_string_equal(json_string_value(json_object_get(names, "secrets-manager")), "vault");
	assert_string_equal(json_string_value(json_object_get(names, "artifact-store")), "default");
	assert_error_contains(missing, "no artifact store named 'nowhere'");
}

static void test_stack_load__says_which_components_are_gone(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;

	temporary_project_write(temporary, "stacks/bare.yaml",
	                        "apiVersion: stepop/v1\nkind: Stack\ncomponents:\n"
	                        "  orchestrator: default\n  step-operator: gone\n"
	                        "  artifact-store: lost\n  metadata-store: default\n");
	assert_null(stack_load(temporary->project, catalog_built_in(), "bare", &err));

	assert_error_contains(err, "stack 'bare': ");
	assert_error_contains(err, "stepop step-operator register gone --flavor=");
	assert_error_contains(err, "stepop artifact-store register lost --flavor=");
}

static void test_stack_load__places_the_faults_of_a_file(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;

	temporary_project_write(temporary, "stacks/bad.yaml",
	                        "apiVersion: stepop/v1\nkind: Stack\ncomponents:\n"
	                        "  orchestrator: default\n  step-operators: default\n"
	                        "  artifact-store: [a]\n  metadata-store: default\n");
	assert_null(stack_load(temporary->project, catalog_built_in(), "bad", &err));

	assert_error_contains(err, "bad.yaml:5:3: unknown type of component 'step-operators'; did "
	                           "you mean 'step-operator'?");
	assert_error_contains(err, "bad.yaml:6:3: artifact-store: the name of a component");
	assert_error_contains(err, "'step-operator' is missing");
}

static void test_stack_set_active__changes_what_is_loaded(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *near = NULL;
	scoped(text) char *active = NULL;

	assert_ok(add_stack(temporary, "daily", NULL, NULL, &err), err);
	assert_ok(stack_set_active(temporary->project, "daily", &err), err);
	assert_false(stack_set_active(temporary->project, "dayly", &near));

	active = stack_active(temporary->project, &err);
	assert_string_equal(active, "daily");
	assert_error_contains(near, "did you mean 'daily'?");
}

static void test_stack_delete__keeps_the_active_one_and_default(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *active = NULL, *kept = NULL;

	assert_ok(add_stack(temporary, "daily", NULL, NULL, &err), err);
	assert_ok(stack_set_active(temporary->project, "daily", &err), err);
	assert_false(stack_delete(temporary->project, "daily", &active));
	assert_false(stack_delete(temporary->project, "default", &kept));
	assert_ok(stack_set_active(temporary->project, "default", &err), err);
	assert_ok(stack_delete(temporary->project, "daily", &err), err);

	assert_int_equal(active->kind, ERROR_CONFLICT);
	assert_int_equal(kept->kind, ERROR_CONFLICT);
}

#define with_project(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_project(test_stack_load__opens_the_default_one_of_a_new_project),
		with_project(test_stack_register__fills_in_defaults_and_keeps_names),
		with_project(test_stack_register__names_everything_that_is_missing),
		with_project(test_stack_update__replaces_what_is_named_only),
		with_project(test_stack_load__says_which_components_are_gone),
		with_project(test_stack_load__places_the_faults_of_a_file),
		with_project(test_stack_set_active__changes_what_is_loaded),
		with_project(test_stack_delete__keeps_the_active_one_and_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
