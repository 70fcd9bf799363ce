/* SPDX-License-Identifier: Apache-2.0 */
/* A project, and a home, in a folder that goes away with the test. */
#ifndef TESTS_FAKES_TEMPORARY_PROJECT_H
#define TESTS_FAKES_TEMPORARY_PROJECT_H

#include "stacks/component.h"

struct temporary_project {
	char *folder; /* holds home/ and .stepop/ */
	struct project *project;
};

/* cmocka's setup and teardown: `*state` is a struct temporary_project. $HOME points into it, and
 * stepop's variables are unset. */
int temporary_project_setup(void **state);
int temporary_project_teardown(void **state);

/* Path, and whole text, of a file of .stepop/; owned by the caller. */
char *temporary_project_path(const struct temporary_project *temporary, const char *name);
char *temporary_project_read(const struct temporary_project *temporary, const char *name);
void temporary_project_write(const struct temporary_project *temporary, const char *name,
                             const char *text);

#endif
