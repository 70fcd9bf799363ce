/* SPDX-License-Identifier: Apache-2.0 */
/* ECR's API (2015-09-21) in the region that a registry's name tells. */
#include "cloud/aws_ecr.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/aws_request.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

#define ACCOUNT_DIGITS 12

/* ---- names of registries ---- */

/* What lies between `text` and the end of one of ECR's names, or 0. */
static size_t region_size(const char *text)
{
	static const char *const suffixes[] = {
		".amazonaws.com",  ".amazonaws.com.cn", ".amazonaws.eu",
		".c2s.ic.gov",     ".sc2s.sgov.gov",    ".csp.hci.ic.gov",
		".cloud.adc-e.uk", ".on.aws",           ".on.amazonwebservices.com.cn",
	};
	size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (text_equal(text + size, suffixes[i]))
			return size;
	return 0;
}

bool aws_ecr_is_registry(const char *host, char **account, char **region)
{
	static const char *const infixes[] = { ".dkr.ecr.", ".dkr.ecr-fips.", ".dkr-ecr.",
		                               ".dkr-ecr-fips." };
	const char *rest = host + strspn(host, "0123456789");

	if (rest - host != ACCOUNT_DIGITS)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(infixes); i++) {
		const char *at = rest + strlen(infixes[i]);

		if (!text_starts_with(rest, infixes[i]) || !region_size(at))
			continue;
		if (account)
			*account = xstrndup(host, ACCOUNT_DIGITS);
		if (region)
			*region = xstrndup(at, region_size(at));
		return true;
	}
	return false;
}

/* ---- the API ---- */

/* In the registry's region. Takes `input`. */
static json_t *call_take(struct aws_chain *chain, const char *registry, const char *operation,
                         json_t *input, struct error **err)
{
	scoped(text) char *region = NULL;
	json_t *answer;

	if (!aws_ecr_is_registry(registry, NULL, &region)) {
		json_decref(input);
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no registry of ECR: it should look like "
		                 "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
		                 registry);
	}
	answer = aws_json_call(
		chain,
		&(struct aws_json_service){ .name = "ecr",
	                                    .target = "AmazonEC2ContainerRegistry_V20150921",
	                                    .region = region },
		operation, input, err);
	json_decref(input);
	return answer;
}

/* "AWS:PASSWORD" in base64. */
static bool split_token(const char *token, char **user, char **password)
{
	size_t size;
	char *pair = token ? base64_decode(token, &size) : NULL;
	const char *colon = pair ? memchr(pair, ':', size) : NULL;

	if (colon) {
		*user = xstrndup(pair, (size_t)(colon - pair));
		*password = xstrndup(colon + 1, size - (size_t)(colon + 1 - pair));
	}
	if (pair)
		text_wipe(pair, size);
	free(pair);
	return colon;
}

static void wipe(const json_t *token)
{
	if (json_is_string(token))
		text_wipe((char *)json_string_value(token), json_string_length(token));
}

bool aws_ecr_authorize(struct aws_chain *chain, const char *registry, char **user, char **password,
                       int64_t *expires_at_ms, struct error **err)
{
	json_auto_t *answer =
		call_take(chain, registry, "GetAuthorizationToken", json_object(), err);
	const json_t *data, *token;
	bool is_good;

	if (!answer)
		return false;
	data = json_array_get(json_object_get(answer, "authorizationData"), 0);
	token = json_object_get(data, "authorizationToken");
	is_good = split_token(json_string_value(token), user, password);
	wipe(token);
	if (!is_good)
		return error_set(err, ERROR_INVALID,
		                 "ecr GetAuthorizationToken: there is no token in the answer");
	*expires_at_ms = (int64_t)(json_number_value(json_object_get(data, "expiresAt")) * 1000);
	return true;
}

/* With the registry's account, which need not be ours. */
static json_t *input_for(const char *registry, const char *key, json_t *value)
{
	scoped(text) char *account = NULL;
	json_t *input = json_pack("{s:o}", key, value);

	if (aws_ecr_is_registry(registry, &account, NULL))
		json_object_set_new(input, "registryId", json_string(account));
	return input;
}

bool aws_ecr_find_repository(struct aws_chain *chain, const char *registry, const char *repository,
                             bool *found, struct error **err)
{
	json_t *input = input_for(registry, "repositoryNames", json_pack("[s]", repository));
	struct error *fault = NULL;
	json_auto_t *answer = call_take(chain, registry, "DescribeRepositories", input, &fault);

	if (!answer && fault->kind != ERROR_NOT_FOUND)
		return error_pass(err, fault);
	error_free(fault);
	*found = answer;
	return true;
}

bool aws_ecr_create_repository(struct aws_chain *chain, const char *registry,
                               const char *repository, struct error **err)
{
	json_t *input = input_for(registry, "repositoryName", json_string(repository));
	struct error *fault = NULL;
	json_auto_t *answer = call_take(chain, registry, "CreateRepository", input, &fault);

	if (!answer && fault->kind != ERROR_CONFLICT) {
		error_pass(err, fault);
		return error_wrap(err, "repository '%s'", repository);
	}
	error_free(fault);
	return true;
}
