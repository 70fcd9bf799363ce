/* SPDX-License-Identifier: Apache-2.0 */
/* stepop eks: clusters of EKS without the AWS CLI. */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cloud/aws_eks.h"
#include "core/document.h"
#include "core/file.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_config_entry.h"

#define EXEC_API_VERSION "client.authentication.k8s.io/v1"

/* A chain for the length of a command. */
struct aws_session {
	struct loop *loop;
	struct http_client *http;
	struct aws_chain *chain; /* NULL: *err is set */
};

static struct aws_session session_open(const struct arguments *arguments, struct error **err)
{
	const struct aws_chain_options options = {
		.profile = argument_option(arguments, "profile"),
		.region = argument_option(arguments, "region"),
	};
	struct aws_session session = { .loop = loop_new() };

	session.http = http_client_new(session.loop);
	session.chain = aws_chain_new(session.http, &options, err);
	return session;
}

static void session_cleanup(struct aws_session *session)
{
	aws_chain_free(session->chain);
	http_client_free(session->http);
	loop_free(session->loop);
}

static const char *required(const struct arguments *arguments, const char *option,
                            struct error **err)
{
	const char *value = argument_option(arguments, option);

	return value ? value : error_set(err, ERROR_USAGE, "--%s is required", option);
}

/* ---- eks get-token ---- */

/* As the one who asks wants it answered; owned by the caller. */
static char *exec_api_version(void)
{
	const char *info = getenv("KUBERNETES_EXEC_INFO");
	json_auto_t *root = info ? json_loads(info, 0, NULL) : NULL;
	const char *version = json_string_value(json_object_get(root, "apiVersion"));

	return xstrdup(version ? version : EXEC_API_VERSION);
}

/* The token is the result, and goes to whoever reads our output. */
static void print_token(const struct aws_eks_token *token)
{
	scoped(text) char *version = exec_api_version();
	json_auto_t *credential = aws_eks_exec_credential(token, version);
	scoped(secret) char *text = json_dumps(credential, JSON_COMPACT);

	puts(text);
}

static bool run_get_token(const struct arguments *arguments, struct error **err)
{
	const char *cluster = required(arguments, "cluster-name", err);
	const struct aws_role role = { .arn = argument_option(arguments, "role-arn") };
	struct aws_eks_token token = { 0 };

	if (!cluster)
		return false;
	scoped(session) struct aws_session session = session_open(arguments, err);
	if (!session.chain ||
	    !aws_eks_token(session.chain, cluster, role.arn ? &role : NULL, &token, err))
		return false;
	print_token(&token);
	aws_eks_token_release(&token);
	return true;
}

#define COMMON_OPTIONS                                                                         \
	{ "region", 0, VALUE_ONE, "REGION", "default: AWS_REGION, else the profile's", NULL }, \
		{ "profile", 0, VALUE_ONE, "NAME", "profile of ~/.aws/config", NULL },         \
	{                                                                                      \
		"role-arn", 0, VALUE_ONE, "ARN", "role to take for the cluster", NULL          \
	}

const struct command cmd_eks_get_token = {
	.words = "eks get-token",
	.arguments = "",
	.summary = "print a token for an EKS cluster, as 'aws eks get-token' does",
	.details = "A credential plugin for kubectl and other clients, made without a request but\n"
		   "for credentials. stepop itself needs no plugin, whatever the kubeconfig names.",
	.options =
		(const struct command_option[]){
			{ "cluster-name", 0, VALUE_ONE, "NAME", "the cluster", NULL },
			COMMON_OPTIONS,
			{ 0 },
		},
	.examples = "  stepop eks get-token --cluster-name prod --region eu-central-1",
	.run = run_get_token,
};

/* ---- eks kubeconfig ---- */

/* Owned by the caller. */
static char *kubeconfig_path(const struct arguments *arguments)
{
	const char *given = argument_option(arguments, "kubeconfig");
	const char *listed = getenv("KUBECONFIG");

	if (given)
		return xstrdup(given);
	if (listed && *listed && *listed != ':')
		return xstrndup(listed, strcspn(listed, ":"));
	return file_at_home(".kube/config");
}

