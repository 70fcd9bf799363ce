/* SPDX-License-Identifier: Apache-2.0 */
/* stepop stack check: what works, and what to do about what does not. */
#include <string.h>

#include "cli/commands.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/stack_check.h"

#define TIMEOUT_MS 15000
/* Wide enough for "step-operator/" and a name of usual length, and for "driver's rights". */
#define COMPONENT_WIDTH 32
#define WHAT_WIDTH 16

static const char *text(const json_t *line, const char *key)
{
	return json_string_value(json_object_get(line, key));
}

/* People read along while the next component is tried. */
static void print_line(void *context, const json_t *line)
{
	const char *component = text(line, "component"), *advice = text(line, "advice");

	(void)context;
	printf("%-8s %-*s %-*s %s\n", text(line, "result"), COMPONENT_WIDTH,
	       component ? component : "stack", WHAT_WIDTH, text(line, "what"), text(line, "text"));
	if (advice)
		printf("%-8s %s\n", "", advice);
	fflush(stdout);
}

static bool read_timeout(const struct arguments *arguments, int64_t *timeout_ms, struct error **err)
{
	const char *given = argument_option(arguments, "timeout");

	*timeout_ms = TIMEOUT_MS;
	if (!given || (clock_parse_duration(given, timeout_ms) && *timeout_ms > 0))
		return true;
	return error_set(err, ERROR_USAGE, "--timeout=%s: a duration like 30s is expected", given);
}

static bool print_document(enum output_format format, const struct probe_report *report,
                           struct error **err)
{
	static const struct output_column columns[] = { { "component", "COMPONENT", false },
		                                        { 0 } };
	json_auto_t *lines = json_deep_copy((json_t *)probe_report_lines(report));
	json_t *line;
	size_t i;

	json_array_foreach (lines, i, line)
		json_object_del(line, "kind");
	return output_rows(stdout, format, columns, lines, err);
}

static bool run_check(const struct arguments *arguments, struct error **err)
{
	enum output_format format = argument_output(arguments);
	bool is_document = format == OUTPUT_JSON || format == OUTPUT_YAML;
	scoped(project) struct project *project = project_open(NULL, err);
	scoped(probe_report) struct probe_report *report = NULL;
	struct stack_check_options options = {
		.stack = argument_at(arguments, 0),
		.kubeconfig = argument_option(arguments, "kubeconfig"),
		.kube_context = argument_option(arguments, "context"),
		.namespace = argument_option(arguments, "namespace"),
	};

	if (!project || !read_timeout(arguments, &options.timeout_ms, err))
		return false;
	report = probe_report_new(is_document ? NULL : print_line, NULL);
	if (!stack_check(project, &options, report, err))
		return false;
	if (is_document && !print_document(format, report, err))
		return false;
	return probe_report_check(report, err);
}

const struct command cmd_stack_check = {
	.words = "stack check",
	.arguments = "[NAME]",
	.summary = "try every component of a stack, and say what to do about what fails",
	.details =
		"Nothing is left behind. Everything is tried, whatever fails; each component has "
		"its "
		"own time.\nThe exit status is 0 when nothing failed (warnings do not count), else "
		"that of the worst fault:\n4 authentication or permission, 5 not found, 9 invalid, "
		"7 "
		"timeout, 1 anything else.",
	.options =
		(const struct command_option[]){
			{ "timeout", 0, VALUE_ONE, "DURATION",
	                  "how long each component may take; default: 15s", NULL },
			{ 0 },
		},
	.examples = "  stepop stack check\n  stepop stack check spark_stack -o json",
	.max_arguments = 1,
	.run = run_check,
};
