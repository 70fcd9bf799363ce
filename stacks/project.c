/* SPDX-License-Identifier: Apache-2.0 */
/* The project folder .stepop/: found upward like git's, made by `stepop init`. */
#include "stacks/component.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/project_file.h"

#define PROJECT_FOLDER ".stepop"

struct project {
	char *folder;
};

/* What a clean checkout must not carry: data, and everything about secrets. */
static const char gitignore[] = "# made by stepop init; what is listed here is not for git\n"
				"/artifacts/\n"
				"/cache/\n"
				"/keys/\n"
				"/lock\n"
				"/metadata.db*\n"
				"/runs/\n"
				"/secrets*\n"
				"*.key\n"
				"*.pem\n"
				"*.tmp\n";

/* Stack 'default' needs nothing but this machine. */
static const struct {
	enum component_type type;
	const char *flavor;
} defaults[] = {
	{ COMPONENT_ORCHESTRATOR, "local" },
	{ COMPONENT_STEP_OPERATOR, "local" },
	{ COMPONENT_ARTIFACT_STORE, "local" },
	{ COMPONENT_METADATA_STORE, "sqlite" },
};

void project_free(struct project *project)
{
	if (!project)
		return;
	free(project->folder);
	free(project);
}

const char *project_folder(const struct project *project)
{
	return project->folder;
}

/* Takes over `folder`. */
static struct project *project_new(char *folder)
{
	struct project *project = xcalloc(1, sizeof(*project));

	project->folder = folder;
	return project;
}

static bool is_project(const char *folder)
{
	scoped(text) char *config = file_join(folder, "config.yaml");

	return file_exists(config);
}

static const char *environment_folder(void)
{
	const char *folder = getenv("STEPOP_HOME");

	return folder && *folder ? folder : NULL;
}

/* $STEPOP_HOME names the .stepop folder itself, or the folder that holds it. */
static struct project *open_home(const char *home, struct error **err)
{
	scoped(text) char *folder = file_absolute(home);
	scoped(text) char *inner = file_join(folder, PROJECT_FOLDER);

	if (is_project(folder))
		return project_new(take(folder));
	if (is_project(inner))
		return project_new(take(inner));
	return error_set(err, ERROR_NOT_FOUND,
	                 "$STEPOP_HOME is '%s', where there is no stepop project; run "
	                 "'stepop init' to make one there, or unset it",
	                 home);
}

struct project *project_open(const char *start, struct error **err)
{
	scoped(text) char *folder = NULL;

	if (environment_folder())
		return open_home(environment_folder(), err);
	folder = file_absolute(start ? start : ".");
	for (;;) {
		scoped(text) char *candidate = file_join(folder, PROJECT_FOLDER);
		char *parent;

		if (is_project(candidate))
			return project_new(take(candidate));
		if (!strcmp(folder, "/"))
			break;
		parent = file_folder(folder);
		free(folder);
		folder = parent;
	}
	return error_set(err, ERROR_NOT_FOUND,
	                 "not in a stepop project (no %s folder here or above); run 'stepop init' "
	                 "to make one",
	                 PROJECT_FOLDER);
}

/* Takes over `content`; a file that is there is kept. */
static bool save_missing(char *path_owned, json_t *content, bool *created, struct error **err)
{
	scoped(text) char *path = path_owned;
	json_auto_t *owned = content;

	if (file_exists(path))
		return true;
	if (!project_file_save(path, owned, err))
		return false;
	*created = true;
	return true;
}

static bool make_components(const struct project *project, bool *created, struct error **err)
{
	json_auto_t *stack = project_file_new("Stack");
	json_t *names = json_object();
	size_t i;

	json_object_set_new(stack, "components", names);
	for (i = 0; i < ARRAY_SIZE(defaults); i++) {
		const char *type = component_type_name(defaults[i].type);
		scoped(text) char *folder = text_printf("components/%s", type);
		json_t *component = project_file_new("Component");

		json_object_set_new(component, "flavor", json_string(defaults[i].flavor));
		json_object_set_new(names, type, json_string("default"));
		if (!save_missing(project_file_path(project, folder, "default"), component, created,
		                  err))
			return false;
	}
	return save_missing(project_file_path(project, "stacks", "default"), take(stack), created,
	                    err);
}

static bool make_gitignore(const struct project *project, bool *created, struct error **err)
{
	scoped(text) char *path = file_join(project->folder, ".gitignore");

	if (file_exists(path))
		return true;
	*created = true;
	return file_write_atomic(path, gitignore, strlen(gitignore), 0644, err);
}

/* config.yaml comes last: the folder counts as a project once it is complete. */
static bool complete(const struct project *project, bool *created, struct error **err)
{
	json_t *config = project_file_new("Project");

	json_object_set_new(config, "stack", json_string("default"));
	if (!make_gitignore(project, created, err) || !make_components(project, created, err)) {
		json_decref(config);
		return false;
	}
	return save_missing(project_file_path(project, "", "config"), config, created, err);
}

static char *folder_to_make(const char *folder)
{
	scoped(text) char *absolute = NULL;

	if (!folder && environment_folder()) {
		scoped(text) char *inner = file_join(environment_folder(), PROJECT_FOLDER);

		return file_absolute(is_project(inner) ? inner : environment_folder());
	}
	absolute = file_absolute(folder ? folder : ".");
	return file_join(absolute, PROJECT_FOLDER);
}

struct project *project_init(const char *folder, bool *created, struct error **err)
{
	scoped(project) struct project *project = project_new(folder_to_make(folder));
	bool made = false;

	if (!file_make_folders(project->folder, 0755, err))
		return error_wrap(err, "make the project folder");
	if (!complete(project, &made, err))
		return error_wrap(err, "make the project folder '%s'", project->folder);
	if (created)
		*created = made;
	return take(project);
}
