/* SPDX-License-Identifier: Apache-2.0 */
/* Credential plugins (client.authentication.k8s.io), as client-go runs them. */
#include "submit/kube_exec.h"

#include <string.h>

#include "core/child.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/text.h"
#include "submit/kube_exec_aws.h"

#define DEADLINE_MS 60000
#define OUTPUT_LIMIT_BYTES ((size_t)1 << 20)
/* A credential that ends within this time is renewed before it is used. */
#define RENEWAL_MS 60000

extern char **environ;

struct kube_exec {
	char *user; /* for messages */
	char *api_version, *command, *install_hint;
	char *folder; /* relative commands are relative to it */
	json_t *args; /* strings */
	json_t *env;  /* name -> value */
	json_t *cluster;
	struct kube_exec_aws *aws; /* the same without the plugin; or NULL */
	char *token, *certificate_pem, *key_pem;
	int64_t expires_at; /* wall time in ms; 0: never */
	bool has_credential;
};

void kube_exec_free(struct kube_exec *exec)
{
	if (!exec)
		return;
	free(exec->user);
	free(exec->api_version);
	free(exec->command);
	free(exec->install_hint);
	free(exec->folder);
	json_decref(exec->args);
	json_decref(exec->env);
	json_decref(exec->cluster);
	kube_exec_aws_free(exec->aws);
	secret_free(exec->token);
	free(exec->certificate_pem);
	secret_free(exec->key_pem);
	free(exec);
}

/* ---- from the kubeconfig ---- */

static bool parse_args(struct kube_exec *exec, const struct kube_entry *entry, struct error **err)
{
	const json_t *args = json_object_get(entry->fields, "args");
	json_t *arg;
	size_t i;

	exec->args = json_array();
	if (!args || json_is_null(args))
		return true;
	json_array_foreach (args, i, arg) {
		if (!json_is_string(arg))
			return kube_entry_error(entry, "args", err,
			                        "argument %zu of 'args' must be text", i + 1);
		json_array_append(exec->args, arg);
	}
	return json_is_array(args) ||
	       kube_entry_error(entry, "args", err, "'args' must be a list of texts");
}

static bool parse_env(struct kube_exec *exec, const struct kube_entry *entry, struct error **err)
{
	const json_t *env = json_object_get(entry->fields, "env");
	json_t *variable;
	size_t i;

	exec->env = json_object();
	json_array_foreach (env, i, variable) {
		const char *name = json_string_value(json_object_get(variable, "name"));
		json_t *value = json_object_get(variable, "value");

		if (!name || !*name || strchr(name, '=') || !json_is_string(value))
			return kube_entry_error(
				entry, "env", err,
				"variable %zu of 'env' must have a name and a value", i + 1);
		json_object_set(exec->env, name, value);
	}
	return true;
}

static bool check_api_version(const struct kube_exec *exec, const struct kube_entry *entry,
                              struct error **err)
{
	if (text_equal(exec->api_version, "client.authentication.k8s.io/v1") ||
	    text_equal(exec->api_version, "client.authentication.k8s.io/v1beta1"))
		return true;
	return kube_entry_error(entry, "apiVersion", err,
	                        "the plugin speaks '%s', not client.authentication.k8s.io/v1 or "
	                        "v1beta1; update it and this entry",
	                        exec->api_version ? exec->api_version : "(no apiVersion)");
}

struct kube_exec *kube_exec_parse(const struct kube_entry *user, const json_t *cluster,
                                  struct error **err)
{
	scoped(kube_exec) struct kube_exec *exec = xcalloc(1, sizeof(*exec));
	scoped(text) char *mode = NULL;
	struct kube_entry entry = *user;
	bool wants_cluster = false;

