/* SPDX-License-Identifier: Apache-2.0 */
/* Every command's value, by the file that holds it; cli/command.c lists them. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"
#include "stacks/component.h"

/* cli/cmd_component.c: the same verbs for every type of component. */
enum component_verb {
	COMPONENT_REGISTER,
	COMPONENT_LIST,
	COMPONENT_DESCRIBE,
	COMPONENT_UPDATE,
	COMPONENT_DELETE,
	COMPONENT_FLAVORS,
	COMPONENT_VERB_COUNT,
};
extern const struct command cmd_components[COMPONENT_TYPE_COUNT][COMPONENT_VERB_COUNT];
#define CMD_COMPONENT(type)                                                                       \
	&cmd_components[type][COMPONENT_REGISTER], &cmd_components[type][COMPONENT_LIST],         \
		&cmd_components[type][COMPONENT_DESCRIBE],                                        \
		&cmd_components[type][COMPONENT_UPDATE], &cmd_components[type][COMPONENT_DELETE], \
		&cmd_components[type][COMPONENT_FLAVORS]

extern const struct command cmd_init, cmd_register;
extern const struct command cmd_stack_register, cmd_stack_list, cmd_stack_describe, cmd_stack_set,
	cmd_stack_update, cmd_stack_delete;
extern const struct command cmd_stack_check, cmd_stack_export, cmd_stack_import;
extern const struct command cmd_secret_register, cmd_secret_list, cmd_secret_describe,
	cmd_secret_update, cmd_secret_delete;
extern const struct command cmd_metadata_status, cmd_metadata_migrate, cmd_metadata_copy;
extern const struct command cmd_run, cmd_runs_list, cmd_runs_describe, cmd_logs;
extern const struct command cmd_artifact_list, cmd_artifact_describe, cmd_artifact_preview;
extern const struct command cmd_rbac_render, cmd_rbac_apply, cmd_rbac_diff, cmd_rbac_check;
extern const struct command cmd_submit, cmd_explain_memory;
extern const struct command cmd_image_build, cmd_image_push, cmd_image_inspect;
extern const struct command cmd_eks_get_token, cmd_eks_kubeconfig;
extern const struct command cmd_help, cmd_version, cmd_completion;

#endif
