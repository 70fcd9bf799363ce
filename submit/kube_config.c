/* SPDX-License-Identifier: Apache-2.0 */
/* From kubeconfig files, or the pod's own account, to one resolved context. */
#include "submit/kube_config.h"

#include <string.h>
#include <strings.h>

#include "core/file.h"
#include "core/loop.h"
#include "core/text.h"
#include "submit/kube_config_file.h"
#include "submit/kube_exec.h"

#define SERVICE_ACCOUNT_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"
#define TOKEN_LIMIT_BYTES ((size_t)1 << 20)
#define TOKEN_AGE_MS 60000

void kube_config_free(struct kube_config *config)
{
	if (!config)
		return;
	free(config->context);
	free(config->server);
	free(config->namespace);
	free(config->ca_pem);
	free(config->tls_server_name);
	free(config->proxy_url);
	free(config->certificate_pem);
	secret_free(config->key_pem);
	secret_free(config->token);
	free(config->token_file);
	free(config->username);
	secret_free(config->password);
	kube_exec_free(config->exec);
	free(config->source);
	free(config);
}

static void replace(char **slot, const char *text)
{
	free(*slot);
	*slot = text_copy(text);
}

/* ---- servers ---- */

/* With a scheme, without slashes at the end. Owned by the caller. */
static char *normal_server(const char *server)
{
	char *normal = strstr(server, "://") ? xstrdup(server) : text_printf("https://%s", server);
	size_t size = strlen(normal);

	while (size && normal[size - 1] == '/')
		normal[--size] = '\0';
	return normal;
}

/* "https://host" and "https://host:443" are one: Spark's masters always carry the port. */
static bool same_server(const char *a, const char *b)
{
	scoped(text) char *one = normal_server(a);
	scoped(text) char *other = normal_server(b);
	char *const both[] = { one, other };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(both); i++) {
		const char *port = text_starts_with(both[i], "https:") ? ":443" : ":80";

		if (text_ends_with(both[i], port))
			both[i][strlen(both[i]) - strlen(port)] = '\0';
	}
	return !strcasecmp(one, other);
}

static bool serves(const struct kube_entry *cluster, const char *server)
{
	const char *own = json_string_value(json_object_get(cluster->fields, "server"));

	return own && same_server(own, server);
}

static bool uses_cluster(const struct kube_entry *context, const char *cluster)
{
	return text_equal(json_string_value(json_object_get(context->fields, "cluster")), cluster);
}

/* ---- clusters, users, contexts ---- */

static bool read_cluster(struct kube_config *config, const struct kube_entry *cluster,
                         struct error **err)
{
	scoped(text) char *server = NULL;

	if (!kube_entry_text(cluster, "server", &server, err) ||
	    !kube_entry_content(cluster, "certificate-authority", &config->ca_pem, err) ||
	    !kube_entry_flag(cluster, "insecure-skip-tls-verify", &config->insecure, err) ||
	    !kube_entry_text(cluster, "tls-server-name", &config->tls_server_name, err) ||
	    !kube_entry_text(cluster, "proxy-url", &config->proxy_url, err))
		return false;
	if (!server)
		return kube_entry_error(cluster, "server", err, "it names no server");
	if (config->insecure && config->ca_pem)
		return kube_entry_error(cluster, "insecure-skip-tls-verify", err,
		                        "it has a certificate authority and yet skips "
		                        "verification; take one of them out");
	config->server = normal_server(server);
	return true;
}

static bool refuse_unsupported(const struct kube_entry *user, struct error **err)
{
	const char *const impersonation[] = { "as", "as-uid", "as-groups", "as-user-extra" };
	size_t i;

	if (json_object_get(user->fields, "auth-provider"))
		return kube_entry_error(user, "auth-provider", err,
		                        "auth providers were removed from Kubernetes' clients in "
		                        "1.26; use the exec plugin of your cloud instead");
	for (i = 0; i < ARRAY_SIZE(impersonation); i++)
		if (json_object_get(user->fields, impersonation[i]))
			return kube_entry_error(user, impersonation[i], err,
			                        "acting as somebody else is not supported");
	return true;
}

static bool check_one_method(const struct kube_config *config, const struct kube_entry *user,
                             struct error **err)
{
	if (!config->certificate_pem != !config->key_pem)
		return kube_entry_error(user, config->key_pem ? "client-key" : "client-certificate",
		                        err, "a client certificate and its key belong together");
	if (config->username && (config->token || config->token_file))
		return kube_entry_error(user, "username", err,
		                        "it has a token and a user name; only one is allowed");
	return true;
}

