/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary project with a pipeline. */
#include "tests/fakes/run_project.h"

#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/text.h"
#include "operator/catalog.h"

static const char header[] = "apiVersion: stepop/v1\nkind: Pipeline\nname: p\nsteps:\n";

static const char prelude[] =
	"#!/bin/sh\n"
	"folder=${2%/step.json}; attempt=${folder##*/}\n"
	"folder=${folder%/*}; step=${folder##*/}\n"
	"folder=${folder%/*}; run=${folder##*/}\n"
	"out=${folder%/runs/*}/artifacts/p/$run/$step/$attempt\n"
	"succeed() {\n"
	"  mkdir -p \"$out\"\n"
	"  printf '{\"version\": 1, \"run\": \"%s\", \"step\": \"%s\", \"attempt\": %s, "
	"\"state\": \"succeeded\", \"outputs\": %s}' "
	"\"$run\" \"$step\" \"${2:-$attempt}\" \"${1:-{\\}}\" > \"$out/result.json\"\n"
	"}\n";

static void write_beside(const struct temporary_project *temporary, const char *name,
                         const char *text, unsigned mode)
{
	scoped(text) char *path = file_join(temporary->folder, name);

	if (!file_write_atomic(path, text, strlen(text), mode, NULL))
		abort();
}

void run_project_write(const struct temporary_project *temporary, const char *code,
                       const char *steps)
{
	struct text_stream stream;
	scoped(text) char *text = NULL;

	text_stream_open(&stream);
	fputs(header, stream.file);
	for (; *steps; steps += strcspn(steps, "\n"), steps += *steps == '\n')
		fprintf(stream.file, "  %.*s\n", (int)strcspn(steps, "\n"), steps);
	text = text_stream_take(&stream);
	write_beside(temporary, "pipeline.yaml", text, 0644);
	write_beside(temporary, "steps.py", code, 0644);
}

static void update(const struct temporary_project *temporary, enum component_type type,
                   json_t *options)
{
	if (!component_update(temporary->project, catalog_built_in(), type, "default", options,
	                      NULL))
		abort();
	json_decref(options);
}

void run_project_use_shell(const struct temporary_project *temporary, const char *script)
{
	scoped(text) char *path = file_join(temporary->folder, "python");
	scoped(text) char *text = text_printf("%s%s\n", prelude, script);

	write_beside(temporary, "python", text, 0755);
	update(temporary, COMPONENT_STEP_OPERATOR, json_pack("{s:s}", "python", path));
}

void run_project_limit_steps(const struct temporary_project *temporary, int limit)
{
	update(temporary, COMPONENT_ORCHESTRATOR, json_pack("{s:i}", "max_parallel_steps", limit));
}

struct run *run_project_open(const struct temporary_project *temporary, const char *name)
{
	scoped(text) char *path = file_join(temporary->folder, "pipeline.yaml");
	const struct run_options options = { .pipeline_path = path, .name = name };
	scoped(error) struct error *err = NULL;
	struct run *run = run_open(temporary->project, &options, &err);

	if (!run) {
		error_render(err, stderr);
		fputc('\n', stderr);
		abort();
	}
	return run;
}

static void look_away(void *context, const struct run *run, size_t step)
{
	(void)context;
	(void)run;
	(void)step;
}

const struct run_observer run_project_observer = { .step_changed = look_away };
