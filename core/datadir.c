/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the program's own files, installed or in a checkout. */
#include "core/datadir.h"

#include <string.h>
#include <unistd.h>

#include "core/text.h"

/* The folder of the running program without a slash at the end, owned by the caller; or NULL. */
static char *program_folder(void)
{
	char *path = realpath("/proc/self/exe", NULL);
	char *slash = path ? strrchr(path, '/') : NULL;

	if (slash)
		*slash = '\0';
	return path;
}

static char *existing(const char *folder, const char *below, const char *relative)
{
	scoped(text) char *path = text_printf("%s%s/%s", folder, below, relative);

	return access(path, R_OK) ? NULL : realpath(path, NULL);
}

static char *find_beside_program(const char *relative)
{
	static const char *const places[] = { "/../share/stepop", "/..", "/../..", "/../../.." };
	scoped(text) char *folder = program_folder();
	char *path = NULL;
	size_t i;

	for (i = 0; folder && !path && i < ARRAY_SIZE(places); i++)
		path = existing(folder, places[i], relative);
	return path;
}

char *datadir_find(const char *relative, struct error **err)
{
	const char *chosen = getenv("STEPOP_DATA");
	char *path;

	if (chosen && *chosen) {
		path = existing(chosen, "", relative);
		return path ? path
		            : error_set(
				      err, ERROR_NOT_FOUND,
				      "no '%s' in '%s', where STEPOP_DATA says stepop's files are",
				      relative, chosen);
	}
	path = find_beside_program(relative);
	if (!path)
		path = existing(STEPOP_DATADIR, "", relative);
	if (!path)
		error_set(err, ERROR_NOT_FOUND,
		          "no '%s' beside the program or in %s; install stepop with 'make "
		          "install', or "
		          "set STEPOP_DATA to the folder that holds it",
		          relative, STEPOP_DATADIR);
	return path;
}
