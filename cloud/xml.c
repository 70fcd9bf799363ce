/* SPDX-License-Identifier: Apache-2.0 */
/* Small, flat XML documents, read with expat; texts and depth are bounded. */
#include "cloud/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

enum { DEPTH_MAX = 8, TEXT_MAX = 16 * 1024 };

struct reader {
	XML_Parser parser;
	char *path; /* "ListBucketResult/Contents/Key" */
	int depth;
	char *text;
	size_t text_size;
	/* Called at the end of each element. */
	void (*element)(void *context, const char *path, const char *text);
	void *context;
};

static void XMLCALL element_starts(void *context, const char *name, const char **attributes)
{
	struct reader *reader = context;
	char *path = text_printf("%s%s%s", reader->path, reader->depth ? "/" : "", name);

	(void)attributes;
	free(reader->path);
	reader->path = path;
	reader->text_size = 0;
	reader->text[0] = '\0';
	if (++reader->depth > DEPTH_MAX)
		XML_StopParser(reader->parser, XML_FALSE);
}

static void XMLCALL element_ends(void *context, const char *name)
{
	struct reader *reader = context;
	char *slash = strrchr(reader->path, '/');

	(void)name;
	reader->element(reader->context, reader->path, reader->text);
	*(slash ? slash : reader->path) = '\0';
	reader->depth--;
	reader->text_size = 0;
	reader->text[0] = '\0';
}

static void XMLCALL text_arrives(void *context, const char *text, int size)
{
	struct reader *reader = context;

	if (reader->text_size + (size_t)size > TEXT_MAX) {
		XML_StopParser(reader->parser, XML_FALSE);
		return;
	}
	memcpy(reader->text + reader->text_size, text, (size_t)size);
	reader->text_size += (size_t)size;
	reader->text[reader->text_size] = '\0';
}

/* Answers have no document types; with none there are no entities that could grow. */
static void XMLCALL doctype_starts(void *context, const char *name, const char *system_id,
                                   const char *public_id, int has_subset)
{
	struct reader *reader = context;

	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_subset;
	XML_StopParser(reader->parser, XML_FALSE);
}

bool xml_read(const char *body, size_t size,
              void (*element)(void *context, const char *path, const char *text), void *context)
{
	struct reader reader = { .element = element, .context = context };
	bool is_good;

	if (size > INT32_MAX)
		return false;
	reader.parser = XML_ParserCreate("UTF-8");
	reader.path = xstrdup("");
	reader.text = xcalloc(TEXT_MAX + 1, 1);
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, element_starts, element_ends);
	XML_SetCharacterDataHandler(reader.parser, text_arrives);
	XML_SetStartDoctypeDeclHandler(reader.parser, doctype_starts);
	is_good = XML_Parse(reader.parser, body, (int)size, 1) == XML_STATUS_OK;
	XML_ParserFree(reader.parser);
	free(reader.path);
	text_wipe(reader.text, TEXT_MAX + 1);
	free(reader.text);
	return is_good;
}
