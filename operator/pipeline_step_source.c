/* SPDX-License-Identifier: Apache-2.0 */
/* A step's source: the function or program that it runs, and whether it takes what it is given. */
#include <dirent.h>
#include <string.h>
#include <uthash.h>

#include "core/file.h"
#include "core/text.h"
#include "operator/pipeline_load.h"
#include "operator/pipeline_shape.h"

struct source_cache {
	char *file;
	struct pipeline_source *source; /* NULL: it cannot be read */
	char *fault;
	UT_hash_handle hh;
};

void pipeline_sources_free(struct source_cache *sources)
{
	struct source_cache *entry, *next;

	HASH_ITER (hh, sources, entry, next) {
		HASH_DEL(sources, entry);
		pipeline_source_free(entry->source);
		free(entry->file);
		free(entry->fault);
		free(entry);
	}
}

/* The Python files of the folder, an array of text. */
static json_t *python_files(const char *folder)
{
	json_t *names = json_object();
	DIR *stream = opendir(folder);
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (text_ends_with(entry->d_name, ".py"))
			json_object_set_new(names, entry->d_name, json_null());
	if (stream)
		closedir(stream);
	return names;
}

static char *describe_failure(struct loader *loader, const char *file, const struct error *error)
{
	json_auto_t *names = NULL;
	scoped(text) char *suggestion = NULL;

	if (error->kind != ERROR_NOT_FOUND)
		return error_text(error);
	names = python_files(loader->pipeline->folder);
	suggestion = check_suggestion_of_keys(&loader->check, file, names);
	return text_printf("there is no file '%s' in the folder of the pipeline, %s%s", file,
	                   loader->pipeline->folder, suggestion);
}

static const struct source_cache *read_source(struct loader *loader, const char *file)
{
	scoped(text) char *path = file_join(loader->pipeline->folder, file);
	scoped(error) struct error *err = NULL;
	struct source_cache *entry;

	HASH_FIND_STR(loader->sources, file, entry);
	if (entry)
		return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->file = xstrdup(file);
	entry->source = pipeline_source_read(path, &err);
	if (err)
		entry->fault = describe_failure(loader, file, err);
	HASH_ADD_KEYPTR(hh, loader->sources, entry->file, strlen(file), entry);
	return entry;
}

/* Its code travels with the folder of the pipeline: nothing outside is reached. */
static bool is_inner_path(const char *file)
{
	scoped(text) char *framed = text_printf("/%s/", file);

	return *file != '/' && !strstr(framed, "/../") && !strstr(framed, "//");
}

/* "FILE.py:FUNCTION" into the step's fields; false after a fault. */
static bool split_source(struct loader *loader, struct step *step, const char *source,
                         struct document_position position)
{
	const char *colon = strrchr(source, ':');

	if (!colon || !pipeline_is_identifier(colon + 1)) {
		LOADER_FAULT(loader, position,
		             "'%s' names no function; write FILE.py:FUNCTION, or a mapping with "
		             "'main'",
		             source);
		return false;
	}
	step->file = xstrndup(source, (size_t)(colon - source));
	step->function = xstrdup(colon + 1);
	if (!text_ends_with(step->file, ".py") || !is_inner_path(step->file)) {
		LOADER_FAULT(loader, position,
		             "'%s' is no Python file (.py) within the folder of the pipeline",
		             step->file);
		return false;
	}
	return true;
}

static void add_missing_function(struct loader *loader, const struct step *step,
                                 const struct pipeline_source *source,
                                 struct document_position position)
{
	const char **names = pipeline_source_function_names(source);
	scoped(text) char *suggestion = check_suggestion(&loader->check, step->function, names);

	LOADER_FAULT(loader, position, "%s defines no function '%s' at its left margin%s",
	             step->file, step->function, suggestion);
	free(names);
}

static bool check_kind(struct loader *loader, const struct step *step,
                       const struct source_definition *definition,
                       struct document_position position)
{
	if (definition->kind == SOURCE_ASYNC_FUNCTION)
		LOADER_FAULT(loader, position,
		             "'%s' (%s:%d) is an async function; a step needs a plain one",
		             step->function, step->file, definition->line);
	if (definition->kind == SOURCE_CLASS)
		LOADER_FAULT(loader, position, "'%s' (%s:%d) is a class; a step needs a function",
		             step->function, step->file, definition->line);
	return definition->kind == SOURCE_FUNCTION || definition->kind == SOURCE_VALUE;
}

