/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines are loaded: read, resolved, checked, turned into steps. */
#include "operator/pipeline.h"

#include "core/file.h"
#include "core/text.h"
#include "operator/pipeline_load.h"
#include "operator/pipeline_shape.h"

#define FILE_LIMIT ((size_t)4 << 20)

static void read_steps(struct loader *loader)
{
	const json_t *steps = json_object_get(loader->resolved, "steps");
	struct pipeline *pipeline = loader->pipeline;
	const char *name;
	json_t *value;

	pipeline->steps = xcalloc(json_object_size(steps), sizeof(*pipeline->steps));
	json_object_foreach ((json_t *)steps, name, value)
		pipeline_step_read(loader, &pipeline->steps[pipeline->step_count++], name, value);
	if (json_is_object(steps) && !pipeline->step_count)
		LOADER_FAULT(loader,
		             check_value_position(&loader->check, loader->resolved, "steps"),
		             "a pipeline needs at least one step");
}

static void load(struct loader *loader, const json_t *overrides)
{
	const json_t *root = document_root(loader->document);
	const char *name = json_string_value(json_object_get(root, "name"));

	loader->pipeline->name = xstrdup(name ? name : "");
	pipeline_load_parameters(loader, overrides);
	pipeline_load_resolve(loader);
	check_shape(&loader->check, loader->resolved, &pipeline_shape, "the file",
	            (struct document_position){ 1, 1 });
	read_steps(loader);
	pipeline_link(loader);
}

struct pipeline *pipeline_parse(const char *path, const char *text, size_t size,
                                const json_t *overrides, const char *const *types,
                                struct error **err)
{
	scoped(faults) struct faults *faults = faults_new();
	scoped(document) struct document *document =
		document_parse_faults(path, text, size, faults);
	scoped(pipeline) struct pipeline *pipeline = xcalloc(1, sizeof(*pipeline));
	json_auto_t *unknown = json_string("");
	struct loader loader = { .check = { document, faults, unknown },
		                 .document = document,
		                 .types = types,
		                 .pipeline = pipeline };

	pipeline->path = file_absolute(path);
	pipeline->folder = file_folder(pipeline->path);
	if (document)
		load(&loader, overrides);
	json_decref(loader.scope);
	json_decref(loader.resolved);
	pipeline_sources_free(loader.sources);
	return faults_check(faults, err) ? take(pipeline) : NULL;
}

struct pipeline *pipeline_load(const char *path, const json_t *overrides, const char *const *types,
                               struct error **err)
{
	size_t size;
	scoped(text) char *text = file_read(path, FILE_LIMIT, &size, err);

	return text ? pipeline_parse(path, text, size, overrides, types, err) : NULL;
}

void pipeline_free(struct pipeline *pipeline)
{
	size_t i;

	if (!pipeline)
		return;
	for (i = 0; i < pipeline->step_count; i++)
		pipeline_step_release(&pipeline->steps[i]);
	free(pipeline->steps);
	json_decref(pipeline->parameters);
	free(pipeline->name);
	free(pipeline->path);
	free(pipeline->folder);
	free(pipeline);
}
