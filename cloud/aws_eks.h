/* SPDX-License-Identifier: Apache-2.0 */
/* Elastic Kubernetes Service: tokens for its clusters' API servers, and where these are. */
#ifndef CLOUD_AWS_EKS_H
#define CLOUD_AWS_EKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cloud/aws_credentials.h"
#include "cloud/aws_sts.h"

/*
 * What `aws eks get-token` prints: "k8s-aws-v1." and a presigned URL of STS's GetCallerIdentity,
 * for this cluster alone. With `role` (or NULL) as that one. Owned by the caller, a secret. Asks
 * nobody but for credentials.
 */
struct aws_eks_token {
	char *token;
	int64_t expires_at_ms; /* wall time, a minute before the cluster thinks so */
};
bool aws_eks_token(struct aws_chain *chain, const char *cluster, const struct aws_role *role,
                   struct aws_eks_token *token, struct error **err);
void aws_eks_token_release(struct aws_eks_token *token);
/* An ExecCredential of `api_version`; owned by the caller. */
json_t *aws_eks_exec_credential(const struct aws_eks_token *token, const char *api_version);

/* Owned texts. */
struct aws_eks_cluster {
	char *arn, *endpoint, *ca_base64;
	char *status; /* "ACTIVE" */
	char *version;
};
/* NOT_FOUND; INVALID while it is being made and has no endpoint yet. */
bool aws_eks_describe(struct aws_chain *chain, const char *cluster,
                      struct aws_eks_cluster *description, struct error **err);
void aws_eks_cluster_release(struct aws_eks_cluster *cluster);

#endif
