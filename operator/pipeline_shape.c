/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the pipeline file. */
#include "operator/pipeline_shape.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "submit/spark_conf.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ALPHANUMERIC LETTERS DIGITS

bool pipeline_is_name(const char *text)
{
	size_t size = strlen(text);

	return size && size <= 63 && !text[strspn(text, ALPHANUMERIC "_-")] &&
	       !strchr("_-", text[0]) && !strchr("_-", text[size - 1]);
}

bool pipeline_is_identifier(const char *text)
{
	static const char *const keywords[] = {
		"False",  "None",   "True",    "and",      "as",       "assert", "async",
		"await",  "break",  "class",   "continue", "def",      "del",    "elif",
		"else",   "except", "finally", "for",      "from",     "global", "if",
		"import", "in",     "is",      "lambda",   "nonlocal", "not",    "or",
		"pass",   "raise",  "return",  "try",      "while",    "with",   "yield",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keywords); i++)
		if (text_equal(text, keywords[i]))
			return false;
	return *text && !strchr(DIGITS, *text) && !text[strspn(text, ALPHANUMERIC "_")];
}

bool pipeline_is_uri(const char *text)
{
	size_t scheme = strspn(text, ALPHANUMERIC "+.-");

	return scheme && !strchr(DIGITS "+.-", *text) && text_starts_with(text + scheme, "://");
}

static bool is_mapping(const json_t *value)
{
	return json_is_object(value);
}

static bool is_list(const json_t *value)
{
	return json_is_array(value);
}

static bool is_anything(const json_t *value)
{
	(void)value;
	return true;
}

static bool is_text(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) > 0;
}

static bool is_scalar(const json_t *value)
{
	return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
}

static bool is_scalar_or_null(const json_t *value)
{
	return is_scalar(value) || json_is_null(value);
}

static bool is_api_version(const json_t *value)
{
	return json_is_string(value) && text_equal(json_string_value(value), "stepop/v1");
}

static bool is_kind(const json_t *value)
{
	return json_is_string(value) && text_equal(json_string_value(value), "Pipeline");
}

static bool is_name(const json_t *value)
{
	return json_is_string(value) && pipeline_is_name(json_string_value(value));
}

static bool is_any_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 1 &&
	       json_integer_value(value) <= INT32_MAX;
}

static bool is_count_or_zero(const json_t *value)
{
	return is_count(value) || (json_is_integer(value) && json_integer_value(value) == 0);
}

/* "500m", "2", "0.5". */
static bool is_cpu_text(const char *text)
{
	size_t whole = strspn(text, DIGITS), fraction = 0;
	const char *end = text + whole;

	if (!whole)
		return false;
	if (*end == 'm')
		return !end[1] && strtod(text, NULL) > 0;
	if (*end == '.') {
		fraction = strspn(end + 1, DIGITS);
		end += fraction ? 1 + fraction : 0;
	}
	return !*end && strtod(text, NULL) > 0;
}

static bool is_cpu(const json_t *value)
{
	if (json_is_string(value))
		return is_cpu_text(json_string_value(value));
	return json_is_number(value) && json_number_value(value) > 0;
}

static bool is_memory(const json_t *value)
{
	scoped(text) char *memory = NULL;

	if (json_is_string(value))
		memory = spark_memory_from_quantity(json_string_value(value), NULL);
	return memory != NULL;
}

static bool is_duration(const json_t *value)
{
	int64_t ms;

	return json_is_string(value) && clock_parse_duration(json_string_value(value), &ms) &&
	       ms > 0;
}

static bool is_boolean(const json_t *value)
{
	return json_is_boolean(value);
}

/* "linux/amd64", "linux/arm/v7". */
static bool is_platform(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && text_starts_with(text, "linux/") && text[6] &&
	       !text[strspn(text, "abcdefghijklmnopqrstuvwxyz" DIGITS "/")];
}

static bool is_source(const json_t *value)
{
	return is_text(value) || json_is_object(value);
}

static bool is_conf_key(const char *key)
{
	return text_starts_with(key, "spark.") && key[6] && !key[strspn(key, ALPHANUMERIC "._-/$")];
}

static bool is_variable(const char *key)
{
	return *key && !strchr(DIGITS, *key) && !key[strspn(key, ALPHANUMERIC "_")];
}

#define IDENTIFIER_RULE \
	"a name that Python takes for a parameter (letters, digits, '_'; no keyword)"
