/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts as files below a folder of this machine. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact.h"

#define SCHEME "file://"
#define PROBE ".stepop-check"

static const struct component_option options[] = {
	{ .name = "path",
	  .help = "folder that artifacts are kept in; default: artifacts/ in .stepop/" },
	{ 0 },
};
static const struct component_flavor flavor = {
	.type = COMPONENT_ARTIFACT_STORE,
	.name = "local",
	.help = "a folder of this machine; pods cannot reach it",
	.options = options,
};

static const char *path_of(const char *uri)
{
	return uri + strlen(SCHEME);
}

/* A relative path counts from the folder that holds .stepop/, wherever the command is called. */
static char *root_path(const struct project *project, const struct component *component)
{
	const char *path = component_text(component, "path", NULL);
	scoped(text) char *base = file_folder(project_folder(project));
	scoped(text) char *joined =
		path ? file_join(base, path) : file_join(project_folder(project), "artifacts");

	return file_absolute(joined);
}

static struct artifact_store *local_open(const struct project *project,
                                         const struct component *component,
                                         struct secret_store *secrets, struct http_client *http,
                                         struct error **err)
{
	scoped(text) char *path = root_path(project, component);
	struct artifact_store *store;

	(void)secrets;
	(void)http;
	if (!text_is_utf8(path, strlen(path)))
		return error_set(err, ERROR_INVALID, "its path is not valid UTF-8");
	store = xcalloc(1, sizeof(*store));
	store->flavor = &artifact_local;
	store->root = text_printf(SCHEME "%s%s", path, text_ends_with(path, "/") ? "" : "/");
	return store;
}

static void local_close(struct artifact_store *store)
{
	free(store);
}

static void *file_fault(struct error **err, const char *action, const char *path)
{
	enum error_kind kind = errno == ENOENT || errno == ENOTDIR ? ERROR_NOT_FOUND
	                       : errno == EACCES || errno == EPERM ? ERROR_AUTH
	                                                           : ERROR_INTERNAL;

	return error_set(err, kind, "%s '%s': %s", action, path, strerror(errno));
}