/* A copy, owned by the caller; an empty object when there is no file, or nothing in it. */
static json_t *read_kubeconfig(const char *path, struct error **err)
{
	scoped(document) struct document *document = NULL;
	scoped(secret) char *text = NULL;
	struct error *fault = NULL;
	size_t size;

	text = file_read(path, (size_t)4 << 20, &size, &fault);
	if (!text && fault->kind != ERROR_NOT_FOUND)
		return error_pass(err, fault);
	error_free(fault);
	if (!text || !text[strspn(text, " \t\r\n")])
		return json_object();
	document = document_parse(path, text, size, err);
	return document ? json_deep_copy(document_root(document)) : NULL;
}

/* `name` and its value, unless it has none. */
static void add_argument(json_t *arguments, const char *name, const char *value)
{
	if (!value)
		return;
	json_array_append_new(arguments, json_string(name));
	json_array_append_new(arguments, json_string(value));
}

static json_t *exec_of(const struct arguments *arguments, const char *cluster, const char *region)
{
	json_t *words = json_pack("[s, s]", "eks", "get-token");

	add_argument(words, "--cluster-name", cluster);
	add_argument(words, "--region", region);
	add_argument(words, "--profile", argument_option(arguments, "profile"));
	add_argument(words, "--role-arn", argument_option(arguments, "role-arn"));
	return json_pack("{s:s, s:s, s:o, s:s}", "apiVersion", EXEC_API_VERSION, "command",
	                 "stepop", "args", words, "interactiveMode", "Never");
}

/* The kubeconfig with the cluster in it, owned by the caller. */
static json_t *merged(const struct arguments *arguments, const char *path,
                      const struct aws_eks_cluster *cluster, const json_t *exec, struct error **err)
{
	const char *alias = argument_option(arguments, "alias");
	const struct kube_config_entry entry = {
		.name = cluster->arn,
		.context = alias ? alias : cluster->arn,
		.server = cluster->endpoint,
		.ca_base64 = cluster->ca_base64,
		.exec = exec,
	};
	json_t *config = read_kubeconfig(path, err);

	if (config && kube_config_add(config, &entry, err))
		return config;
	json_decref(config);
	return error_wrap(err, "the kubeconfig file '%s'", path);
}

static bool save(const struct arguments *arguments, const char *path, const json_t *config,
                 struct error **err)
{
	scoped(text) char *folder = file_folder(path);

	if (argument_switch(arguments, "print"))
		return document_write_yaml(config, stdout) ||
		       error_set(err, ERROR_INTERNAL, "write the kubeconfig: %m");
	if (!file_make_folders(folder, 0700, err) || !document_save_yaml(config, path, 0600, err))
		return false;
	if (!argument_switch(arguments, "quiet"))
		fprintf(stderr, "context '%s' is in %s, and is the current one\n",
		        json_string_value(json_object_get(config, "current-context")), path);
	return true;
}

static bool run_kubeconfig(const struct arguments *arguments, struct error **err)
{
	const char *name = required(arguments, "name", err);
	scoped(text) char *path = kubeconfig_path(arguments);
	struct aws_eks_cluster cluster;

	if (!name)
		return false;
	scoped(session) struct aws_session session = session_open(arguments, err);
	if (!session.chain || !aws_eks_describe(session.chain, name, &cluster, err))
		return false;
	json_auto_t *exec = exec_of(arguments, name, aws_chain_region(session.chain));
	json_auto_t *config = merged(arguments, path, &cluster, exec, err);
	aws_eks_cluster_release(&cluster);
	return config && save(arguments, path, config, err);
}

const struct command cmd_eks_kubeconfig = {
	.words = "eks kubeconfig",
	.arguments = "",
	.summary = "put an EKS cluster into the kubeconfig, as 'aws eks update-kubeconfig' does",
	.details =
		"Asks EKS where the cluster is. Its context becomes the current one; entries of\n"
		"the same names are replaced, all else stays (but for comments).",
	.options =
		(const struct command_option[]){
			{ "name", 0, VALUE_ONE, "NAME", "the cluster", NULL },
			COMMON_OPTIONS,
			{ "alias", 0, VALUE_ONE, "NAME",
	                  "name of the context; default: the cluster's ARN", NULL },
			{ "print", 0, VALUE_NONE, NULL, "print the file instead of writing it",
	                  NULL },
			{ 0 },
		},
	.examples = "  stepop eks kubeconfig --name prod --region eu-central-1 --alias prod\n"
		    "  stepop eks kubeconfig --name prod --print > prod.kubeconfig",
	.run = run_kubeconfig,
};