	entry.fields = json_object_get(user->fields, "exec");
	exec->user = xstrdup(user->name);
	exec->folder = file_folder(document_name(user->document));
	if (!json_is_object(entry.fields))
		return kube_entry_error(user, "exec", err, "'exec' must hold fields");
	if (!kube_entry_text(&entry, "apiVersion", &exec->api_version, err) ||
	    !kube_entry_text(&entry, "command", &exec->command, err) ||
	    !kube_entry_text(&entry, "installHint", &exec->install_hint, err) ||
	    !kube_entry_text(&entry, "interactiveMode", &mode, err) ||
	    !kube_entry_flag(&entry, "provideClusterInfo", &wants_cluster, err) ||
	    !parse_args(exec, &entry, err) || !parse_env(exec, &entry, err) ||
	    !check_api_version(exec, &entry, err))
		return NULL;
	if (!exec->command)
		return kube_entry_error(user, "exec", err, "'exec' names no command");
	if (text_equal(mode, "Always"))
		return kube_entry_error(&entry, "interactiveMode", err,
		                        "the plugin '%s' wants to talk to a terminal, which is not "
		                        "possible here",
		                        exec->command);
	if (wants_cluster)
		exec->cluster = json_deep_copy(cluster);
	exec->aws = kube_exec_aws_parse(exec->command, exec->args);
	return take(exec);
}

/* ---- running it ---- */

static char *exec_info(const struct kube_exec *exec)
{
	json_t *spec = json_pack("{s:b}", "interactive", 0);
	json_t *info;
	char *text;

	if (exec->cluster)
		json_object_set(spec, "cluster", exec->cluster);
	info = json_pack("{s:s, s:s, s:o}", "apiVersion", exec->api_version, "kind",
	                 "ExecCredential", "spec", spec);
	text = json_dumps(info, JSON_COMPACT);
	json_decref(info);
	return text;
}

/* A NULL-terminated list of texts, all of them and the list owned. */
struct strings {
	char **items;
	size_t count;
};

static void strings_take(struct strings *strings, char *text)
{
	strings->items = xrealloc(strings->items, strings->count + 2, sizeof(*strings->items));
	strings->items[strings->count++] = text;
	strings->items[strings->count] = NULL;
}

static void strings_release(struct strings *strings)
{
	size_t i;

	for (i = 0; i < strings->count; i++)
		secret_free(strings->items[i]);
	free(strings->items);
}

static struct strings build_arguments(const struct kube_exec *exec)
{
	struct strings arguments = { 0 };
	json_t *arg;
	size_t i;

	strings_take(&arguments, strchr(exec->command, '/') ? file_join(exec->folder, exec->command)
	                                                    : xstrdup(exec->command));
	json_array_foreach (exec->args, i, arg)
		strings_take(&arguments, xstrdup(json_string_value(arg)));
	return arguments;
}

static bool is_overridden(const struct kube_exec *exec, const char *variable)
{
	scoped(text) char *name = xstrndup(variable, strcspn(variable, "="));

	return json_object_get(exec->env, name) || text_equal(name, "KUBERNETES_EXEC_INFO");
}

static struct strings build_environment(const struct kube_exec *exec)
{
	struct strings environment = { 0 };
	scoped(text) char *info = exec_info(exec);
	const char *name;
	json_t *value;
	char **variable;

	for (variable = environ; *variable; variable++)
		if (!is_overridden(exec, *variable))
			strings_take(&environment, xstrdup(*variable));
	json_object_foreach (exec->env, name, value)
		strings_take(&environment, text_printf("%s=%s", name, json_string_value(value)));
	strings_take(&environment, text_printf("KUBERNETES_EXEC_INFO=%s", info));
	return environment;
}

/* What the plugin printed; owned by the caller, a secret. */
static char *run_plugin(const struct kube_exec *exec, struct error **err)
{
	struct strings arguments = build_arguments(exec), environment = build_environment(exec);
	struct child_command command = {
		.arguments = (const char *const *)arguments.items,
		.environment = (const char *const *)environment.items,
		.timeout_ms = DEADLINE_MS,
		.output_limit_bytes = OUTPUT_LIMIT_BYTES,
	};
	scoped(error) struct error *reason = NULL;
	char *out = child_output(&command, NULL, &reason);

	strings_release(&arguments);
	strings_release(&environment);
	if (out)
		return out;
	return error_set(err, ERROR_AUTH, "the credential plugin '%s' of user '%s' %s%s%s",
	                 exec->command, exec->user, reason->message, exec->install_hint ? "; " : "",
	                 exec->install_hint ? exec->install_hint : "");
}

