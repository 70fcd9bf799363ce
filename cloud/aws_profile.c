/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The INI of AWS's files, line by line. Of botocore's reader (Python's configparser) come: '=' or
 * ':' after a key, indented lines that go on with a value, comments on lines of their own only.
 */
#include "cloud/aws_profile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/file.h"
#include "core/text.h"

#define FILE_LIMIT_BYTES ((size_t)1 << 20)

enum section_kind { SECTION_OTHER, SECTION_PROFILE, SECTION_SERVICES };

struct section {
	enum section_kind kind;
	char *name;
};

struct setting {
	size_t section;
	char *key, *block; /* "endpoint_url" of block "s3"; block NULL: of the section itself */
	char *value;
	size_t file;
};

struct aws_profiles {
	struct section *sections;
	struct setting *settings;
	char **files;
	size_t section_count, setting_count, file_count;
};

struct aws_profiles *aws_profiles_new(void)
{
	return xcalloc(1, sizeof(struct aws_profiles));
}

void aws_profiles_free(struct aws_profiles *profiles)
{
	if (!profiles)
		return;
	for (size_t i = 0; i < profiles->section_count; i++)
		free(profiles->sections[i].name);
	for (size_t i = 0; i < profiles->setting_count; i++) {
		free(profiles->settings[i].key);
		free(profiles->settings[i].block);
		secret_free(profiles->settings[i].value);
	}
	for (size_t i = 0; i < profiles->file_count; i++)
		free(profiles->files[i]);
	free(profiles->sections);
	free(profiles->settings);
	free(profiles->files);
	free(profiles);
}

/* ---- reading ---- */

struct reader {
	struct aws_profiles *profiles;
	enum aws_profile_file kind;
	const char *name;
	size_t line;
	bool in_section;
	bool in_setting; /* the last setting may go on */
	char *block;     /* key whose value is the indented lines that follow; or NULL */
};

static bool fault(const struct reader *reader, const char *what, struct error **err)
{
	return error_set(err, ERROR_INVALID, "%s:%zu: %s", reader->name, reader->line, what);
}

/* Without blanks around it; owned by the caller. */
static char *trimmed(const char *text, size_t size)
{
	while (size && isspace((unsigned char)*text)) {
		text++;
		size--;
	}
	while (size && isspace((unsigned char)text[size - 1]))
		size--;
	return xstrndup(text, size);
}

static char *lowered(const char *text, size_t size)
{
	char *key = trimmed(text, size);

	for (char *at = key; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return key;
}

/* The word after `prefix`, without its quotes; NULL when `title` begins otherwise. */
static char *named(const char *title, const char *prefix)
{
	size_t size = strlen(prefix), name_size;
	char *name;

	if (!text_starts_with(title, prefix) || !isspace((unsigned char)title[size]))
		return NULL;
	name = trimmed(title + size, strlen(title + size));
	name_size = strlen(name);
	if (name_size >= 2 && strchr("\"'", *name) && name[name_size - 1] == *name) {
		memmove(name, name + 1, name_size - 2);
		name[name_size - 2] = '\0';
	}
	return name;
}

static void classify(const struct reader *reader, const char *title, struct section *section)
{
	section->kind = SECTION_PROFILE;
	if (reader->kind == AWS_CREDENTIALS_FILE || text_equal(title, "default")) {
		section->name = xstrdup(title);
		return;
	}
	section->name = named(title, "profile");
	if (section->name)
		return;
	section->kind = SECTION_SERVICES;
	section->name = named(title, "services");
	if (section->name)
		return;
	section->kind = SECTION_OTHER;
	section->name = xstrdup(title);
}

static bool read_section(struct reader *reader, const char *line, size_t size, struct error **err)
{
	struct aws_profiles *profiles = reader->profiles;
	const char *end = memrchr(line, ']', size);
	scoped(text) char *title = end ? trimmed(line + 1, (size_t)(end - line - 1)) : NULL;

	if (!title || !*title)
		return fault(reader, "'[' begins the name of a section, and ']' ends it", err);
	profiles->sections = xrealloc(profiles->sections, profiles->section_count + 1,
	                              sizeof(*profiles->sections));
	classify(reader, title, &profiles->sections[profiles->section_count++]);
	reader->in_section = true;
	reader->in_setting = false;
	free(take(reader->block));
	return true;
}

static void add_setting(struct reader *reader, char *key, const char *value, size_t size)
{
	struct aws_profiles *profiles = reader->profiles;

	profiles->settings = xrealloc(profiles->settings, profiles->setting_count + 1,
	                              sizeof(*profiles->settings));
	profiles->settings[profiles->setting_count++] = (struct setting){
		.section = profiles->section_count - 1,
		.key = key,
		.block = text_copy(reader->block),
		.value = trimmed(value, size),
		.file = profiles->file_count - 1,
	};
}

/* The size of the key at the beginning of a line; 0: there is none. */
static size_t key_size(const char *line, size_t size, const char *separators)
{
	for (size_t i = 0; i < size; i++)
		if (strchr(separators, line[i]))
			return i;
	return 0;
}

static bool read_setting(struct reader *reader, const char *line, size_t size, struct error **err)
{
	size_t name_size = key_size(line, size, "=:");

	if (!reader->in_section)
		return fault(reader, "a setting stands before the first [section]", err);
	if (!name_size)
		return fault(reader, "it should be 'key = value', '[section]' or '# comment'", err);
	free(take(reader->block));
	add_setting(reader, lowered(line, name_size), line + name_size + 1, size - name_size - 1);
	reader->in_setting = true;
	return true;
}

/* "s3 =" and then "  endpoint_url = http://…" */
static bool read_nested(struct reader *reader, const char *line, size_t size, struct error **err)
{
	const struct setting *last =
		&reader->profiles->settings[reader->profiles->setting_count - 1];
	size_t name_size = key_size(line, size, "=");

	if (!reader->block)
		reader->block = xstrdup(last->key);
	if (!name_size)
		return fault(reader, "an indented line should be 'key = value'", err);
	add_setting(reader, lowered(line, name_size), line + name_size + 1, size - name_size - 1);
	return true;
}

/* A value that goes on: joined by a line break. */
static void continue_value(struct reader *reader, const char *line, size_t size)
{
	struct setting *last = &reader->profiles->settings[reader->profiles->setting_count - 1];
	scoped(secret) char *more = trimmed(line, size);
	char *value = text_printf("%s\n%s", last->value, more);

	secret_free(last->value);
	last->value = value;
}

static bool read_line(struct reader *reader, const char *line, size_t size, struct error **err)
{
	size_t indent = 0;

	while (indent < size && isspace((unsigned char)line[indent]))
		indent++;
	if (memchr(line, '\0', size))
		return fault(reader, "a NUL character stands in it", err);
	if (indent == size || strchr("#;", line[indent]))
		return true;
	if (indent && reader->in_setting) {
		const struct aws_profiles *profiles = reader->profiles;

		if (reader->block || !*profiles->settings[profiles->setting_count - 1].value)
			return read_nested(reader, line + indent, size - indent, err);
		continue_value(reader, line + indent, size - indent);
		return true;
	}
	if (line[indent] == '[')
		return read_section(reader, line + indent, size - indent, err);
	return read_setting(reader, line + indent, size - indent, err);
}

bool aws_profiles_add(struct aws_profiles *profiles, enum aws_profile_file kind, const char *name,
                      const char *text, size_t size, struct error **err)
{
	struct reader reader = { .profiles = profiles, .kind = kind, .name = name };
	const char *end = text + size;
	bool is_good = true;

	profiles->files =
		xrealloc(profiles->files, profiles->file_count + 1, sizeof(*profiles->files));
	profiles->files[profiles->file_count++] = xstrdup(name);
	while (is_good && text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		size_t line_size = (size_t)((line_end ? line_end : end) - text);

		reader.line++;
		is_good = read_line(&reader, text, line_size, err);
		text += line_size + (line_end ? 1 : 0);
	}
	free(reader.block);
	return is_good;
}

/* ---- which files ---- */

static bool add_file(struct aws_profiles *profiles, enum aws_profile_file kind,
                     const char *variable, const char *at_home, struct error **err)
{
	const char *given = getenv(variable);
	bool is_given = given && *given;
	scoped(text) char *path = !is_given                       ? file_at_home(at_home)
	                          : text_starts_with(given, "~/") ? file_at_home(given + 2)
	                                                          : xstrdup(given);
	scoped(secret) char *text = NULL;
	struct error *reason = NULL;
	size_t size;

	text = file_read(path, FILE_LIMIT_BYTES, &size, &reason);
	if (text)
		return aws_profiles_add(profiles, kind, path, text, size, err);
	if (reason->kind == ERROR_NOT_FOUND) {
		error_free(reason);
		return true;
	}
	error_pass(err, reason);
	return error_wrap(err, "%s", is_given ? variable : "the profiles of AWS");
}

struct aws_profiles *aws_profiles_load(struct error **err)
{
	scoped(aws_profiles) struct aws_profiles *profiles = aws_profiles_new();

	if (!add_file(profiles, AWS_CONFIG_FILE, "AWS_CONFIG_FILE", ".aws/config", err) ||
	    !add_file(profiles, AWS_CREDENTIALS_FILE, "AWS_SHARED_CREDENTIALS_FILE",
	              ".aws/credentials", err))
		return NULL;
	return take(profiles);
}

/* ---- asking ---- */

static const struct setting *find(const struct aws_profiles *profiles, enum section_kind kind,
                                  const char *name, const char *block, const char *key)
{
	for (size_t i = profiles->setting_count; i-- > 0;) {
		const struct setting *setting = &profiles->settings[i];
		const struct section *section = &profiles->sections[setting->section];

		if (section->kind == kind && text_equal(section->name, name) &&
		    text_equal(setting->block, block) && text_equal(setting->key, key))
			return *setting->value ? setting : NULL;
	}
	return NULL;
}

bool aws_profiles_has(const struct aws_profiles *profiles, const char *profile)
{
	for (size_t i = 0; i < profiles->section_count; i++)
		if (profiles->sections[i].kind == SECTION_PROFILE &&
		    text_equal(profiles->sections[i].name, profile))
			return true;
	return false;
}

const char *aws_profiles_get(const struct aws_profiles *profiles, const char *profile,
                             const char *key)
{
	const struct setting *setting = find(profiles, SECTION_PROFILE, profile, NULL, key);

	return setting ? setting->value : NULL;
}

const char *aws_profiles_source(const struct aws_profiles *profiles, const char *profile,
                                const char *key)
{
	const struct setting *setting = find(profiles, SECTION_PROFILE, profile, NULL, key);

	return setting ? profiles->files[setting->file] : NULL;
}

const char *aws_profiles_service(const struct aws_profiles *profiles, const char *name,
                                 const char *service, const char *key)
{
	const struct setting *setting = find(profiles, SECTION_SERVICES, name, service, key);

	return setting ? setting->value : NULL;
}

/* "a, b, c": owned by the caller. */
static char *joined(const char *const *texts, size_t count)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? ", " : "", texts[i]);
	return text_stream_take(&stream);
}

