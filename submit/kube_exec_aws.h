/* SPDX-License-Identifier: Apache-2.0 */
/* Credential plugins that do what this program can do itself: tokens for clusters of EKS. */
#ifndef SUBMIT_KUBE_EXEC_AWS_H
#define SUBMIT_KUBE_EXEC_AWS_H

#include <jansson.h>
#include <stdbool.h>

#include "cloud/aws_eks.h"
#include "core/error.h"
#include "core/memory.h"

/* What the plugin was asked for. */
struct kube_exec_aws {
	char *cluster;
	char *region, *profile; /* or NULL, as the rest */
	char *role_arn, *session_name, *external_id;
	bool is_stepop; /* there is no other program that could do it instead */
};

/*
 * From a kubeconfig's command and its arguments (strings): `aws eks get-token`,
 * `aws-iam-authenticator token`, `stepop eks get-token`. NULL for anything else, an option included
 * that is not known here: the plugin itself is run then.
 */
struct kube_exec_aws *kube_exec_aws_parse(const char *command, const json_t *arguments);
void kube_exec_aws_free(struct kube_exec_aws *exec);
DEFINE_CLEANUP(kube_exec_aws);

/* `environment` (name -> value) counts more than ours meanwhile, as it would for the plugin. */
bool kube_exec_aws_token(const struct kube_exec_aws *exec, const json_t *environment,
                         struct aws_eks_token *token, struct error **err);

#endif
