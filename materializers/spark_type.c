/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's DataType.json: a name, or an object whose "type" says how it is built. */
#include "materializers/spark_type.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

enum { DEPTH_MAX = 32 };

static bool render(const json_t *type, int depth, FILE *out);

static bool render_struct(const json_t *type, int depth, FILE *out)
{
	const json_t *fields = json_object_get(type, "fields"), *field;
	size_t i;

	fputs("struct<", out);
	json_array_foreach (fields, i, field) {
		const char *name = json_string_value(json_object_get(field, "name"));

		if (!name)
			return false;
		fprintf(out, "%s%s:", i ? "," : "", name);
		if (!render(json_object_get(field, "type"), depth, out))
			return false;
	}
	fputc('>', out);
	return json_is_array(fields);
}

/* User-defined types go by the last part of their class: VectorUDT is Spark ML's vector. */
static bool render_user_defined(const json_t *type, FILE *out)
{
	const char *class = json_string_value(json_object_get(type, "class"));
	const char *dot;

	if (!class)
		class = json_string_value(json_object_get(type, "pyClass"));
	if (!class)
		return false;
	dot = strrchr(class, '.');
	class = dot ? dot + 1 : class;
	if (text_equal(class, "VectorUDT"))
		class = "vector";
	else if (text_equal(class, "MatrixUDT"))
		class = "matrix";
	fputs(class, out);
	return true;
}

static bool render_simple(const char *name, FILE *out)
{
	fputs(text_equal(name, "integer") ? "int" : name, out);
	return true;
}

static bool render(const json_t *type, int depth, FILE *out)
{
	const char *kind = json_string_value(json_object_get(type, "type"));

	if (json_is_string(type))
		return render_simple(json_string_value(type), out);
	if (!kind || depth >= DEPTH_MAX)
		return false;
	if (text_equal(kind, "struct"))
		return render_struct(type, depth + 1, out);
	if (text_equal(kind, "udt"))
		return render_user_defined(type, out);
	if (text_equal(kind, "array")) {
		fputs("array<", out);
		if (!render(json_object_get(type, "elementType"), depth + 1, out))
			return false;
	} else if (text_equal(kind, "map")) {
		fputs("map<", out);
		if (!render(json_object_get(type, "keyType"), depth + 1, out))
			return false;
		fputc(',', out);
		if (!render(json_object_get(type, "valueType"), depth + 1, out))
			return false;
	} else {
		return false;
	}
	fputc('>', out);
	return true;
}

char *spark_type_name(const json_t *type)
{
	struct text_stream stream;
	bool is_known = render(type, 0, text_stream_open(&stream));
	scoped(text) char *name = text_stream_take(&stream);

	return is_known ? take(name) : NULL;
}