static bool read_user(struct kube_config *config, const struct kube_entry *user,
                      const json_t *cluster, struct error **err)
{
	const json_t *exec = json_object_get(user->fields, "exec");

	if (!refuse_unsupported(user, err) ||
	    !kube_entry_content(user, "client-certificate", &config->certificate_pem, err) ||
	    !kube_entry_content(user, "client-key", &config->key_pem, err) ||
	    !kube_entry_text(user, "token", &config->token, err) ||
	    !kube_entry_path(user, "tokenFile", &config->token_file, err) ||
	    !kube_entry_text(user, "username", &config->username, err) ||
	    !kube_entry_text(user, "password", &config->password, err) ||
	    !check_one_method(config, user, err))
		return false;
	if (exec && !json_is_null(exec)) {
		config->exec = kube_exec_parse(user, cluster, err);
		if (!config->exec)
			return false;
	}
	return true;
}

/* "no context 'x' in a, b; there are: y, z"; returns NULL. */
static void *missing(const struct kube_files *files, const char *list, const char *what,
                     const char *name, struct error **err)
{
	json_auto_t *names = kube_files_list(files, list);
	scoped(text) char *sources = kube_files_names(files);
	scoped(text) char *known = NULL;
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	json_t *item;
	size_t i;

	json_array_foreach (names, i, item)
		fprintf(out, "%s%s", i ? ", " : "", json_string_value(item));
	known = text_stream_take(&stream);
	return error_set(err, ERROR_NOT_FOUND, "there is no %s '%s' in %s%s%s", what, name, sources,
	                 *known ? "; there are: " : "", known);
}

static bool find_entry(const struct kube_files *files, const char *list, const char *name,
                       struct kube_entry *entry, struct error **err)
{
	struct error *reason = NULL;

	if (kube_files_find(files, list, name, entry, &reason))
		return true;
	if (reason)
		return error_pass(err, reason);
	entry->what = text_equal(list, "clusters") ? "cluster"
	              : text_equal(list, "users")  ? "user"
	                                           : "context";
	return missing(files, list, entry->what, name, err);
}

/* What the given context says; `server` stands in for its cluster's. */
static bool read_context(struct kube_config *config, const struct kube_files *files,
                         const struct kube_entry *context, struct error **err)
{
	struct kube_entry cluster = { 0 }, user = { 0 };
	scoped(text) char *cluster_name = NULL;
	scoped(text) char *user_name = NULL;

	replace(&config->context, context->name);
	if (!kube_entry_text(context, "cluster", &cluster_name, err) ||
	    !kube_entry_text(context, "user", &user_name, err) ||
	    !kube_entry_text(context, "namespace", &config->namespace, err))
		return false;
	if (!cluster_name)
		return kube_entry_error(context, "cluster", err, "it names no cluster");
	if (!find_entry(files, "clusters", cluster_name, &cluster, err) ||
	    !read_cluster(config, &cluster, err))
		return error_wrap(err, "context '%s'", context->name);
	if (user_name && (!find_entry(files, "users", user_name, &user, err) ||
	                  !read_user(config, &user, cluster.fields, err)))
		return error_wrap(err, "context '%s'", context->name);
	return true;
}

/* ---- which context ---- */

/* True: *context is the one to read; false without an error: there is none. */
static bool choose_by_server(const struct kube_files *files, const char *server,
                             struct kube_entry *cluster, struct kube_entry *context,
                             struct error **err)
{
	const char *current = kube_files_current_context(files);
	struct error *reason = NULL;

	if (!kube_files_search(files, "clusters", serves, server, cluster, &reason))
		return reason ? error_pass(err, reason) : false;
	if (current && kube_files_find(files, "contexts", current, context, &reason) &&
	    uses_cluster(context, cluster->name))
		return true;
	if (!reason &&
	    kube_files_search(files, "contexts", uses_cluster, cluster->name, context, &reason))
		return true;
	return reason ? error_pass(err, reason) : false;
}

