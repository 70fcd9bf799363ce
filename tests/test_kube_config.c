/* SPDX-License-Identifier: Apache-2.0 */
/* submit/kube_config: kubeconfig files, credential plugins, the in-cluster account. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_config.h"
#include "submit/kube_config_file.h"

static int set_up(void **state)
{
	char *folder = xstrdup("/tmp/stepop-test-XXXXXX");

	assert_non_null(mkdtemp(folder));
	unsetenv("KUBECONFIG");
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	setenv("HOME", folder, 1);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	file_remove_tree(*state, NULL);
	free(*state);
	return 0;
}

/* Writes the file into the test's folder; its path is owned by the caller. */
static char *put(void **state, const char *name, const char *text)
{
	char *path = file_join(*state, name);
	scoped(text) char *folder = file_folder(path);

	assert_true(file_make_folders(folder, 0700, NULL));
	assert_true(file_write_atomic(path, text, strlen(text), 0700, NULL));
	return path;
}

static struct kube_config *load(const struct kube_config_options *options)
{
	static const struct kube_config_options none;
	struct error *err = NULL;
	struct kube_config *config = kube_config_load(options ? options : &none, &err);

	assert_ok(config, err);
	return config;
}

#define TWO_CONTEXTS                                                                   \
	"apiVersion: v1\n"                                                             \
	"kind: Config\n"                                                               \
	"current-context: dev\n"                                                       \
	"contexts:\n"                                                                  \
	"- name: dev\n"                                                                \
	"  context: {cluster: one, user: ann, namespace: spark}\n"                     \
	"- name: prod\n"                                                               \
	"  context: {cluster: two, user: bob}\n"                                       \
	"clusters:\n"                                                                  \
	"- name: one\n"                                                                \
	"  cluster: {server: 'https://one:6443/', certificate-authority-data: Q0EK}\n" \
	"- name: two\n"                                                                \
	"  cluster:\n"                                                                 \
	"    server: https://two\n"                                                    \
	"    insecure-skip-tls-verify: true\n"                                         \
	"    tls-server-name: kubernetes\n"                                            \
	"    proxy-url: http://proxy:3128\n"                                           \
	"users:\n"                                                                     \
	"- name: ann\n"                                                                \
	"  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}\n"         \
	"- name: bob\n"                                                                \
	"  user: {token: abc}\n"

static void test_kube_config__reads_the_current_context(void **state)
{
	scoped(text) char *path = put(state, ".kube/config", TWO_CONTEXTS);
	scoped(kube_config) struct kube_config *config = load(NULL);

	assert_string_equal(config->context, "dev");
	assert_string_equal(config->server, "https://one:6443");
	assert_string_equal(config->namespace, "spark");
	assert_string_equal(config->ca_pem, "CA\n");
	assert_string_equal(config->certificate_pem, "CERT");
	assert_string_equal(config->key_pem, "KEY");
	assert_string_equal(config->source, path);
	assert_false(config->insecure);
}

static void test_kube_config__reads_the_named_context(void **state)
{
	scoped(text) char *path = put(state, "config", TWO_CONTEXTS);
	struct kube_config_options options = { .kubeconfig = path,
		                               .context = "prod",
		                               .namespace = "other" };
	scoped(kube_config) struct kube_config *config = load(&options);

	assert_string_equal(config->server, "https://two");
	assert_string_equal(config->namespace, "other");
	assert_true(config->insecure);
	assert_string_equal(config->tls_server_name, "kubernetes");
	assert_string_equal(config->proxy_url, "http://proxy:3128");
	assert_string_equal(config->token, "abc");
}

static void test_kube_config__prefers_the_cluster_of_the_given_server(void **state)
{
	static const struct {
		const char *server, *context, *result;
	} cases[] = {
		{ "https://two:443", "prod", "https://two:443" },
		{ "two", "prod", "https://two" },
		{ "https://one:6443/", "dev", "https://one:6443" },
		{ "https://elsewhere:6443", "dev", "https://elsewhere:6443" },
	};
	scoped(text) char *path = put(state, "config", TWO_CONTEXTS);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_config_options options = { .kubeconfig = path,
			                               .server = cases[i].server };
		scoped(kube_config) struct kube_config *config = load(&options);

		assert_string_equal(config->context, cases[i].context);
		assert_string_equal(config->server, cases[i].result);
	}
}

