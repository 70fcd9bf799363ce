/* SPDX-License-Identifier: Apache-2.0 */
/* By the rules of org.apache.spark.util.Utils, java.net.URI and java.io.File.toURI(). */
#include "submit/spark_uri.h"

#include <ctype.h>
#include <glob.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_conf.h"

#define FILE_SCHEME "file:"

/* The length of "scheme:"; 0 where there is none. */
static size_t scheme_size(const char *uri)
{
	size_t size = 0;

	if (!isalpha((unsigned char)uri[0]))
		return 0;
	while (isalnum((unsigned char)uri[size]) || (uri[size] && strchr("+-.", uri[size])))
		size++;
	return uri[size] == ':' ? size + 1 : 0;
}

bool spark_uri_is_local(const char *uri)
{
	return !scheme_size(uri) || !strncasecmp(uri, FILE_SCHEME, strlen(FILE_SCHEME));
}

const char *spark_uri_fragment(const char *uri)
{
	return uri + strcspn(uri, "#");
}

char *spark_uri_base_name(const char *uri)
{
	size_t end = strcspn(uri, "#"), start = end;

	while (start && uri[start - 1] != '/')
		start--;
	return xstrndup(uri + start, end - start);
}

/* ---- paths ---- */

/* File.getCanonicalFile(): links and ".." are followed as far as the path exists. */
static char *canonical_path(const char *path)
{
	char *resolved = realpath(path, NULL);
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	scoped(text) char *folder = NULL;
	scoped(text) char *parent = NULL;

	if (resolved)
		return resolved;
	if (!*path || text_equal(path, "/") || text_equal(path, "."))
		return xstrdup("/"); /* the working folder is gone */
	folder = file_folder(path);
	parent = canonical_path(folder);
	if (!*name || text_equal(name, "."))
		return take(parent);
	return text_equal(name, "..") ? file_folder(parent) : file_join(parent, name);
}

static char *absolute_path(const char *path)
{
	scoped(text) char *here = realpath(".", NULL);

	return file_join(here ? here : "/", path);
}

/* What java.net.URI quotes in a path; text beyond ASCII stays. */
static bool is_quoted(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f || strchr("\"#%<>?[\\]^`{|}", c);
}

/* Java leaves a comma, which would part the name in two where it is one of a list; and it knows no
 * bytes that are no text. */
static bool is_quoted_in_list(char c, bool is_text)
{
	return is_quoted(c) || c == ',' || (!is_text && (unsigned char)c >= 0x80);
}

char *spark_uri_from_path(const char *path)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	bool is_text = text_is_utf8(path, strlen(path));

	fputs(FILE_SCHEME "//", out);
	for (; *path; path++)
		if (is_quoted_in_list(*path, is_text))
			fprintf(out, "%%%02X", (unsigned char)*path);
		else
			fputc(*path, out);
	return text_stream_take(&stream);
}

static int hex_value(char digit)
{
	return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* "%20" is a blank; a '%' without two digits stays. Owned by the caller. */
static char *decoded(const char *text, size_t size)
{
	char *path = xcalloc(size + 1, 1), *out = path;
	size_t i;

	for (i = 0; i < size; i++) {
		bool is_code = text[i] == '%' && size - i > 2 &&
		               isxdigit((unsigned char)text[i + 1]) &&
		               isxdigit((unsigned char)text[i + 2]);

		*out++ = is_code ? (char)(16 * hex_value(text[i + 1]) + hex_value(text[i + 2]))
		                 : text[i];
		if (is_code)
			i += 2;
	}
	return path;
}

/* "file:/p", "file:///p" and "file://host/p" all mean /p. */
char *spark_uri_path(const char *uri)
{
	const char *path = uri + scheme_size(uri);
	scoped(text) char *relative = NULL;

	if (path == uri)
		return decoded(uri, strcspn(uri, "#"));
	if (text_starts_with(path, "//"))
		path += 2 + strcspn(path + 2, "/#");
	return decoded(path, strcspn(path, "#"));
}

/* Whether new URI(path) takes it, so that a '#' begins a fragment and "%20" means a blank. */
static bool is_uri(const char *path)
{
	const char *at;

	for (at = path; *at; at++) {
		if (*at == '%' &&
		    !(isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2])))
			return false;
		if (*at != '#' && *at != '?' && *at != '%' && is_quoted(*at))
			return false;
	}
	return strchr(path, '#') == strrchr(path, '#');
}

char *spark_uri_resolve(const char *path)
{
	scoped(text) char *absolute = NULL;
	scoped(text) char *uri = NULL;
	struct stat status;

	if (scheme_size(path))
		return xstrdup(path);
	if (is_uri(path) && strchr(path, '#')) {
		scoped(text) char *plain = spark_uri_path(path);

		absolute = absolute_path(plain);
	} else {
		absolute = canonical_path(path);
	}
	uri = spark_uri_from_path(absolute);
	/* File.toURI() marks a folder. */
	if (!stat(absolute, &status) && S_ISDIR(status.st_mode) && !text_ends_with(uri, "/"))
		return text_printf("%s/", uri);
	return text_printf("%s%s", uri, is_uri(path) ? spark_uri_fragment(path) : "");
}

/* ---- lists ---- */

char *spark_uri_join(const json_t *uris)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const json_t *uri;
	size_t i;

	json_array_foreach (uris, i, uri)
		fprintf(out, "%s%s", i ? "," : "", json_string_value(uri));
	return text_stream_take(&stream);
}

/* Appends the plain files among what matches; folders are no match (FileStatus.isFile). */
static size_t append_matches(json_t *uris, const char *pattern, const char *fragment)
{
	glob_t found = { 0 };
	size_t count = 0, i;

	if (glob(pattern, GLOB_BRACE, NULL, &found)) {
		globfree(&found);
		return 0;
	}
	for (i = 0; i < found.gl_pathc; i++) {
		scoped(text) char *uri = spark_uri_from_path(found.gl_pathv[i]);
		struct stat status;

		if (stat(found.gl_pathv[i], &status) || !S_ISREG(status.st_mode))
			continue;
		json_array_append_new(uris, json_sprintf("%s%s", uri, fragment));
		count++;
	}
	globfree(&found);
	return count;
}

static bool expand_one(json_t *uris, const char *uri, struct error **err)
{
	const char *fragment = spark_uri_fragment(uri);
	scoped(text) char *path = spark_uri_path(uri);
	size_t count;

	if (!spark_uri_is_local(uri) || !strpbrk(path, "*?[{") || file_exists(path)) {
		json_array_append_new(uris, json_string(uri));
		return true;
	}
	count = append_matches(uris, path, fragment);
	if (!count)
		return error_set(err, ERROR_NOT_FOUND, "no file matches '%s'", path);
	if (count > 1 && *fragment)
		return error_set(err, ERROR_INVALID,
		                 "'%s' matches %zu files, and all would be named '%s'", path, count,
		                 fragment + 1);
	return true;
}

json_t *spark_uri_expand(const char *list, struct error **err)
{
	json_auto_t *pieces = spark_conf_split(list);
	json_auto_t *uris = json_array();
	const json_t *piece;
	size_t i;

	json_array_foreach (pieces, i, piece) {
		scoped(text) char *uri = spark_uri_resolve(json_string_value(piece));

		if (!expand_one(uris, uri, err))
			return NULL;
	}
	return take(uris);
}
