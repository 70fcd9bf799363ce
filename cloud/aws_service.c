/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts of services, as the endpoint rules of AWS's SDKs have them (endpoint-rule-set-1.json). */
#include "cloud/aws_service.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

/* Hosts: plain, FIPS, dual stack, both. */
static const struct aws_service services[] = {
	{ "s3", "S3", { "s3", "s3-fips", "s3.dualstack", "s3-fips.dualstack" } },
	{ "sts", "STS", { "sts", "sts-fips", "sts", "sts-fips" } },
	{ "ecr", "ECR", { "api.ecr", "api.ecr-fips", "ecr", "ecr-fips" } },
	{ "eks", "EKS", { "eks", "fips.eks", "eks", "eks-fips" } },
	{ "secretsmanager",
	  "SECRETS_MANAGER",
	  { "secretsmanager", "secretsmanager-fips", "secretsmanager", "secretsmanager-fips" } },
};

const struct aws_service *aws_service_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (!strcmp(services[i].name, name))
			return &services[i];
	assert(!"a service that is not in the table");
	return NULL;
}

struct partition {
	const char *prefix; /* of its regions' names */
	const char *suffix, *dualstack_suffix;
};

static const struct partition *partition_of(const char *region)
{
	static const struct partition partitions[] = {
		{ "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn" },
		{ "eusc-", "amazonaws.eu", "api.amazonwebservices.eu" },
		{ "us-iso-", "c2s.ic.gov", "api.aws.ic.gov" },
		{ "us-isob-", "sc2s.sgov.gov", "api.aws.scloud" },
		{ "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov" },
		{ "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk" },
		{ "", "amazonaws.com", "api.aws" },
	};
	size_t i = 0;

	while (!text_starts_with(region, partitions[i].prefix))
		i++;
	return &partitions[i];
}

const char *aws_dns_suffix(const char *region)
{
	return partition_of(region)->suffix;
}

char *aws_service_url(const struct aws_service *service, const char *region, unsigned flags)
{
	const struct partition *partition = partition_of(region);
	/* S3's endpoints of this kind are older than the suffix of the others. */
	bool is_dualstack = flags & AWS_USE_DUALSTACK && strcmp(service->name, "s3") != 0;

	return text_printf("https://%s.%s.%s", service->hosts[flags], region,
	                   is_dualstack ? partition->dualstack_suffix : partition->suffix);
}
