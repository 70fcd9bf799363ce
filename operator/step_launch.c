/* SPDX-License-Identifier: Apache-2.0 */
/* What all flavors share of a launch. */
#include "operator/step_launch.h"

#include <string.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

bool step_file_is_uri(const struct step_file *file)
{
	return strstr(file->path, "://") != NULL;
}

/* Content-addressed: the same data is uploaded once, whichever step, run or name asks for it. */
char *step_file_uri(const struct launch_identity *identity, const struct step_file *file,
                    const char *digest)
{
	const char *slash = strrchr(file->path, '/');

	if (step_file_is_uri(file))
		return xstrdup(file->path);
	if (!digest)
		return text_printf("file://%s", file->path);
	return text_printf("%s%s/files/%s/%s", identity->artifacts->root, identity->pipeline->name,
	                   digest, slash ? slash + 1 : file->path);
}

json_t *step_files_uris(const struct launch_identity *identity, const struct step *step,
                        struct error **err)
{
	json_auto_t *uris = json_object();
	size_t i;

	for (i = 0; i < step->file_count; i++) {
		const struct step_file *file = &step->files[i];
		bool is_moved = identity->artifacts->flavor->remote && !step_file_is_uri(file);
		scoped(text) char *digest = is_moved ? digest_file(file->path, err) : NULL;
		scoped(text) char *uri = NULL;

		if (is_moved && !digest)
			return error_wrap(err, "stage the file '%s' of step '%s'", file->path,
			                  step->name);
		uri = step_file_uri(identity, file, digest);
		json_object_set_new(uris, file->name, json_string(uri));
	}
	return take(uris);
}

static json_t *build_inputs(const struct step *step, const struct pipeline *pipeline,
                            const json_t *uris)
{
	json_t *inputs = json_object();
	size_t i, j;

	for (i = 0; i < step->input_count; i++) {
		const struct step_input *input = &step->inputs[i];
		const struct step *source = &pipeline->steps[input->source];
		const char *type = "";

		for (j = 0; j < source->output_count; j++)
			if (!strcmp(source->outputs[j].name, input->source_output))
				type = source->outputs[j].type;
		json_object_set_new(inputs, input->name,
		                    json_pack("{s:s, s:O}", "type", type, "uri",
		                              json_object_get(uris, input->name)));
	}
	return inputs;
}

static json_t *build_outputs(const struct launch_identity *identity, const struct step *step,
                             int attempt)
{
	json_t *outputs = json_array();
	size_t i;

	for (i = 0; i < step->output_count; i++) {
		scoped(text) char *uri =
			artifact_uri(identity->artifacts, identity->pipeline->name,
		                     identity->run_id, step->name, attempt, step->outputs[i].name);

		json_array_append_new(outputs,
		                      json_pack("{s:s, s:s, s:s}", "name", step->outputs[i].name,
		                                "type", step->outputs[i].type, "uri", uri));
	}
	return outputs;
}

json_t *step_contract_build(const struct launch_identity *identity, const struct step *step,
                            int attempt, const json_t *input_uris, const json_t *file_uris)
{
	scoped(text) char *folder = artifact_uri(identity->artifacts, identity->pipeline->name,
	                                         identity->run_id, step->name, attempt, NULL);
	scoped(text) char *result = text_printf("%sresult.json", folder);
	json_t *source;

	source = step->function
	                 ? json_pack("{s:s, s:s}", "file", step->file, "function", step->function)
	                 : json_null();
	return json_pack("{s:i, s:s, s:{s:s, s:s}, s:s, s:i, s:o, s:O, s:O, s:o, s:o, s:s}",
	                 "version", 1, "pipeline", identity->pipeline->name, "run", "id",
	                 identity->run_id, "name", identity->run_name, "step", step->name,
	                 "attempt", attempt, "source", source, "parameters", step->parameters,
	                 "files", file_uris, "inputs",
	                 build_inputs(step, identity->pipeline, input_uris), "outputs",
	                 build_outputs(identity, step, attempt), "result", result);
}

bool step_needs_spark(const struct step *step, const json_t *contract)
{
	const json_t *inputs = json_object_get(contract, "inputs"), *input;
	const char *name;
	size_t i;

	if (step->wants_spark)
		return true;
	for (i = 0; i < step->output_count; i++)
		if (text_starts_with(step->outputs[i].type, "spark."))
			return true;
	json_object_foreach ((json_t *)inputs, name, input)
		if (text_starts_with(json_string_value(json_object_get(input, "type")), "spark."))
			return true;
	return false;
}

char *step_work_folder(const struct project *project, const char *run_id, const char *step,
                       int attempt)
{
	return text_printf("%s/runs/%s/%s/%d", project_folder(project), run_id, step, attempt);
}
