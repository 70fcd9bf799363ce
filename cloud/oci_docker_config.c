/* SPDX-License-Identifier: Apache-2.0 */
/* The keys and entries of docker's config.json. */
#include "cloud/oci_docker_config.h"

#include <string.h>
#include <strings.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

#define HUB "docker.io"

static bool is_hub(const char *host)
{
	return !strcasecmp(host, HUB) || !strcasecmp(host, "index." HUB) ||
	       !strcasecmp(host, "registry-1." HUB);
}

static void cut_suffix(char *text, const char *suffix)
{
	if (text_ends_with(text, suffix))
		text[strlen(text) - strlen(suffix)] = '\0';
}

/* "https://index.docker.io/v1/" -> "docker.io". Owned by the caller. */
static char *normal_key(const char *key)
{
	const char *scheme = strstr(key, "://");
	scoped(text) char *name = xstrdup(scheme ? scheme + 3 : key);
	scoped(text) char *host = NULL;
	size_t host_size;

	while (text_ends_with(name, "/"))
		cut_suffix(name, "/");
	cut_suffix(name, "/v1");
	cut_suffix(name, "/v2");
	host_size = strcspn(name, "/");
	host = xstrndup(name, host_size);
	return is_hub(host) ? text_printf(HUB "%s", name + host_size) : take(name);
}

/* The value whose key means `name`. Borrowed. */
static const json_t *find_by_key(const json_t *object, const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		scoped(text) char *normal = normal_key(key);

		if (!strcasecmp(normal, name))
			return value;
	}
	return NULL;
}

static char *copy_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text && *text ? xstrdup(text) : NULL;
}

/* "user:password" in base64; some write NUL bytes behind it. */
static bool read_auth(const json_t *entry, struct oci_credentials *found)
{
	const char *auth = json_string_value(json_object_get(entry, "auth"));
	size_t size = 0;
	scoped(secret) char *pair = auth && *auth ? base64_decode(auth, &size) : NULL;
	char *colon = pair ? strchr(pair, ':') : NULL;

	if (!auth || !*auth)
		return true;
	if (!colon || colon == pair)
		return false;
	found->user = xstrndup(pair, (size_t)(colon - pair));
	found->password = xstrdup(colon + 1);
	return true;
}

static bool read_entry(const json_t *entry, struct oci_credentials *found)
{
	if (!read_auth(entry, found))
		return false;
	if (!found->user) {
		found->user = copy_of(entry, "username");
		found->password = copy_of(entry, "password");
	}
	found->identity_token = copy_of(entry, "identitytoken");
	found->registry_token = copy_of(entry, "registrytoken");
	return true;
}

bool oci_docker_config_find(const json_t *config, const char *registry, const char *repository,
                            struct oci_credentials *found, struct error **err)
{
	const json_t *auths = json_object_get(config, "auths");
	scoped(text) char *name =
		text_printf("%s/%s", is_hub(registry) ? HUB : registry, repository);
	const json_t *entry;
	char *slash;

	while (!(entry = find_by_key(auths, name))) {
		slash = strrchr(name, '/');
		if (!slash)
			return true;
		*slash = '\0';
	}
	return read_entry(entry, found) ||
	       error_set(err, ERROR_INVALID,
	                 "the 'auth' of '%s' is not user:password in base64; log in to it again",
	                 name);
}

const char *oci_docker_config_helper(const json_t *config, const char *registry)
{
	const json_t *helpers = json_object_get(config, "credHelpers");
	const char *helper =
		json_string_value(find_by_key(helpers, is_hub(registry) ? HUB : registry));

	if (!helper)
		helper = json_string_value(json_object_get(config, "credsStore"));
	return helper && *helper ? helper : NULL;
}
