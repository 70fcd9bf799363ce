/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a layer, gathered and put in order. */
#include "stacks/image_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define PATH_LIMIT 4095
#define DEPTH_LIMIT 40

struct kept {
	void *what;
	void (*release)(void *what);
};

struct image_tree {
	struct image_file *files;
	size_t count;
	bool is_sorted;
	struct kept *kept;
	size_t kept_count;
};

struct image_tree *image_tree_new(void)
{
	return xcalloc(1, sizeof(struct image_tree));
}

static void release_file(struct image_file *file)
{
	if (file->source)
		file->source->free(file->source);
	free(file->path);
	free(file->origin);
}

void image_tree_free(struct image_tree *tree)
{
	size_t i;

	if (!tree)
		return;
	for (i = 0; i < tree->count; i++)
		release_file(&tree->files[i]);
	for (i = 0; i < tree->kept_count; i++)
		tree->kept[i].release(tree->kept[i].what);
	free(tree->files);
	free(tree->kept);
	free(tree);
}

void image_tree_keep(struct image_tree *tree, void *what, void (*release)(void *what))
{
	tree->kept = xrealloc(tree->kept, tree->kept_count + 1, sizeof(*tree->kept));
	tree->kept[tree->kept_count++] = (struct kept){ what, release };
}

/* ---- paths ---- */

static bool is_plain_part(const char *part, size_t size)
{
	return size && !(size == 1 && part[0] == '.') &&
	       !(size == 2 && part[0] == '.' && part[1] == '.');
}

/* OCI image specification, "Whiteouts": such a name says that files of lower layers are gone. */
static bool is_whiteout(const char *part)
{
	return text_starts_with(part, ".wh.");
}

