/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that cannot fail, and owners that clean up when their scope ends. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Out of memory ends the process: a function that only allocates is never fallible. What these
 * return is released with free(). `size` and `count` may be 0 (a unique pointer is returned).
 */
void *xcalloc(size_t count, size_t size) __attribute__((__malloc__, __returns_nonnull__));
void *xrealloc(void *memory, size_t count, size_t size) __attribute__((__returns_nonnull__));
char *xstrdup(const char *text) __attribute__((__returns_nonnull__));
char *xstrndup(const char *text, size_t size) __attribute__((__returns_nonnull__));

/* Makes jansson's allocations abort when memory is out, and wiped when they are given up: any of
 * them may hold a secret. Called once by each program's main(). */
void memory_init(void);

/*
 * `scoped(t) struct t *x` calls t_free(x) when x leaves its scope; `return take(x)` hands x over
 * instead. DEFINE_CLEANUP(t) stands beside the declaration of t_free().
 */
#define scoped(type) __attribute__((__cleanup__(type##_cleanup)))
#define take(owner)                                 \
	__extension__({                             \
		__typeof__(owner) taken_ = (owner); \
		(owner) = NULL;                     \
		taken_;                             \
	})
#define DEFINE_CLEANUP(type)                                   \
	static inline void type##_cleanup(struct type **owner) \
	{                                                      \
		type##_free(*owner);                           \
	}                                                      \
	struct type /* swallows the semicolon */

static inline void text_cleanup(char **text)
{
	free(*text);
}

static inline void file_cleanup(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* A descriptor below 0 is none. Give it away by setting it to -1. */
void fd_cleanup(int *fd);

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that embeds `member` at `pointer`. */
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
