/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of image names (distribution/reference, OCI distribution specification 1.1). */
#include "cloud/oci_reference.h"

#include <ctype.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define REPOSITORY_MAX 255
#define TAG_MAX 128
#define TEXT_MAX 1024

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool consists_of(const char *text, size_t size, const char *allowed)
{
	return size > 0 && strspn(text, allowed) >= size;
}

/* ---- the parts ---- */

/* "[::1]": what stands between the brackets is left to whoever connects. */
static size_t host_size(const char *text)
{
	const char *label = text;
	size_t size;

	if (*text == '[') {
		size = 1 + strspn(text + 1, DIGITS "abcdefABCDEF:.");
		return size > 2 && text[size] == ']' ? size + 1 : 0;
	}
	for (;; label += size + 1) {
		size = strspn(label, LOWER UPPER DIGITS "-");
		if (!size || label[0] == '-' || label[size - 1] == '-')
			return 0;
		if (label[size] != '.')
			return (size_t)(label + size - text);
	}
}

bool oci_is_registry(const char *text)
{
	size_t size = host_size(text);
	int64_t port;

	if (!size)
		return false;
	return !text[size] || (text[size] == ':' && isdigit((unsigned char)text[size + 1]) &&
	                       text_to_int64(text + size + 1, 1, 65535, &port));
}

/* Words of small letters and digits, with ".", "_", "__" or any number of "-" between them. */
static bool is_component(const char *text, size_t size)
{
	size_t i = 0;

	for (;;) {
		size_t word = strspn(text + i, LOWER DIGITS), gap;

		i += word;
		if (!word || i > size)
			return false;
		if (i == size)
			return true;
		gap = text[i] == '-'                         ? strspn(text + i, "-")
		      : text[i] == '_' && text[i + 1] == '_' ? 2
		      : text[i] == '_' || text[i] == '.'     ? 1
		                                             : 0;
		if (!gap)
			return false;
		i += gap;
	}
}

bool oci_is_repository(const char *text)
{
	if (strlen(text) > REPOSITORY_MAX)
		return false;
	for (;;) {
		size_t size = strcspn(text, "/");

		if (!is_component(text, size))
			return false;
		if (!text[size])
			return true;
		text += size + 1;
	}
}

bool oci_is_tag(const char *text)
{
	size_t size = strlen(text);

	return size <= TAG_MAX && consists_of(text, size, LOWER UPPER DIGITS "_.-") &&
	       *text != '.' && *text != '-';
}

bool oci_is_digest(const char *text)
{
	static const struct {
		const char *prefix;
		size_t digits;
	} algorithms[] = { { "sha256:", 64 }, { "sha384:", 96 }, { "sha512:", 128 } };

	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (text_starts_with(text, algorithms[i].prefix)) {
			const char *hex = text + strlen(algorithms[i].prefix);

			return strlen(hex) == algorithms[i].digits &&
			       consists_of(hex, algorithms[i].digits, DIGITS "abcdef");
		}
	return false;
}

/* ---- the whole ---- */

static bool has_capital(const char *text)
{
	return text[strcspn(text, UPPER)] != '\0';
}

/* Whether what stands before the first slash is a registry. */
static bool names_registry(const char *first)
{
	return strpbrk(first, ".:") || text_equal(first, "localhost") || has_capital(first);
}

/* Ends the text at the separator and gives what followed it; NULL when there is none. */
static char *cut_off(char *separator)
{
	if (!separator)
		return NULL;
	*separator = '\0';
	return xstrdup(separator + 1);
}

static void split_registry(const char *name, struct oci_reference *parts)
{
	const char *slash = strchr(name, '/');
	scoped(text) char *first = slash ? xstrndup(name, (size_t)(slash - name)) : xstrdup("");
	bool is_named = slash && names_registry(first);
	bool is_hub;

	if (is_named)
		name = slash + 1;
	is_hub =
		!is_named || text_equal(first, "docker.io") || text_equal(first, "index.docker.io");
	parts->registry = is_hub ? xstrdup("docker.io") : take(first);
	parts->repository =
		text_printf("%s%s", is_hub && !strchr(name, '/') ? "library/" : "", name);
}

