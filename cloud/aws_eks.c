/* SPDX-License-Identifier: Apache-2.0 */
/* EKS's tokens (aws-iam-authenticator, pkg/token) and its API (2017-11-01). */
#include "cloud/aws_eks.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/aws_request.h"
#include "cloud/aws_sigv4.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

#define TOKEN_PREFIX "k8s-aws-v1."

enum {
	/* The cluster takes a URL for 15 minutes whatever this says, but refuses other values. */
	URL_EXPIRES_S = 60,
	TOKEN_LIFE_MS = 14 * 60 * 1000,
};

/* ---- tokens ---- */

void aws_eks_token_release(struct aws_eks_token *token)
{
	secret_free(token->token);
	*token = (struct aws_eks_token){ 0 };
}

/* Of URLs (RFC 4648), without padding; in place. */
static char *url_base64(char *text)
{
	for (char *at = text; *at; at++)
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at;
	return text;
}

static char *presigned_url(const struct aws_chain *chain, const char *cluster,
                           const struct aws_credentials *credentials, int64_t now_ms)
{
	const char *region = aws_sts_region(chain);
	scoped(text) char *endpoint = aws_endpoint(chain, "sts", region);
	scoped(text) char *url =
		text_printf("%s/?Action=GetCallerIdentity&Version=2011-06-15", endpoint);
	scoped(text) char *header = text_printf("x-k8s-aws-id: %s", cluster);
	const char *const headers[] = { header, NULL };

	return aws_sigv4_presign(
		&(struct aws_sigv4_request){ .method = "GET", .url = url, .headers = headers },
		&(struct aws_sigv4_scope){ .credentials = credentials,
	                                   .region = region,
	                                   .service = "sts",
	                                   .at_ms = now_ms },
		URL_EXPIRES_S);
}

bool aws_eks_token(struct aws_chain *chain, const char *cluster, const struct aws_role *role,
                   struct aws_eks_token *token, struct error **err)
{
	const struct aws_credentials *credentials = aws_chain_get(chain, err);
	struct aws_credentials taken = { 0 };
	int64_t now_ms = clock_now_ms();

	if (credentials && role) {
		if (!aws_sts_assume_role(chain, role, credentials, &taken, err))
			return false;
		credentials = &taken;
	}
	if (!credentials)
		return false;
	scoped(secret) char *url = presigned_url(chain, cluster, credentials, now_ms);
	scoped(secret) char *base64 = url_base64(base64_encode(url, strlen(url)));
	token->token = text_printf(TOKEN_PREFIX "%s", base64);
	token->expires_at_ms = now_ms + TOKEN_LIFE_MS;
	aws_credentials_release(&taken);
	return true;
}

json_t *aws_eks_exec_credential(const struct aws_eks_token *token, const char *api_version)
{
	scoped(text) char *expiry = clock_format(token->expires_at_ms / 1000 * 1000);

	return json_pack("{s:s, s:s, s:{}, s:{s:s, s:s}}", "kind", "ExecCredential", "apiVersion",
	                 api_version, "spec", "status", "expirationTimestamp", expiry, "token",
	                 token->token);
}

/* ---- clusters ---- */

void aws_eks_cluster_release(struct aws_eks_cluster *cluster)
{
	free(cluster->arn);
	free(cluster->endpoint);
	free(cluster->ca_base64);
	free(cluster->status);
	free(cluster->version);
	*cluster = (struct aws_eks_cluster){ 0 };
}

static char *copy(const json_t *object, const char *key)
{
	return text_copy(json_string_value(json_object_get(object, key)));
}

bool aws_eks_describe(struct aws_chain *chain, const char *cluster,
                      struct aws_eks_cluster *description, struct error **err)
{
	scoped(text) char *name = http_escape(cluster, false);
	scoped(text) char *path = text_printf("/clusters/%s", name);
	scoped(text) char *body =
		aws_chain_perform(chain,
	                          &(struct aws_request){ .service = "eks",
	                                                 .operation = "DescribeCluster",
	                                                 .method = "GET",
	                                                 .path = path },
	                          err);
	json_auto_t *root = body ? json_loads(body, 0, NULL) : NULL;
	const json_t *found = json_object_get(root, "cluster");

	if (!body)
		return error_wrap(err, "cluster '%s'", cluster);
	*description = (struct aws_eks_cluster){
		.arn = copy(found, "arn"),
		.endpoint = copy(found, "endpoint"),
		.ca_base64 = copy(json_object_get(found, "certificateAuthority"), "data"),
		.status = copy(found, "status"),
		.version = copy(found, "version"),
	};
	if (description->arn && description->endpoint && description->ca_base64)
		return true;
	error_set(err, ERROR_INVALID, "cluster '%s' has no endpoint yet; its status is %s", cluster,
	          description->status ? description->status : "unknown");
	aws_eks_cluster_release(description);
	return false;
}
