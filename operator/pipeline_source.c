/* SPDX-License-Identifier: Apache-2.0 */
/* Python's tokens, as far as telling statements at the left margin takes them. */
#include "operator/pipeline_source.h"

#include <ctype.h>
#include <string.h>
#include <uthash.h>

#include "core/file.h"
#include "core/text.h"

#define SOURCE_LIMIT ((size_t)4 << 20)

struct entry {
	struct source_definition definition;
	UT_hash_handle hh;
};

struct pipeline_source {
	struct entry *entries; /* by name, in the order of the file */
	bool has_star_import;
};

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE, /* of a logical line: none within brackets, nor after a backslash */
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_OTHER, /* one character */
};

struct token {
	enum token_kind kind;
	const char *start;
	size_t size;
	int line;
	bool at_margin; /* begins a line, without indentation */
};

struct scanner {
	const char *at, *end, *line_start;
	int line, brackets;
	struct token token;
};

static bool is_word_character(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static void pass_newline(struct scanner *scanner)
{
	scanner->at++;
	scanner->line++;
	scanner->line_start = scanner->at;
}

/* Blanks, comments, continued lines, and line ends within brackets. */
static void skip_blanks(struct scanner *scanner)
{
	while (scanner->at < scanner->end) {
		char c = *scanner->at;

		if (c == '#') {
			while (scanner->at < scanner->end && *scanner->at != '\n')
				scanner->at++;
		} else if (c == '\\' && scanner->end - scanner->at > 1 && scanner->at[1] == '\n') {
			scanner->at++;
			pass_newline(scanner);
		} else if (c == '\n' && scanner->brackets) {
			pass_newline(scanner);
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
			scanner->at++;
		} else {
			break;
		}
	}
}

/* At a quote. One of three runs over lines; another ends with its line at the latest. */
static void skip_string(struct scanner *scanner)
{
	char quote = *scanner->at;
	bool is_triple = scanner->end - scanner->at > 2 && scanner->at[1] == quote &&
	                 scanner->at[2] == quote;

	scanner->at += is_triple ? 3 : 1;
	while (scanner->at < scanner->end) {
		if (*scanner->at == quote &&
		    (!is_triple || (scanner->end - scanner->at > 2 && scanner->at[1] == quote &&
		                    scanner->at[2] == quote))) {
			scanner->at += is_triple ? 3 : 1;
			return;
		}
		if (*scanner->at == '\\' && scanner->end - scanner->at > 1)
			scanner->at++;
		else if (*scanner->at == '\n' && !is_triple)
			return;
		if (*scanner->at == '\n')
			pass_newline(scanner);
		else
			scanner->at++;
	}
}

static void next_word(struct scanner *scanner)
{
	size_t size;

	while (scanner->at < scanner->end && is_word_character(*scanner->at))
		scanner->at++;
	size = (size_t)(scanner->at - scanner->token.start);
	scanner->token.kind = TOKEN_WORD;
	/* A prefix such as rb"…". */
	if (size <= 2 && scanner->at < scanner->end && strchr("'\"", *scanner->at)) {
		skip_string(scanner);
		scanner->token.kind = TOKEN_STRING;
	}
}

static void next_other(struct scanner *scanner)
{
	char c = *scanner->at++;

	scanner->token.kind = TOKEN_OTHER;
	if (strchr("([{", c))
		scanner->brackets++;
	else if (strchr(")]}", c) && scanner->brackets)
		scanner->brackets--;
}

static const struct token *next_token(struct scanner *scanner)
{
	struct token *token = &scanner->token;

	skip_blanks(scanner);
	*token = (struct token){ .kind = TOKEN_END,
		                 .start = scanner->at,
		                 .line = scanner->line,
		                 .at_margin = scanner->at == scanner->line_start };
	if (scanner->at == scanner->end)
		return token;
	if (!*scanner->at) {
		scanner->end = scanner->at; /* no Python goes on after a NUL */
	} else if (*scanner->at == '\n') {
		token->kind = TOKEN_NEWLINE;
		pass_newline(scanner);
	} else if (is_word_character(*scanner->at)) {
		next_word(scanner);
	} else if (strchr("'\"", *scanner->at)) {
		token->kind = TOKEN_STRING;
		skip_string(scanner);
	} else {
		next_other(scanner);
	}
	token->size = (size_t)(scanner->at - token->start);
	return token;
}

static bool ends_statement(const struct token *token)
{
	return token->kind == TOKEN_NEWLINE || token->kind == TOKEN_END;
}

static void skip_statement(struct scanner *scanner)
{
	while (!ends_statement(&scanner->token))
		next_token(scanner);
}

static bool is_token(const struct token *token, const char *text)
{
	return (token->kind == TOKEN_WORD || token->kind == TOKEN_OTHER) &&
	       token->size == strlen(text) && !memcmp(token->start, text, token->size);
}

static char *token_text(const struct token *token)
{
	return xstrndup(token->start, token->size);
}

static void forget_definition(struct source_definition *definition)
{
	size_t i;

	for (i = 0; i < definition->parameter_count; i++)
		free(definition->parameters[i].name);
	free(definition->parameters);
	free(definition->name);
}

/* Takes `name`. What the name meant before is forgotten. */
static struct source_definition *define(struct pipeline_source *source, char *name,
                                        enum source_kind kind, int line)
{
	struct entry *entry;

	HASH_FIND_STR(source->entries, name, entry);
	if (entry) {
		HASH_DEL(source->entries, entry);
		forget_definition(&entry->definition);
		free(entry);
	}
	entry = xcalloc(1, sizeof(*entry));
	entry->definition = (struct source_definition){ .name = name, .kind = kind, .line = line };
	HASH_ADD_KEYPTR(hh, source->entries, entry->definition.name, strlen(name), entry);
	return &entry->definition;
}

static void add_parameter(struct source_definition *definition, char *name)
{
	size_t count = definition->parameter_count++;

	/* Grows at powers of two. */
	if (!(count & (count - 1)))
		definition->parameters = xrealloc(definition->parameters, count ? 2 * count : 1,
		                                  sizeof(*definition->parameters));
	definition->parameters[count] =
		(struct source_parameter){ .name = name, .is_required = true };
}

/* Passes an annotation and a default, up to the comma or the closing bracket. A lambda's commas
 * would need a parser: false. */
static bool skip_rest_of_parameter(struct scanner *scanner, bool *has_default)
{
	const struct token *token = &scanner->token;

	*has_default = false;
	while (token->kind != TOKEN_END && scanner->brackets > 0 &&
	       !(scanner->brackets == 1 && is_token(token, ","))) {
		if (is_token(token, "lambda"))
			return false;
		if (scanner->brackets == 1 && is_token(token, "="))
			*has_default = true;
		next_token(scanner);
	}
	return token->kind != TOKEN_END;
}

static void mark_positional_only(struct source_definition *definition)
{
	size_t i;

	for (i = 0; i < definition->parameter_count; i++)
		definition->parameters[i].is_positional_only = true;
}

/* One parameter, the scanner at its first token. False when it is not understood. */
static bool read_parameter(struct scanner *scanner, struct source_definition *definition)
{
	const struct token *token = &scanner->token;
	int stars = 0;
	bool has_default;

	for (; is_token(token, "*"); next_token(scanner))
		stars++;
	if (is_token(token, "/")) {
		mark_positional_only(definition);
		next_token(scanner);
	} else if (token->kind == TOKEN_WORD && !stars) {
		add_parameter(definition, token_text(token));
		next_token(scanner);
	} else if (token->kind == TOKEN_WORD) {
		definition->takes_any_name |= stars == 2;
		next_token(scanner);
	} else if (stars != 1) {
		return false;
	}
	if (!skip_rest_of_parameter(scanner, &has_default))
		return false;
	if (has_default && !stars && definition->parameter_count)
		definition->parameters[definition->parameter_count - 1].is_required = false;
	return true;
}

/* After the name of a function. False when the parameters are not understood. */
static bool read_parameters(struct scanner *scanner, struct source_definition *definition)
{
	const struct token *token = next_token(scanner);

	if (!is_token(token, "(") || scanner->brackets != 1)
		return false;
	next_token(scanner);
	while (scanner->brackets > 0) {
		if (!read_parameter(scanner, definition))
			return false;
		if (is_token(token, ","))
			next_token(scanner);
	}
	return is_token(token, ")");
}

/* After "def" or "class". */
static void read_definition(struct scanner *scanner, struct pipeline_source *source,
                            enum source_kind kind, bool is_decorated)
{
	const struct token *token = next_token(scanner);
	struct source_definition *definition;
	bool is_understood;

	if (token->kind != TOKEN_WORD)
		return;
	definition = define(source, token_text(token), kind, token->line);
	if (kind == SOURCE_CLASS)
		return;
	is_understood = read_parameters(scanner, definition);
	definition->has_signature = is_understood && !is_decorated;
}

/* "import a.b as c, d", "from x import (a, b as c)": every word that is not passed over by a dot or
 * an "as" becomes a name. */
static void read_import(struct scanner *scanner, struct pipeline_source *source, bool is_from)
{
	const struct token *token = next_token(scanner);
	scoped(text) char *name = NULL;

	while (is_from && !ends_statement(token) && !is_token(token, "import"))
		next_token(scanner);
	for (; !ends_statement(token); next_token(scanner)) {
		if (is_token(token, "*"))
			source->has_star_import = true;
		if (is_token(token, ",") && name)
			define(source, take(name), SOURCE_VALUE, token->line);
		if (token->kind == TOKEN_WORD && !is_token(token, "as")) {
			free(name);
			name = token_text(token);
		}
	}
	if (name)
		define(source, take(name), SOURCE_VALUE, scanner->token.line);
}

/* "NAME = …" and "NAME: type = …", the scanner at NAME. */
static void read_assignment(struct scanner *scanner, struct pipeline_source *source)
{
	int line = scanner->token.line;
	scoped(text) char *name = token_text(&scanner->token);
	const struct token *token = next_token(scanner);

	if (is_token(token, ":")) {
		while (!ends_statement(token) && !is_token(token, "="))
			next_token(scanner);
	}
	if (is_token(token, "=") && !is_token(next_token(scanner), "="))
		define(source, take(name), SOURCE_VALUE, line);
}

/* A statement at the left margin, the scanner at its first token. */
static void read_statement(struct scanner *scanner, struct pipeline_source *source,
                           bool *is_decorated)
{
	const struct token *token = &scanner->token;
	bool was_decorated = *is_decorated, is_async = is_token(token, "async");

	*is_decorated = is_token(token, "@");
	if (is_async)
		next_token(scanner);
	if (is_token(token, "def"))
		read_definition(scanner, source, is_async ? SOURCE_ASYNC_FUNCTION : SOURCE_FUNCTION,
		                was_decorated);
	else if (is_token(token, "class"))
		read_definition(scanner, source, SOURCE_CLASS, was_decorated);
	else if (is_token(token, "import") || is_token(token, "from"))
		read_import(scanner, source, is_token(token, "from"));
	else if (token->kind == TOKEN_WORD)
		read_assignment(scanner, source);
	skip_statement(scanner);
}

struct pipeline_source *pipeline_source_parse(const char *text, size_t size)
{
	struct pipeline_source *source = xcalloc(1, sizeof(*source));
	struct scanner scanner = { .at = text, .end = text + size, .line_start = text, .line = 1 };
	bool is_decorated = false;

	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		scanner.at = scanner.line_start = text + 3;
	while (next_token(&scanner)->kind != TOKEN_END) {
		if (scanner.token.kind == TOKEN_NEWLINE)
			continue;
		if (scanner.token.at_margin)
			read_statement(&scanner, source, &is_decorated);
		else
			skip_statement(&scanner);
		if (scanner.token.kind == TOKEN_END)
			break;
	}
	return source;
}

struct pipeline_source *pipeline_source_read(const char *path, struct error **err)
{
	size_t size;
	scoped(text) char *text = file_read(path, SOURCE_LIMIT, &size, err);

	return text ? pipeline_source_parse(text, size) : NULL;
}

void pipeline_source_free(struct pipeline_source *source)
{
	struct entry *entry, *next;

	if (!source)
		return;
	HASH_ITER (hh, source->entries, entry, next) {
		HASH_DEL(source->entries, entry);
		forget_definition(&entry->definition);
		free(entry);
	}
	free(source);
}

const struct source_definition *pipeline_source_find(const struct pipeline_source *source,
                                                     const char *name)
{
	struct entry *entry;

	HASH_FIND_STR(source->entries, name, entry);
	return entry ? &entry->definition : NULL;
}

bool pipeline_source_has_star_import(const struct pipeline_source *source)
{
	return source->has_star_import;
}

const char **pipeline_source_function_names(const struct pipeline_source *source)
{
	const char **names = xcalloc(HASH_COUNT(source->entries) + 1, sizeof(*names));
	struct entry *entry;
	size_t n = 0;

	for (entry = source->entries; entry; entry = entry->hh.next)
		if (entry->definition.kind == SOURCE_FUNCTION)
			names[n++] = entry->definition.name;
	return names;
}

const struct source_parameter *
source_definition_parameter(const struct source_definition *definition, const char *name)
{
	size_t i;

	for (i = 0; i < definition->parameter_count; i++)
		if (text_equal(definition->parameters[i].name, name))
			return &definition->parameters[i];
	return NULL;
}
