/* SPDX-License-Identifier: Apache-2.0 */
/* What a run knows as rows of the metadata store. */
#include <string.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/code_bundle.h"
#include "operator/run_parts.h"

/* Rows are borrowed by the store, which reads them only. */
static char *lend(const char *text)
{
	return (char *)text;
}

struct run_row run_row(const struct run *run)
{
	return (struct run_row){
		.id = run->id,
		.name = run->name,
		.pipeline = run->pipeline->name,
		.stack = run->stack->name,
		.state = lend(run_state_name(run->state)),
		.reason = run->reason,
		.created_at = run->created_at,
		.started_at = run->created_at,
		.ended_at = run->ended_at,
	};
}

struct step_row run_step_row(const struct run_step *step)
{
	return (struct step_row){
		.run_id = step->run->id,
		.name = step->step->name,
		.position = (int64_t)step->index,
		.state = lend(step_state_name(scheduler_state(step->run->scheduler, step->index))),
		.reason = step->detail,
		.attempts = step->attempt,
		.started_at = step->started_at ? step->started_at : step->created_at,
		.ended_at = step->ended_at,
	};
}

struct attempt_row run_attempt_row(const struct run_step *step)
{
	return (struct attempt_row){
		.run_id = step->run->id,
		.step = step->step->name,
		.attempt = step->attempt,
		.state = lend(step_state_name(scheduler_state(step->run->scheduler, step->index))),
		.operator= step->component->name,
		.flavor = step->component->flavor,
		.job = step->job_name,
		.reason = step->detail,
		.message = step->message,
		.advice = step->advice,
		.has_exit_code = step->has_exit_code,
		.exit_code = step->exit_code,
		.log = step->log_path,
		.created_at = step->created_at,
		.started_at = step->started_at,
		.ended_at = step->ended_at,
	};
}

/* The plan: every step as it was resolved, and the digest of the code that it runs. */
static char *plan_text(const struct run *run)
{
	json_auto_t *steps = json_array();
	json_auto_t *code = code_bundle_collect(run->pipeline->folder, NULL);
	scoped(text) char *digest = code ? code_bundle_digest(code) : NULL;
	json_auto_t *plan = NULL;
	size_t i;

	for (i = 0; i < run->pipeline->step_count; i++) {
		const struct run_step *step = &run->steps[i];

		json_array_append_new(
			steps,
			json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:O, s:O}", "name",
		                  step->step->name, "operator", step->component->name, "flavor",
		                  step->component->flavor, "file", step->step->file, "function",
		                  step->step->function, "image",
		                  step_operator_image(step->operator, step->step), "parameters",
		                  step->step->parameters, "settings", step->step->settings));
	}
	plan = json_pack("{s:s, s:s?, s:O}", "file", run->pipeline->path, "code_digest", digest,
	                 "steps", steps);
	return json_dumps(plan, JSON_COMPACT);
}

static size_t collect_inputs(const struct run *run, struct input_row **rows)
{
	size_t count = 0, i, j;

	*rows = NULL;
	for (i = 0; i < run->pipeline->step_count; i++) {
		const struct step *step = &run->pipeline->steps[i];

		*rows = xrealloc(*rows, count + step->input_count, sizeof(**rows));
		for (j = 0; j < step->input_count; j++)
			(*rows)[count++] = (struct input_row){
				.run_id = run->id,
				.step = step->name,
				.input = step->inputs[j].name,
				.source_run_id = run->id,
				.source_step = step->inputs[j].source_step,
				.source_output = step->inputs[j].source_output,
			};
	}
	return count;
}

bool run_record_created(struct run *run, struct error **err)
{
	struct run_row row = run_row(run);
	size_t count = run->pipeline->step_count, i;
	struct step_row *steps = xcalloc(count, sizeof(*steps));
	struct input_row *inputs;
	size_t input_count = collect_inputs(run, &inputs);
	scoped(text) char *parameters = json_dumps(run->pipeline->parameters, JSON_COMPACT);
	scoped(text) char *plan = plan_text(run);
	bool ok;

	row.parameters = parameters;
	row.plan = plan;
	for (i = 0; i < count; i++)
		steps[i] = run_step_row(&run->steps[i]);
	ok = metadata_create_run(run->metadata, &row, steps, count, inputs, input_count,
	                         &run->lease, err);
	free(steps);
	free(inputs);
	return ok;
}

void run_append_artifact_rows(const struct run_step *step, struct artifact_row **rows,
                              size_t *count)
{
	json_t *artifact;
	size_t i;

	*rows = xrealloc(*rows, *count + json_array_size(step->artifacts), sizeof(**rows));
	json_array_foreach (step->artifacts, i, artifact)
		(*rows)[(*count)++] = (struct artifact_row){
			.run_id = step->run->id,
			.step = step->step->name,
			.attempt = step->attempt,
			.name = lend(json_string_value(json_object_get(artifact, "name"))),
			.type = lend(json_string_value(json_object_get(artifact, "type"))),
			.uri = lend(json_string_value(json_object_get(artifact, "uri"))),
			.digest = lend(json_string_value(json_object_get(artifact, "digest"))),
			.metadata = json_dumps(json_object_get(artifact, "metadata"), JSON_COMPACT),
			.created_at = step->ended_at,
		};
}

void run_free_artifact_rows(struct artifact_row *rows, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(rows[i].metadata);
	free(rows);
}
