/* SPDX-License-Identifier: Apache-2.0 */
/* Hadoop names classes that give credentials; each of them is one of a few ways of ours. */
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_s3.h"

#define PROVIDERS "aws.credentials.provider"
#define ROLE_PROVIDERS "assumed.role.credentials.provider"

enum way {
	WAY_KEYS,      /* in the properties */
	WAY_VARIABLES, /* AWS_ACCESS_KEY_ID … */
	WAY_CHAIN,     /* AWS's standard chain, which has all of the others */
	WAY_ANONYMOUS,
	WAY_ROLE,
};

/* "Authenticating with S3" of Hadoop 3.3 and 3.4: classes of S3A, of AWS SDK 1 and of SDK 2. */
static const struct {
	const char *class;
	enum way way;
} ways[] = {
	{ "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider", WAY_KEYS },
	{ "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider", WAY_KEYS },
	{ "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider", WAY_ANONYMOUS },
	{ "org.apache.hadoop.fs.s3a.auth.AssumedRoleCredentialProvider", WAY_ROLE },
	{ "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider", WAY_CHAIN },
	{ "org.apache.hadoop.fs.s3a.auth.ProfileAWSCredentialsProvider", WAY_CHAIN },
	{ "com.amazonaws.auth.AnonymousAWSCredentials", WAY_ANONYMOUS },
	{ "com.amazonaws.auth.EnvironmentVariableCredentialsProvider", WAY_VARIABLES },
	{ "com.amazonaws.auth.DefaultAWSCredentialsProviderChain", WAY_CHAIN },
	{ "com.amazonaws.auth.profile.ProfileCredentialsProvider", WAY_CHAIN },
	{ "com.amazonaws.auth.WebIdentityTokenCredentialsProvider", WAY_CHAIN },
	{ "com.amazonaws.auth.ContainerCredentialsProvider", WAY_CHAIN },
	{ "com.amazonaws.auth.EC2ContainerCredentialsProviderWrapper", WAY_CHAIN },
	{ "com.amazonaws.auth.InstanceProfileCredentialsProvider", WAY_CHAIN },
	{ "software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider", WAY_ANONYMOUS },
	{ "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
	  WAY_VARIABLES },
	{ "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider", WAY_CHAIN },
	{ "software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider", WAY_CHAIN },
	{ "software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider",
	  WAY_CHAIN },
	{ "software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider", WAY_CHAIN },
	{ "software.amazon.awssdk.auth.credentials.InstanceProfileCredentialsProvider", WAY_CHAIN },
};

/* What the settings of one bucket are read with. */
struct reading {
	const struct spark_conf *conf;
	const char *bucket;
	struct spark_s3 *s3;
};

static const char *setting(const struct reading *reading, const char *name)
{
	return spark_s3_setting(reading->conf, reading->bucket, name);
}

static bool find_way(const char *class, enum way *way, const char *property, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (text_equal(ways[i].class, class)) {
			*way = ways[i].way;
			return true;
		}
	return error_set(err, ERROR_INVALID,
	                 "spark.hadoop.fs.s3a.%s: stepop cannot load the class '%s', and so not "
	                 "upload as it says; name one of Hadoop's or AWS's own, such as "
	                 "com.amazonaws.auth.DefaultAWSCredentialsProviderChain",
	                 property, class);
}

/* False: there are none. */
static bool take_keys(const struct reading *reading)
{
	struct aws_chain_options *chain = &reading->s3->chain;

	chain->access_key_id = setting(reading, "access.key");
	chain->secret_access_key = setting(reading, "secret.key");
	chain->session_token = setting(reading, "session.token");
	return chain->access_key_id || chain->secret_access_key;
}

static bool check_keys(const struct reading *reading, struct error **err)
{
	const struct aws_chain_options *chain = &reading->s3->chain;

	return !chain->access_key_id == !chain->secret_access_key ||
	       error_set(err, ERROR_INVALID,
	                 "half of the credentials for bucket '%s' is missing: the %s key",
	                 reading->bucket, chain->access_key_id ? "secret" : "access");
}

static bool has_variables(void)
{
	const char *id = getenv("AWS_ACCESS_KEY_ID");

	return id && *id;
}

/* As AWSCredentialProviderList has it: the first that has some gives them. `is_over`: it was found.
 */
