/* SPDX-License-Identifier: Apache-2.0 */
/* submit/kube_exec_aws: tokens of EKS without the plugin that a kubeconfig names. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/document.h"
#include "core/file.h"
#include "core/text.h"
#include "submit/kube_config.h"
#include "submit/kube_exec_aws.h"
#include "tests/fakes/aws_environment.h"

static int set_up(void **state)
{
	*state = aws_environment_new();
	return 0;
}

static int tear_down(void **state)
{
	aws_environment_free(*state);
	return 0;
}

static void test_kube_exec_aws__knows_the_plugins_of_eks(void **state)
{
	static const struct {
		const char *command, *arguments;               /* blanks between them */
		const char *cluster, *region, *profile, *role; /* cluster NULL: another plugin */
	} cases[] = {
		{ "aws", "--region eu-west-1 eks get-token --cluster-name prod --output json",
		  "prod", "eu-west-1", NULL, NULL },
		{ "/usr/local/bin/aws",
		  "eks get-token --cluster-name=prod --role-arn=arn:r --profile p", "prod", NULL,
		  "p", "arn:r" },
		{ "aws-iam-authenticator", "token -i prod -r arn:r -s me -e x", "prod", NULL, NULL,
		  "arn:r" },
		{ "stepop", "eks get-token --cluster-name prod", "prod", NULL, NULL, NULL },
		{ "aws", "eks get-token --cluster-id outpost", NULL, NULL, NULL, NULL },
		{ "aws", "eks get-token", NULL, NULL, NULL, NULL },
		{ "aws", "eks get-token --cluster-name", NULL, NULL, NULL, NULL },
		{ "aws", "eks get-token --cluster-name a --no-verify-ssl", NULL, NULL, NULL, NULL },
		{ "aws", "eks --cluster-name a", NULL, NULL, NULL, NULL },
		{ "aws", "eks get-token more --cluster-name a", NULL, NULL, NULL, NULL },
		{ "aws", "eks get-token --no-cli-pager=x --cluster-name a", NULL, NULL, NULL,
		  NULL },
		{ "gke-gcloud-auth-plugin", "", NULL, NULL, NULL, NULL },
		{ "awsome", "eks get-token --cluster-name a", NULL, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *arguments = json_array();
		const char *at = cases[i].arguments;

		while (*at) {
			size_t size = strcspn(at, " ");

			json_array_append_new(arguments, json_stringn(at, size));
			at += size + (at[size] == ' ');
		}
		scoped(kube_exec_aws) struct kube_exec_aws *exec =
			kube_exec_aws_parse(cases[i].command, arguments);

		print_message("%s %s\n", cases[i].command, cases[i].arguments);
		assert_int_equal(exec != NULL, cases[i].cluster != NULL);
		if (!exec)
			continue;
		assert_true(text_equal(exec->cluster, cases[i].cluster));
		assert_true(text_equal(exec->region, cases[i].region));
		assert_true(text_equal(exec->profile, cases[i].profile));
		assert_true(text_equal(exec->role_arn, cases[i].role));
	}
}

/* As `aws eks update-kubeconfig` writes them. */
static struct kube_config *config_of(const struct aws_environment *environment, const char *command)
{
	scoped(text) char *text = text_printf(
		"apiVersion: v1\nkind: Config\ncurrent-context: c\n"
		"contexts: [{name: c, context: {cluster: c, user: u}}]\n"
		"clusters: [{name: c, cluster: {server: 'https://c'}}]\n"
		"users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, "
		"command: %s, args: [--region, eu-west-1, eks, get-token, --cluster-name, prod, "
		"--output, json], env: [{name: AWS_PROFILE, value: p}]}}}]\n",
		command);
	scoped(text) char *path = aws_environment_file(environment, "kubeconfig", text);
	struct kube_config_options options = { .kubeconfig = path };
	struct error *err = NULL;
	struct kube_config *config = kube_config_load(&options, &err);

	assert_ok(config, err);
	return config;
}

static void test_kube_config_credential__needs_no_aws_cli(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(kube_config) struct kube_config *config = config_of(environment, "/no/such/aws");
	scoped(secret) char *token = NULL;
	scoped(secret) char *again = NULL;
	scoped(error) struct error *err = NULL;

	aws_environment_credentials(environment, "[p]\naws_access_key_id = AKID\n"
	                                         "aws_secret_access_key = s\n");
	assert_ok(kube_config_credential(config, false, &token, &err), err);
	assert_ok(kube_config_credential(config, false, &again, &err), err);

	assert_true(text_starts_with(token, "k8s-aws-v1.aHR0cHM6Ly9zdHMuZXUtd2VzdC0x"));
	assert_string_equal(token, again);
	assert_null(getenv("AWS_PROFILE"));
}

static void test_kube_config_credential__leaves_browsers_to_the_aws_cli(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *plugin = aws_environment_file(
		environment, "aws",
		"#!/bin/sh\necho '{\"apiVersion\": \"client.authentication.k8s.io/v1beta1\", "
		"\"kind\": \"ExecCredential\", \"status\": {\"token\": \"'$AWS_PROFILE'\"}}'\n");
	scoped(kube_config) struct kube_config *without = config_of(environment, "/no/such/aws");
	scoped(kube_config) struct kube_config *with = config_of(environment, plugin);
	scoped(secret) char *token = NULL;
	scoped(error) struct error *err = NULL;

	assert_int_equal(chmod(plugin, 0700), 0);
	aws_environment_config(environment, "[profile p]\nsso_session = corp\n");
	assert_false(kube_config_credential(without, false, &token, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err,
	                      "user 'u': a token for the EKS cluster 'prod': profile 'p' signs "
	                      "in by a browser");
	error_free(take(err));

	assert_ok(kube_config_credential(with, false, &token, &err), err);
	assert_string_equal(token, "p");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kube_exec_aws__knows_the_plugins_of_eks),
		TEST(test_kube_config_credential__needs_no_aws_cli),
		TEST(test_kube_config_credential__leaves_browsers_to_the_aws_cli),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
