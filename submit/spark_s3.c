/* SPDX-License-Identifier: Apache-2.0 */
/* From Hadoop's S3A settings to ours. */
#include "submit/spark_s3.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define AWS_HOST_START "s3."
#define AWS_HOST_END ".amazonaws.com"

/* S3AUtils.propagateBucketOptions: the bucket's own setting comes first. NULL when there is none;
 * an empty one counts as none. */
static const char *setting(const struct spark_conf *conf, const char *bucket, const char *name)
{
	scoped(text) char *own = text_printf("spark.hadoop.fs.s3a.bucket.%s.%s", bucket, name);
	scoped(text) char *common = text_printf("spark.hadoop.fs.s3a.%s", name);
	const char *value = spark_conf_get(conf, own);

	if (!value)
		value = spark_conf_get(conf, common);
	return value && *value ? value : NULL;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

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
	const char *endpoint = setting(conf, bucket, "endpoint");
	const char *region = setting(conf, bucket, "endpoint.region");
	scoped(text) char *aws_region = endpoint ? region_of_aws(endpoint) : NULL;
	bool is_encrypted = is_true(setting(conf, bucket, "connection.ssl.enabled"), true);

	if (endpoint && !aws_region)
		s3->endpoint_url = text_printf("%s%s",
		                               strstr(endpoint, "://") ? ""
		                               : is_encrypted          ? "https://"
		                                                       : "http://",
		                               endpoint);
	if (!region && aws_region && *aws_region)
		region = aws_region;
	if (!region)
		region = variable("AWS_REGION");
	if (!region)
		region = variable("AWS_DEFAULT_REGION");
	s3->region = text_copy(region);
	s3->options.endpoint_url = s3->endpoint_url;
	s3->options.region = s3->region;
	s3->options.virtual_host_style =
		!is_true(setting(conf, bucket, "path.style.access"), false);
}

static bool set_credentials(const struct spark_conf *conf, const char *bucket,
                            struct s3_options *options, struct error **err)
{
	options->access_key_id = setting(conf, bucket, "access.key");
	options->secret_access_key = setting(conf, bucket, "secret.key");
	options->session_token = setting(conf, bucket, "session.token");
	if (!options->access_key_id && !options->secret_access_key) {
		options->access_key_id = variable("AWS_ACCESS_KEY_ID");
		options->secret_access_key = variable("AWS_SECRET_ACCESS_KEY");
		options->session_token = variable("AWS_SESSION_TOKEN");
	}
	if (!options->access_key_id && !options->secret_access_key)
		return error_set(err, ERROR_AUTH,
		                 "no credentials for bucket '%s': set AWS_ACCESS_KEY_ID and "
		                 "AWS_SECRET_ACCESS_KEY, or spark.hadoop.fs.s3a.access.key and "
		                 "…secret.key (profiles and instance roles are not read)",
		                 bucket);
	if (!options->access_key_id || !options->secret_access_key)
		return error_set(err, ERROR_INVALID,
		                 "half of the credentials for bucket '%s' is missing: the %s key",
		                 bucket, options->access_key_id ? "secret" : "access");
	return true;
}

bool spark_s3_settings(const struct spark_conf *conf, const char *bucket, struct spark_s3 *s3,
                       struct error **err)
{
	struct spark_s3 found = { 0 };

	if (!set_credentials(conf, bucket, &found.options, err))
		return false;
	set_place(conf, bucket, &found);
	*s3 = found;
	return true;
}

void spark_s3_release(struct spark_s3 *s3)
{
	free(s3->endpoint_url);
	free(s3->region);
	*s3 = (struct spark_s3){ 0 };
}