#define NAME_RULE "letters, digits, '_' and '-', a letter or digit at both ends, at most 63"

static const struct shape text_shape = { .expected = "text", .accepts = is_text };
static const struct shape any_text_shape = { .expected = "text", .accepts = is_any_text };
static const struct shape any_shape = { .expected = "anything", .accepts = is_anything };
static const struct shape scalar_shape = { .expected = "text, a number, true or false",
	                                   .accepts = is_scalar };
static const struct shape conf_value_shape = { .expected = "text, a number, true, false or null",
	                                       .accepts = is_scalar_or_null };
static const struct shape name_shape = { .expected = "a name (" NAME_RULE ")", .accepts = is_name };
static const struct shape count_shape = { .expected = "a whole number from 1",
	                                  .accepts = is_count };
static const struct shape count_or_zero_shape = { .expected = "a whole number from 0",
	                                          .accepts = is_count_or_zero };
static const struct shape cpu_shape = { .expected = "a number of CPUs such as 2, 0.5 or 500m",
	                                .accepts = is_cpu };
static const struct shape memory_shape = {
	.expected = "an amount of memory with its unit, such as 4Gi or 512m", .accepts = is_memory
};
static const struct shape duration_shape = { .expected = "a duration such as 90s, 10m or 1h",
	                                     .accepts = is_duration };

static const struct shape boolean_shape = { .expected = "true or false", .accepts = is_boolean };
static const struct shape platform_shape = {
	.expected = "a platform such as linux/amd64 or linux/arm64", .accepts = is_platform
};

static const struct field driver_fields[] = {
	{ .name = "cores", .shape = &count_shape },
	{ .name = "memory", .shape = &memory_shape },
	{ .name = "memory_overhead", .shape = &memory_shape },
	{ .name = NULL },
};
static const struct shape driver_shape = { .expected = "a mapping",
	                                   .accepts = is_mapping,
	                                   .fields = driver_fields };

static const struct field executor_fields[] = {
	{ .name = "instances", .shape = &count_shape },
	{ .name = "cores", .shape = &count_shape },
	{ .name = "memory", .shape = &memory_shape },
	{ .name = "memory_overhead", .shape = &memory_shape },
	{ .name = NULL },
};
static const struct shape executor_shape = { .expected = "a mapping",
	                                     .accepts = is_mapping,
	                                     .fields = executor_fields };

static const struct shape conf_shape = {
	.expected = "a mapping",
	.accepts = is_mapping,
	.values = &conf_value_shape,
	.accepts_key = is_conf_key,
	.expected_key = "a Spark property begins with 'spark.'",
};

static const struct field spark_fields[] = {
	{ .name = "driver", .shape = &driver_shape },
	{ .name = "executor", .shape = &executor_shape },
	{ .name = "conf", .shape = &conf_shape },
	{ .name = NULL },
};
static const struct shape spark_shape = { .expected = "a mapping",
	                                  .accepts = is_mapping,
	                                  .fields = spark_fields };

static const struct field resources_fields[] = {
	{ .name = "cpu", .shape = &cpu_shape },
	{ .name = "memory", .shape = &memory_shape },
	{ .name = "gpu", .shape = &count_or_zero_shape },
	{ .name = NULL },
};
static const struct shape resources_shape = { .expected = "a mapping",
	                                      .accepts = is_mapping,
	                                      .fields = resources_fields };

static const struct shape environment_shape = {
	.expected = "a mapping",
	.accepts = is_mapping,
	.values = &scalar_shape,
	.accepts_key = is_variable,
	.expected_key = "a variable is named by letters, digits and '_'",
};

static const struct shape texts_shape = { .expected = "a list of texts",
	                                  .accepts = is_list,
	                                  .items = &text_shape };

static const struct field image_fields[] = {
	{ .name = "build", .shape = &boolean_shape },
	{ .name = "requirements", .shape = &texts_shape },
	{ .name = "files", .shape = &texts_shape },
	{ .name = "platform", .shape = &platform_shape },
	{ .name = NULL },
};
static const struct shape image_shape = { .expected = "a mapping",
	                                  .accepts = is_mapping,
	                                  .fields = image_fields };

static const struct field settings_fields[] = {
	{ .name = "resources", .shape = &resources_shape },
	{ .name = "spark", .shape = &spark_shape },
	{ .name = "environment", .shape = &environment_shape },
	{ .name = "start_timeout", .shape = &duration_shape },
	{ .name = "image", .shape = &image_shape },
	{ .name = NULL },
};
static const struct shape settings_shape = { .expected = "a mapping",
	                                     .accepts = is_mapping,
	                                     .fields = settings_fields };