static bool try_way(const struct reading *reading, enum way way, bool *is_over, struct error **err)
{
	switch (way) {
	case WAY_KEYS:
		*is_over = take_keys(reading);
		return !*is_over || check_keys(reading, err);
	case WAY_VARIABLES:
		*is_over = has_variables();
		return true;
	case WAY_ANONYMOUS:
		reading->s3->is_anonymous = true;
		break;
	case WAY_ROLE:
		reading->s3->role.arn = setting(reading, "assumed.role.arn");
		if (!reading->s3->role.arn)
			return error_set(err, ERROR_INVALID,
			                 "spark.hadoop.fs.s3a.assumed.role.arn is not set");
		break;
	case WAY_CHAIN:
		break;
	}
	*is_over = true;
	return true;
}

static void *found_none(const struct reading *reading, const char *property, struct error **err)
{
	return error_set(err, ERROR_AUTH,
	                 "no credentials for bucket '%s': the providers in "
	                 "spark.hadoop.fs.s3a.%s look for fs.s3a.access.key and …secret.key, or "
	                 "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and none are set",
	                 reading->bucket, property);
}

static bool try_providers(const struct reading *reading, const char *property, const char *classes,
                          struct error **err)
{
	json_auto_t *list = spark_conf_split(classes);
	const json_t *class;
	bool is_over = false;
	enum way way;
	size_t i;

	json_array_foreach (list, i, class)
		if (!find_way(json_string_value(class), &way, property, err))
			return false;
	json_array_foreach (list, i, class) {
		find_way(json_string_value(class), &way, property, NULL);
		if (!is_over && !try_way(reading, way, &is_over, err))
			return false;
	}
	return is_over || found_none(reading, property, err);
}

/* Keys may also lie in a file that takes Hadoop to be read. */
static bool refuse_store(const struct reading *reading, struct error **err)
{
	static const char common[] = "spark.hadoop.hadoop.security.credential.provider.path";
	const char *own = setting(reading, "security.credential.provider.path");
	const char *path = own ? own : spark_conf_get(reading->conf, common);

	if (!path || !*path || has_variables())
		return true;
	return error_set(err, ERROR_INVALID,
	                 "the keys for bucket '%s' are in the credential store '%s', which takes "
	                 "Hadoop to be read: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for "
	                 "the upload",
	                 reading->bucket, path);
}

static bool set_base(const struct reading *reading, const char *property, struct error **err)
{
	const char *classes = setting(reading, property);

	if (classes)
		return try_providers(reading, property, classes, err);
	return take_keys(reading) ? check_keys(reading, err) : refuse_store(reading, err);
}

static bool set_duration(const struct reading *reading, struct error **err)
{
	const char *duration = setting(reading, "assumed.role.session.duration");
	int64_t duration_ms = 0;
	int64_t seconds;

	if (!duration)
		return true;
	if (text_to_int64(duration, 1, INT32_MAX, &seconds))
		duration_ms = seconds * 1000;
	else if (!clock_parse_duration(duration, &duration_ms))
		return error_set(err, ERROR_INVALID,
		                 "spark.hadoop.fs.s3a.assumed.role.session.duration should look "
		                 "like 30m, not '%s'",
		                 duration);
	reading->s3->role_duration_s = text_printf("%lld", (long long)duration_ms / 1000);
	reading->s3->role.duration_s = reading->s3->role_duration_s;
	return true;
}

static bool set_role(const struct reading *reading, struct error **err)
{
	struct spark_s3 *s3 = reading->s3;
	const char *endpoint = setting(reading, "assumed.role.sts.endpoint");

	if (setting(reading, "assumed.role.policy"))
		return error_set(err, ERROR_INVALID,
		                 "spark.hadoop.fs.s3a.assumed.role.policy cannot be kept to while "
		                 "uploading: give the role that policy instead");
	s3->role.session_name = setting(reading, "assumed.role.session.name");
	s3->role.external_id = setting(reading, "assumed.role.external.id");
	s3->chain.region = setting(reading, "assumed.role.sts.endpoint.region");
	s3->chain.endpoint_service = endpoint ? "sts" : NULL;
	s3->chain.endpoint_url = endpoint;
	return set_duration(reading, err) && set_base(reading, ROLE_PROVIDERS, err);
}

bool spark_s3_credentials(const struct spark_conf *conf, const char *bucket, struct spark_s3 *s3,
                          struct error **err)
{
	const struct reading reading = { conf, bucket, s3 };

	if (!set_base(&reading, PROVIDERS, err))
		return false;
	return !s3->role.arn || set_role(&reading, err);
}
