/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's services that are spoken to, and the hosts that they answer at. */
#ifndef CLOUD_AWS_SERVICE_H
#define CLOUD_AWS_SERVICE_H

struct aws_service {
	const char *name;     /* as signatures have it: "secretsmanager" */
	const char *variable; /* AWS_ENDPOINT_URL_<this> */
	const char *host;     /* first labels of its host: "api.ecr" */
};

/* `name` is one of ours. */
const struct aws_service *aws_service_find(const char *name);
/* "https://api.ecr.eu-central-1.amazonaws.com"; owned by the caller. */
char *aws_service_url(const struct aws_service *service, const char *region);
/* "amazonaws.com", or what stands for it in the partition of `region` (China, ...). */
const char *aws_dns_suffix(const char *region);

#endif
