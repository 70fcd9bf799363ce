/* SPDX-License-Identifier: Apache-2.0 */
/* With what the driver talks to the API server: a service account, or a Secret of credentials from
 * the submitting machine (DriverKubernetesCredentialsFeatureStep). */
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_client.h"

#define PREFIX "spark.kubernetes.authenticate.driver."
#define FOLDER "/mnt/secrets/spark-kubernetes-credentials"
#define VOLUME "kubernetes-credentials"

static const struct {
	const char *property;
	bool is_file;        /* its value is a path, not the credential */
	const char *key;     /* in the Secret, and as a file */
	const char *mounted; /* the property by which the driver finds that file */
} credentials[] = {
	{ PREFIX "oauthToken", false, "oauth-token", PREFIX "mounted.oauthTokenFile" },
	{ PREFIX "caCertFile", true, "ca-cert", PREFIX "mounted.caCertFile" },
	{ PREFIX "clientKeyFile", true, "client-key", PREFIX "mounted.clientKeyFile" },
	{ PREFIX "clientCertFile", true, "client-cert", PREFIX "mounted.clientCertFile" },
};

/* Nothing is added where the property is not set. */
static bool collect_credential(const struct driver_build *build, size_t which, json_t *data,
                               struct error **err)
{
	const char *property = credentials[which].property;
	const char *value = spark_conf_get(build->conf, property);
	scoped(secret) char *content = NULL;
	scoped(secret) char *encoded = NULL;
	size_t size;

	if (!value)
		return true;
	if (credentials[which].is_file)
		content = driver_client_read(property, value, &size, err);
	else
		content = xstrndup(value, size = strlen(value));
	if (!content)
		return false;
	encoded = base64_encode(content, size);
	text_wipe(content, size);
	json_object_set_new(data, credentials[which].key, json_string(encoded));
	return true;
}

/* A place that the user has chosen stays; the driver then finds its own file there. */
static void tell_places(struct driver_build *build, const json_t *data)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(credentials); i++) {
		scoped(text) char *path = text_printf(FOLDER "/%s", credentials[i].key);

		if (json_object_get(data, credentials[i].key))
			spark_conf_set_default(build->conf, credentials[i].mounted, path);
	}
}

static void mount_credentials(struct driver_build *build, json_t *data)
{
	scoped(text) char *name =
		text_printf("%s-kubernetes-credentials", build->app->resource_prefix);
	json_t *secret = driver_build_add_object(build, "Secret", name);

	json_object_set_new(secret, "immutable", json_true());
	json_object_set(secret, "data", data);
	driver_build_add_volume(build, VOLUME, "secret", json_pack("{s:s}", "secretName", name));
	driver_build_add_mount(build, VOLUME, FOLDER);
	tell_places(build, data);
}

static void use_account(struct driver_build *build)
{
	const char *account = spark_conf_get(build->conf, PREFIX "serviceAccountName");
	json_t *spec = driver_build_spec(build);

	if (!account)
		return;
	json_object_set_new(spec, "serviceAccount", json_string(account));
	json_object_set_new(spec, "serviceAccountName", json_string(account));
}

/* Whoever they are for: the submission's own token, too. */
static void redact_tokens(struct driver_build *build)
{
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(build->conf, &count);

	for (i = 0; i < count; i++)
		if (text_ends_with(entries[i].key, "oauthToken"))
			spark_conf_set(build->conf, entries[i].key, "<present_but_redacted>");
	free(entries);
}

bool driver_add_credentials(struct driver_build *build, struct error **err)
{
	json_auto_t *data = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(credentials); i++)
		if (!collect_credential(build, i, data, err))
			return false;
	if (json_object_size(data))
		mount_credentials(build, data);
	else
		use_account(build);
	redact_tokens(build);
	return true;
}
