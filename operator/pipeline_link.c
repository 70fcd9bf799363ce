/* SPDX-License-Identifier: Apache-2.0 */
/* What steps need of each other: inputs, `after`, and no cycle among them. */
#include <uthash.h>

#include "core/text.h"
#include "operator/graph.h"
#include "operator/pipeline_load.h"

#define CYCLE_SHOWN 12

/* A step by its name, or by the name that its objects will have. */
struct named_step {
	char *name;
	size_t index;
	UT_hash_handle hh;
};

struct linker {
	struct loader *loader;
	const json_t *steps;
	struct named_step *names;
	struct graph *graph;
};

static void add_name(struct named_step **names, char *name, size_t index)
{
	struct named_step *named = xcalloc(1, sizeof(*named));

	named->name = name;
	named->index = index;
	HASH_ADD_KEYPTR(hh, *names, named->name, strlen(name), named);
}

static const struct named_step *find_name(struct named_step *names, const char *name)
{
	struct named_step *named;

	HASH_FIND_STR(names, name, named);
	return named;
}

static void free_names(struct named_step *names)
{
	struct named_step *named, *next;

	HASH_ITER (hh, names, named, next) {
		HASH_DEL(names, named);
		free(named->name);
		free(named);
	}
}

static const struct named_step *find_step(struct linker *linker, const char *name,
                                          struct document_position position)
{
	const struct named_step *named = find_name(linker->names, name);
	scoped(text) char *suggestion = NULL;

	if (!named) {
		suggestion = check_suggestion_of_keys(&linker->loader->check, name, linker->steps);
		LOADER_FAULT(linker->loader, position, "there is no step '%s'%s", name, suggestion);
	}
	return named;
}

static void link_input(struct linker *linker, size_t index, struct step_input *input,
                       struct document_position position)
{
	const struct named_step *source = find_step(linker, input->source_step, position);
	scoped(text) char *suggestion = NULL;
	const json_t *outputs;

	if (!source)
		return;
	input->source = source->index;
	graph_add_edge(linker->graph, source->index, index);
	outputs = json_object_get(json_object_get(linker->steps, source->name), "outputs");
	if (json_object_get(outputs, input->source_output))
		return;
	suggestion =
		check_suggestion_of_keys(&linker->loader->check, input->source_output, outputs);
	LOADER_FAULT(linker->loader, position, "step '%s' has no output '%s'%s", source->name,
	             input->source_output, suggestion);
}

static void link_after(struct linker *linker, size_t index, const json_t *after)
{
	struct step *step = &linker->loader->pipeline->steps[index];
	const struct named_step *source;
	json_t *item;
	size_t i;

	step->after = xcalloc(json_array_size(after), sizeof(*step->after));
	json_array_foreach (after, i, item) {
		if (!json_string_length(item))
			continue;
		source = find_step(linker, json_string_value(item),
		                   document_item_position(linker->loader->document, after, i));
		if (!source)
			continue;
		step->after[step->after_count++] = source->index;
		graph_add_edge(linker->graph, source->index, index);
	}
}

static void link_step(struct linker *linker, size_t index)
{
	struct step *step = &linker->loader->pipeline->steps[index];
	const json_t *value = json_object_get(linker->steps, step->name);
	const json_t *inputs = json_object_get(value, "inputs");
	size_t i;

	for (i = 0; i < step->input_count; i++)
		link_input(
			linker, index, &step->inputs[i],
			check_value_position(&linker->loader->check, inputs, step->inputs[i].name));
	link_after(linker, index, json_object_get(value, "after"));
}

/* "a -> b -> a" */
static char *cycle_text(const struct pipeline *pipeline, const size_t *cycle, size_t count)
{
	struct text_stream stream;
	size_t i;

	text_stream_open(&stream);
	for (i = 0; i < count && i < CYCLE_SHOWN; i++)
		fprintf(stream.file, "%s -> ", pipeline->steps[cycle[i]].name);
	fprintf(stream.file, "%s%s", count > CYCLE_SHOWN ? "... -> " : "",
	        pipeline->steps[cycle[0]].name);
	return text_stream_take(&stream);
}

static void check_cycle(struct linker *linker)
{
	const struct pipeline *pipeline = linker->loader->pipeline;
	scoped(text) char *text = NULL;
	size_t count, *cycle = graph_cycle(linker->graph, &count);

	if (!cycle)
		return;
	text = cycle_text(pipeline, cycle, count);
	LOADER_FAULT(linker->loader,
	             document_key_position(linker->loader->document, linker->steps,
	                                   pipeline->steps[cycle[0]].name),
	             count == 1 ? "step needs itself: %s" : "steps need each other: %s", text);
	free(cycle);
}

/* Names of Kubernetes objects have '-' where those of steps have '_'. */
static void check_object_names(struct linker *linker)
{
	const struct pipeline *pipeline = linker->loader->pipeline;
	struct named_step *names = NULL;
	size_t i;

	for (i = 0; i < pipeline->step_count; i++) {
		char *name = xstrdup(pipeline->steps[i].name), *at;
		const struct named_step *twin;

		for (at = name; (at = strchr(at, '_'));)
			*at = '-';
		twin = find_name(names, name);
		if (twin)
			LOADER_FAULT(linker->loader,
			             document_key_position(linker->loader->document, linker->steps,
			                                   pipeline->steps[i].name),
			             "the names '%s' and '%s' differ by '-' and '_' only, which "
			             "names of pods cannot tell",
			             pipeline->steps[twin->index].name, pipeline->steps[i].name);
		if (twin)
			free(name);
		else
			add_name(&names, name, i);
	}
	free_names(names);
}

void pipeline_link(struct loader *loader)
{
	struct pipeline *pipeline = loader->pipeline;
	scoped(graph) struct graph *graph = graph_new(pipeline->step_count);
	struct linker linker = { .loader = loader,
		                 .steps = json_object_get(loader->resolved, "steps"),
		                 .graph = graph };
	size_t i;

	for (i = 0; i < pipeline->step_count; i++)
		add_name(&linker.names, xstrdup(pipeline->steps[i].name), i);
	for (i = 0; i < pipeline->step_count; i++)
		link_step(&linker, i);
	check_cycle(&linker);
	check_object_names(&linker);
	free_names(linker.names);
}
