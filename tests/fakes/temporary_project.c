/* SPDX-License-Identifier: Apache-2.0 */
/* A project in a temporary folder. */
#include "tests/fakes/temporary_project.h"

#include <string.h>

#include "core/file.h"
#include "core/text.h"

int temporary_project_setup(void **state)
{
	static const char *const variables[] = { "STEPOP_HOME", "XDG_CONFIG_HOME",
		                                 "STEPOP_SECRETS_KEY",
		                                 "STEPOP_SECRETS_PASSPHRASE" };
	struct temporary_project *temporary = xcalloc(1, sizeof(*temporary));
	scoped(text) char *home = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(variables); i++)
		unsetenv(variables[i]);
	temporary->folder = xstrdup("/tmp/stepop-test-XXXXXX");
	if (!mkdtemp(temporary->folder))
		return -1;
	home = file_join(temporary->folder, "home");
	setenv("HOME", home, 1);
	temporary->project = project_init(temporary->folder, NULL, NULL);
	*state = temporary;
	return temporary->project ? 0 : -1;
}

int temporary_project_teardown(void **state)
{
	struct temporary_project *temporary = *state;
	bool removed = file_remove_tree(temporary->folder, NULL);

	project_free(temporary->project);
	free(temporary->folder);
	free(temporary);
	return removed ? 0 : -1;
}

char *temporary_project_path(const struct temporary_project *temporary, const char *name)
{
	return file_join(project_folder(temporary->project), name);
}

char *temporary_project_read(const struct temporary_project *temporary, const char *name)
{
	scoped(text) char *path = temporary_project_path(temporary, name);

	return file_read(path, 1 << 20, NULL, NULL);
}

void temporary_project_write(const struct temporary_project *temporary, const char *name,
                             const char *text)
{
	scoped(text) char *path = temporary_project_path(temporary, name);

	if (!file_write_atomic(path, text, strlen(text), 0644, NULL))
		abort();
}
