/* SPDX-License-Identifier: Apache-2.0 */
/* Shared libraries that few commands need, loaded when they are: the others do not pay for them. */
#ifndef CORE_LIBRARY_H
#define CORE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

/* Where the address of a function goes in the struct of functions that the caller has. */
struct library_symbol {
	const char *name;
	size_t offset;
};

struct library {
	const char *const *names; /* "libzip.so.4", …, the first that is there; NULL at the end */
	const char *purpose;      /* "zip archives cannot be read without libzip" */
	const char *package;      /* "libzip4" */
	const struct library_symbol *symbols;
	size_t symbol_count;
};

/* Fills in *functions. The library stays open. INTERNAL where it is absent (says which package to
 * install), or lacks a function. */
bool library_load(const struct library *library, void *functions, struct error **err);

#endif