static void test_kube_config__needs_no_context_for_a_given_server(void **state)
{
	scoped(text) char *path = put(state, "config",
	                              "clusters: [{name: c, cluster: {server: 'https://c:1', "
	                              "tls-server-name: n}}]\n");
	struct kube_config_options options = { .kubeconfig = path, .server = "https://c:1" };
	struct kube_config_options other = { .server = "https://d:1" };
	scoped(kube_config) struct kube_config *config = load(&options);
	scoped(kube_config) struct kube_config *bare = load(&other);

	assert_string_equal(config->tls_server_name, "n");
	assert_string_equal(config->namespace, "default");
	assert_string_equal(bare->server, "https://d:1");
}

static void test_kube_config__merges_files_and_the_first_wins(void **state)
{
	scoped(text) char *first = put(state, "a/one",
	                               "current-context: both\n"
	                               "contexts: [{name: both, context: {cluster: c, user: u}}]\n"
	                               "users: [{name: u, user: {token: first}}]\n");
	scoped(text) char *second = put(state, "b/two",
	                                "current-context: other\n"
	                                "clusters: [{name: c, cluster: {server: 'https://c', "
	                                "certificate-authority: ca.crt}}]\n"
	                                "users: [{name: u, user: {token: second, username: x}}]\n");
	scoped(text) char *ca = put(state, "b/ca.crt", "PEM");
	scoped(text) char *list = text_printf("%s/absent::%s:%s", (char *)*state, first, second);
	scoped(kube_config) struct kube_config *config = NULL;
	setenv("KUBECONFIG", list, 1);

	config = load(NULL);

	assert_string_equal(config->context, "both");
	assert_string_equal(config->token, "first");
	assert_null(config->username);
	assert_string_equal(config->server, "https://c");
	assert_string_equal(config->ca_pem, "PEM"); /* relative to its file */
}

#define WITH(user, cluster)                                                   \
	"current-context: x\n"                                                \
	"contexts: [{name: x, context: {cluster: c, user: u}}]\n"             \
	"clusters:\n- name: c\n  cluster: {server: 'https://c'" cluster "}\n" \
	"users:\n- name: u\n  user: {" user "}\n"

static void test_kube_config__names_the_place_of_a_fault(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "[]", "config: this is no kubeconfig file" },
		{ "contexts: []\n", "no current-context is set in " },
		{ "current-context: x\ncontexts: [{name: y, context: {}}]\n",
		  "there is no context 'x' in " },
		{ "current-context: x\ncontexts: [{name: y, context: {}}]\n", "there are: y" },
		{ "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n",
		  "context 'x': there is no cluster 'c'" },
		{ "current-context: x\ncontexts: [{name: x, context: {}}]\n",
		  "context 'x': it names no cluster" },
		{ "current-context: x\ncontexts: [{context: {}}]\n",
		  "config:2:12: this context has no name" },
		{ WITH("client-certificate-data: '!!!!', client-key-data: S0VZ", ""),
		  "config:8:10: user 'u': 'client-certificate-data' is not valid base64" },
		{ WITH("client-certificate: no.crt", ""),
		  "config:8:10: user 'u': client-certificate: " },
		{ WITH("client-certificate-data: S0VZ", ""),
		  "a client certificate and its key belong together" },
		{ WITH("token: 12", ""), "'token' must be text; put it into quotes" },
		{ WITH("token: a, username: b", ""), "only one is allowed" },
		{ WITH("auth-provider: {name: gcp}", ""),
		  "config:8:10: user 'u': auth providers were removed" },
		{ WITH("as: root", ""), "acting as somebody else is not supported" },
		{ WITH("", ", insecure-skip-tls-verify: yes"),
		  "'insecure-skip-tls-verify' must be true or false" },
		{ WITH("", ", insecure-skip-tls-verify: true, certificate-authority-data: Q0E="),
		  "it has a certificate authority and yet skips verification" },
		{ WITH("exec: {command: x}", ""), "the plugin speaks '(no apiVersion)'" },
		{ WITH("exec: {apiVersion: client.authentication.k8s.io/v1}", ""),
		  "'exec' names no command" },
		{ WITH("exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
		       "interactiveMode: Always}",
		       ""),
		  "wants to talk to a terminal" },
		{ WITH("exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
		       "args: [1]}",
		       ""),
		  "argument 1 of 'args' must be text" },
		{ "current-context: [x\n", "config:2:" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *path = put(state, "config", cases[i].text);
		struct kube_config_options options = { .kubeconfig = path };
		scoped(error) struct error *err = NULL;

		assert_null(kube_config_load(&options, &err));
		assert_error_contains(err, cases[i].message);
	}
}