static bool resolve_by_server(struct kube_config *config, const struct kube_files *files,
                              const char *server, struct error **err)
{
	struct kube_entry cluster = { 0 }, context = { 0 };
	const char *current = kube_files_current_context(files);
	struct error *reason = NULL;

	if (choose_by_server(files, server, &cluster, &context, &reason))
		return read_context(config, files, &context, err);
	if (reason)
		return error_pass(err, reason);
	if (cluster.fields)
		return read_cluster(config, &cluster, err);
	/* As Spark and kubectl --server have it: the account of the current context. */
	if (current && find_entry(files, "contexts", current, &context, err))
		return read_context(config, files, &context, err);
	return !current;
}

static bool resolve_by_context(struct kube_config *config, const struct kube_files *files,
                               const char *name, struct error **err)
{
	struct kube_entry context = { 0 };

	if (!name)
		name = kube_files_current_context(files);
	if (!name) {
		scoped(text) char *sources = kube_files_names(files);

		return error_set(err, ERROR_INVALID,
		                 "no current-context is set in %s; choose one with --context",
		                 sources);
	}
	return find_entry(files, "contexts", name, &context, err) &&
	       read_context(config, files, &context, err);
}

/* ---- what stands instead ---- */

static void forget_user(struct kube_config *config)
{
	free(take(config->certificate_pem));
	secret_free(take(config->key_pem));
	secret_free(take(config->token));
	free(take(config->token_file));
	free(take(config->username));
	secret_free(take(config->password));
	kube_exec_free(take(config->exec));
}

static bool read_pem(const char *path, char **pem, struct error **err)
{
	char *text = path ? file_read(path, TOKEN_LIMIT_BYTES, NULL, err) : NULL;

	if (text) {
		free(*pem);
		*pem = text;
	}
	return !path || text;
}

static bool replace_user(struct kube_config *config, const struct kube_config_options *options,
                         struct error **err)
{
	if (options->token && options->token_file)
		return error_set(err, ERROR_INVALID,
		                 "a token and the file of a token are given; only one is allowed");
	if (!options->certificate_file != !options->key_file)
		return error_set(err, ERROR_INVALID,
		                 "a client certificate and its key belong together");
	if (!options->token && !options->token_file && !options->key_file)
		return true;
	forget_user(config);
	config->token = text_copy(options->token);
	config->token_file = text_copy(options->token_file);
	return (read_pem(options->certificate_file, &config->certificate_pem, err) &&
	        read_pem(options->key_file, &config->key_pem, err)) ||
	       error_wrap(err, "the client certificate");
}

static bool replace_trust(struct kube_config *config, const struct kube_config_options *options,
                          struct error **err)
{
	if (options->ca_file && !read_pem(options->ca_file, &config->ca_pem, err))
		return error_wrap(err, "the certificate authority");
	if (options->ca_file)
		config->insecure = false;
	if (options->insecure) {
		free(take(config->ca_pem));
		config->insecure = true;
	}
	return true;
}

static bool apply_options(struct kube_config *config, const struct kube_config_options *options,
                          struct error **err)
{
	if (options->server) {
		free(config->server);
		config->server = normal_server(options->server);
	}
	if (options->namespace)
		replace(&config->namespace, options->namespace);
	if (!config->namespace)
		config->namespace = xstrdup("default");
	config->connect_timeout_ms = options->connect_timeout_ms;
	config->request_timeout_ms = options->request_timeout_ms;
	return replace_user(config, options, err) && replace_trust(config, options, err);
}

struct kube_config *kube_config_resolve(const struct kube_files *files,
                                        const struct kube_config_options *options,
                                        struct error **err)
{
	scoped(kube_config) struct kube_config *config = xcalloc(1, sizeof(*config));

	config->source = kube_files_names(files);
	if (options->server && !options->context) {
		if (!resolve_by_server(config, files, options->server, err))
			return NULL;
	} else if (!resolve_by_context(config, files, options->context, err)) {
		return NULL;
	}
	return apply_options(config, options, err) ? take(config) : NULL;
}

/* ---- in a pod ---- */

static bool read_account(struct kube_config *config, struct error **err)
{
	/* Set by tests only: a pod always has its account at the same place. */
	const char *folder = getenv("STEPOP_SERVICE_ACCOUNT_FOLDER");
	scoped(text) char *ca = NULL;
	scoped(text) char *namespace = NULL;

	folder = folder ? folder : SERVICE_ACCOUNT_FOLDER;
	ca = file_join(folder, "ca.crt");
	namespace = file_join(folder, "namespace");
	config->token_file = file_join(folder, "token");
	config->ca_pem = file_read(ca, TOKEN_LIMIT_BYTES, NULL, err);
	if (!config->ca_pem)
		return error_wrap(err, "the pod's service account");
	config->namespace = file_read(namespace, 4096, NULL, NULL);
	if (config->namespace)
		config->namespace[strcspn(config->namespace, "\r\n")] = '\0';
	return true;
}

