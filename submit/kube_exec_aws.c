/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines of the plugins for EKS, and their tokens without them. */
#include "submit/kube_exec_aws.h"

#include <stdlib.h>
#include <string.h>

#include "core/http.h"
#include "core/loop.h"
#include "core/text.h"

/* ---- command lines ---- */

enum value {
	VALUE_NONE,    /* a switch that makes no difference here */
	VALUE_IGNORED, /* as well, but with a value */
	VALUE_CLUSTER,
	VALUE_REGION,
	VALUE_PROFILE,
	VALUE_ROLE,
	VALUE_SESSION,
	VALUE_EXTERNAL,
};

struct option {
	const char *name;
	enum value value;
};

struct plugin {
	const char *program;
	const char *words[2]; /* among the arguments, in this order */
	const struct option *options;
};

static const struct plugin plugins[] = {
	{ "aws",
	  { "eks", "get-token" },
	  (const struct option[]){ { "--cluster-name", VALUE_CLUSTER },
	                           { "--region", VALUE_REGION },
	                           { "--profile", VALUE_PROFILE },
	                           { "--role-arn", VALUE_ROLE },
	                           { "--output", VALUE_IGNORED },
	                           { "--color", VALUE_IGNORED },
	                           { "--no-cli-pager", VALUE_NONE },
	                           { "--no-cli-auto-prompt", VALUE_NONE },
	                           { 0 } } },
	{ "aws-iam-authenticator",
	  { "token", NULL },
	  (const struct option[]){ { "--cluster-id", VALUE_CLUSTER },
	                           { "-i", VALUE_CLUSTER },
	                           { "--region", VALUE_REGION },
	                           { "--role", VALUE_ROLE },
	                           { "-r", VALUE_ROLE },
	                           { "--session-name", VALUE_SESSION },
	                           { "-s", VALUE_SESSION },
	                           { "--external-id", VALUE_EXTERNAL },
	                           { "-e", VALUE_EXTERNAL },
	                           { "--cache", VALUE_NONE },
	                           { 0 } } },
	{ "stepop",
	  { "eks", "get-token" },
	  (const struct option[]){ { "--cluster-name", VALUE_CLUSTER },
	                           { "--region", VALUE_REGION },
	                           { "--profile", VALUE_PROFILE },
	                           { "--role-arn", VALUE_ROLE },
	                           { 0 } } },
};

static const struct plugin *find_plugin(const char *command)
{
	const char *slash = strrchr(command, '/');

	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
		if (text_equal(plugins[i].program, slash ? slash + 1 : command))
			return &plugins[i];
	return NULL;
}

static char **slot_of(struct kube_exec_aws *exec, enum value value)
{
	switch (value) {
	case VALUE_CLUSTER:
		return &exec->cluster;
	case VALUE_REGION:
		return &exec->region;
	case VALUE_PROFILE:
		return &exec->profile;
	case VALUE_ROLE:
		return &exec->role_arn;
	case VALUE_SESSION:
		return &exec->session_name;
	case VALUE_EXTERNAL:
		return &exec->external_id;
	case VALUE_NONE:
	case VALUE_IGNORED:
		break;
	}
	return NULL;
}

/* "--name=value" or "--name value" at *index, which moves to the last argument that was used. */
static bool read_option(struct kube_exec_aws *exec, const struct option *options,
                        const json_t *arguments, size_t *index)
{
	const char *argument = json_string_value(json_array_get(arguments, *index));
	size_t size = strcspn(argument, "=");
	const char *value = argument[size] ? argument + size + 1 : NULL;
	char **slot;

	while (options->name &&
	       (strlen(options->name) != size || strncmp(options->name, argument, size) != 0))
		options++;
	if (!options->name || (options->value == VALUE_NONE && value))
		return false;
	if (options->value != VALUE_NONE && !value)
		value = json_string_value(json_array_get(arguments, ++*index));
	slot = slot_of(exec, options->value);
	if (slot) {
		free(*slot);
		*slot = text_copy(value);
	}
	return options->value == VALUE_NONE || value;
}

static bool read_arguments(struct kube_exec_aws *exec, const struct plugin *plugin,
                           const json_t *arguments)
{
	size_t words = 0, i;

	for (i = 0; i < json_array_size(arguments); i++) {
		const char *argument = json_string_value(json_array_get(arguments, i));

		if (*argument == '-') {
			if (!read_option(exec, plugin->options, arguments, &i))
				return false;
		} else if (words == ARRAY_SIZE(plugin->words) ||
		           !text_equal(argument, plugin->words[words++])) {
			return false;
		}
	}
	return (words == ARRAY_SIZE(plugin->words) || !plugin->words[words]) && exec->cluster;
}

struct kube_exec_aws *kube_exec_aws_parse(const char *command, const json_t *arguments)
{
	scoped(kube_exec_aws) struct kube_exec_aws *exec = xcalloc(1, sizeof(*exec));
	const struct plugin *plugin = find_plugin(command);

	if (!plugin || !read_arguments(exec, plugin, arguments))
		return NULL;
	exec->is_stepop = text_equal(plugin->program, "stepop");
	return take(exec);
}

void kube_exec_aws_free(struct kube_exec_aws *exec)
{
	if (!exec)
		return;
	free(exec->cluster);
	free(exec->region);
	free(exec->profile);
	free(exec->role_arn);
	free(exec->session_name);
	free(exec->external_id);
	free(exec);
}

/* ---- tokens ---- */

/* What the plugin's entry sets is set for us, too, and taken back afterwards: the chain, a
 * credential_process, a proxy all look there. One thread, and nothing else runs meanwhile. */
static json_t *enter_environment(const json_t *environment)
{
	json_t *before = json_object(), *value;
	const char *name;

	json_object_foreach ((json_t *)environment, name, value) {
		const char *old = getenv(name);

		json_object_set_new(before, name, old ? json_string(old) : json_null());
		setenv(name, json_string_value(value), 1);
	}
	return before;
}

static void leave_environment_take(json_t *before)
{
	const char *name;
	json_t *old;

	json_object_foreach (before, name, old) {
		if (json_is_string(old))
			setenv(name, json_string_value(old), 1);
		else
			unsetenv(name);
	}
	json_decref(before);
}

static bool make_token(const struct kube_exec_aws *exec, struct http_client *http,
                       struct aws_eks_token *token, struct error **err)
{
	const struct aws_chain_options options = { .profile = exec->profile,
		                                   .region = exec->region };
	const struct aws_role role = { .arn = exec->role_arn,
		                       .session_name = exec->session_name,
		                       .external_id = exec->external_id };
	scoped(aws_chain) struct aws_chain *chain = aws_chain_new(http, &options, err);

	return chain &&
	       aws_eks_token(chain, exec->cluster, exec->role_arn ? &role : NULL, token, err);
}

bool kube_exec_aws_token(const struct kube_exec_aws *exec, const json_t *environment,
                         struct aws_eks_token *token, struct error **err)
{
	scoped(loop) struct loop *loop = loop_new();
	struct http_client *http = http_client_new(loop);
	json_t *before = enter_environment(environment);
	bool is_made = make_token(exec, http, token, err) ||
	               error_wrap(err, "a token for the EKS cluster '%s'", exec->cluster);

	leave_environment_take(before);
	http_client_free(http);
	return is_made;
}