static void test_kube_config__reads_json_too(void **state)
{
	scoped(text) char *path =
		put(state, "config",
	            "{\"current-context\": \"x\", \"contexts\": [{\"name\": \"x\", \"context\": "
	            "{\"cluster\": \"c\"}}], \"clusters\": [{\"name\": \"c\", \"cluster\": "
	            "{\"server\": \"https://c\", \"certificate-authority-data\": \"Q0\\nEK\"}}]}");
	struct kube_config_options options = { .kubeconfig = path };
	scoped(kube_config) struct kube_config *config = load(&options);

	assert_string_equal(config->server, "https://c");
	assert_string_equal(config->ca_pem, "CA\n");
}

static void test_kube_config__puts_another_user_in_place_of_the_contexts(void **state)
{
	scoped(text) char *path = put(state, "config", TWO_CONTEXTS);
	scoped(text) char *certificate = put(state, "own.crt", "OWN CERT");
	scoped(text) char *key = put(state, "own.key", "OWN KEY");
	scoped(text) char *token_file = put(state, "token", "from-a-file\n");
	struct kube_config_options by_token = { .kubeconfig = path, .token = "own" };
	struct kube_config_options by_file = { .kubeconfig = path, .token_file = token_file };
	struct kube_config_options by_certificate = { .kubeconfig = path,
		                                      .context = "prod",
		                                      .certificate_file = certificate,
		                                      .key_file = key };
	scoped(kube_config) struct kube_config *first = load(&by_token);
	scoped(kube_config) struct kube_config *second = load(&by_file);
	scoped(kube_config) struct kube_config *third = load(&by_certificate);
	scoped(secret) char *token = NULL;
	struct error *err = NULL;

	assert_string_equal(first->token, "own");
	assert_null(first->certificate_pem);
	assert_null(first->key_pem);
	assert_string_equal(first->server, "https://one:6443");
	assert_ok(kube_config_credential(second, false, &token, &err), err);
	assert_string_equal(token, "from-a-file");
	assert_null(third->token);
	assert_string_equal(third->certificate_pem, "OWN CERT");
	assert_string_equal(third->key_pem, "OWN KEY");
}

static void test_kube_config__trusts_the_server_as_it_is_told(void **state)
{
	scoped(text) char *path = put(state, "config", TWO_CONTEXTS);
	scoped(text) char *ca = put(state, "own.ca", "OWN CA");
	struct kube_config_options by_file = { .kubeconfig = path,
		                               .context = "prod",
		                               .ca_file = ca };
	struct kube_config_options blindly = { .kubeconfig = path, .insecure = true };
	scoped(kube_config) struct kube_config *first = load(&by_file);
	scoped(kube_config) struct kube_config *second = load(&blindly);

	assert_string_equal(first->ca_pem, "OWN CA");
	assert_false(first->insecure);
	assert_null(second->ca_pem);
	assert_true(second->insecure);
}

static void test_kube_config__refuses_half_a_user(void **state)
{
	scoped(text) char *path = put(state, "config", TWO_CONTEXTS);
	const struct {
		struct kube_config_options options;
		enum error_kind kind;
		const char *message;
	} cases[] = {
		{ { .token = "secret", .token_file = "/f" }, ERROR_INVALID, "only one is allowed" },
		{ { .key_file = "/f" }, ERROR_INVALID, "belong together" },
		{ { .certificate_file = "/f" }, ERROR_INVALID, "belong together" },
		{ { .certificate_file = "/no/f", .key_file = "/no/k" },
		  ERROR_NOT_FOUND,
		  "the client certificate: open '/no/f'" },
		{ { .ca_file = "/no/ca" },
		  ERROR_NOT_FOUND,
		  "the certificate authority: open '/no/ca'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_config_options options = cases[i].options;
		scoped(error) struct error *err = NULL;

		options.kubeconfig = path;
		assert_null(kube_config_load(&options, &err));
		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].message);
	}
}

