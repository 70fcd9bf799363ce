/* SPDX-License-Identifier: Apache-2.0 */
/* What a run came to: steps, artifacts, small values, and why steps failed. */
#include <string.h>

#include "cli/progress.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"

static json_t *step_rows(const struct run *run)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < run_pipeline(run)->step_count; i++) {
		struct step_view view;
		scoped(text) char *time = NULL;

		run_step_view(run, i, &view);
		if (view.started_at && view.ended_at)
			time = clock_format_duration(view.ended_at - view.started_at);
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:i}",
		                                      "step", view.name, "state",
		                                      step_state_name(view.state), "time", time,
		                                      "reason", view.detail, "job", view.job, "log",
		                                      view.log_path, "attempt", view.attempt));
	}
	return rows;
}

static json_t *artifact_rows(const struct run *run)
{
	json_t *rows = json_array(), *artifact;
	size_t i, j;

	for (i = 0; i < run_pipeline(run)->step_count; i++) {
		struct step_view view;

		run_step_view(run, i, &view);
		json_array_foreach ((json_t *)view.artifacts, j, artifact) {
			json_t *metadata = json_object_get(artifact, "metadata");
			scoped(text) char *name =
				text_printf("%s.%s", view.name,
			                    json_string_value(json_object_get(artifact, "name")));

			json_array_append_new(
				rows, json_pack("{s:s, s:O, s:O?, s:O, s:O?, s:O}", "artifact",
			                        name, "type", json_object_get(artifact, "type"),
			                        "summary", json_object_get(metadata, "summary"),
			                        "uri", json_object_get(artifact, "uri"), "digest",
			                        json_object_get(artifact, "digest"), "metadata",
			                        metadata));
		}
	}
	return rows;
}

/* "step.output" of every output that another step reads. */
static json_t *consumed_outputs(const struct run *run)
{
	const struct pipeline *pipeline = run_pipeline(run);
	json_t *consumed = json_object();
	size_t i, j;

	for (i = 0; i < pipeline->step_count; i++)
		for (j = 0; j < pipeline->steps[i].input_count; j++) {
			const struct step_input *input = &pipeline->steps[i].inputs[j];
			scoped(text) char *name =
				text_printf("%s.%s", input->source_step, input->source_output);

			json_object_set_new(consumed, name, json_true());
		}
	return consumed;
}

/* A small JSON value that no step reads is what the run was made for: a metric, a count. */
static void print_answers(const struct run *run, const json_t *artifacts, FILE *out)
{
	json_auto_t *consumed = consumed_outputs(run);
	json_t *artifact;
	size_t i;

	fputc('\n', out);
	json_array_foreach ((json_t *)artifacts, i, artifact) {
		const char *name = json_string_value(json_object_get(artifact, "artifact"));
		const char *type = json_string_value(json_object_get(artifact, "type"));
		json_t *value = json_object_get(json_object_get(artifact, "metadata"), "value");
		scoped(text) char *text = NULL;

		if (!value || !text_equal(type, "json") || json_object_get(consumed, name))
			continue;
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
		fprintf(out, "%s: %s\n", name, text);
	}
}

static bool print_tables(const struct run *run, enum output_format format, const json_t *steps,
                         const json_t *artifacts, FILE *out, struct error **err)
{
	static const struct output_column step_columns[] = {
		{ "step", "step", false },      { "state", "state", false },
		{ "time", "time", false },      { "reason", "reason", false },
		{ "attempt", "attempt", true }, { "job", "job", true },
		{ "log", "log", true },         { 0 },
	};
	static const struct output_column artifact_columns[] = {
		{ "artifact", "artifact", false }, { "type", "type", false },
		{ "summary", "summary", false },   { "uri", "uri", false },
		{ "digest", "digest", true },      { 0 },
	};

	if (!output_rows(out, format, step_columns, steps, err))
		return false;
	if (!json_array_size(artifacts))
		return true;
	fputc('\n', out);
	if (!output_rows(out, format, artifact_columns, artifacts, err))
		return false;
	print_answers(run, artifacts, out);
	return true;
}

bool summary_print(const struct run *run, enum output_format format, FILE *out, struct error **err)
{
	json_auto_t *steps = step_rows(run);
	json_auto_t *artifacts = artifact_rows(run);
	json_auto_t *whole = NULL;

	if (format == OUTPUT_NAME) {
		fprintf(out, "run/%s\n", run_name(run));
		return true;
	}
	if (format == OUTPUT_TABLE || format == OUTPUT_WIDE) {
		scoped(text) char *time = clock_format_duration(run_elapsed_ms(run));

		fprintf(out, "\nrun %s %s in %s\n\n", run_name(run), run_state_name(run_state(run)),
		        time);
		return print_tables(run, format, steps, artifacts, out, err);
	}
	whole = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:O}", "run", run_id(run), "name",
	                  run_name(run), "pipeline", run_pipeline(run)->name, "stack",
	                  run_stack_name(run), "state", run_state_name(run_state(run)), "steps",
	                  steps, "artifacts", artifacts);
	return output_object(out, format, whole, err);
}

void summary_print_failures(const struct run *run, FILE *out)
{
	size_t i;

	for (i = 0; i < run_pipeline(run)->step_count; i++) {
		struct step_view view;

		run_step_view(run, i, &view);
		if (view.state != STEP_FAILED)
			continue;
		fprintf(out, "\nstep '%s' failed: %s\n", view.name,
		        view.detail ? view.detail : "unknown reason");
		if (view.message)
			fprintf(out, "%s%s", view.message,
			        text_ends_with(view.message, "\n") ? "" : "\n");
		if (view.advice)
			fprintf(out, "What to do: %s\n", view.advice);
		if (view.job)
			fprintf(out, "Its log: stepop logs %s %s\n", run_name(run), view.name);
	}
}
