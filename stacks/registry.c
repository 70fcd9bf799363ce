/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the flavor of a container registry, and calls its hooks. */
#include "stacks/registry.h"

#include <ctype.h>
#include <string.h>

#include "cloud/oci_reference.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/component_secrets.h"
#include "stacks/probe.h"

static const struct registry_flavor *const flavors[] = { &registry_default, &registry_aws };

const struct registry_flavor *registry_flavor_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(flavors); i++)
		if (text_equal(flavors[i]->component->name, name))
			return flavors[i];
	return NULL;
}

/* "registry:5000/team/" -> its host and path, without slashes at the end. A host alone is one, too:
 * "docker.io" has no path of its own. The caller frees both. */
static bool split_uri(const char *uri, char **host, char **path, struct error **err)
{
	const char *slash = strchr(uri, '/');
	scoped(text) char *name = xstrndup(uri, slash ? (size_t)(slash - uri) : strlen(uri));
	scoped(text) char *rest = xstrdup(slash ? slash + 1 : "");
	size_t size = strlen(rest);

	while (size && rest[size - 1] == '/')
		rest[--size] = '\0';
	if (strstr(uri, "://"))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no place in a registry: leave out '%.*s', as in "
		                 "registry:5000/team",
		                 uri, (int)(strstr(uri, "://") + 3 - uri), uri);
	if (!oci_is_registry(name))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no place in a registry: it should look like "
		                 "host:port/path, as in registry:5000/team",
		                 uri);
	if (*rest && !oci_is_repository(rest))
		return error_set(err, ERROR_INVALID,
		                 "'%s' cannot be a part of the names of images: they have "
		                 "lower-case letters, digits, and '.', '_', '-' and '/' between "
		                 "them, and neither tag nor digest here",
		                 rest);
	*host = take(name);
	*path = take(rest);
	return true;
}

bool container_registry_check_uri(const char *value, struct error **err)
{
	scoped(text) char *host = NULL, *path = NULL;

	return split_uri(value, &host, &path, err);
}

static struct container_registry *open_registry(const struct registry_flavor *flavor,
                                                const struct component *component,
                                                struct secret_store *secrets,
                                                struct http_client *http, struct error **err)
{
	scoped(text) char *host = NULL, *path = NULL;
	struct container_registry *registry;

	if (!split_uri(component_text(component, "uri", ""), &host, &path, err))
		return NULL;
	registry = flavor->open(component, host, secrets, http, err);
	if (!registry)
		return NULL;
	registry->host = take(host);
	registry->path = take(path);
	registry->http = http;
	return registry;
}

struct container_registry *container_registry_open(const struct component *component,
                                                   struct secret_store *secrets,
                                                   struct http_client *http, struct error **err)
{
	const struct registry_flavor *flavor = registry_flavor_find(component->flavor);
	scoped(component) struct component *resolved = NULL;
	struct container_registry *registry;

	if (!flavor)
		return error_set(err, ERROR_INVALID,
		                 "container registry '%s' has the flavor '%s', which there is not",
		                 component->name, component->flavor);
	resolved = component_resolve(component, flavor->component, secrets, err);
	registry = resolved ? open_registry(flavor, resolved, secrets, http, err) : NULL;
	return registry ? registry : error_wrap(err, "container registry '%s'", component->name);
}

void container_registry_free(struct container_registry *registry)
{
	if (!registry)
		return;
	oci_registry_free(registry->client);
	free(registry->host);
	free(registry->path);
	registry->flavor->close(registry);
}

/* Pipelines' names have letters, digits, '_' and '-'; a repository's has no capital letters, and
 * no two different separators in a row (distribution's reference grammar). */
char *container_registry_repository(const struct container_registry *registry, const char *name)
{
	char *repository = text_printf("%s%s%s", registry->path, *registry->path ? "/" : "", name);
	char *from = repository + strlen(repository) - strlen(name), *to = from;

	for (; *from; from++) {
		bool is_separator = !isalnum((unsigned char)*from);

		if (is_separator && (to == repository || !isalnum((unsigned char)to[-1])))
			continue;
		*to++ = is_separator ? '-' : (char)tolower((unsigned char)*from);
	}
	*to = '\0';
	return repository;
}

bool container_registry_prepare(struct container_registry *registry, const char *repository,
                                struct error **err)
{
	return !registry->flavor->prepare || registry->flavor->prepare(registry, repository, err);
}

/* What docker writes into config.json when it logs in. */
static char *render_config(const struct container_registry *registry, const char *user,
                           const char *password)
{
	const char *key = strcmp(registry->host, "docker.io") != 0 ? registry->host
	                                                           : "https://index.docker.io/v1/";
	scoped(secret) char *pair = text_printf("%s:%s", user, password);
	scoped(secret) char *auth = base64_encode(pair, strlen(pair));

	return text_printf("{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}", key, auth);
}

char *container_registry_pull_config(struct container_registry *registry, struct error **err)
{
	scoped(secret) char *user = NULL;
	scoped(secret) char *password = NULL;

	if (!registry->flavor->pull_credentials ||
	    !registry->flavor->pull_credentials(registry, &user, &password, err) || !user)
		return NULL;
	return render_config(registry, user, password);
}

void container_registry_probe(struct container_registry *registry, struct probe_report *report)
{
	scoped(text) char *repository = container_registry_repository(registry, "stepop-check");
	const struct oci_place place = { registry->client, repository };
	scoped(error) struct error *err = NULL;

	if (oci_place_check(&place, true, &err))
		probe_ok(report, "push", "%s takes images below '%s'", registry->host,
		         registry->path);
	else
		probe_fault(report, "push", NULL, err);
}
