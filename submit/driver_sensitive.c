/* SPDX-License-Identifier: Apache-2.0 */
/* Tells secrets from their names and places. */
#include "submit/driver_sensitive.h"

#include <regex.h>
#include <string.h>

#include "core/text.h"

#define RECOGNISED_LENGTH 8

struct driver_sensitive {
	regex_t expressions[2]; /* Spark's own, and the user's */
	size_t expression_count;
	char **values;
	size_t value_count;
};

/* What stands on the pod anyway, or names a Secret, a key, a length: it is not kept secret. */
static bool is_public(const char *key)
{
	static const char *const prefixes[] = {
		"spark.kubernetes.driver.secrets.",
		"spark.kubernetes.executor.secrets.",
		"spark.kubernetes.driver.secretKeyRef.",
		"spark.kubernetes.executor.secretKeyRef.",
		"spark.kubernetes.kerberos.tokenSecret.",
		"spark.authenticate.secretBitLength",
		"spark.kubernetes.container.image.pullSecrets",
		"spark.kubernetes.driver.volumes.",
		"spark.kubernetes.executor.volumes.",
		"spark.kubernetes.driver.label.",
		"spark.kubernetes.executor.label.",
		"spark.kubernetes.driver.annotation.",
		"spark.kubernetes.executor.annotation.",
		"spark.kubernetes.driver.service.",
		"spark.kubernetes.node.selector.",
		"spark.kubernetes.driver.node.selector.",
		"spark.kubernetes.executor.node.selector.",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (text_starts_with(key, prefixes[i]))
			return true;
	return false;
}

/* "${env:DB_PASSWORD}", which Spark replaces in the driver, or "$(DB_PASSWORD)", which the kubelet
 * does. */
static bool is_variable(const char *value, size_t size)
{
	char last = size ? value[size - 1] : 0;

	return size > 3 && value[0] == '$' &&
	       ((value[1] == '{' && last == '}') || (value[1] == '(' && last == ')'));
}

static bool is_plain_value(const char *value, size_t size)
{
	return !size || (size == 4 && !memcmp(value, "true", 4)) ||
	       (size == 5 && !memcmp(value, "false", 5)) || is_variable(value, size);
}

/* A key that names a file or a class, whose value says where a secret is to be found. */
static bool is_place(const char *key, size_t size)
{
	static const char *const endings[] = { "File",  ".file", "_FILE",     "Path",
		                               ".path", "_PATH", ".provider", "Provider" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(endings); i++)
		if (size > strlen(endings[i]) &&
		    !memcmp(key + size - strlen(endings[i]), endings[i], strlen(endings[i])))
			return true;
	return false;
}

/* `text` need not end behind `size`. */
static bool matches(const struct driver_sensitive *sensitive, const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < sensitive->expression_count; i++) {
		regmatch_t range = { .rm_so = 0, .rm_eo = (regoff_t)size };

		if (!regexec(&sensitive->expressions[i], text, 1, &range, REG_STARTEND))
			return true;
	}
	return false;
}

static bool is_sensitive_key(const struct driver_sensitive *sensitive, const char *key,
                             const char *value)
{
	return !is_place(key, strlen(key)) && !text_equal(value, "<present_but_redacted>") &&
	       !is_plain_value(value, strlen(value)) && matches(sensitive, key, strlen(key));
}

/* "-Dtrust.password=x", "jdbc:h2:db;user=u;password=x", "--token=x". */
static bool holds_assignment(const struct driver_sensitive *sensitive, const char *text)
{
	static const char separators[] = " \t\r\n&;?,";

	while (*text) {
		size_t size = strcspn(text, separators);
		const char *equals = memchr(text, '=', size);
		size_t name_size = equals ? (size_t)(equals - text) : 0;

		if (equals && !is_plain_value(equals + 1, size - name_size - 1) &&
		    !is_place(text, name_size) && matches(sensitive, text, name_size))
			return true;
		text += size + (text[size] != 0);
	}
	return false;
}

static bool holds_value(const struct driver_sensitive *sensitive, const char *text)
{
	size_t i;

	for (i = 0; i < sensitive->value_count; i++)
		if (strstr(text, sensitive->values[i]))
			return true;
	return false;
}

/* Java's flag (?i) is ours by REG_ICASE. What POSIX does not know of the user's expression is left
 * to Spark's own. */
static void compile_expressions(struct driver_sensitive *sensitive, const char *chosen)
{
	static const char own[] = "secret|password|token|access[.]?key|credential";

	if (regcomp(&sensitive->expressions[0], own, REG_EXTENDED | REG_ICASE))
		abort();
	sensitive->expression_count = 1;
	if (!chosen)
		return;
	if (text_starts_with(chosen, "(?i)"))
		chosen += strlen("(?i)");
	if (!regcomp(&sensitive->expressions[1], chosen, REG_EXTENDED | REG_ICASE))
		sensitive->expression_count = 2;
}

struct driver_sensitive *driver_sensitive_new(const struct spark_conf *conf)
{
	struct driver_sensitive *sensitive = xcalloc(1, sizeof(*sensitive));
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(conf, &count);

	compile_expressions(sensitive, spark_conf_get(conf, "spark.redaction.regex"));
	sensitive->values = xcalloc(count, sizeof(*sensitive->values));
	for (i = 0; i < count; i++)
		if (strlen(entries[i].value) >= RECOGNISED_LENGTH && !is_public(entries[i].key) &&
		    is_sensitive_key(sensitive, entries[i].key, entries[i].value))
			sensitive->values[sensitive->value_count++] = xstrdup(entries[i].value);
	free(entries);
	return sensitive;
}

void driver_sensitive_free(struct driver_sensitive *sensitive)
{
	size_t i;

	if (!sensitive)
		return;
	for (i = 0; i < sensitive->expression_count; i++)
		regfree(&sensitive->expressions[i]);
	for (i = 0; i < sensitive->value_count; i++)
		secret_free(sensitive->values[i]);
	free(sensitive->values);
	free(sensitive);
}

bool driver_sensitive_is_property(const struct driver_sensitive *sensitive, const char *key,
                                  const char *value)
{
	return !is_public(key) &&
	       (is_sensitive_key(sensitive, key, value) || holds_assignment(sensitive, value) ||
	        holds_value(sensitive, value));
}

bool driver_sensitive_is_argument(const struct driver_sensitive *sensitive, const char *previous,
                                  const char *argument)
{
	bool is_option_value = previous && previous[0] == '-' && argument[0] != '-' &&
	                       !is_plain_value(argument, strlen(argument)) &&
	                       !is_place(previous, strlen(previous)) && !strchr(previous, '=');

	return holds_assignment(sensitive, argument) || holds_value(sensitive, argument) ||
	       (is_option_value && matches(sensitive, previous, strlen(previous)));
}