/* Once each, NULL at the end; the list is owned by the caller, the names are borrowed. */
static const char **profile_names(const struct aws_profiles *profiles, size_t *count)
{
	const char **names = xcalloc(profiles->section_count + 1, sizeof(*names));

	*count = 0;
	for (size_t i = 0; i < profiles->section_count; i++) {
		const struct section *section = &profiles->sections[i];
		size_t known = 0;

		while (known < *count && !text_equal(names[known], section->name))
			known++;
		if (section->kind == SECTION_PROFILE && known == *count)
			names[(*count)++] = section->name;
	}
	return names;
}

void *aws_profiles_missing(const struct aws_profiles *profiles, const char *profile,
                           struct error **err)
{
	scoped(text) char *files =
		joined((const char *const *)profiles->files, profiles->file_count);
	size_t count;
	const char **names = profile_names(profiles, &count);
	const char *nearest = text_nearest(profile, names);
	scoped(text) char *all = joined(names, count);

	free(names);
	if (!profiles->file_count)
		return error_set(err, ERROR_NOT_FOUND,
		                 "there is no profile '%s': there are no files ~/.aws/config and "
		                 "~/.aws/credentials",
		                 profile);
	return error_set(err, ERROR_NOT_FOUND, "there is no profile '%s' in %s%s%s%s", profile,
	                 files,
	                 nearest ? "; did you mean '"
	                 : *all  ? "; there are: "
	                         : "",
	                 nearest ? nearest : all, nearest ? "'?" : "");
}
