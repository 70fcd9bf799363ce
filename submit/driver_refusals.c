/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses what would be ignored, and what would put a secret where everybody can read it. */
#include <regex.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"

/* A row with a dot at its end stands for all that begin with it. */
static const struct {
	const char *property, *instead;
} unsupported[] = {
	{ "spark.kubernetes.file.upload.path", NULL },
};

static bool is_named(const char *key, const char *property)
{
	return text_ends_with(property, ".") ? text_starts_with(key, property)
	                                     : text_equal(key, property);
}

static bool refuse_property(const char *key, struct error **err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unsupported); i++)
		if (is_named(key, unsupported[i].property))
			return error_set(err, ERROR_INVALID, "%s is not supported yet%s%s", key,
			                 unsupported[i].instead ? "; " : "",
			                 unsupported[i].instead ? unsupported[i].instead : "");
	return true;
}

/* A path of this machine: Spark would upload it. */
static bool is_local(const char *uri)
{
	return !strstr(uri, ":/") || text_starts_with(uri, "file:");
}

static bool refuse_uploads(const char *key, const char *list, struct error **err)
{
	json_auto_t *uris = driver_build_split(list);
	const json_t *uri;
	size_t i;

	json_array_foreach (uris, i, uri)
		if (is_local(json_string_value(uri)))
			return error_set(
				err, ERROR_INVALID,
				"%s: '%s' lies on this machine, and uploads are not supported "
				"yet; build it into the image (local:///…) or give a remote URI",
				key, json_string_value(uri));
	return true;
}

bool driver_refuse_unsupported(struct driver_build *build, struct error **err)
{
	static const char *const lists[] = { "spark.jars", "spark.files", "spark.archives",
		                             "spark.submit.pyFiles" };
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(build->conf, &count);
	bool is_fine = true;

	for (i = 0; is_fine && i < count; i++)
		is_fine = refuse_property(entries[i].key, err);
	free(entries);
	for (i = 0; is_fine && i < ARRAY_SIZE(lists); i++)
		is_fine = refuse_uploads(lists[i], spark_conf_get(build->conf, lists[i]), err);
	return is_fine;
}

/* Names and places of secrets, not secrets. */
static bool is_reference(const char *key, const char *value)
{
	static const char *const names[] = {
		"spark.kubernetes.driver.secrets.",
		"spark.kubernetes.executor.secrets.",
		"spark.kubernetes.driver.secretKeyRef.",
		"spark.kubernetes.executor.secretKeyRef.",
		"spark.kubernetes.kerberos.tokenSecret.",
		"spark.authenticate.secretBitLength",
		"spark.kubernetes.container.image.pullSecrets",
		"spark.kubernetes.driver.volumes.",
		"spark.kubernetes.executor.volumes.",
	};
	static const char *const places[] = { "File",  ".file", "_FILE",     "Path",
		                              ".path", "_PATH", "oauthToken" /* redacted later */ };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (text_starts_with(key, names[i]))
			return true;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (text_ends_with(key, places[i]))
			return true;
	return !*value || text_equal(value, "true") || text_equal(value, "false") ||
	       (text_starts_with(value, "${") && strchr(value, '}') == value + strlen(value) - 1);
}

/* spark.redaction.regex, whose Java flag (?i) is ours by REG_ICASE; what POSIX does not know of the
 * user's expression falls back to the default. */
static void compile_redaction(const struct driver_build *build, regex_t *expression)
{
	const char *chosen = spark_conf_get(build->conf, "spark.redaction.regex");

	if (chosen && text_starts_with(chosen, "(?i)"))
		chosen += strlen("(?i)");
	if (chosen && !regcomp(expression, chosen, REG_EXTENDED | REG_ICASE | REG_NOSUB))
		return;
	if (regcomp(expression, "secret|password|token|access[.]?key",
	            REG_EXTENDED | REG_ICASE | REG_NOSUB))
		abort();
}

static bool refuse_secret(const char *key, struct error **err)
{
	static const char *const environments[] = { "spark.kubernetes.driverEnv.",
		                                    "spark.executorEnv." };
	bool is_driver = text_starts_with(key, environments[0]);

	if (is_driver || text_starts_with(key, environments[1]))
		return error_set(
			err, ERROR_INVALID,
			"%s holds a secret, which would be readable in a ConfigMap; keep it "
			"in a Secret and write spark.kubernetes.%s.secretKeyRef.%s: "
			"<secret>:<key>",
			key, is_driver ? "driver" : "executor",
			key + strlen(environments[!is_driver]));
	return error_set(err, ERROR_INVALID,
	                 "%s holds a secret, which would be readable in a ConfigMap; register it "
	                 "with the secrets manager, or keep it in a Kubernetes Secret and pass it "
	                 "by spark.kubernetes.driver.secretKeyRef.<VARIABLE>: <secret>:<key>",
	                 key);
}

bool driver_refuse_secrets_in_clear(struct driver_build *build, struct error **err)
{
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(build->conf, &count);
	regex_t expression;
	bool is_fine = true;

	compile_redaction(build, &expression);
	for (i = 0; is_fine && i < count; i++)
		if (!is_reference(entries[i].key, entries[i].value) &&
		    !regexec(&expression, entries[i].key, 0, NULL, 0))
			is_fine = refuse_secret(entries[i].key, err);
	regfree(&expression);
	free(entries);
	return is_fine;
}
