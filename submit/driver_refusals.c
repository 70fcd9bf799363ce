/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses what would be ignored. */
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
