/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's services that are spoken to, and the hosts that they answer at. */
#ifndef CLOUD_AWS_SERVICE_H
#define CLOUD_AWS_SERVICE_H

enum aws_service_url_flags {
	AWS_USE_FIPS = 1,      /* endpoints whose cryptography is validated (FIPS 140) */
	AWS_USE_DUALSTACK = 2, /* endpoints that have IPv6 addresses, too */
};

struct aws_service {
	const char *name;     /* as signatures have it: "secretsmanager" */
	const char *variable; /* AWS_ENDPOINT_URL_<this> */
	const char *hosts[4]; /* first labels of its host, by flags: "api.ecr" */
};

/* `name` is one of ours. */
const struct aws_service *aws_service_find(const char *name);
/* "https://api.ecr.eu-central-1.amazonaws.com"; owned by the caller. */
char *aws_service_url(const struct aws_service *service, const char *region, unsigned flags);
/* "amazonaws.com", or what stands for it in the partition of `region` (China, ...). */
const char *aws_dns_suffix(const char *region);

#endif
