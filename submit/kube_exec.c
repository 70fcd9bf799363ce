/* SPDX-License-Identifier: Apache-2.0 */
/* Credential plugins (client.authentication.k8s.io), as client-go runs them. */
#include "submit/kube_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/loop.h"
#include "core/text.h"

#define DEADLINE_MS 60000
#define OUTPUT_LIMIT_BYTES ((size_t)1 << 20)
#define COMPLAINT_LIMIT_BYTES ((size_t)4096)
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

struct plugin {
	pid_t pid;
	int out_fd, err_fd;
	struct text_stream out, complaint;
	size_t out_size, complaint_size;
};

/* The loop blocks the signals that it watches; a plugin must not inherit that. */
static int spawn(struct plugin *plugin, const struct strings *arguments,
                 const struct strings *environment, const int out[2], const int complaint[2])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int number;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, complaint[1], STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	number = posix_spawnp(&plugin->pid, arguments->items[0], &actions, &attributes,
	                      arguments->items, environment->items);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return number;
}

static bool start_plugin(struct plugin *plugin, const struct kube_exec *exec, struct error **err)
{
	struct strings arguments = build_arguments(exec), environment = build_environment(exec);
	int out[2] = { -1, -1 }, complaint[2] = { -1, -1 }, number;

	if (pipe2(out, O_CLOEXEC) || pipe2(complaint, O_CLOEXEC))
		number = errno;
	else
		number = spawn(plugin, &arguments, &environment, out, complaint);
	fd_cleanup(&out[1]);
	fd_cleanup(&complaint[1]);
	plugin->out_fd = out[0];
	plugin->err_fd = complaint[0];
	strings_release(&arguments);
	strings_release(&environment);
	if (!number)
		return true;
	fd_cleanup(&plugin->out_fd);
	fd_cleanup(&plugin->err_fd);
	return error_set(
		err, ERROR_AUTH, "cannot run the credential plugin '%s' of user '%s': %s%s%s",
		exec->command, exec->user, strerror(number), exec->install_hint ? "; " : "",
		exec->install_hint ? exec->install_hint : "");
}

/* False at the end of the pipe, which is closed then. */
static bool copy_some(int *fd, FILE *to, size_t *size, size_t limit_bytes)
{
	char bytes[4096];
	ssize_t got = read(*fd, bytes, sizeof(bytes));

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0) {
		fd_cleanup(fd);
		*fd = -1;
		return false;
	}
	if (*size < limit_bytes)
		fwrite(bytes, 1, (size_t)got, to);
	*size += (size_t)got;
	return true;
}

/* Until the plugin closes its output: true; false at the deadline, or when it is too talkative. */
static bool read_plugin(struct plugin *plugin)
{
	int64_t deadline_ms = loop_now_ms() + DEADLINE_MS;

	while (plugin->out_fd >= 0 || plugin->err_fd >= 0) {
		struct pollfd fds[] = {
			{ .fd = plugin->out_fd, .events = POLLIN },
			{ .fd = plugin->err_fd, .events = POLLIN },
		};
		int64_t left_ms = deadline_ms - loop_now_ms();

		if (left_ms <= 0 || plugin->out_size > OUTPUT_LIMIT_BYTES)
			return false;
		if (poll(fds, ARRAY_SIZE(fds), (int)left_ms) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents)
			copy_some(&plugin->out_fd, plugin->out.file, &plugin->out_size,
			          OUTPUT_LIMIT_BYTES);
		if (fds[1].revents)
			copy_some(&plugin->err_fd, plugin->complaint.file, &plugin->complaint_size,
			          COMPLAINT_LIMIT_BYTES);
	}
	return true;
}

/* One line for a message. */
static void flatten(char *text)
{
	size_t size = strlen(text);

	while (size && strchr("\r\n\t ", text[size - 1]))
		text[--size] = '\0';
	for (; *text; text++)
		if (*text == '\n' || *text == '\r')
			*text = ' ';
}

static bool judge_plugin(const struct kube_exec *exec, const struct plugin *plugin, bool in_time,
                         int status, char *complaint, struct error **err)
{
	scoped(text) char *how = NULL;

	if (plugin->out_size > OUTPUT_LIMIT_BYTES)
		how = xstrdup("printed more than 1 MiB");
	else if (!in_time)
		how = xstrdup("did not end within 60 seconds");
	else if (WIFSIGNALED(status))
		how = text_printf("was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		how = text_printf("failed with exit status %d", WEXITSTATUS(status));
	else
		return true;
	flatten(complaint);
	return error_set(err, ERROR_AUTH, "the credential plugin '%s' of user '%s' %s%s%s%s%s",
	                 exec->command, exec->user, how, *complaint ? ": " : "", complaint,
	                 exec->install_hint ? "; " : "",
	                 exec->install_hint ? exec->install_hint : "");
}

/* What the plugin printed; owned by the caller, a secret. */
static char *run_plugin(const struct kube_exec *exec, struct error **err)
{
	struct plugin plugin = { .out_fd = -1, .err_fd = -1 };
	scoped(text) char *complaint = NULL;
	scoped(secret) char *out = NULL;
	bool in_time;
	int status = 0;

	if (!start_plugin(&plugin, exec, err))
		return NULL;
	text_stream_open(&plugin.out);
	text_stream_open(&plugin.complaint);
	in_time = read_plugin(&plugin);
	if (!in_time)
		kill(plugin.pid, SIGKILL);
	while (waitpid(plugin.pid, &status, 0) < 0 && errno == EINTR)
		continue;
	fd_cleanup(&plugin.out_fd);
	fd_cleanup(&plugin.err_fd);
	out = text_stream_take(&plugin.out);
	complaint = text_stream_take(&plugin.complaint);
	if (!judge_plugin(exec, &plugin, in_time, status, complaint, err))
		return NULL;
	return take(out);
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

bool kube_exec_credential(struct kube_exec *exec, bool fresh,
                          struct kube_exec_credential *credential, struct error **err)
{
	bool ends = exec->expires_at && exec->expires_at - clock_now_ms() < RENEWAL_MS;

	if (fresh || ends || !exec->has_credential) {
		scoped(secret) char *text = run_plugin(exec, err);

		if (!text || !read_credential(exec, text, err))
			return false;
	}
	*credential = (struct kube_exec_credential){
		.token = exec->token,
		.certificate_pem = exec->certificate_pem,
		.key_pem = exec->key_pem,
	};
	return true;
}
