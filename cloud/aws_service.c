/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts of services, as the endpoint rules of AWS's SDKs have them (partitions.json). */
#include "cloud/aws_service.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

static const struct aws_service services[] = {
	{ "s3", "S3", "s3" },
	{ "sts", "STS", "sts" },
	{ "ecr", "ECR", "api.ecr" },
	{ "eks", "EKS", "eks" },
	{ "secretsmanager", "SECRETS_MANAGER", "secretsmanager" },
};

const struct aws_service *aws_service_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (!strcmp(services[i].name, name))
			return &services[i];
	assert(!"a service that is not in the table");
	return NULL;
}

const char *aws_dns_suffix(const char *region)
{
	static const struct {
		const char *prefix, *suffix;
	} partitions[] = {
		{ "cn-", "amazonaws.com.cn" },    { "us-iso-", "c2s.ic.gov" },
		{ "us-isob-", "sc2s.sgov.gov" },  { "us-isof-", "csp.hci.ic.gov" },
		{ "eu-isoe-", "cloud.adc-e.uk" }, { "eusc-", "amazonaws.eu" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(partitions); i++)
		if (text_starts_with(region, partitions[i].prefix))
			return partitions[i].suffix;
	return "amazonaws.com";
}

char *aws_service_url(const struct aws_service *service, const char *region)
{
	return text_printf("https://%s.%s.%s", service->host, region, aws_dns_suffix(region));
}
