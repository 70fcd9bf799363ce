/* SPDX-License-Identifier: Apache-2.0 */
/* Any registry that speaks the OCI distribution API. */
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/registry.h"

#define CA_LIMIT_BYTES ((size_t)1 << 20)

struct default_registry {
	struct container_registry base;
	char *user, *password; /* of authentication_secret; or NULL */
};

static const struct component_option options[] = {
	{ .name = "uri",
	  .required = true,
	  .help = "host[:port]/path that images go to",
	  .check = container_registry_check_uri },
	{ .name = "authentication_secret",
	  .help = "secret of schema registry in the stack's secrets manager; default: what docker "
	          "or podman logged in to on this machine" },
	{ .name = "ca", .help = "file of certificates to trust (PEM) instead of the system's" },
	{ .name = "insecure",
	  .kind = OPTION_BOOL,
	  .help = "without TLS, or with a certificate that nobody vouches for" },
	{ 0 },
};
static const struct component_flavor flavor = {
	.type = COMPONENT_CONTAINER_REGISTRY,
	.name = "default",
	.help = "any registry that speaks the OCI distribution API",
	.options = options,
};

static struct default_registry *default_registry(struct container_registry *registry)
{
	return container_of(registry, struct default_registry, base);
}

static void default_close(struct container_registry *base)
{
	struct default_registry *registry = default_registry(base);

	secret_free(registry->user);
	secret_free(registry->password);
	free(registry);
}

static char *copy_value(const json_t *values, const char *key)
{
	return text_copy(json_string_value(json_object_get(values, key)));
}

static bool read_secret(struct default_registry *registry, const struct component *component,
                        struct secret_store *secrets, struct error **err)
{
	const char *name = component_text(component, "authentication_secret", NULL);
	json_t *values;

	if (!name)
		return true;
	if (!secrets)
		return error_set(err, ERROR_INVALID,
		                 "authentication_secret is '%s', but the stack has no secrets "
		                 "manager: register the stack with -x NAME",
		                 name);
	values = secret_get(secrets, name, err);
	if (!values)
		return error_wrap(err, "authentication_secret '%s'", name);
	registry->user = copy_value(values, "username");
	registry->password = copy_value(values, "password");
	secret_values_free(values);
	if (registry->user && registry->password)
		return true;
	return error_set(err, ERROR_INVALID,
	                 "authentication_secret '%s' has no %s: it must be of schema registry",
	                 name, registry->user ? "password" : "username");
}

static bool set_up(struct default_registry *registry, const struct component *component,
                   const struct oci_registry_options *given, struct http_client *http,
                   struct error **err)
{
	const char *ca = component_text(component, "ca", NULL);
	scoped(text) char *pem = ca ? file_read(ca, CA_LIMIT_BYTES, NULL, err) : NULL;
	scoped(text) char *name = text_printf("container registry '%s'", component->name);
	struct oci_registry_options oci = *given;

	if (ca && !pem)
		return error_wrap(err, "option ca");
	oci.ca_pem = pem;
	oci.insecure = component_bool(component, "insecure", false);
	oci.component = name;
	registry->base.client = oci_registry_new(http, &oci, err);
	return registry->base.client != NULL;
}

static struct container_registry *default_open(const struct component *component, const char *host,
                                               struct secret_store *secrets,
                                               struct http_client *http, struct error **err)
{
	struct default_registry *registry = xcalloc(1, sizeof(*registry));
	struct oci_registry_options oci = { .host = host };

	registry->base.flavor = &registry_default;
	if (read_secret(registry, component, secrets, err)) {
		oci.user = registry->user;
		oci.password = registry->password;
		if (set_up(registry, component, &oci, http, err))
			return &registry->base;
	}
	container_registry_free(&registry->base);
	return NULL;
}

static bool default_pull_credentials(struct container_registry *base, char **user, char **password,
                                     struct error **err)
{
	const struct default_registry *registry = default_registry(base);

	(void)err;
	*user = text_copy(registry->user);
	*password = text_copy(registry->password);
	return true;
}

const struct registry_flavor registry_default = {
	.component = &flavor,
	.open = default_open,
	.pull_credentials = default_pull_credentials,
	.close = default_close,
};