/* `given` is the step's mapping of parameters, inputs or files. */
static void check_taken(struct loader *loader, const struct step *step,
                        const struct source_definition *definition, const json_t *given)
{
	const struct source_parameter *parameter;
	const char **names, *name;
	json_t *value;
	size_t i;

	json_object_foreach ((json_t *)given, name, value) {
		parameter = source_definition_parameter(definition, name);
		if (parameter ? !parameter->is_positional_only : definition->takes_any_name)
			continue;
		names = xcalloc(definition->parameter_count + 1, sizeof(*names));
		for (i = 0; i < definition->parameter_count; i++)
			names[i] = definition->parameters[i].name;
		scoped(text) char *suggestion =
			parameter ? xstrdup(" that can be given by name")
				  : check_suggestion(&loader->check, name, names);

		LOADER_FAULT(loader, document_key_position(loader->document, given, name),
		             "the function '%s' (%s:%d) has no parameter '%s'%s", step->function,
		             step->file, definition->line, name, suggestion);
		free(names);
	}
}

static bool is_given(const json_t *value, const char *name)
{
	return json_object_get(json_object_get(value, "parameters"), name) ||
	       json_object_get(json_object_get(value, "inputs"), name) ||
	       json_object_get(json_object_get(value, "files"), name);
}

static void check_signature(struct loader *loader, const struct step *step, const json_t *value,
                            const struct source_definition *definition,
                            struct document_position position)
{
	const struct source_parameter *parameter;
	size_t i;

	check_taken(loader, step, definition, json_object_get(value, "parameters"));
	check_taken(loader, step, definition, json_object_get(value, "inputs"));
	check_taken(loader, step, definition, json_object_get(value, "files"));
	for (i = 0; i < definition->parameter_count; i++) {
		parameter = &definition->parameters[i];
		if (parameter->is_required && !text_equal(parameter->name, "spark") &&
		    !is_given(value, parameter->name))
			LOADER_FAULT(loader, position,
			             "the function '%s' (%s:%d) needs '%s', which is none of the "
			             "step's parameters, inputs and files",
			             step->function, step->file, definition->line, parameter->name);
	}
}

static void read_function(struct loader *loader, struct step *step, const json_t *value,
                          const char *text, struct document_position position)
{
	const struct source_cache *entry;
	const struct source_definition *definition;

	if (!split_source(loader, step, text, position))
		return;
	entry = read_source(loader, step->file);
	if (!entry->source) {
		LOADER_FAULT(loader, position, "%s", entry->fault);
		return;
	}
	definition = pipeline_source_find(entry->source, step->function);
	if (!definition && !pipeline_source_has_star_import(entry->source))
		add_missing_function(loader, step, entry->source, position);
	step->wants_spark = !definition || definition->kind == SOURCE_VALUE ||
	                    source_definition_parameter(definition, "spark");
	if (definition && check_kind(loader, step, definition, position) &&
	    definition->has_signature)
		check_signature(loader, step, value, definition, position);
}

static json_t *read_args(const json_t *args)
{
	json_t *texts = json_array(), *item;
	size_t i;

	json_array_foreach (args, i, item) {
		scoped(text) char *text = pipeline_scalar_text(item);

		json_array_append_new(texts, json_string(text));
	}
	return texts;
}

/* {main, class, args}: a program of its own, which the in-pod runtime does not wrap. */
static void read_main(struct loader *loader, struct step *step, const json_t *value,
                      const json_t *source)
{
	static const char *const refused[] = { "parameters", "inputs", "outputs", "files" };
	const char *main = check_text(&loader->check, source, "main");
	const char *main_class = check_text(&loader->check, source, "class");
	const json_t *args = json_object_get(source, "args");
	size_t i;

	step->main = text_copy(main);
	step->main_class = text_copy(main_class);
	step->args = args ? read_args(args) : NULL;
	if (main && *main && !pipeline_is_uri(main))
		LOADER_FAULT(loader, check_value_position(&loader->check, source, "main"),
		             "'%s' is no URI; write local:///PATH for a file in the image, or "
		             "s3://BUCKET/KEY",
		             main);
	if (main && text_ends_with(main, ".jar") && !json_object_get(source, "class"))
		LOADER_FAULT(loader, check_value_position(&loader->check, source, "main"),
		             "a jar needs the field 'class' beside 'main'");
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		if (json_object_get(value, refused[i]))
			LOADER_FAULT(loader,
			             document_key_position(loader->document, value, refused[i]),
			             "'%s' needs a Python function as the source; a step with "
			             "'main' is given its values by 'args', and ordered by 'after'",
			             refused[i]);
}

void pipeline_step_read_source(struct loader *loader, struct step *step, const json_t *value)
{
	const json_t *source = json_object_get(value, "source");
	const char *text = check_text(&loader->check, value, "source");

	if (json_is_object(source))
		read_main(loader, step, value, source);
	else if (text && *text)
		read_function(loader, step, value, text,
		              check_value_position(&loader->check, value, "source"));
}
