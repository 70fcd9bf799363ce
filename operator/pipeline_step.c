/* SPDX-License-Identifier: Apache-2.0 */
/* One step of the pipeline file: its names, outputs, files and settings. */
#include <string.h>

#include "core/file.h"
#include "core/text.h"
#include "operator/pipeline_load.h"
#include "operator/pipeline_shape.h"
#include "submit/spark_conf.h"

char *pipeline_scalar_text(const json_t *value)
{
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (json_is_integer(value))
		return text_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_real(value))
		return spark_number_text(json_real_value(value));
	return xstrdup(json_is_true(value) ? "true" : json_is_false(value) ? "false" : "");
}

json_t *pipeline_settings_merge(const json_t *under, const json_t *over)
{
	json_t *merged = json_is_object(under) ? json_deep_copy(under) : json_object();
	json_t *value, *below;
	const char *key;

	json_object_foreach ((json_t *)over, key, value) {
		below = json_object_get(merged, key);
		if (json_is_object(value) && json_is_object(below))
			json_object_set_new_nocheck(merged, key,
			                            pipeline_settings_merge(below, value));
		else
			json_object_set_new_nocheck(merged, key, json_deep_copy(value));
	}
	return merged;
}

static void read_settings(struct loader *loader, struct step *step, const json_t *value)
{
	json_t *environment, *variable;
	const char *name;
	void *next;

	step->settings = pipeline_settings_merge(json_object_get(loader->resolved, "settings"),
	                                         json_object_get(value, "settings"));
	environment = json_object_get(step->settings, "environment");
	json_object_foreach_safe(environment, next, name, variable)
	{
		scoped(text) char *text = pipeline_scalar_text(variable);

		json_object_set_new_nocheck(environment, name, json_string(text));
	}
}

/* "STEP.OUTPUT"; what it names is looked for later. */
static bool split_reference(const char *reference, struct step_input *input)
{
	const char *dot = strchr(reference, '.');

	if (!dot || dot == reference || !dot[1] || strchr(dot + 1, '.'))
		return false;
	input->source_step = xstrndup(reference, (size_t)(dot - reference));
	input->source_output = xstrdup(dot + 1);
	return true;
}

static void read_inputs(struct loader *loader, struct step *step, const json_t *value)
{
	const json_t *inputs = json_object_get(value, "inputs");
	struct step_input *input;
	const char *name, *reference;
	json_t *item;

	step->inputs = xcalloc(json_object_size(inputs), sizeof(*step->inputs));
	json_object_foreach ((json_t *)inputs, name, item) {
		reference = json_string_value(item);
		input = &step->inputs[step->input_count];
		if (!reference || !*reference)
			continue;
		if (!split_reference(reference, input)) {
			LOADER_FAULT(loader, check_value_position(&loader->check, inputs, name),
			             "'%s' is no output of a step; write STEP.OUTPUT", reference);
			continue;
		}
		input->name = xstrdup(name);
		step->input_count++;
	}
}

static bool is_known_type(const struct loader *loader, const char *type)
{
	const char *const *known;

	for (known = loader->types; known && *known; known++)
		if (text_equal(*known, type))
			return true;
	return !loader->types;
}

static void read_outputs(struct loader *loader, struct step *step, const json_t *value)
{
	const json_t *outputs = json_object_get(value, "outputs");
	const char *name, *type;
	json_t *item;

	step->outputs = xcalloc(json_object_size(outputs), sizeof(*step->outputs));
	json_object_foreach ((json_t *)outputs, name, item) {
		type = json_string_value(item);
		if (!type || !*type)
			continue;
		if (!is_known_type(loader, type)) {
			scoped(text) char *suggestion =
				check_suggestion(&loader->check, type, loader->types);

			LOADER_FAULT(loader, check_value_position(&loader->check, outputs, name),
			             "there is no type '%s'%s", type, suggestion);
		}
		step->outputs[step->output_count++] =
			(struct step_output){ .name = xstrdup(name), .type = xstrdup(type) };
	}
}

/* Absolute, or a URI as it is. Owned by the caller. */
static char *file_location(struct loader *loader, const char *path,
                           struct document_position position)
{
	const char *folder = loader->pipeline->folder;
	bool is_file_uri = text_starts_with(path, "file:///");
	scoped(text) char *joined = NULL;

	if (pipeline_is_uri(path) && !is_file_uri)
		return xstrdup(path);
	joined = file_join(folder, is_file_uri ? path + strlen("file://") : path);
	if (!file_exists(joined))
		LOADER_FAULT(loader, position, "there is no file '%s'%s%s", path,
		             *path == '/' || is_file_uri ? "" : " in the folder of the pipeline, ",
		             *path == '/' || is_file_uri ? "" : folder);
	return file_absolute(joined);
}

static void read_files(struct loader *loader, struct step *step, const json_t *value)
{
	const json_t *files = json_object_get(value, "files");
	const char *name, *path;
	json_t *item;

	step->files = xcalloc(json_object_size(files), sizeof(*step->files));
	json_object_foreach ((json_t *)files, name, item) {
		path = check_text(&loader->check, files, name);
		if (!path || !*path)
			continue;
		step->files[step->file_count++] = (struct step_file){
			.name = xstrdup(name),
			.path = file_location(loader, path,
			                      check_value_position(&loader->check, files, name)),
		};
	}
}

/* All of them become arguments of one function. */
static void check_disjoint(struct loader *loader, const json_t *value)
{
	static const char *const fields[] = { "parameters", "inputs", "files" };
	const char *name;
	size_t i, j;
	json_t *item;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		const json_t *mine = json_object_get(value, fields[i]);

		json_object_foreach ((json_t *)mine, name, item) {
			struct document_position position =
				document_key_position(loader->document, mine, name);

			if (text_equal(name, "spark"))
				LOADER_FAULT(loader, position,
				             "'spark' is the name of the session that stepop "
				             "gives to the function; choose another");
			for (j = 0; j < i; j++)
				if (json_object_get(json_object_get(value, fields[j]), name))
					LOADER_FAULT(loader, position,
					             "'%s' is among the step's %s already", name,
					             fields[j]);
		}
	}
}

void pipeline_step_read(struct loader *loader, struct step *step, const char *name,
                        const json_t *value)
{
	const char *operator_name = check_text(&loader->check, value, "operator");
	const json_t *parameters = json_object_get(value, "parameters");

	step->name = xstrdup(name);
	step->operator= text_copy(operator_name);
	step->parameters = json_is_object(parameters) ? json_deep_copy(parameters) : json_object();
	read_inputs(loader, step, value);
	read_outputs(loader, step, value);
	read_files(loader, step, value);
	read_settings(loader, step, value);
	check_disjoint(loader, value);
	pipeline_step_read_source(loader, step, value);
}

static void release_inputs(struct step *step)
{
	size_t i;

	for (i = 0; i < step->input_count; i++) {
		free(step->inputs[i].name);
		free(step->inputs[i].source_step);
		free(step->inputs[i].source_output);
	}
	free(step->inputs);
}

void pipeline_step_release(struct step *step)
{
	size_t i;

	release_inputs(step);
	for (i = 0; i < step->output_count; i++) {
		free(step->outputs[i].name);
		free(step->outputs[i].type);
	}
	for (i = 0; i < step->file_count; i++) {
		free(step->files[i].name);
		free(step->files[i].path);
	}
	free(step->outputs);
	free(step->files);
	free(step->after);
	free(step->name);
	free(step->file);
	free(step->function);
	free(step->main);
	free(step->main_class);
	free(step->operator);
	json_decref(step->args);
	json_decref(step->parameters);
	json_decref(step->settings);
}
