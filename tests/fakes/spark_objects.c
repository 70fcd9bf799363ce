/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of submit/driver_*.c have in common. */
#include "tests/fakes/spark_objects.h"

#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"

struct spark_app spark_objects_python_app(void)
{
	struct spark_app app = {
		.name = xstrdup("spark-pi"),
		.resource_prefix = xstrdup("spark-pi-fbe3efa1fcfa5a18"),
		.user = xstrdup("root"),
		.resource = SPARK_RESOURCE_PYTHON,
		.main_resource = xstrdup("local:///opt/stepop/main.py"),
		.args = json_pack("[s]", "100"),
		.conf = spark_conf_new(),
	};

	spark_conf_set(app.conf, "spark.kubernetes.container.image", "apache/spark:3.5.9");
	return app;
}

json_t *spark_objects_built(const struct spark_app *app)
{
	scoped(error) struct error *err = NULL;
	json_t *objects = driver_objects_build(app, &err);

	assert_ok(objects, err);
	return objects;
}

void spark_objects_assert_refused(const char *property, const char *value, const char *part)
{
	struct spark_app app = spark_objects_python_app();
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = NULL;

	spark_conf_set(app.conf, property, value);
	objects = driver_objects_build(&app, &err);
	if (objects)
		fail_msg("%s=%s is not refused", property, value);
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, part);
	spark_app_release(&app);
}

json_t *spark_objects_at(const json_t *value, const char *path)
{
	scoped(text) char *copy = xstrdup(path);
	char *rest = copy, *part;
	const json_t *whole = value;

	/* A key may hold dots: "data.spark.properties". */
	while (value && rest) {
		const json_t *direct = json_object_get(value, rest);

		if (direct)
			return (json_t *)direct;
		part = strsep(&rest, ".");
		value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
		                             : json_object_get(value, part);
	}
	return value == whole ? NULL : (json_t *)value;
}

const char *spark_objects_text(const json_t *value, const char *path)
{
	const char *text = json_string_value(spark_objects_at(value, path));

	return text ? text : "(none)";
}

json_t *spark_objects_of_kind(const json_t *objects, const char *kind)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (text_equal(kube_object_kind(object), kind))
			return object;
	return NULL;
}

json_t *spark_objects_named(const json_t *objects, const char *name)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (text_equal(kube_object_name(object), name))
			return object;
	return NULL;
}

json_t *spark_objects_item(const json_t *list, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (text_equal(json_string_value(json_object_get(item, "name")), name))
			return item;
	return NULL;
}

/* One "key=value" line up to its end; `into` gets it unless it is a comment. */
static const char *parse_line(const char *text, json_t *into)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *key = NULL;
	scoped(text) char *value = NULL;
	bool is_comment = *text == '#';

	for (; *text && *text != '\n'; text++) {
		if (!key && *text == '=') {
			key = text_stream_take(&stream);
			out = text_stream_open(&stream);
		} else if (*text == '\\') {
			const char *found = strchr("tnrf", *++text);

			fputc(found ? "\t\n\r\f"[found - "tnrf"] : *text, out);
		} else {
			fputc(*text, out);
		}
	}
	value = text_stream_take(&stream);
	if (!is_comment && key)
		json_object_set_new(into, key, json_string(value));
	return text + (*text == '\n');
}

json_t *spark_objects_parse_properties(const char *text)
{
	json_t *map = json_object();

	while (*text)
		text = parse_line(text, map);
	return map;
}

json_t *spark_objects_properties(const json_t *objects)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		const json_t *data = json_object_get(object, "data");
		const json_t *text = json_object_get(data, "spark.properties");

		if (text)
			return spark_objects_parse_properties(json_string_value(text));
	}
	fail_msg("no spark.properties");
	return NULL;
}
