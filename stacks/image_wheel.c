/* SPDX-License-Identifier: Apache-2.0 */
/* Wheels, by libzip. */
#include "stacks/image_wheel.h"

#include <string.h>
#include <sys/stat.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "core/zip.h"

#define RECORD_LIMIT_BYTES ((zip_uint64_t)16 << 20)
/* What one wheel may unfold to, and one file of it: nobody's pure Python has so much. */
#define FILE_LIMIT_BYTES ((zip_uint64_t)1 << 30)

/* The archive, kept open for its files. */
struct wheel {
	const struct zip_api *zip;
	zip_t *archive;
	char *name; /* of the file */
	struct image_wheel_record *records;
	size_t record_count;
	char *info; /* "six-1.16.0.dist-info/" */
};

static void wheel_free(struct wheel *wheel)
{
	if (!wheel)
		return;
	if (wheel->archive)
		wheel->zip->discard(wheel->archive);
	image_wheel_records_free(wheel->records, wheel->record_count);
	free(wheel->name);
	free(wheel->info);
	free(wheel);
}
DEFINE_CLEANUP(wheel);

static void release_wheel(void *wheel)
{
	wheel_free(wheel);
}

/* ---- its name ---- */

/* "py2.py3" has "py3". */
static bool has_tag(const char *set, size_t size, const char *tag)
{
	const char *at = set, *end = set + size;

	while (at < end) {
		size_t part = strcspn(at, ".-");

		if (part == strlen(tag) && !strncmp(at, tag, part))
			return true;
		at += part + 1;
	}
	return false;
}

/* name-version[-build]-python-abi-platform.whl: the tag begins at the last third '-'. */
static const char *find_tag(const char *file_name)
{
	const char *at = file_name + strlen(file_name);
	int dashes = 0, all = 0;
	const char *c;

	for (c = file_name; *c; c++)
		all += *c == '-';
	if (!text_ends_with(file_name, ".whl") || all < 4 || all > 5)
		return NULL;
	while (dashes < 3)
		dashes += *--at == '-';
	return at + 1;
}

char *image_wheel_tag(const char *file_name, struct error **err)
{
	const char *tag = find_tag(file_name), *abi, *platform;
	scoped(text) char *whole = NULL;

	if (!tag)
		return error_set(
			err, ERROR_INVALID,
			"'%s' is not the name of a wheel, as in six-1.16.0-py3-none-any.whl",
			file_name);
	whole = xstrndup(tag, strlen(tag) - strlen(".whl"));
	abi = strchr(whole, '-') + 1;
	platform = strchr(abi, '-') + 1;
	if (has_tag(whole, (size_t)(abi - whole) - 1, "py3") &&
	    has_tag(abi, (size_t)(platform - abi) - 1, "none") && !strcmp(platform, "any"))
		return take(whole);
	return error_set(
		err, ERROR_INVALID,
		"'%s' is made for %s, and only pure wheels (py3-none-any) fit every image; "
		"install it in the parent image",
		file_name, whole);
}

/* ---- its files ---- */

static void *zip_damaged(const struct wheel *wheel, const char *path, struct error **err)
{
	return error_set(err, ERROR_INVALID,
	                 "'%s' cannot be read from the wheel '%s': it is damaged", path,
	                 wheel->name);
}

struct member {
	struct image_source source;
	const struct wheel *wheel;
	zip_uint64_t index;
	const struct image_wheel_record *record; /* NULL: RECORD itself has no digest */
};

static bool check_digest(const struct member *member, struct digest *digest, struct error **err)
{
	scoped(text) char *found = digest_end(digest);

	return !strcmp(found, member->record->digest) ||
	       error_set(err, ERROR_INVALID,
	                 "it is not what RECORD says (%s): download the wheel again",
	                 member->record->algorithm);
}

static bool copy_member(const struct member *member, zip_file_t *file, struct digest *digest,
                        const struct image_sink *sink, struct error **err)
{
	char block[32768];
	zip_int64_t got;

	while ((got = member->wheel->zip->fread(file, block, sizeof(block))) > 0) {
		if (digest)
			digest_add(digest, block, (size_t)got);
		if (!sink->put(sink->context, block, (size_t)got, err))
			return false;
	}
	if (got < 0)
		return error_set(err, ERROR_INVALID, "the wheel is damaged");
	return !digest || check_digest(member, digest, err);
}

