/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of bytes. Who waits is woken when half of it is there: one by one would cost more. */
#include "core/http_pipe.h"

#include <assert.h>
#include <string.h>

struct http_pipe {
	char *ring;
	size_t capacity, first, filled;
	int64_t received, sent;
	bool writer_waits, reader_waits;
};

struct http_pipe *http_pipe_new(size_t capacity_bytes)
{
	struct http_pipe *pipe = xcalloc(1, sizeof(*pipe));

	pipe->ring = xcalloc(capacity_bytes, 1);
	pipe->capacity = capacity_bytes;
	return pipe;
}

void http_pipe_free(struct http_pipe *pipe)
{
	if (!pipe)
		return;
	free(pipe->ring);
	free(pipe);
}

int64_t http_pipe_received(const struct http_pipe *pipe)
{
	return pipe->received;
}

int64_t http_pipe_sent(const struct http_pipe *pipe)
{
	return pipe->sent;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool http_pipe_put(struct http_pipe *pipe, const char *bytes, size_t size)
{
	size_t end = (pipe->first + pipe->filled) % pipe->capacity;
	size_t until_wrap = smaller(size, pipe->capacity - end);

	assert(size <= pipe->capacity / 2);
	pipe->writer_waits = size > pipe->capacity - pipe->filled;
	if (pipe->writer_waits)
		return false;
	memcpy(pipe->ring + end, bytes, until_wrap);
	memcpy(pipe->ring, bytes + until_wrap, size - until_wrap);
	pipe->filled += size;
	pipe->received += (int64_t)size;
	return true;
}

size_t http_pipe_take(struct http_pipe *pipe, char *bytes, size_t size)
{
	size_t taken = smaller(size, pipe->filled);
	size_t until_wrap = smaller(taken, pipe->capacity - pipe->first);

	memcpy(bytes, pipe->ring + pipe->first, until_wrap);
	memcpy(bytes + until_wrap, pipe->ring, taken - until_wrap);
	pipe->first = (pipe->first + taken) % pipe->capacity;
	pipe->filled -= taken;
	pipe->sent += (int64_t)taken;
	pipe->reader_waits = !taken && size;
	return taken;
}

bool http_pipe_wakes_writer(struct http_pipe *pipe)
{
	bool wakes = pipe->writer_waits && pipe->filled <= pipe->capacity / 2;

	if (wakes)
		pipe->writer_waits = false;
	return wakes;
}

bool http_pipe_wakes_reader(struct http_pipe *pipe, int64_t left_bytes)
{
	bool is_enough = pipe->filled >= pipe->capacity / 2 || (int64_t)pipe->filled >= left_bytes;
	bool wakes = pipe->reader_waits && is_enough;

	if (wakes)
		pipe->reader_waits = false;
	return wakes;
}