/* ---- what it printed ---- */

static char *copy_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? xstrdup(text) : NULL;
}

static bool keep_credential(struct kube_exec *exec, const json_t *status, struct error **err)
{
	scoped(secret) char *token = copy_text(status, "token");
	scoped(text) char *certificate = copy_text(status, "clientCertificateData");
	scoped(secret) char *key = copy_text(status, "clientKeyData");
	scoped(text) char *expiry = copy_text(status, "expirationTimestamp");
	int64_t expires_at = 0;

	if (!token && !certificate)
		return error_set(
			err, ERROR_AUTH,
			"the credential plugin '%s' gave neither a token nor a certificate",
			exec->command);
	if (!certificate != !key)
		return error_set(err, ERROR_AUTH,
		                 "the credential plugin '%s' gave a certificate without its key",
		                 exec->command);
	if (expiry && !clock_parse(expiry, &expires_at))
		return error_set(
			err, ERROR_AUTH,
			"the credential plugin '%s' gave an expirationTimestamp that is no "
			"time",
			exec->command);
	secret_free(exec->token);
	free(exec->certificate_pem);
	secret_free(exec->key_pem);
	exec->token = take(token);
	exec->certificate_pem = take(certificate);
	exec->key_pem = take(key);
	exec->expires_at = expires_at;
	exec->has_credential = true;
	return true;
}

static bool read_credential(struct kube_exec *exec, const char *text, struct error **err)
{
	json_auto_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *version = json_string_value(json_object_get(answer, "apiVersion"));
	const char *kind = json_string_value(json_object_get(answer, "kind"));

	if (!text_equal(kind, "ExecCredential"))
		return error_set(err, ERROR_AUTH,
		                 "the credential plugin '%s' printed no ExecCredential",
		                 exec->command);
	if (!text_equal(version, exec->api_version))
		return error_set(err, ERROR_AUTH,
		                 "the credential plugin '%s' answers as %s, but user '%s' says %s",
		                 exec->command, version ? version : "(no apiVersion)", exec->user,
		                 exec->api_version);
	return keep_credential(exec, json_object_get(answer, "status"), err);
}

/* ---- or without it ---- */

/* What we cannot do, such as signing in by a browser, the plugin may, where it is installed. */
static bool make_credential(struct kube_exec *exec, struct error **err)
{
	scoped(error) struct error *fault = NULL;
	struct aws_eks_token token = { 0 };

	if (kube_exec_aws_token(exec->aws, exec->env, &token, &fault)) {
		secret_free(exec->token);
		exec->token = token.token;
		exec->expires_at = token.expires_at_ms;
		exec->has_credential = true;
		return true;
	}
	if (!exec->aws->is_stepop && fault->kind == ERROR_AUTH) {
		scoped(secret) char *text = run_plugin(exec, NULL);

		if (text && read_credential(exec, text, NULL))
			return true;
	}
	error_pass(err, take(fault));
	return error_wrap(err, "user '%s'", exec->user);
}

static bool renew(struct kube_exec *exec, struct error **err)
{
	scoped(secret) char *text = NULL;

	if (exec->aws)
		return make_credential(exec, err);
	text = run_plugin(exec, err);
	return text && read_credential(exec, text, err);
}

bool kube_exec_credential(struct kube_exec *exec, bool fresh,
                          struct kube_exec_credential *credential, struct error **err)
{
	bool ends = exec->expires_at && exec->expires_at - clock_now_ms() < RENEWAL_MS;

	if ((fresh || ends || !exec->has_credential) && !renew(exec, err))
		return false;
	*credential = (struct kube_exec_credential){
		.token = exec->token,
		.certificate_pem = exec->certificate_pem,
		.key_pem = exec->key_pem,
	};
	return true;
}
