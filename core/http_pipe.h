/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded buffer between two streams: what one of them receives, the other one sends. */
#ifndef CORE_HTTP_PIPE_H
#define CORE_HTTP_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/memory.h"

/*
 * The faster of both ends waits for the other one, so that memory is bounded whatever flows. One
 * end may be replaced by another transfer, which goes on where it left off. A pipe must outlive
 * its transfers, which belong to one client.
 */
struct http_pipe;
struct http_pipe *http_pipe_new(size_t capacity_bytes); /* at least 64 KiB */
void http_pipe_free(struct http_pipe *pipe);
DEFINE_CLEANUP(http_pipe);

/* Bytes that went in, and out, since the beginning. */
int64_t http_pipe_received(const struct http_pipe *pipe);
int64_t http_pipe_sent(const struct http_pipe *pipe);

/* ---- for core/http ---- */

/* All or nothing: false when there is no room, and the writer has to wait for it. */
bool http_pipe_put(struct http_pipe *pipe, const char *bytes, size_t size);
/* Up to `size` bytes; 0 when there are none, and the reader has to wait for them. */
size_t http_pipe_take(struct http_pipe *pipe, char *bytes, size_t size);
/* True once for each wait, when it is over. `left_bytes`: what the reader still lacks. */
bool http_pipe_wakes_writer(struct http_pipe *pipe);
bool http_pipe_wakes_reader(struct http_pipe *pipe, int64_t left_bytes);

#endif