static bool read_member(const struct image_source *source, const struct image_sink *sink,
                        struct error **err)
{
	const struct member *member = container_of(source, struct member, source);
	const struct zip_api *zip = member->wheel->zip;
	scoped(digest) struct digest *digest =
		member->record ? digest_new(member->record->algorithm) : NULL;
	zip_file_t *file = zip->fopen_index(member->wheel->archive, member->index, 0);
	bool ok;

	if (!file)
		return error_set(err, ERROR_INVALID, "the wheel is damaged");
	ok = copy_member(member, file, digest, sink, err);
	zip->fclose(file);
	return ok;
}

static void free_member(struct image_source *source)
{
	free(container_of(source, struct member, source));
}

/* Where pip would put it, relative to the folder of modules; NULL: nowhere. */
static const char *placed(const struct wheel *wheel, const char *path)
{
	static const char *const taken[] = { "purelib/", "platlib/", "data/" };
	size_t stem = strlen(wheel->info) - strlen(".dist-info/"), i;
	const char *inner;

	if (text_starts_with(path, wheel->info) &&
	    (text_ends_with(path, "/RECORD.jws") || text_ends_with(path, "/RECORD.p7s")))
		return NULL;
	if (strncmp(path, wheel->info, stem) != 0 || !text_starts_with(path + stem, ".data/"))
		return path;
	inner = path + stem + strlen(".data/");
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		if (text_starts_with(inner, taken[i]))
			return inner + strlen(taken[i]);
	return NULL;
}

static int compare_records(const void *a, const void *b)
{
	return strcmp(((const struct image_wheel_record *)a)->path,
	              ((const struct image_wheel_record *)b)->path);
}

static const struct image_wheel_record *find_record(const struct wheel *wheel, const char *path)
{
	const struct image_wheel_record key = { .path = (char *)path };

	if (!wheel->record_count)
		return NULL;
	return bsearch(&key, wheel->records, wheel->record_count, sizeof(key), compare_records);
}

/* The mode of a file from Unix; others know of no links. */
static unsigned mode_of(const struct wheel *wheel, zip_uint64_t index)
{
	zip_uint8_t system = 0;
	zip_uint32_t attributes = 0;

	wheel->zip->file_get_external_attributes(wheel->archive, index, 0, &system, &attributes);
	return system == ZIP_OPSYS_UNIX ? attributes >> 16 : 0;
}

/* RECORD lists itself, without a digest. */
static bool is_record_file(const struct wheel *wheel, const char *path)
{
	return text_starts_with(path, wheel->info) &&
	       text_equal(path + strlen(wheel->info), "RECORD");
}

static bool check_member(const struct wheel *wheel, const struct zip_stat *status, unsigned mode,
                         struct error **err)
{
	const struct image_wheel_record *record = find_record(wheel, status->name);
	scoped(digest) struct digest *known = NULL;

	if (S_ISLNK(mode))
		return error_set(err, ERROR_INVALID, "'%s' is a link, which no wheel may have",
		                 status->name);
	if (status->size > FILE_LIMIT_BYTES)
		return error_set(err, ERROR_INVALID, "'%s' is larger than 1 GiB", status->name);
	if (is_record_file(wheel, status->name))
		return true;
	known = record && record->algorithm ? digest_new(record->algorithm) : NULL;
	return known || error_set(err, ERROR_INVALID, "RECORD has no SHA-256 (or better) of '%s'",
	                          status->name);
}

static bool add_member(struct image_tree *tree, const char *folder, struct wheel *wheel,
                       zip_uint64_t index, struct error **err)
{
	struct zip_stat status;
	unsigned mode = mode_of(wheel, index);
	scoped(text) char *origin = NULL;
	scoped(text) char *path = NULL;
	const char *place;
	struct member *member;

	if (wheel->zip->stat_index(wheel->archive, index, 0, &status))
		return zip_damaged(wheel, "a file", err);
	place = placed(wheel, status.name);
	if (!place || text_ends_with(status.name, "/"))
		return true;
	if (!check_member(wheel, &status, mode, err))
		return false;
	origin = text_printf("'%s' of the wheel '%s'", status.name, wheel->name);
	path = text_printf("%s/%s", folder, place);
	member = xcalloc(1, sizeof(*member));
	*member = (struct member){ { read_member, free_member }, wheel, index, NULL };
	if (!is_record_file(wheel, status.name))
		member->record = find_record(wheel, status.name);
	return image_tree_take_file(tree,
	                            &(struct image_file){ .path = path,
	                                                  .size_bytes = (int64_t)status.size,
	                                                  .is_executable = (mode & 0111) != 0,
	                                                  .origin = origin,
	                                                  .source = &member->source },
	                            err);
}

