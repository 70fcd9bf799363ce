/* SPDX-License-Identifier: Apache-2.0 */
/* The releases of Spark that objects can be made for, and what tells them apart. */
#include "submit/spark_release.h"

#include <ctype.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define VERSION_LIMIT 63 /* it becomes the value of a label */
#define NUMBER_LIMIT 999

#define RELEASE(major, minor) ((major) * (NUMBER_LIMIT + 1) + (minor))

/* Patch releases of a line do not differ in what they submit. */
static const struct {
	int release;
	const char *line, *newest;
} lines[] = {
	{ RELEASE(3, 5), "3.5", "3.5.9" }, { RELEASE(4, 0), "4.0", "4.0.5" },
	{ RELEASE(4, 1), "4.1", "4.1.4" }, { RELEASE(4, 2), "4.2", "4.2.1" },
	{ RELEASE(4, 3), "4.3", "4.3.0" },
};

static const int since[] = {
	[SPARK_SUBSTITUTES_LABELS] = RELEASE(4, 0),
	[SPARK_MINIMUM_OVERHEAD] = RELEASE(4, 0),
	[SPARK_CLAIMS_FOR_ONE_POD] = RELEASE(4, 0),
	[SPARK_VOLUME_DETAILS] = RELEASE(4, 0),
	[SPARK_AWS_SDK_2] = RELEASE(4, 0),
	[SPARK_CONNECT_PORT] = RELEASE(4, 1),
	[SPARK_SUBSTITUTES_IMAGES] = RELEASE(4, 1),
	[SPARK_FORGETS_PYTHON_VERSION] = RELEASE(4, 1),
	[SPARK_EXCLUDES_STEPS] = RELEASE(4, 1),
	[SPARK_NETWORK_POLICY] = RELEASE(4, 2),
	[SPARK_BINARY_UNITS] = RELEASE(4, 2),
	[SPARK_POD_GROUP_IN_LINE] = RELEASE(4, 2),
	[SPARK_PRIVILEGE_ESCALATION] = RELEASE(4, 3),
	[SPARK_SERVICE_DETAILS] = RELEASE(4, 3),
	[SPARK_USER_IS_PROXY_USER] = RELEASE(4, 3),
};

/* "<major>.<minor>[.<patch>]" at the beginning of a text. */
struct version {
	int release;
	size_t size; /* of its text; 0: there is none */
	bool has_patch;
};

/* The end of a number of at most three digits, or NULL. */
static const char *read_number(const char *text, int *number)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 3)
		return NULL;
	for (*number = 0; digits; digits--)
		*number = *number * 10 + (*text++ - '0');
	return text;
}

static struct version read_version(const char *text)
{
	struct version version = { 0 };
	int major, minor, patch;
	const char *end = read_number(text, &major);
	const char *whole;

	end = end && *end == '.' ? read_number(end + 1, &minor) : NULL;
	if (!end)
		return version;
	whole = *end == '.' ? read_number(end + 1, &patch) : NULL;
	version.release = RELEASE(major, minor);
	version.has_patch = whole != NULL;
	version.size = (size_t)((whole ? whole : end) - text);
	return version;
}

static const char *without_v(const char *version)
{
	return version + (version[0] == 'v');
}

/* The newest release of the line, or NULL. */
static const char *line_find(int release)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++)
		if (lines[i].release == release)
			return lines[i].newest;
	return NULL;
}

bool spark_release_has(const char *version, enum spark_feature feature)
{
	struct version read = read_version(without_v(version));

	return line_find(read.release) && read.release >= since[feature];
}

/* "-preview1", ".dev0", "-amzn-0": as long as a label can hold it. */
static bool is_rest(const char *text)
{
	size_t size = strlen(text);

	return !size || ((text[0] == '-' || text[0] == '.') && isalnum((unsigned char)text[1]) &&
	                 isalnum((unsigned char)text[size - 1]) &&
	                 strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                              "0123456789._-") == size);
}

static char *known_lines(void)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++)
		fprintf(out, "%s%s", i ? ", " : "", lines[i].line);
	return text_stream_take(&stream);
}

char *spark_release_complete(const char *version, struct error **err)
{
	const char *text = without_v(version);
	struct version read = read_version(text);
	const char *rest = text + read.size;
	const char *newest = line_find(read.release);
	scoped(text) char *known = known_lines();

	if (!read.size || !is_rest(rest) || (!read.has_patch && *rest) ||
	    strlen(text) > VERSION_LIMIT)
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no version of Spark; write it as in '%s' (known are %s)",
		                 version, lines[ARRAY_SIZE(lines) - 1].newest, known);
	if (!newest)
		return error_set(err, ERROR_INVALID,
		                 "Spark %s is not known, and its objects may be others; known are "
		                 "%s",
		                 version, known);
	return xstrdup(read.has_patch ? text : newest);
}

bool spark_release_check(const char *version, struct error **err)
{
	scoped(text) char *complete = spark_release_complete(version, err);

	return complete != NULL;
}

/* Whether a version may begin at `at`: after a separator, a "v", or the word spark, so that
 * the 2.13 of scala2.13 is none. */
static bool is_boundary(const char *start, const char *at)
{
	size_t before = (size_t)(at - start);

	if (before && at[-1] == 'v') {
		before--;
		at--;
	}
	return !before || !(isalnum((unsigned char)at[-1]) || at[-1] == '.') ||
	       (before >= 5 && !strncasecmp(at - 5, "spark", 5));
}

/* The first version in `text`; of a line that is known, unless any will do. */
static char *find_version(const char *text, bool any)
{
	const char *at;

	for (at = text; *at; at++) {
		struct version version = { 0 };

		if (isdigit((unsigned char)*at) && is_boundary(text, at))
			version = read_version(at);
		if (version.size && (any || line_find(version.release)))
			return xstrndup(at, version.size);
	}
	return NULL;
}

static bool is_sparks_own(const char *repository)
{
	static const char *const names[] = { "spark", "spark-py", "spark-r", "pyspark" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (text_equal(repository, names[i]))
			return true;
	return false;
}

char *spark_release_of_image(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *start = slash ? slash + 1 : image;
	scoped(text) char *name = xstrndup(start, strcspn(start, "@"));
	const char *spark = strcasestr(name, "spark");
	char *found = spark ? find_version(spark, false) : NULL;
	scoped(text) char *repository = xstrndup(name, strcspn(name, ":"));

	if (!found && is_sparks_own(repository) && name[strlen(repository)])
		found = find_version(name + strlen(repository) + 1, true);
	return found;
}
