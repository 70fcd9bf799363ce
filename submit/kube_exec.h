/* SPDX-License-Identifier: Apache-2.0 */
/* Credential plugins: the command that a kubeconfig's user names, and what it printed. */
#ifndef SUBMIT_KUBE_EXEC_H
#define SUBMIT_KUBE_EXEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "submit/kube_config_file.h"

struct kube_exec;

/* From the field `exec` of a user. `cluster` is passed on where provideClusterInfo asks for it. */
struct kube_exec *kube_exec_parse(const struct kube_entry *user, const json_t *cluster,
                                  struct error **err);
void kube_exec_free(struct kube_exec *exec);
DEFINE_CLEANUP(kube_exec);

/* Borrowed; valid until the next call of kube_exec_credential(). */
struct kube_exec_credential {
	const char *token;                     /* or NULL */
	const char *certificate_pem, *key_pem; /* or NULL */
};

/*
 * Runs the plugin when there is no credential yet, when it expires within a minute, or on `fresh`;
 * waits at most 60 s. It has no standard input. AUTH with its last words and its installHint.
 * Plugins for EKS need not be installed: what they do is done here (submit/kube_exec_aws.h), and
 * they are run only where that is refused.
 */
bool kube_exec_credential(struct kube_exec *exec, bool fresh,
                          struct kube_exec_credential *credential, struct error **err);

#endif