static void test_kube_config__says_that_nothing_is_configured(void **state)
{
	struct kube_config_options none = { 0 };
	struct kube_config_options absent = { .kubeconfig = "/no/such/file" };
	scoped(error) struct error *err = NULL;
	scoped(error) struct error *file = NULL;
	(void)state;

	assert_null(kube_config_load(&none, &err));
	assert_null(kube_config_load(&absent, &file));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "no cluster is configured");
	assert_int_equal(file->kind, ERROR_NOT_FOUND);
	assert_error_contains(file, "/no/such/file");
}

static void test_kube_config__finds_the_account_of_its_pod(void **state)
{
	scoped(text) char *ca = put(state, "account/ca.crt", "CA");
	scoped(text) char *token = put(state, "account/token", "t1\n");
	scoped(text) char *namespace = put(state, "account/namespace", "jobs");
	scoped(text) char *folder = file_join(*state, "account");
	scoped(secret) char *first = NULL;
	scoped(secret) char *cached = NULL;
	scoped(secret) char *rotated = NULL;
	scoped(kube_config) struct kube_config *config = NULL;
	scoped(error) struct error *err = NULL;
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	setenv("STEPOP_SERVICE_ACCOUNT_FOLDER", folder, 1);

	config = load(NULL);
	assert_ok(kube_config_credential(config, false, &first, &err), err);
	free(put(state, "account/token", "t2"));
	assert_ok(kube_config_credential(config, false, &cached, &err), err);
	assert_ok(kube_config_credential(config, true, &rotated, &err), err);

	unsetenv("STEPOP_SERVICE_ACCOUNT_FOLDER");
	assert_string_equal(config->server, "https://[fd00::1]:443");
	assert_string_equal(config->namespace, "jobs");
	assert_string_equal(config->ca_pem, "CA");
	assert_string_equal(first, "t1");
	assert_string_equal(cached, "t1");
	assert_string_equal(rotated, "t2");
}

/* ---- credential plugins ---- */

/* A kubeconfig whose user runs the script `body`. */
static struct kube_config *load_exec(void **state, const char *body, const char *more)
{
	scoped(text) char *script_text = text_printf("#!/bin/sh\n%s\n", body);
	scoped(text) char *script = put(state, "plugin.sh", script_text);
	scoped(text) char *text = text_printf(
		WITH("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin.sh, "
	             "args: [get, token], env: [{name: PLUGIN_TEST, value: v}]%s}",
	             ""),
		more);
	scoped(text) char *path = put(state, "config", text);
	struct kube_config_options options = { .kubeconfig = path };

	return load(&options);
}

#define CREDENTIAL(status)                                             \
	"echo '{\"apiVersion\": \"client.authentication.k8s.io/v1\", " \
	"\"kind\": \"ExecCredential\", \"status\": {" status "}}'"

static void test_kube_config_credential__runs_the_plugin_once(void **state)
{
	scoped(kube_config) struct kube_config *config = load_exec(
		state,
		"cd ${0%/*}; echo x >> runs; echo \"$KUBERNETES_EXEC_INFO\" > info; "
		"echo $1 $2 $PLUGIN_TEST > seen; cat > stdin\n" CREDENTIAL("\"token\": \"tok\""),
		", provideClusterInfo: true");
	scoped(text) char *info_path = file_join(*state, "info");
	scoped(text) char *seen_path = file_join(*state, "seen");
	scoped(text) char *runs_path = file_join(*state, "runs");
	scoped(secret) char *token = NULL;
	scoped(secret) char *again = NULL;
	scoped(secret) char *fresh = NULL;
	scoped(error) struct error *err = NULL;

	assert_ok(kube_config_credential(config, false, &token, &err), err);
	assert_ok(kube_config_credential(config, false, &again, &err), err);
	assert_ok(kube_config_credential(config, true, &fresh, &err), err);

	scoped(text) char *info = file_read(info_path, 4096, NULL, NULL);
	scoped(text) char *seen = file_read(seen_path, 4096, NULL, NULL);
	scoped(text) char *runs = file_read(runs_path, 4096, NULL, NULL);
	assert_string_equal(token, "tok");
	assert_string_equal(again, "tok");
	assert_string_equal(runs, "x\nx\n");
	assert_string_equal(seen, "get token v\n");
	assert_non_null(strstr(info, "\"kind\":\"ExecCredential\""));
	assert_non_null(strstr(info, "\"interactive\":false"));
	assert_non_null(strstr(info, "\"server\":\"https://c\""));
}

