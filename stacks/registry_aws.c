/* SPDX-License-Identifier: Apache-2.0 */
/* Amazon's Elastic Container Registry: passwords that last 12 hours, repositories that are made. */
#include <string.h>

#include "cloud/aws_ecr.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/registry.h"

struct aws_registry {
	struct container_registry base;
	struct aws_chain *chain;
	bool creates; /* repositories */
};

static bool check_uri(const char *value, struct error **err)
{
	scoped(text) char *host = xstrndup(value, strcspn(value, "/"));

	if (!container_registry_check_uri(value, err))
		return false;
	return aws_ecr_is_registry(host, NULL, NULL) ||
	       error_set(err, ERROR_INVALID,
	                 "'%s' is no registry of ECR, which looks like "
	                 "123456789012.dkr.ecr.eu-west-1.amazonaws.com; flavor 'default' takes any "
	                 "other",
	                 host);
}

static const struct component_option options[] = {
	{ .name = "uri",
	  .required = true,
	  .help = "ACCOUNT.dkr.ecr.REGION.amazonaws.com/path that images go to",
	  .check = check_uri },
	{ .name = "authentication_secret",
	  .help = "secret of schema aws in the stack's secrets manager; default: AWS's standard "
	          "chain (environment, profile, web identity, container, instance)" },
	{ .name = "profile", .help = "of ~/.aws/config; default: AWS_PROFILE" },
	{ .name = "create_repository",
	  .kind = OPTION_BOOL,
	  .help = "make repositories that are not there yet" },
	{ 0 },
};
static const struct component_flavor flavor = {
	.type = COMPONENT_CONTAINER_REGISTRY,
	.name = "aws",
	.help = "Amazon ECR",
	.options = options,
};

static struct aws_registry *aws_registry(struct container_registry *registry)
{
	return container_of(registry, struct aws_registry, base);
}

static void aws_close(struct container_registry *base)
{
	struct aws_registry *registry = aws_registry(base);

	aws_chain_free(registry->chain);
	free(registry);
}

static const char *value_of(const json_t *values, const char *key)
{
	return json_string_value(json_object_get(values, key));
}

/* The chain copies the keys. */
static struct aws_chain *open_chain_of_secret(const char *name, struct aws_chain_options *chain,
                                              struct secret_store *secrets,
                                              struct http_client *http, struct error **err)
{
	json_t *values = secrets ? secret_get(secrets, name, err) : NULL;
	struct aws_chain *opened = NULL;

	if (!secrets)
		error_set(err, ERROR_INVALID,
		          "the stack has no secrets manager: register the stack with -x NAME");
	chain->access_key_id = value_of(values, "aws_access_key_id");
	chain->secret_access_key = value_of(values, "aws_secret_access_key");
	chain->session_token = value_of(values, "aws_session_token");
	if (values && (!chain->access_key_id || !chain->secret_access_key))
		error_set(err, ERROR_INVALID, "it has no %s: it must be of schema aws",
		          chain->access_key_id ? "aws_secret_access_key" : "aws_access_key_id");
	else if (values)
		opened = aws_chain_new(http, chain, err);
	secret_values_free(values);
	return opened ? opened : error_wrap(err, "authentication_secret '%s'", name);
}

static struct aws_chain *open_chain(const struct component *component, const char *host,
                                    struct secret_store *secrets, struct http_client *http,
                                    struct error **err)
{
	const char *secret = component_text(component, "authentication_secret", NULL);
	scoped(text) char *region = NULL;
	struct aws_chain_options chain = { .profile = component_text(component, "profile", NULL) };

	if (!check_uri(host, err))
		return NULL;
	if (secret && chain.profile)
		return error_set(err, ERROR_INVALID,
		                 "both authentication_secret and profile are set: which keys are "
		                 "meant?");
	aws_ecr_is_registry(host, NULL, &region);
	chain.region = region;
	return secret ? open_chain_of_secret(secret, &chain, secrets, http, err)
	              : aws_chain_new(http, &chain, err);
}

static bool authorize(void *context, const char *host, char **user, char **password,
                      int64_t *expires_at_ms, struct error **err)
{
	return aws_ecr_authorize(context, host, user, password, expires_at_ms, err);
}

static struct container_registry *aws_open(const struct component *component, const char *host,
                                           struct secret_store *secrets, struct http_client *http,
                                           struct error **err)
{
	struct aws_registry *registry = xcalloc(1, sizeof(*registry));
	scoped(text) char *name = text_printf("container registry '%s'", component->name);
	struct oci_registry_options oci = { .host = host,
		                            .authorize = authorize,
		                            .component = name };

	registry->base.flavor = &registry_aws;
	registry->creates = component_bool(component, "create_repository", false);
	registry->chain = open_chain(component, host, secrets, http, err);
	oci.authorize_context = registry->chain;
	if (registry->chain)
		registry->base.client = oci_registry_new(http, &oci, err);
	if (registry->base.client)
		return &registry->base;
	container_registry_free(&registry->base);
	return NULL;
}

/* ECR makes no repository by itself, and names the lack of one only when all layers are sent. */
static bool aws_prepare(struct container_registry *base, const char *repository, struct error **err)
{
	struct aws_registry *registry = aws_registry(base);
	bool found = false;

	if (registry->creates)
		return aws_ecr_create_repository(registry->chain, base->host, repository, err);
	if (!aws_ecr_find_repository(registry->chain, base->host, repository, &found, err))
		return false;
	return found ||
	       error_set(err, ERROR_NOT_FOUND,
	                 "there is no repository '%s' in ECR; make it, or let stepop do so "
	                 "by the container registry's --create_repository=true",
	                 repository);
}

/* Nodes of EKS pull by their own role; a password would not outlive the day. */
const struct registry_flavor registry_aws = {
	.component = &flavor,
	.open = aws_open,
	.prepare = aws_prepare,
	.close = aws_close,
};
