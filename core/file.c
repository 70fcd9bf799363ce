/* SPDX-License-Identifier: Apache-2.0 */
/* Small files: whole reads, atomic writes, folders. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"

#define COPY_BYTES ((size_t)1 << 17)

static void *file_error(struct error **err, const char *action, const char *path)
{
	int number = errno;
	enum error_kind kind = number == ENOENT || number == ENOTDIR ? ERROR_NOT_FOUND
	                       : number == EACCES || number == EPERM ? ERROR_AUTH
	                                                             : ERROR_INTERNAL;

	return error_set(err, kind, "%s '%s': %s", action, path, strerror(number));
}

static bool read_all(int fd, char *buffer, size_t size, size_t *got)
{
	*got = 0;
	while (*got < size) {
		ssize_t n = read(fd, buffer + *got, size - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (!n)
			break;
		*got += (size_t)n;
	}
	return true;
}

/* Pipes and /proc files tell no size: the buffer grows until the end is reached. */
char *file_read(const char *path, size_t limit_bytes, size_t *size, struct error **err)
{
	scoped(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	scoped(text) char *text = NULL;
	size_t capacity = 4096, used = 0, got;

	if (fd < 0)
		return file_error(err, "open", path);
	do {
		if (used == capacity)
			capacity *= 2;
		text = xrealloc(text, capacity + 1, 1);
		if (!read_all(fd, text + used, capacity - used, &got))
			return file_error(err, "read", path);
		used += got;
		if (used > limit_bytes)
			return error_set(err, ERROR_INVALID, "'%s' is larger than %zu bytes", path,
			                 limit_bytes);
	} while (used == capacity);
	text[used] = '\0';
	if (size)
		*size = used;
	return take(text);
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

bool file_write_atomic(const char *path, const void *bytes, size_t size, unsigned mode,
                       struct error **err)
{
	scoped(text) char *temporary = text_printf("%s.XXXXXX", path);
	scoped(fd) int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return file_error(err, "write", path);
	if (!write_all(fd, bytes, size) || fchmod(fd, mode) || fsync(fd) ||
	    rename(temporary, path)) {
		file_error(err, "write", path);
		unlink(temporary);
		return false;
	}
	return true;
}

bool file_write(const char *path, const void *bytes, size_t size, unsigned mode, struct error **err)
{
	scoped(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || !write_all(fd, bytes, size))
		return file_error(err, "write", path);
	return true;
}

static bool copy_bytes(int from, int to, const char *path, struct error **err)
{
	scoped(text) char *buffer = xcalloc(COPY_BYTES, 1);
	size_t got;

	do {
		if (!read_all(from, buffer, COPY_BYTES, &got))
			return file_error(err, "read", path);
		if (!write_all(to, buffer, got))
			return file_error(err, "copy", path);
	} while (got == COPY_BYTES);
	return true;
}

bool file_copy(const char *from, const char *to, unsigned mode, struct error **err)
{
	scoped(text) char *temporary = text_printf("%s.XXXXXX", to);
	scoped(fd) int source = open(from, O_RDONLY | O_CLOEXEC);
	scoped(fd) int copy = -1;
	bool is_copied;

	if (source < 0)
		return file_error(err, "open", from);
	copy = mkostemp(temporary, O_CLOEXEC);
	if (copy < 0)
		return file_error(err, "write", to);
	is_copied = copy_bytes(source, copy, from, err);
	if (is_copied && (fchmod(copy, mode) || rename(temporary, to)))
		is_copied = file_error(err, "write", to);
	if (!is_copied)
		unlink(temporary);
	return is_copied;
}

bool file_make_folders(const char *path, unsigned mode, struct error **err)
{
	scoped(text) char *copy = xstrdup(path);
	char *slash = copy;

	while (*slash == '/')
		slash++;
	while (slash) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(copy, mode) && errno != EEXIST)
			return file_error(err, "make the folder", copy);
		if (slash)
			*slash++ = '/';
		while (slash && *slash == '/')
			slash++;
		if (slash && !*slash)
			break;
	}
	return true;
}

bool file_exists(const char *path)
{
	return !access(path, F_OK);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

bool file_remove_tree(const char *path, struct error **err)
{
	if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		return file_error(err, "remove", path);
	return true;
}

char *file_join(const char *folder, const char *name)
{
	if (*name == '/' || !*folder)
		return xstrdup(name);
	return text_printf("%s%s%s", folder, text_ends_with(folder, "/") ? "" : "/", name);
}

char *file_absolute(const char *path)
{
	scoped(text) char *resolved = realpath(path, NULL);
	scoped(text) char *here = NULL;

	if (resolved)
		return take(resolved);
	if (*path == '/')
		return xstrdup(path);
	here = realpath(".", NULL);
	return file_join(here ? here : ".", path);
}

char *file_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

char *file_at_home(const char *name)
{
	const char *home = getenv("HOME");

	if (!home || !*home) {
		const struct passwd *user = getpwuid(getuid());

		home = user ? user->pw_dir : "/";
	}
	return file_join(home, name);
}