static void test_kube_config_credential__renews_what_expires(void **state)
{
	scoped(text) char *soon = clock_format(clock_now_ms() + 30000);
	scoped(text) char *body = text_printf(
		"cd ${0%%/*}; echo x >> runs\n" CREDENTIAL("\"token\": \"tok\", "
	                                                   "\"expirationTimestamp\": \"%s\""),
		soon);
	scoped(kube_config) struct kube_config *config = load_exec(state, body, "");
	scoped(text) char *runs_path = file_join(*state, "runs");
	scoped(text) char *runs = NULL;
	scoped(error) struct error *err = NULL;
	int i;

	for (i = 0; i < 3; i++) {
		scoped(secret) char *token = NULL;

		assert_ok(kube_config_credential(config, false, &token, &err), err);
	}

	runs = file_read(runs_path, 4096, NULL, NULL);
	assert_string_equal(runs, "x\nx\nx\n");
}

static void test_kube_config_credential__takes_a_certificate(void **state)
{
	scoped(kube_config) struct kube_config *config = load_exec(
		state, CREDENTIAL("\"clientCertificateData\": \"C\", \"clientKeyData\": \"K\""),
		"");
	scoped(secret) char *token = NULL;
	scoped(error) struct error *err = NULL;

	assert_ok(kube_config_credential(config, false, &token, &err), err);

	assert_null(token);
	assert_string_equal(config->certificate_pem, "C");
	assert_string_equal(config->key_pem, "K");
}

static void test_kube_config_credential__says_why_a_plugin_failed(void **state)
{
	static const struct {
		const char *body, *message;
	} cases[] = {
		{ "echo 'log in first' >&2; exit 3",
		  "failed with exit status 3: log in first; run aws sso login" },
		{ "kill -9 $$", "was ended by signal 9" },
		{ "echo nonsense", "printed no ExecCredential" },
		{ "echo '{\"apiVersion\": \"client.authentication.k8s.io/v1beta1\", "
		  "\"kind\": \"ExecCredential\"}'",
		  "answers as client.authentication.k8s.io/v1beta1, but user 'u' says" },
		{ CREDENTIAL(""), "gave neither a token nor a certificate" },
		{ CREDENTIAL("\"clientCertificateData\": \"C\""),
		  "gave a certificate without its key" },
		{ CREDENTIAL("\"token\": \"t\", \"expirationTimestamp\": \"soon\""),
		  "gave an expirationTimestamp that is no time" },
		{ "yes | head -c 2000000", "printed more than 1024 KiB" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(kube_config) struct kube_config *config =
			load_exec(state, cases[i].body, ", installHint: run aws sso login");
		scoped(error) struct error *err = NULL;
		char *token = NULL;

		assert_false(kube_config_credential(config, false, &token, &err));
		assert_int_equal(err->kind, ERROR_AUTH);
		assert_error_contains(err, cases[i].message);
	}
}

static void test_kube_config_credential__says_that_a_plugin_is_missing(void **state)
{
	scoped(kube_config) struct kube_config *config =
		load_exec(state, "", ", installHint: install it");
	scoped(text) char *script = file_join(*state, "plugin.sh");
	scoped(error) struct error *err = NULL;
	char *token = NULL;
	remove(script);

	assert_false(kube_config_credential(config, false, &token, &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "the credential plugin './plugin.sh' of user 'u' cannot be run: "
	                           "No such file or directory; install it");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kube_config__reads_the_current_context),
		TEST(test_kube_config__reads_the_named_context),
		TEST(test_kube_config__prefers_the_cluster_of_the_given_server),
		TEST(test_kube_config__needs_no_context_for_a_given_server),
		TEST(test_kube_config__merges_files_and_the_first_wins),
		TEST(test_kube_config__names_the_place_of_a_fault),
		TEST(test_kube_config__reads_json_too),
		TEST(test_kube_config__puts_another_user_in_place_of_the_contexts),
		TEST(test_kube_config__trusts_the_server_as_it_is_told),
		TEST(test_kube_config__refuses_half_a_user),
		TEST(test_kube_config__says_that_nothing_is_configured),
		TEST(test_kube_config__finds_the_account_of_its_pod),
		TEST(test_kube_config_credential__runs_the_plugin_once),
		TEST(test_kube_config_credential__renews_what_expires),
		TEST(test_kube_config_credential__takes_a_certificate),
		TEST(test_kube_config_credential__says_why_a_plugin_failed),
		TEST(test_kube_config_credential__says_that_a_plugin_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
