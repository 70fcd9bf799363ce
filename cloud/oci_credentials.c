/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of docker and podman: their files, and their helpers. */
#include "cloud/oci_credentials.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "cloud/oci_docker_config.h"
#include "core/child.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define FILE_LIMIT_BYTES ((size_t)4 << 20)
#define HELPER_LIMIT_BYTES ((size_t)64 << 10)
#define HELPER_TIMEOUT_MS 60000

void oci_credentials_release(struct oci_credentials *credentials)
{
	free(credentials->user);
	secret_free(credentials->password);
	secret_free(credentials->identity_token);
	secret_free(credentials->registry_token);
	free(credentials->source);
	*credentials = (struct oci_credentials){ 0 };
}

bool oci_credentials_are_empty(const struct oci_credentials *credentials)
{
	return !credentials->user && !credentials->identity_token && !credentials->registry_token;
}

/* ---- helpers ---- */

/* docker-credential-helpers' protocol: what it knows of `server` as JSON. */
static bool read_answer(const char *answer, struct oci_credentials *found, struct error **err)
{
	json_auto_t *root = json_loads(answer, 0, NULL);
	const char *user = json_string_value(json_object_get(root, "Username"));
	const char *secret = json_string_value(json_object_get(root, "Secret"));

	if (!user || !secret)
		return error_set(err, ERROR_AUTH, "printed no user name and secret");
	if (text_equal(user, "<token>")) {
		found->identity_token = xstrdup(secret);
	} else {
		found->user = xstrdup(user);
		found->password = xstrdup(secret);
	}
	return true;
}

/* That it knows nothing is no failure (credentials.errCredentialsNotFoundMessage). */
static bool is_not_found(const struct error *error)
{
	return error->kind == ERROR_AUTH &&
	       strstr(error->message, "credentials not found in native keychain");
}

static bool ask(const char *program, const char *server, struct oci_credentials *found,
                struct error **err)
{
	const char *const arguments[] = { program, "get", NULL };
	const struct child_command command = { .arguments = arguments,
		                               .input = server,
		                               .timeout_ms = HELPER_TIMEOUT_MS,
		                               .output_limit_bytes = HELPER_LIMIT_BYTES,
		                               .output_complains = true };
	struct error *reason = NULL;
	scoped(secret) char *answer = child_output(&command, NULL, &reason);

	if (answer)
		return read_answer(answer, found, err);
	if (!is_not_found(reason))
		return error_pass(err, reason);
	error_free(reason);
	return true;
}

static bool run_helper(const char *helper, const char *registry, struct oci_credentials *found,
                       struct error **err)
{
	const char *server =
		text_equal(registry, "docker.io") ? "https://index.docker.io/v1/" : registry;
	scoped(text) char *program = text_printf("docker-credential-%s", helper);
	struct error *reason = NULL;

	/* It comes from a file, and must not lead to another folder. */
	if (strchr(helper, '/'))
		return error_set(err, ERROR_INVALID, "'%s' is no name of a credential helper",
		                 helper);
	if (ask(program, server, found, &reason))
		return true;
	if (reason->kind == ERROR_NOT_FOUND) {
		error_free(reason);
		return error_set(err, ERROR_AUTH,
		                 "it names the credential helper %s, which is not on PATH: install "
		                 "it, or register the user and password as a secret "
		                 "(--authentication_secret)",
		                 program);
	}
	error_pass(err, reason);
	return error_wrap(err, "the credential helper %s", program);
}

/* ---- files ---- */

static bool look_into(const json_t *config, const char *registry, const char *repository,
                      struct oci_credentials *found, struct error **err)
{
	const char *helper = oci_docker_config_helper(config, registry);

	if (helper && !run_helper(helper, registry, found, err))
		return false;
	if (!oci_credentials_are_empty(found)) {
		found->source = text_printf("docker-credential-%s", helper);
		return true;
	}
	return oci_docker_config_find(config, registry, repository, found, err);
}

static bool search_file(const char *path, const char *registry, const char *repository,
                        struct oci_credentials *found, struct error **err)
{
	struct error *reason = NULL;
	scoped(secret) char *text = file_read(path, FILE_LIMIT_BYTES, NULL, &reason);
	json_auto_t *config = NULL;
	json_error_t fault;

	if (!text && reason->kind == ERROR_NOT_FOUND) {
		error_free(reason);
		return true;
	}
	if (!text)
		return error_pass(err, reason);
	config = json_loads(text, 0, &fault);
	if (!json_is_object(config))
		return error_set(err, ERROR_INVALID, "'%s' is no JSON object (line %d)", path,
		                 fault.line);
	if (!look_into(config, registry, repository, found, err)) {
		oci_credentials_release(found);
		return error_wrap(err, "'%s'", path);
	}
	if (!found->source && !oci_credentials_are_empty(found))
		found->source = text_printf("'%s'", path);
	return true;
}

/* $variable/name, or ~/folder/name; NULL where neither is set. Owned by the caller. */
static char *path_below(const char *variable, const char *folder, const char *name)
{
	const char *set = getenv(variable), *home = getenv("HOME");

	if (set && *set)
		return text_printf("%s/%s", set, name);
	return folder && home && *home ? text_printf("%s/%s/%s", home, folder, name) : NULL;
}

bool oci_credentials_find(const char *registry, const char *repository,
                          struct oci_credentials *credentials, struct error **err)
{
	const char *named = getenv("REGISTRY_AUTH_FILE");
	scoped(text) char *docker = path_below("DOCKER_CONFIG", ".docker", "config.json");
	scoped(text) char *running = path_below("XDG_RUNTIME_DIR", NULL, "containers/auth.json");
	scoped(text) char *podman =
		path_below("XDG_CONFIG_HOME", ".config", "containers/auth.json");
	const char *const paths[] = { named && *named ? named : NULL, docker, running, podman };
	struct oci_credentials found = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(paths) && oci_credentials_are_empty(&found); i++)
		if (paths[i] && !search_file(paths[i], registry, repository, &found, err))
			return false;
	*credentials = found;
	return true;
}