/* A regular file; below 0 with *err set when it is none. */
static int open_file(const char *path, int64_t *size_bytes, struct error **err)
{
	scoped(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat file;
	int opened;

	if (fd < 0 || fstat(fd, &file)) {
		file_fault(err, "open", path);
		return -1;
	}
	if (!S_ISREG(file.st_mode)) {
		error_set(err, ERROR_NOT_FOUND, "'%s' is no file", path);
		return -1;
	}
	*size_bytes = file.st_size;
	opened = fd;
	fd = -1;
	return opened;
}

static char *read_part(int fd, const char *path, int64_t offset, size_t wanted, size_t *got,
                       struct error **err)
{
	scoped(text) char *bytes = xcalloc(wanted + 1, 1);
	size_t used = 0;

	while (used < wanted) {
		ssize_t count = pread(fd, bytes + used, wanted - used, offset + (int64_t)used);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return file_fault(err, "read", path);
		if (count == 0)
			break;
		used += (size_t)count;
	}
	bytes[used] = '\0';
	*got = used;
	return take(bytes);
}

static char *local_get(struct artifact_store *store, const char *uri, int64_t offset, size_t size,
                       size_t limit, size_t *got, struct error **err)
{
	int64_t size_bytes = 0, left;
	scoped(fd) int fd = open_file(path_of(uri), &size_bytes, err);
	size_t wanted;

	(void)store;
	if (fd < 0)
		return NULL;
	if (offset < 0)
		offset = size_bytes + offset > 0 ? size_bytes + offset : 0;
	left = size_bytes > offset ? size_bytes - offset : 0;
	wanted = size == 0 || size > (uint64_t)left ? (size_t)left : size;
	if (wanted > limit)
		return error_set(err, ERROR_INVALID, "%s has more than %zu bytes", uri, limit);
	return read_part(fd, path_of(uri), offset, wanted, got, err);
}

static bool make_folder_of(const char *path, struct error **err)
{
	scoped(text) char *folder = file_folder(path);

	return file_make_folders(folder, 0755, err);
}

static bool local_put(struct artifact_store *store, const char *uri, const void *bytes, size_t size,
                      struct error **err)
{
	(void)store;
	return make_folder_of(path_of(uri), err) &&
	       file_write_atomic(path_of(uri), bytes, size, 0644, err);
}

static bool copy_bytes(int from, int to, int64_t size_bytes)
{
	while (size_bytes > 0) {
		ssize_t count = copy_file_range(from, NULL, to, NULL, (size_t)size_bytes, 0);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		size_bytes -= count;
	}
	return size_bytes == 0;
}

/* Some file systems and old kernels cannot copy a range between two of them. */
static bool copy_by_hand(int from, int to, int64_t size_bytes)
{
	enum { CHUNK = 256 * 1024 };
	scoped(text) char *bytes = xcalloc(CHUNK, 1);
	ssize_t count;

	for (int64_t offset = 0; offset < size_bytes; offset += count) {
		count = pread(from, bytes, CHUNK, offset);
		if (count <= 0 || pwrite(to, bytes, (size_t)count, offset) != count)
			return false;
	}
	return true;
}

static bool copy_into(int from, int64_t size_bytes, const char *path, struct error **err)
{
	scoped(text) char *temporary = text_printf("%s.XXXXXX", path);
	scoped(fd) int to = mkostemp(temporary, O_CLOEXEC);
	bool is_good;

	if (to < 0)
		return file_fault(err, "write", path);
	is_good = (copy_bytes(from, to, size_bytes) || copy_by_hand(from, to, size_bytes)) &&
	          !fchmod(to, 0644) && !fsync(to) && !rename(temporary, path);
	if (!is_good) {
		file_fault(err, "write", path);
		unlink(temporary);
	}
	return is_good;
}

static bool local_put_file(struct artifact_store *store, const char *uri, const char *path,
                           struct error **err)
{
	int64_t size_bytes = 0;
	scoped(fd) int from = open_file(path, &size_bytes, err);

	(void)store;
	return from >= 0 && make_folder_of(path_of(uri), err) &&
	       copy_into(from, size_bytes, path_of(uri), err);
}

static bool local_size(struct artifact_store *store, const char *uri, int64_t *size_bytes,
                       struct error **err)
{
	int64_t found = 0;
	scoped(fd) int fd = open_file(path_of(uri), &found, err);

	(void)store;
	if (fd < 0)
		return false;
	*size_bytes = found;
	return true;
}

static void add_entry(struct artifact_entry **entries, size_t *count, const char *name,
                      int64_t size_bytes)
{
	/* Grows by doubling: folders of many thousand files are listed too. */
	if (!(*count & (*count - 1)))
		*entries = xrealloc(*entries, *count ? *count * 2 : 1, sizeof(**entries));
	(*entries)[(*count)++] =
		(struct artifact_entry){ .name = xstrdup(name), .size_bytes = size_bytes };
}

/* Files alone. Links are not followed: what they point to is not in the store. */
static bool walk(FTS *fts, size_t root_size, struct artifact_entry **entries, size_t *count,
                 struct error **err)
{
	FTSENT *file;

	while (errno = 0, (file = fts_read(fts))) {
		if (file->fts_info == FTS_F)
			add_entry(entries, count, file->fts_path + root_size,
			          file->fts_statp->st_size);
		if (file->fts_info != FTS_DNR && file->fts_info != FTS_ERR)
			continue;
		errno = file->fts_errno;
		return file_fault(err, "list", file->fts_path);
	}
	return !errno || file_fault(err, "list", "the folder");
}

static bool local_list(struct artifact_store *store, const char *uri,
                       struct artifact_entry **entries, size_t *count, struct error **err)
{
	scoped(text) char *path = xstrdup(path_of(uri));
	char *const roots[] = { path, NULL };
	FTS *fts;
	bool is_good;

	(void)store;
	if (!file_exists(path))
		return true;
	fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return file_fault(err, "list", path);
	is_good = walk(fts, strlen(path), entries, count, err);
	fts_close(fts);
	if (!is_good) {
		artifact_entries_free(*entries, *count);
		*entries = NULL;
		*count = 0;
	}
	return is_good;
}

static bool local_check(struct artifact_store *store, struct error **err)
{
	scoped(text) char *uri = text_printf("%s" PROBE, store->root);
	scoped(text) char *text = NULL;
	size_t got;
	bool is_good;

	is_good = local_put(store, uri, "ok", 2, err) &&
	          (text = local_get(store, uri, 0, 0, 2, &got, err));
	unlink(path_of(uri));
	return is_good ||
	       error_wrap(err, "its folder must be writable; choose another with --path");
}

const struct artifact_flavor artifact_local = {
	.component = &flavor,
	.open = local_open,
	.get = local_get,
	.put = local_put,
	.put_file = local_put_file,
	.size = local_size,
	.list = local_list,
	.check = local_check,
	.close = local_close,
};
