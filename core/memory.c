/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that cannot fail. */
#include "core/memory.h"

#include <jansson.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *memory)
{
	static const char message[] = "stepop: out of memory\n";

	if (memory)
		return memory;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(1);
	abort();
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *memory, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return checked(NULL);
	return checked(realloc(memory, bytes > 0 ? bytes : 1));
}

char *xstrdup(const char *text)
{
	return checked(strdup(text));
}

char *xstrndup(const char *text, size_t size)
{
	return checked(strndup(text, size));
}

static void *json_malloc_checked(size_t size)
{
	return checked(malloc(size ? size : 1));
}

/* jansson keeps what it parses and writes in buffers of its own, which nobody else can wipe. */
static void json_free_wiped(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void memory_init(void)
{
	json_set_alloc_funcs(json_malloc_checked, json_free_wiped);
}

void fd_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
