/* SPDX-License-Identifier: Apache-2.0 */
/* Error chains. */
#include "core/error.h"

#include <assert.h>
#include <stdarg.h>

#include "core/text.h"

static struct error *error_new(enum error_kind kind, char *message)
{
	struct error *error = xcalloc(1, sizeof(*error));

	error->kind = kind;
	error->message = message;
	return error;
}

void *error_set(struct error **err, enum error_kind kind, const char *format, ...)
{
	va_list args;

	if (!err)
		return NULL;
	assert(!*err);
	va_start(args, format);
	*err = error_new(kind, text_vprintf(format, args));
	va_end(args);
	return NULL;
}

void *error_wrap(struct error **err, const char *format, ...)
{
	struct error *outer;
	va_list args;

	if (!err)
		return NULL;
	assert(*err);
	va_start(args, format);
	outer = error_new((*err)->kind, text_vprintf(format, args));
	va_end(args);
	outer->cause = *err;
	*err = outer;
	return NULL;
}

void *error_pass(struct error **err, struct error *error)
{
	if (!err) {
		error_free(error);
		return NULL;
	}
	assert(!*err);
	*err = error;
	return NULL;
}

struct error *error_copy(const struct error *error)
{
	struct error *copy;

	if (!error)
		return NULL;
	copy = error_new(error->kind, xstrdup(error->message));
	copy->cause = error_copy(error->cause);
	return copy;
}

void error_free(struct error *error)
{
	while (error) {
		struct error *cause = error->cause;

		free(error->message);
		free(error);
		error = cause;
	}
}

void error_render(const struct error *error, FILE *out)
{
	for (; error; error = error->cause)
		fprintf(out, "%s%s", error->message, error->cause ? ": " : "");
}

char *error_text(const struct error *error)
{
	struct text_stream stream;

	error_render(error, text_stream_open(&stream));
	return text_stream_take(&stream);
}

bool error_is_retryable(const struct error *error)
{
	return error && (error->kind == ERROR_UNAVAILABLE || error->kind == ERROR_TIMEOUT);
}