static bool check_name(const char *shown, const struct oci_reference *parts, struct error **err)
{
	const char *name = parts->repository;

	if (!oci_is_registry(parts->registry))
		return error_set(err, ERROR_INVALID,
		                 "image '%s': '%s' is no host of a registry: it should look like "
		                 "registry.example:5000",
		                 shown, parts->registry);
	if (has_capital(name))
		return error_set(err, ERROR_INVALID,
		                 "image '%s': repositories are written in small letters", shown);
	if (strlen(name) > REPOSITORY_MAX)
		return error_set(err, ERROR_INVALID,
		                 "image '%s': the repository has more than %d characters", shown,
		                 REPOSITORY_MAX);
	if (!oci_is_repository(name))
		return error_set(err, ERROR_INVALID,
		                 "image '%s': '%s' is no repository: parts between slashes are "
		                 "small letters and digits, with single '.', '_', '__' or '-' "
		                 "between them",
		                 shown, name);
	return true;
}

static bool check_version(const char *shown, const struct oci_reference *parts, struct error **err)
{
	if (parts->tag && !oci_is_tag(parts->tag))
		return error_set(err, ERROR_INVALID,
		                 "image '%s': '%s' is no tag: it has 1 to %d letters, digits, '_', "
		                 "'.' and '-', and begins with neither '.' nor '-'",
		                 shown, parts->tag, TAG_MAX);
	if (parts->digest && !oci_is_digest(parts->digest))
		return error_set(err, ERROR_INVALID,
		                 "image '%s': '%s' is no digest: it should be sha256: and 64 "
		                 "hexadecimal digits in small letters",
		                 shown, parts->digest);
	return true;
}

static bool check_text(const char *text, const char *shown, struct error **err)
{
	const char *scheme = strstr(text, "://");

	if (!*text)
		return error_set(err, ERROR_INVALID, "the name of the image is empty");
	if (strlen(text) > TEXT_MAX)
		return error_set(err, ERROR_INVALID, "image '%s': the name is too long", shown);
	if (scheme)
		return error_set(err, ERROR_INVALID,
		                 "image '%s': names of images have no scheme; leave '%.*s://' out",
		                 shown, (int)(scheme - text), text);
	return true;
}

bool oci_reference_parse(const char *text, struct oci_reference *reference, struct error **err)
{
	scoped(text) char *name = xstrdup(text);
	scoped(text) char *shown = xstrdup(text);
	struct oci_reference parts = { 0 };
	char *slash, *colon;

	text_make_printable(shown, 200);
	if (!check_text(text, shown, err))
		return false;
	parts.digest = cut_off(strchr(name, '@'));
	slash = strrchr(name, '/');
	colon = strrchr(name, ':');
	/* A colon before the last slash belongs to a port. */
	if (colon && (!slash || colon > slash))
		parts.tag = cut_off(colon);
	split_registry(name, &parts);
	if (!check_name(shown, &parts, err) || !check_version(shown, &parts, err)) {
		oci_reference_release(&parts);
		return false;
	}
	*reference = parts;
	return true;
}

void oci_reference_release(struct oci_reference *reference)
{
	free(reference->registry);
	free(reference->repository);
	free(reference->tag);
	free(reference->digest);
	*reference = (struct oci_reference){ 0 };
}

char *oci_reference_render(const struct oci_reference *reference)
{
	const char *tag = reference->tag, *digest = reference->digest;

	return text_printf("%s/%s%s%s%s%s", reference->registry, reference->repository,
	                   tag ? ":" : "", tag ? tag : "", digest ? "@" : "", digest ? digest : "");
}

const char *oci_reference_target(const struct oci_reference *reference)
{
	return reference->digest ? reference->digest : reference->tag ? reference->tag : "latest";
}