static bool check_path(const char *path, struct error **err)
{
	const char *part, *c;
	size_t size;

	if (!*path || strlen(path) > PATH_LIMIT || !text_is_utf8(path, strlen(path)))
		return error_set(err, ERROR_INVALID, "a path in an image is UTF-8 of 1 to %d bytes",
		                 PATH_LIMIT);
	for (c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return error_set(err, ERROR_INVALID,
			                 "a path in an image has no control characters");
	for (part = path;; part += size + 1) {
		size = strcspn(part, "/");
		if (!is_plain_part(part, size))
			return error_set(err, ERROR_INVALID,
			                 "'%s' has an empty part, '.' or '..' in it", path);
		if (is_whiteout(part))
			return error_set(err, ERROR_INVALID,
			                 "'%s': a name that begins with .wh. would remove files "
			                 "of the image",
			                 path);
		if (!part[size])
			return true;
	}
}

bool image_tree_take_file(struct image_tree *tree, const struct image_file *file,
                          struct error **err)
{
	if (!check_path(file->path, err)) {
		file->source->free(file->source);
		return error_wrap(err, "%s", file->origin);
	}
	/* Room doubles, so that many files are added in linear time. */
	if (!(tree->count & (tree->count - 1)))
		tree->files = xrealloc(tree->files, tree->count ? 2 * tree->count : 1,
		                       sizeof(*tree->files));
	tree->files[tree->count] = *file;
	tree->files[tree->count].path = xstrdup(file->path);
	tree->files[tree->count].origin = xstrdup(file->origin);
	tree->count++;
	tree->is_sorted = false;
	return true;
}

/* ---- content ---- */

struct counter {
	const struct image_sink *sink;
	int64_t left;
};

static bool count_and_pass(void *context, const void *bytes, size_t size, struct error **err)
{
	struct counter *counter = context;

	if ((int64_t)size > counter->left)
		return error_set(err, ERROR_INVALID, "it has grown while it was read");
	counter->left -= (int64_t)size;
	return counter->sink->put(counter->sink->context, bytes, size, err);
}

bool image_file_read(const struct image_file *file, const struct image_sink *sink,
                     struct error **err)
{
	struct counter counter = { sink, file->size_bytes };
	const struct image_sink counting = { count_and_pass, &counter };

	if (!file->source->read(file->source, &counting, err))
		return error_wrap(err, "read %s", file->origin);
	return !counter.left ||
	       error_set(err, ERROR_INVALID, "%s has shrunk while it was read", file->origin);
}

struct bytes_source {
	struct image_source source;
	size_t size;
	char bytes[];
};

static bool read_bytes(const struct image_source *source, const struct image_sink *sink,
                       struct error **err)
{
	const struct bytes_source *bytes = container_of(source, struct bytes_source, source);

	return sink->put(sink->context, bytes->bytes, bytes->size, err);
}

static void free_bytes(struct image_source *source)
{
	free(container_of(source, struct bytes_source, source));
}

bool image_tree_add_bytes(struct image_tree *tree, const char *path, const void *bytes, size_t size,
                          struct error **err)
{
	struct bytes_source *copy = xcalloc(1, sizeof(*copy) + size);
	scoped(text) char *origin = text_printf("'%s'", path);
	struct image_file file = { .path = (char *)path,
		                   .size_bytes = (int64_t)size,
		                   .origin = origin,
		                   .source = &copy->source };

	copy->source = (struct image_source){ read_bytes, free_bytes };
	copy->size = size;
	if (size)
		memcpy(copy->bytes, bytes, size);
	return image_tree_take_file(tree, &file, err);
}

struct disk_source {
	struct image_source source;
	char *path;
};

static bool read_disk(const struct image_source *source, const struct image_sink *sink,
                      struct error **err)
{
	const struct disk_source *disk = container_of(source, struct disk_source, source);
	scoped(fd) int fd = open(disk->path, O_RDONLY | O_CLOEXEC);
	char block[65536];
	ssize_t got;

	if (fd < 0)
		return error_set(err, errno == EACCES ? ERROR_AUTH : ERROR_NOT_FOUND, "%m");
	while ((got = read(fd, block, sizeof(block))) > 0)
		if (!sink->put(sink->context, block, (size_t)got, err))
			return false;
	return got == 0 || error_set(err, ERROR_INTERNAL, "%m");
}

static void free_disk(struct image_source *source)
{
	struct disk_source *disk = container_of(source, struct disk_source, source);

	free(disk->path);
	free(disk);
}

bool image_tree_add_file(struct image_tree *tree, const char *path, const char *from,
                         struct error **err)
{
	scoped(text) char *origin = text_printf("'%s'", from);
	struct image_file file = { .path = (char *)path, .origin = origin };
	struct disk_source *disk;
	struct stat status;

	if (stat(from, &status))
		return error_set(err, errno == EACCES ? ERROR_AUTH : ERROR_NOT_FOUND, "'%s': %m",
		                 from);
	if (!S_ISREG(status.st_mode))
		return error_set(err, ERROR_INVALID, "'%s' is not a regular file", from);
	disk = xcalloc(1, sizeof(*disk));
	disk->source = (struct image_source){ read_disk, free_disk };
	disk->path = xstrdup(from);
	file.size_bytes = status.st_size;
	file.is_executable = (status.st_mode & 0111) != 0;
	file.source = &disk->source;
	return image_tree_take_file(tree, &file, err);
}

/* ---- folders ---- */

static int is_wanted(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "__pycache__") != 0;
}

static bool add_folder(struct image_tree *tree, const char *path, const char *from, int depth,
                       struct error **err);

static bool add_entry(struct image_tree *tree, const char *folder, const char *from,
                      const char *name, int depth, struct error **err)
{
	scoped(text) char *path = file_join(folder, name);
	scoped(text) char *whole = file_join(from, name);
	struct stat status, target;

	if (lstat(whole, &status))
		return true;
	if (S_ISDIR(status.st_mode))
		return add_folder(tree, path, whole, depth + 1, err);
	if (stat(whole, &target) || !S_ISREG(target.st_mode))
		return true;
	return image_tree_add_file(tree, path, whole, err);
}