static struct kube_config *load_in_cluster(const struct kube_config_options *options,
                                           struct error **err)
{
	scoped(kube_config) struct kube_config *config = xcalloc(1, sizeof(*config));
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	bool is_ipv6 = host && strchr(host, ':');

	config->source = xstrdup("in-cluster service account");
	if (host && *host && port && *port) {
		config->server = text_printf("https://%s%s%s:%s", is_ipv6 ? "[" : "", host,
		                             is_ipv6 ? "]" : "", port);
		if (!read_account(config, err))
			return NULL;
	} else if (!options->server) {
		return error_set(err, ERROR_NOT_FOUND,
		                 "no cluster is configured: there is no kubeconfig file; name one "
		                 "with --kubeconfig or in KUBECONFIG");
	}
	return apply_options(config, options, err) ? take(config) : NULL;
}

/* ---- which files ---- */

/* Files of a list may be absent. */
static bool add_if_there(struct kube_files *files, const char *path, struct error **err)
{
	struct error *reason = NULL;

	if (kube_files_add(files, path, &reason))
		return true;
	if (reason->kind != ERROR_NOT_FOUND)
		return error_pass(err, reason);
	error_free(reason);
	return true;
}

static bool add_list(struct kube_files *files, const char *paths, struct error **err)
{
	while (*paths) {
		size_t size = strcspn(paths, ":");
		scoped(text) char *path = xstrndup(paths, size);

		if (size && !add_if_there(files, path, err))
			return false;
		paths += size;
		paths += *paths == ':';
	}
	return true;
}

struct kube_config *kube_config_load(const struct kube_config_options *options, struct error **err)
{
	scoped(kube_files) struct kube_files *files = kube_files_new();
	const char *listed = getenv("KUBECONFIG");
	scoped(text) char *home = NULL;
	bool ok;

	if (options->kubeconfig) {
		if (!kube_files_add(files, options->kubeconfig, err))
			return error_wrap(err, "the kubeconfig file");
		return kube_config_resolve(files, options, err);
	}
	if (listed && *listed) {
		ok = add_list(files, listed, err);
	} else {
		home = file_at_home(".kube/config");
		ok = add_if_there(files, home, err);
	}
	if (!ok)
		return NULL;
	if (kube_files_is_empty(files))
		return load_in_cluster(options, err);
	return kube_config_resolve(files, options, err);
}

/* ---- credentials ---- */

/* Projected tokens are replaced on disk about every hour. */
static bool refresh_token(struct kube_config *config, bool fresh, struct error **err)
{
	struct error *reason = NULL;
	char *token;

	if (!fresh && config->token && config->token_read_at_ms &&
	    loop_now_ms() - config->token_read_at_ms < TOKEN_AGE_MS)
		return true;
	token = file_read(config->token_file, TOKEN_LIMIT_BYTES, NULL, &reason);
	if (!token && config->token) { /* the one that we have may still be good */
		error_free(reason);
		return true;
	}
	if (!token) {
		reason->kind = ERROR_AUTH;
		error_pass(err, reason);
		return error_wrap(err, "the token file");
	}
	token[strcspn(token, "\r\n \t")] = '\0';
	secret_free(config->token);
	config->token = token;
	config->token_read_at_ms = loop_now_ms();
	return true;
}

static bool run_exec(struct kube_config *config, bool fresh, char **token, struct error **err)
{
	struct kube_exec_credential credential;

	if (!kube_exec_credential(config->exec, fresh, &credential, err))
		return false;
	if (credential.certificate_pem) {
		replace(&config->certificate_pem, credential.certificate_pem);
		secret_free(take(config->key_pem));
		config->key_pem = xstrdup(credential.key_pem);
	}
	*token = text_copy(credential.token);
	return true;
}

bool kube_config_credential(struct kube_config *config, bool fresh, char **token,
                            struct error **err)
{
	if (config->token_file && !refresh_token(config, fresh, err))
		return false;
	if (config->exec && !config->token && !config->username)
		return run_exec(config, fresh, token, err);
	*token = text_copy(config->token);
	return true;
}
