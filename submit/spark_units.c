/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's units: sizes, whole numbers, factors and booleans among the properties. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_conf.h"

#define MIB 1048576.0
#define LIMIT_MIB 2147483647.0 /* an int of the JVM */

struct unit {
	const char *suffix;
	double bytes;
};

/* The suffixes of JavaUtils.byteStringAs; all of them are powers of 1024, in either case. */
static const struct unit spark_units[] = {
	{ "b", 1 },
	{ "k", 1024 },
	{ "kb", 1024 },
	{ "m", MIB },
	{ "mb", MIB },
	{ "g", MIB * 1024 },
	{ "gb", MIB * 1024 },
	{ "t", MIB * 1024 * 1024 },
	{ "tb", MIB * 1024 * 1024 },
	{ "p", MIB * 1024 * 1024 * 1024 },
	{ "pb", MIB * 1024 * 1024 * 1024 },
};

/* Since 4.2 these, too. */
static const struct unit binary_units[] = {
	{ "ki", 1024 },
	{ "kib", 1024 },
	{ "mi", MIB },
	{ "mib", MIB },
	{ "gi", MIB * 1024 },
	{ "gib", MIB * 1024 },
	{ "ti", MIB * 1024 * 1024 },
	{ "tib", MIB * 1024 * 1024 },
	{ "pi", MIB * 1024 * 1024 * 1024 },
	{ "pib", MIB * 1024 * 1024 * 1024 },
};

/* What Kubernetes writes differently: an upper-case letter alone is a power of 1000. */
static const struct unit kubernetes_units[] = {
	{ "Ki", 1024 },
	{ "Mi", MIB },
	{ "Gi", MIB * 1024 },
	{ "Ti", MIB * 1024 * 1024 },
	{ "Pi", MIB * 1024 * 1024 * 1024 },
	{ "M", 1e6 },
	{ "G", 1e9 },
	{ "T", 1e12 },
	{ "P", 1e15 },
};

static const struct unit *unit_find(const struct unit *units, size_t count, const char *suffix)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcasecmp(units[i].suffix, suffix))
			return &units[i];
	return NULL;
}

static const struct unit *spark_unit_find(const char *suffix)
{
	return unit_find(spark_units, ARRAY_SIZE(spark_units), suffix);
}

static const struct unit *binary_unit_find(const char *suffix)
{
	return unit_find(binary_units, ARRAY_SIZE(binary_units), suffix);
}

static const struct unit *kubernetes_unit_find(const char *suffix)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kubernetes_units); i++)
		if (!strcmp(kubernetes_units[i].suffix, suffix))
			return &kubernetes_units[i];
	return NULL;
}

/* Without the blanks around it; owned by the caller. */
static char *trimmed(const char *text)
{
	size_t size;

	while (isspace((unsigned char)*text))
		text++;
	size = strlen(text);
	while (size && isspace((unsigned char)text[size - 1]))
		size--;
	return xstrndup(text, size);
}

/* In multiples of `unit_bytes`, which is also what a bare number counts; the fraction is cut off.
 */
static bool get_size(const struct spark_conf *conf, const char *key, double unit_bytes,
                     int64_t *size, struct error **err)
{
	const char *value = spark_conf_get(conf, key);
	scoped(text) char *text = trimmed(value);
	size_t digits = strspn(text, "0123456789");
	const struct unit bare = { "", unit_bytes };
	const struct unit *unit = text[digits] ? spark_unit_find(text + digits) : &bare;
	double count;

	if (!unit)
		unit = binary_unit_find(text + digits);
	if (!digits || !unit)
		return error_set(err, ERROR_INVALID,
		                 "%s: '%s' is not a size; write a whole number with k, m, g or t, "
		                 "as in '512m' or '4g'",
		                 key, value);
	count = strtod(text, NULL) * (unit->bytes / unit_bytes);
	if (count * unit_bytes > LIMIT_MIB * MIB)
		return error_set(err, ERROR_INVALID, "%s: '%s' is too large", key, value);
	*size = (int64_t)count;
	return true;
}

bool spark_conf_has_binary_unit(const struct spark_conf *conf, const char *key)
{
	const char *value = spark_conf_get(conf, key);
	scoped(text) char *text = trimmed(value ? value : "");

	return binary_unit_find(text + strspn(text, "0123456789")) != NULL;
}

bool spark_conf_get_mib(const struct spark_conf *conf, const char *key, int64_t default_mib,
                        int64_t *mib, struct error **err)
{
	if (spark_conf_get(conf, key))
		return get_size(conf, key, MIB, mib, err);
	*mib = default_mib;
	return true;
}

bool spark_conf_get_bytes(const struct spark_conf *conf, const char *key, int64_t default_bytes,
                          int64_t *bytes, struct error **err)
{
	if (spark_conf_get(conf, key))
		return get_size(conf, key, 1, bytes, err);
	*bytes = default_bytes;
	return true;
}

bool spark_conf_get_int(const struct spark_conf *conf, const char *key, int64_t default_value,
                        int64_t *value, struct error **err)
{
	const char *text = spark_conf_get(conf, key);
	scoped(text) char *number = trimmed(text ? text : "");
	int64_t parsed = default_value;

	if (text && !text_to_int64(number, INT32_MIN, INT32_MAX, &parsed))
		return error_set(err, ERROR_INVALID, "%s: '%s' is not a whole number", key, text);
	*value = parsed;
	return true;
}

bool spark_conf_get_double(const struct spark_conf *conf, const char *key, double default_value,
                           double *value, struct error **err)
{
	const char *text = spark_conf_get(conf, key);
	scoped(text) char *number = trimmed(text ? text : "");
	double parsed;
	char *end;

	if (!text) {
		*value = default_value;
		return true;
	}
	parsed = strtod(number, &end);
	if (end == number || *end || !isfinite(parsed))
		return error_set(err, ERROR_INVALID, "%s: '%s' is not a number", key, text);
	*value = parsed;
	return true;
}

bool spark_conf_get_bool(const struct spark_conf *conf, const char *key, bool default_value,
                         bool *value, struct error **err)
{
	const char *text = spark_conf_get(conf, key);
	scoped(text) char *word = trimmed(text ? text : "");

	if (!text)
		*value = default_value;
	else if (!strcasecmp(word, "true") || !strcasecmp(word, "false"))
		*value = !strcasecmp(word, "true");
	else
		return error_set(err, ERROR_INVALID, "%s: '%s' is neither true nor false", key,
		                 text);
	return true;
}

char *spark_memory_from_quantity(const char *quantity, struct error **err)
{
	scoped(text) char *text = trimmed(quantity);
	size_t digits = strspn(text, "0123456789");
	const struct unit *unit;
	double mib;

	if (digits && text[digits] == '.')
		digits += 1 + strspn(text + digits + 1, "0123456789");
	unit = kubernetes_unit_find(text + digits);
	if (!unit)
		unit = spark_unit_find(text + digits);
	if (!digits || !unit)
		return error_set(err, ERROR_INVALID,
		                 "memory '%s' is not a size with a unit; write it as in '512Mi' or "
		                 "'4Gi'",
		                 quantity);
	mib = strtod(text, NULL) * (unit->bytes / MIB);
	if (mib < 1 || mib > (double)INT32_MAX)
		return error_set(err, ERROR_INVALID, "memory '%s' is too %s", quantity,
		                 mib < 1 ? "small: at least 1Mi" : "large");
	return text_printf("%" PRId64 "m", (int64_t)mib);
}
