/* SPDX-License-Identifier: Apache-2.0 */
/* A step's log file as it grows, copied line by line behind the step's name. */
#include "cli/log_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"

#define PIECE_BYTES 65536

struct log_tail {
	char *path, *label;
	int fd;     /* -1: not opened yet */
	char *line; /* the beginning of a line whose end has not come; PIECE_BYTES at most */
	size_t held;
};

struct log_tail *log_tail_new(const char *path, const char *label)
{
	struct log_tail *tail = xcalloc(1, sizeof(*tail));

	tail->path = xstrdup(path);
	tail->label = text_copy(label);
	tail->fd = -1;
	return tail;
}

void log_tail_free(struct log_tail *tail)
{
	if (!tail)
		return;
	fd_cleanup(&tail->fd);
	free(tail->path);
	free(tail->label);
	free(tail->line);
	free(tail);
}

const char *log_tail_path(const struct log_tail *tail)
{
	return tail->path;
}

static void write_line(const struct log_tail *tail, const char *text, size_t size, FILE *out)
{
	fprintf(out, "%s | ", tail->label);
	fwrite(text, 1, size, out);
	if (!size || text[size - 1] != '\n')
		fputc('\n', out);
}

/* Writes the whole lines at the beginning of the buffer, and keeps the rest. A line that fills the
 * buffer is cut. */
static void write_lines(struct log_tail *tail, FILE *out)
{
	char *text = tail->line, *end;

	while ((end = memchr(text, '\n', tail->held))) {
		size_t size = (size_t)(end + 1 - text);

		write_line(tail, text, size, out);
		text += size;
		tail->held -= size;
	}
	if (tail->held == PIECE_BYTES) {
		write_line(tail, text, tail->held, out);
		tail->held = 0;
	}
	memmove(tail->line, text, tail->held);
}

static bool open_file(struct log_tail *tail, bool last, struct error **err)
{
	tail->fd = open(tail->path, O_RDONLY | O_CLOEXEC);
	if (tail->fd >= 0) {
		tail->line = xcalloc(1, PIECE_BYTES);
		return true;
	}
	if (errno == ENOENT && !last)
		return true;
	return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_INTERNAL,
	                 "read the log '%s': %s", tail->path, strerror(errno));
}

bool log_tail_copy(struct log_tail *tail, bool last, FILE *out, struct error **err)
{
	ssize_t size;

	if (tail->fd < 0 && !open_file(tail, last, err))
		return false;
	if (tail->fd < 0)
		return true;
	while ((size = read(tail->fd, tail->line + tail->held, PIECE_BYTES - tail->held)) > 0) {
		tail->held += (size_t)size;
		if (tail->label) {
			write_lines(tail, out);
		} else {
			fwrite(tail->line, 1, tail->held, out);
			tail->held = 0;
		}
	}
	if (size < 0)
		return error_set(err, ERROR_INTERNAL, "read the log '%s': %s", tail->path,
		                 strerror(errno));
	if (last && tail->held) {
		write_line(tail, tail->line, tail->held, out);
		tail->held = 0;
	}
	if (fflush(out))
		return error_set(err, ERROR_INTERNAL, "write the log: %s", strerror(errno));
	return true;
}
