/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives for tests, with whatever names, modes and contents a case needs. */
#ifndef TESTS_FAKES_ZIP_FILE_H
#define TESTS_FAKES_ZIP_FILE_H

#include <stddef.h>

struct zip_file_entry {
	const char *name, *text;
	unsigned mode; /* of Unix; 0: 0100644 */
};

/* Writes an archive of stored (uncompressed) entries; they end with a NULL name. */
void zip_file_write(const char *path, const struct zip_file_entry *entries);

/* The line "NAME,sha256=...,SIZE\n" of a wheel's RECORD; owned by the caller. */
char *zip_file_record(const char *name, const char *text);
/* The same for all of the entries, and "RECORD_NAME,,\n" itself; owned by the caller. */
char *zip_file_records(const struct zip_file_entry *entries, const char *record_name);

#endif