static const struct shape args_shape = { .expected = "a list",
	                                 .accepts = is_list,
	                                 .items = &scalar_shape };

static const struct field source_fields[] = {
	{ .name = "main", .shape = &text_shape, .is_required = true },
	{ .name = "class", .shape = &text_shape },
	{ .name = "args", .shape = &args_shape },
	{ .name = NULL },
};
static const struct shape source_shape = { .expected = "FILE.py:FUNCTION, or a mapping with 'main'",
	                                   .accepts = is_source,
	                                   .fields = source_fields };

/* Pipeline parameters are reached by ${{ parameters.NAME }}; those of a step reach its function. */
static const struct shape pipeline_parameters_shape = {
	.expected = "a mapping",
	.accepts = is_mapping,
	.values = &any_shape,
	.accepts_key = pipeline_is_name,
	.expected_key = "a parameter is named by " NAME_RULE,
};
static const struct shape step_parameters_shape = {
	.expected = "a mapping",
	.accepts = is_mapping,
	.values = &any_shape,
	.accepts_key = pipeline_is_identifier,
	.expected_key = "a parameter of a step needs " IDENTIFIER_RULE,
};
static const struct shape inputs_shape = {
	.expected = "a mapping of names to STEP.OUTPUT",
	.accepts = is_mapping,
	.values = &text_shape,
	.accepts_key = pipeline_is_identifier,
	.expected_key = "an input needs " IDENTIFIER_RULE,
};
static const struct shape outputs_shape = {
	.expected = "a mapping of names to types",
	.accepts = is_mapping,
	.values = &text_shape,
	.accepts_key = pipeline_is_identifier,
	.expected_key = "an output needs " IDENTIFIER_RULE,
};
static const struct shape files_shape = {
	.expected = "a mapping of names to paths or URIs",
	.accepts = is_mapping,
	.values = &text_shape,
	.accepts_key = pipeline_is_identifier,
	.expected_key = "a file needs " IDENTIFIER_RULE,
};
static const struct shape after_shape = { .expected = "a list of steps",
	                                  .accepts = is_list,
	                                  .items = &text_shape };

static const struct field step_fields[] = {
	{ .name = "source", .shape = &source_shape, .is_required = true },
	{ .name = "operator", .shape = &name_shape },
	{ .name = "parameters", .shape = &step_parameters_shape },
	{ .name = "inputs", .shape = &inputs_shape },
	{ .name = "outputs", .shape = &outputs_shape },
	{ .name = "files", .shape = &files_shape },
	{ .name = "after", .shape = &after_shape },
	{ .name = "settings", .shape = &settings_shape },
	{ .name = "retry" },
	{ .name = "timeout" },
	{ .name = "when" },
	{ .name = "cache" },
	{ .name = NULL },
};
static const struct shape step_shape = { .expected = "a mapping",
	                                 .accepts = is_mapping,
	                                 .fields = step_fields };

static const struct shape steps_shape = {
	.expected = "a mapping of names to steps",
	.accepts = is_mapping,
	.values = &step_shape,
	.accepts_key = pipeline_is_name,
	.expected_key = "a step is named by " NAME_RULE,
};

static const struct shape api_version_shape = { .expected = "stepop/v1",
	                                        .accepts = is_api_version };
static const struct shape kind_shape = { .expected = "Pipeline", .accepts = is_kind };

static const struct field pipeline_fields[] = {
	{ .name = "apiVersion", .shape = &api_version_shape, .is_required = true },
	{ .name = "kind", .shape = &kind_shape, .is_required = true },
	{ .name = "name", .shape = &name_shape, .is_required = true },
	{ .name = "description", .shape = &any_text_shape },
	{ .name = "parameters", .shape = &pipeline_parameters_shape },
	{ .name = "settings", .shape = &settings_shape },
	{ .name = "steps", .shape = &steps_shape, .is_required = true },
	{ .name = "retry" },
	{ .name = "timeout" },
	{ .name = "when" },
	{ .name = "cache" },
	{ .name = NULL },
};
const struct shape pipeline_shape = { .expected = "a mapping with apiVersion, kind, name and steps",
	                              .accepts = is_mapping,
	                              .fields = pipeline_fields };
