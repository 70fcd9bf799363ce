/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of what works and what does not, and the verdict upon them. */
#include "stacks/probe.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define TEXT_LIMIT 2000 /* a server's message may be a page of HTML */

struct probe_report {
	probe_listener *listener;
	void *context;
	char *component; /* NULL: the stack as a whole */
	json_t *lines;
	size_t faults;
	enum error_kind worst;
};

struct probe_report *probe_report_new(probe_listener *listener, void *context)
{
	struct probe_report *report = xcalloc(1, sizeof(*report));

	report->listener = listener;
	report->context = context;
	report->lines = json_array();
	return report;
}

void probe_report_free(struct probe_report *report)
{
	if (!report)
		return;
	json_decref(report->lines);
	free(report->component);
	free(report);
}

void probe_begin(struct probe_report *report, enum component_type type, const char *name)
{
	free(report->component);
	report->component = text_printf("%s/%s", component_type_name(type), name);
}

/* Texts may quote what came from outside, in which anything can be. */
static void add(struct probe_report *report, const char *what, const char *result, char *text,
                const char *advice)
{
	json_t *line;

	text_make_printable(text, TEXT_LIMIT);
	line = json_pack("{s:s?, s:s, s:s, s:s?, s:s?}", "component", report->component, "what",
	                 what, "result", result, "text",
	                 text_is_utf8(text, strlen(text)) ? text : "(no text)", "advice", advice);
	json_array_append_new(report->lines, line);
}

static void tell(const struct probe_report *report)
{
	size_t count = json_array_size(report->lines);

	if (report->listener)
		report->listener(report->context, json_array_get(report->lines, count - 1));
}

void probe_ok(struct probe_report *report, const char *what, const char *format, ...)
{
	scoped(text) char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_vprintf(format, args);
	va_end(args);
	add(report, what, "ok", text, NULL);
	tell(report);
}

void probe_warning(struct probe_report *report, const char *what, const char *advice,
                   const char *format, ...)
{
	scoped(text) char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_vprintf(format, args);
	va_end(args);
	add(report, what, "warning", text, advice);
	tell(report);
}

/* What a person must decide upon comes before what a retry may heal. */
static int severity(enum error_kind kind)
{
	switch (kind) {
	case ERROR_AUTH:
		return 3;
	case ERROR_NOT_FOUND:
		return 2;
	case ERROR_INVALID:
		return 1;
	default:
		return 0;
	}
}

void probe_fault(struct probe_report *report, const char *what, const char *advice,
                 const struct error *error)
{
	scoped(text) char *text = error_text(error);
	json_t *line;

	add(report, what, "fault", text, advice);
	line = json_array_get(report->lines, json_array_size(report->lines) - 1);
	json_object_set_new(line, "kind", json_integer(error->kind));
	if (!report->faults++ || severity(error->kind) > severity(report->worst))
		report->worst = error->kind;
	tell(report);
}

const json_t *probe_report_lines(const struct probe_report *report)
{
	return report->lines;
}

bool probe_report_check(const struct probe_report *report, struct error **err)
{
	if (!report->faults)
		return true;
	return error_set(err, report->worst, "%zu of %zu checks found a fault", report->faults,
	                 json_array_size(report->lines));
}
