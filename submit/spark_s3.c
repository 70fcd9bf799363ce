/* SPDX-License-Identifier: Apache-2.0 */
/* From Hadoop's S3A settings to ours. */
#include "submit/spark_s3.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/text.h"

#define AWS_HOST_START "s3."
#define AWS_HOST_END ".amazonaws.com"

/* S3AUtils.propagateBucketOptions: the bucket's own setting comes first. NULL when there is none;
 * an empty one counts as none. */
const char *spark_s3_setting(const struct spark_conf *conf, const char *bucket, const char *name)
{
	scoped(text) char *own = text_printf("spark.hadoop.fs.s3a.bucket.%s.%s", bucket, name);
	scoped(text) char *common = text_printf("spark.hadoop.fs.s3a.%s", name);
	const char *value = spark_conf_get(conf, own);

	if (!value)
		value = spark_conf_get(conf, common);
	return value && *value ? value : NULL;
}

static bool is_true(const char *value, bool default_value)
{
	return value ? text_equal(value, "true") : default_value;
}

/* The region in "s3.eu-west-1.amazonaws.com", "" of "s3.amazonaws.com"; owned by the caller. NULL:
 * the endpoint is not Amazon's own. */
static char *region_of_aws(const char *endpoint)
{
	const char *scheme = strstr(endpoint, "://");
	const char *host = scheme ? scheme + strlen("://") : endpoint;
	size_t size = strcspn(host, "/");
	scoped(text) char *name = xstrndup(host, size);
	const char *region = name + strlen(AWS_HOST_START);

	if (text_equal(name, "s3.amazonaws.com"))
		return xstrdup("");
	if (!text_starts_with(name, AWS_HOST_START) || !text_ends_with(name, AWS_HOST_END) ||
	    memchr(region, '.', strlen(region) - strlen(AWS_HOST_END)))
		return NULL;
	return xstrndup(region, strlen(region) - strlen(AWS_HOST_END));
}

static void set_place(const struct spark_conf *conf, const char *bucket, struct spark_s3 *s3)
{
	const char *endpoint = spark_s3_setting(conf, bucket, "endpoint");
	const char *region = spark_s3_setting(conf, bucket, "endpoint.region");
	scoped(text) char *aws_region = endpoint ? region_of_aws(endpoint) : NULL;
	bool is_encrypted = is_true(spark_s3_setting(conf, bucket, "connection.ssl.enabled"), true);

	if (endpoint && !aws_region)
		s3->endpoint_url = text_printf("%s%s",
		                               strstr(endpoint, "://") ? ""
		                               : is_encrypted          ? "https://"
		                                                       : "http://",
		                               endpoint);
	if (!region && aws_region && *aws_region)
		region = aws_region;
	s3->region = text_copy(region);
	s3->options.endpoint_url = s3->endpoint_url;
	s3->options.region = s3->region;
	s3->options.virtual_host_style =
		!is_true(spark_s3_setting(conf, bucket, "path.style.access"), false);
}

/* The newer name, else the one that Hadoop still takes. */
static const char *renamed(const struct spark_conf *conf, const char *bucket, const char *name,
                           const char *older)
{
	const char *value = spark_s3_setting(conf, bucket, name);

	return value ? value : spark_s3_setting(conf, bucket, older);
}

static bool set_encryption(const struct spark_conf *conf, const char *bucket, struct spark_s3 *s3,
                           struct error **err)
{
	static const struct {
		const char *name, *value;
	} kinds[] = { { "AES256", "AES256" },
		      { "SSE-S3", "AES256" },
		      { "SSE-KMS", "aws:kms" },
		      { "DSSE-KMS", "aws:kms:dsse" } };
	const char *name =
		renamed(conf, bucket, "encryption.algorithm", "server-side-encryption-algorithm");

	if (!name)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcasecmp(kinds[i].name, name))
			s3->options.encryption = kinds[i].value;
	if (!s3->options.encryption)
		return error_set(
			err, ERROR_INVALID,
			"spark.hadoop.fs.s3a.encryption.algorithm: stepop uploads with "
			"AES256, SSE-KMS or DSSE-KMS, not with '%s'; put the files there by "
			"other means, and give their URIs",
			name);
	if (!text_equal(s3->options.encryption, "AES256"))
		s3->options.kms_key_id =
			renamed(conf, bucket, "encryption.key", "server-side-encryption.key");
	return true;
}

/* S3A's names are in lower case. */
static void set_storage_class(const struct spark_conf *conf, const char *bucket,
                              struct spark_s3 *s3)
{
	s3->storage_class = text_copy(spark_s3_setting(conf, bucket, "create.storage.class"));
	for (char *at = s3->storage_class; at && *at; at++)
		*at = (char)toupper((unsigned char)*at);
	s3->options.storage_class = s3->storage_class;
}

bool spark_s3_settings(const struct spark_conf *conf, const char *bucket, struct spark_s3 *s3,
                       struct error **err)
{
	struct spark_s3 found = { 0 };

	if (!spark_s3_credentials(conf, bucket, &found, err) ||
	    !set_encryption(conf, bucket, &found, err)) {
		spark_s3_release(&found);
		return false;
	}
	set_place(conf, bucket, &found);
	set_storage_class(conf, bucket, &found);
	*s3 = found;
	return true;
}

void spark_s3_release(struct spark_s3 *s3)
{
	free(s3->endpoint_url);
	free(s3->region);
	free(s3->storage_class);
	free(s3->role_duration_s);
	*s3 = (struct spark_s3){ 0 };
}

/* The keys of a role last for its session: an upload is meant to be over by then. */
static struct aws_chain *assume_role(struct http_client *http, const struct aws_role *role,
                                     struct aws_chain *first, struct error **err)
{
	const struct aws_credentials *as = aws_chain_get(first, err);
	struct aws_credentials session = { 0 };
	struct aws_chain *chain = NULL;

	if (as && aws_sts_assume_role(first, role, as, &session, err))
		chain = aws_chain_new(http,
		                      &(struct aws_chain_options){
					      .access_key_id = session.access_key_id,
					      .secret_access_key = session.secret_access_key,
					      .session_token = session.session_token,
					      .region = aws_chain_region(first),
				      },
		                      err);
	aws_credentials_release(&session);
	return chain ? chain : error_wrap(err, "assume the role '%s'", role->arn);
}

static struct aws_chain *open_chain(struct http_client *http, const struct spark_s3 *s3,
                                    struct error **err)
{
	scoped(aws_chain) struct aws_chain *first = aws_chain_new(http, &s3->chain, err);

	if (!first || !s3->role.arn)
		return take(first);
	return assume_role(http, &s3->role, first, err);
}

struct s3_client *spark_s3_open(struct http_client *http, const struct spark_s3 *s3,
                                struct aws_chain **chain, struct error **err)
{
	scoped(aws_chain) struct aws_chain *opened = NULL;
	struct s3_options options = s3->options;
	struct s3_client *client;

	if (!s3->is_anonymous) {
		opened = open_chain(http, s3, err);
		if (!opened)
			return NULL;
	}
	options.chain = opened;
	/* Asked here, so that they are missed before anything is sent. */
	if (opened && !aws_chain_get(opened, err))
		return NULL;
	client = s3_client_new(http, &options, err);
	if (client)
		*chain = take(opened);
	return client;
}
