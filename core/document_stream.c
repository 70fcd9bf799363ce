/* SPDX-License-Identifier: Apache-2.0 */
/* Several documents in one file. */
#include "core/document_private.h"
#include "core/file.h"
#include "core/text.h"

void document_stream_free(struct document_stream *stream)
{
	size_t i;

	if (!stream)
		return;
	for (i = 0; i < stream->count; i++)
		document_free(stream->documents[i]);
	free(stream->documents);
	free(stream);
}

/* The capacity is the power of two from `count` on. */
static void add(struct document_stream *stream, struct document *document)
{
	if (!(stream->count & (stream->count - 1)))
		stream->documents =
			xrealloc(stream->documents, stream->count ? 2 * stream->count : 1,
		                 sizeof(*stream->documents));
	stream->documents[stream->count++] = document;
}

void document_stream_take(struct document_stream *stream, struct document *document)
{
	if (document->root && !json_is_null(document->root))
		add(stream, document);
	else
		document_free(document);
}

struct document_stream *document_stream_parse(const char *name, const char *text, size_t size,
                                              struct error **err)
{
	scoped(document_stream) struct document_stream *stream = xcalloc(1, sizeof(*stream));
	scoped(faults) struct faults *faults = faults_new();

	document_stream_read_events(stream, name, text, size, faults);
	if (!faults_check(faults, err))
		return NULL;
	if (!stream->count)
		return error_set(err, ERROR_INVALID, "%s: there is no document in it", name);
	return take(stream);
}

struct document_stream *document_stream_read(const char *path, struct error **err)
{
	bool is_input = text_equal(path, "-");
	size_t size;
	scoped(text) char *text =
		file_read(is_input ? "/dev/stdin" : path, DOCUMENT_STREAM_LIMIT, &size, err);

	return text ? document_stream_parse(is_input ? "stdin" : path, text, size, err) : NULL;
}