/* ---- RECORD ---- */

/* "NAME-VERSION.dist-info/RECORD", at the top; its name begins with the wheel's own. */
static bool find_info(struct wheel *wheel, zip_uint64_t *index, struct error **err)
{
	zip_int64_t count = wheel->zip->get_num_entries(wheel->archive, 0);
	struct zip_stat status;
	zip_int64_t i;

	for (i = 0; i < count; i++) {
		const char *slash;

		if (wheel->zip->stat_index(wheel->archive, (zip_uint64_t)i, 0, &status))
			continue;
		slash = strchr(status.name, '/');
		if (!slash || !text_equal(slash, "/RECORD") ||
		    !text_ends_with(status.name, ".dist-info/RECORD"))
			continue;
		wheel->info = xstrndup(status.name, (size_t)(slash - status.name) + 1);
		*index = (zip_uint64_t)i;
		return true;
	}
	return error_set(err, ERROR_INVALID, "it has no .dist-info/RECORD: it is no wheel");
}

static char *read_small(const struct wheel *wheel, zip_uint64_t index, size_t *size,
                        struct error **err)
{
	struct zip_stat status;
	scoped(text) char *text = NULL;
	zip_file_t *file;
	zip_int64_t got;

	if (wheel->zip->stat_index(wheel->archive, index, 0, &status) ||
	    status.size > RECORD_LIMIT_BYTES)
		return zip_damaged(wheel, "RECORD", err);
	file = wheel->zip->fopen_index(wheel->archive, index, 0);
	if (!file)
		return zip_damaged(wheel, "RECORD", err);
	text = xcalloc(status.size + 1, 1);
	got = wheel->zip->fread(file, text, status.size);
	wheel->zip->fclose(file);
	if (got != (zip_int64_t)status.size)
		return zip_damaged(wheel, "RECORD", err);
	*size = status.size;
	return take(text);
}

static bool read_records(struct wheel *wheel, struct error **err)
{
	zip_uint64_t index = 0;
	scoped(text) char *text = NULL;
	size_t size = 0;

	if (!find_info(wheel, &index, err))
		return false;
	text = read_small(wheel, index, &size, err);
	if (!text ||
	    !image_wheel_records_parse(text, size, &wheel->records, &wheel->record_count, err))
		return false;
	if (wheel->record_count)
		qsort(wheel->records, wheel->record_count, sizeof(*wheel->records),
		      compare_records);
	return true;
}

static bool check_complete(const struct wheel *wheel, struct error **err)
{
	struct zip_stat status;
	size_t i;

	for (i = 0; i < wheel->record_count; i++)
		if (wheel->zip->stat(wheel->archive, wheel->records[i].path, 0, &status))
			return error_set(err, ERROR_INVALID, "'%s' is missing, which RECORD lists",
			                 wheel->records[i].path);
	return true;
}

static struct wheel *open_wheel(const char *path, const char *name, struct error **err)
{
	scoped(wheel) struct wheel *wheel = xcalloc(1, sizeof(*wheel));

	wheel->name = xstrdup(name);
	wheel->zip = zip_api_load(err);
	if (!wheel->zip)
		return NULL;
	wheel->archive = zip_api_open(wheel->zip, path, "a wheel", err);
	if (!wheel->archive || !read_records(wheel, err) || !check_complete(wheel, err))
		return NULL;
	return take(wheel);
}

static bool add_members(struct image_tree *tree, const char *folder, struct wheel *wheel,
                        struct error **err)
{
	zip_int64_t count = wheel->zip->get_num_entries(wheel->archive, 0), i;

	for (i = 0; i < count; i++)
		if (!add_member(tree, folder, wheel, (zip_uint64_t)i, err))
			return false;
	return true;
}

bool image_wheel_add(struct image_tree *tree, const char *folder, const char *path,
                     struct error **err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	scoped(text) char *tag = image_wheel_tag(name, err);
	struct wheel *wheel = tag ? open_wheel(path, name, err) : NULL;

	if (!wheel)
		return tag ? error_wrap(err, "wheel '%s'", name) : NULL;
	image_tree_keep(tree, wheel, release_wheel);
	return add_members(tree, folder, wheel, err) || error_wrap(err, "wheel '%s'", name);
}