static bool add_folder(struct image_tree *tree, const char *path, const char *from, int depth,
                       struct error **err)
{
	struct dirent **entries;
	bool ok = true;
	int count, i;

	if (depth > DEPTH_LIMIT)
		return error_set(err, ERROR_INVALID, "'%s' is nested too deeply", from);
	count = scandir(from, &entries, is_wanted, NULL);
	if (count < 0)
		return error_set(err, errno == EACCES ? ERROR_AUTH : ERROR_NOT_FOUND, "'%s': %m",
		                 from);
	for (i = 0; i < count; i++) {
		ok = ok && add_entry(tree, path, from, entries[i]->d_name, depth, err);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

bool image_tree_add_folder(struct image_tree *tree, const char *path, const char *from,
                           struct error **err)
{
	return add_folder(tree, path, from, 0, err);
}

/* ---- order ---- */

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct image_file *)a)->path, ((const struct image_file *)b)->path);
}

static bool add_to_digest(void *context, const void *bytes, size_t size, struct error **err)
{
	(void)err;
	digest_add(context, bytes, size);
	return true;
}

/* Owned by the caller. */
static char *content_digest(const struct image_file *file, struct error **err)
{
	scoped(digest) struct digest *digest = digest_new("sha256");
	const struct image_sink sink = { add_to_digest, digest };

	return image_file_read(file, &sink, err) ? digest_end(digest) : NULL;
}

static bool check_same(const struct image_file *first, const struct image_file *second,
                       struct error **err)
{
	scoped(text) char *a = content_digest(first, err);
	scoped(text) char *b = a ? content_digest(second, err) : NULL;

	if (!b)
		return false;
	if (first->size_bytes == second->size_bytes && !strcmp(a, b))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "/%s would come from %s and from %s, with different contents: take one "
	                 "of them away",
	                 first->path, first->origin, second->origin);
}

static bool drop_copies(struct image_tree *tree, struct error **err)
{
	size_t kept = 0, i;

	for (i = 1; i < tree->count; i++)
		if (!strcmp(tree->files[i - 1].path, tree->files[i].path) &&
		    !check_same(&tree->files[i - 1], &tree->files[i], err))
			return false;
	for (i = 0; i < tree->count; i++) {
		struct image_file *last = kept ? &tree->files[kept - 1] : NULL;

		if (last && !strcmp(last->path, tree->files[i].path)) {
			last->is_executable |= tree->files[i].is_executable;
			release_file(&tree->files[i]);
		} else {
			tree->files[kept++] = tree->files[i];
		}
	}
	tree->count = kept;
	return true;
}

/* Every folder of a path, from the outermost: none may be a file. */
static bool check_folders(const struct image_tree *tree, struct error **err)
{
	size_t i;

	for (i = 0; i < tree->count; i++) {
		scoped(text) char *folder = xstrdup(tree->files[i].path);
		struct image_file key = { .path = folder }, *found;
		char *slash;

		while ((slash = strrchr(folder, '/'))) {
			*slash = '\0';
			found = bsearch(&key, tree->files, tree->count, sizeof(key), compare_files);
			if (found)
				return error_set(err, ERROR_INVALID,
				                 "/%s is a file of %s, and a folder of %s", folder,
				                 found->origin, tree->files[i].origin);
		}
	}
	return true;
}

bool image_tree_files(struct image_tree *tree, const struct image_file **files, size_t *count,
                      struct error **err)
{
	if (!tree->is_sorted) {
		if (tree->count)
			qsort(tree->files, tree->count, sizeof(*tree->files), compare_files);
		if (!drop_copies(tree, err) || !check_folders(tree, err))
			return false;
		tree->is_sorted = true;
	}
	*files = tree->files;
	*count = tree->count;
	return true;
}
