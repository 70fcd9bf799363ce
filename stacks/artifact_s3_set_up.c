/* SPDX-License-Identifier: Apache-2.0 */
/* From a component's options to a client of S3. */
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact_s3.h"

#define SCHEME "s3://"
#define CA_LIMIT_BYTES ((size_t)4 << 20)

static bool check_path(const char *value, struct error **err)
{
	const char *bucket = value + strlen(SCHEME);

	if (text_starts_with(value, SCHEME) && *bucket && *bucket != '/')
		return true;
	if (strstr(value, "://"))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no place in S3: it should look like s3://bucket/prefix",
		                 value);
	return error_set(err, ERROR_INVALID,
	                 "'%s' lacks the scheme: a bucket is written as s3://%s, one with a prefix "
	                 "as s3://%s/artifacts",
	                 value, value, value);
}

/* By S3's own words and by those that its console and Hadoop have for them. */
static const struct {
	const char *name, *value;
} encryptions[] = {
	{ "AES256", "AES256" },
	{ "SSE-S3", "AES256" },
	{ "aws:kms", "aws:kms" },
	{ "SSE-KMS", "aws:kms" },
	{ "aws:kms:dsse", "aws:kms:dsse" },
	{ "DSSE-KMS", "aws:kms:dsse" },
};

static const char *find_encryption(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(encryptions); i++)
		if (text_equal(encryptions[i].name, name))
			return encryptions[i].value;
	return NULL;
}

static bool check_encryption(const char *value, struct error **err)
{
	return find_encryption(value) ||
	       error_set(err, ERROR_INVALID,
	                 "'%s' is no encryption: there are AES256, aws:kms and aws:kms:dsse",
	                 value);
}

static bool check_pod_credentials(const char *value, struct error **err)
{
	return text_equal(value, "secret") || text_equal(value, "identity") ||
	       error_set(err, ERROR_INVALID, "'%s' should be secret or identity", value);
}

static const struct component_option options[] = {
	{ .name = "path", .required = true, .help = "s3://bucket/prefix", .check = check_path },
	{ .name = "endpoint_url",
	  .help = "server that speaks S3's API, such as http://minio:9000; default: "
	          "AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's, else AWS",
	  .check = component_url_check },
	{ .name = "region",
	  .help = "default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, else us-east-1" },
	{ .name = "authentication_secret",
	  .help = "secret of schema aws in the stack's secrets manager; default: AWS's standard "
	          "chain (environment, profile, web identity, container, instance)" },
	{ .name = "profile", .help = "of ~/.aws/config; default: AWS_PROFILE" },
	{ .name = "pod_credentials",
	  .help = "secret: the keys travel to pods by a Secret (default with "
	          "authentication_secret or AWS_ACCESS_KEY_ID); identity: pods have their own "
	          "(service account, node)",
	  .check = check_pod_credentials },
	{ .name = "path_style",
	  .kind = OPTION_BOOL,
	  .help = "bucket in the path of URLs, not in the host; default: true with an endpoint" },
	{ .name = "sse",
	  .help = "encryption of what is written: AES256 (SSE-S3), aws:kms, aws:kms:dsse; default: "
	          "the bucket's",
	  .check = check_encryption },
	{ .name = "kms_key_id", .help = "key of aws:kms; default: the account's key for S3" },
	{ .name = "bucket_key",
	  .kind = OPTION_BOOL,
	  .help = "with aws:kms, ask KMS once per bucket instead of once per object" },
	{ .name = "storage_class", .help = "of what is written; default: STANDARD" },
	{ .name = "ca",
	  .help = "file of certificates (PEM) to trust; default: AWS_CA_BUNDLE, else the "
	          "system's" },
	{ 0 },
};
const struct component_flavor artifact_s3_component = {
	.type = COMPONENT_ARTIFACT_STORE,
	.name = "s3",
	.help = "a bucket in Amazon S3 or in a server that speaks its API",
	.options = options,
};

void artifact_s3_release(struct s3_store *store)
{
	s3_client_free(store->client);
	aws_chain_free(store->chain);
	secret_values_free(store->credentials);
	free(store->bucket);
	free(store->encryption);
	free(store->kms_key_id);
	free(store->storage_class);
	free(store->ca_path);
}

/* Keys of schema aws, and the variables that they become in pods. */
static const struct {
	const char *key, *variable;
	bool is_optional;
} credential_names[] = {
	{ "aws_access_key_id", "AWS_ACCESS_KEY_ID", false },
	{ "aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", false },
	{ "aws_session_token", "AWS_SESSION_TOKEN", true },
};

static bool read_secret(json_t *credentials, struct secret_store *secrets, const char *name,
                        struct error **err)
{
	json_t *values;
	const char *missing = NULL;

	if (!secrets)
		return error_set(
			err, ERROR_INVALID,
			"authentication_secret is '%s', but the stack has no secrets manager: "
			"register the stack with -x NAME",
			name);
	values = secret_get(secrets, name, err);
	if (!values)
		return error_wrap(err, "authentication_secret '%s'", name);
	for (size_t i = 0; i < ARRAY_SIZE(credential_names); i++) {
		json_t *value = json_object_get(values, credential_names[i].key);

		if (json_is_string(value) && *json_string_value(value))
			/* A copy, for both documents are wiped. */
			json_object_set_new(credentials, credential_names[i].variable,
			                    json_string(json_string_value(value)));
		else if (!credential_names[i].is_optional && !missing)
			missing = credential_names[i].key;
	}
	secret_values_free(values);
	return !missing ||
	       error_set(err, ERROR_INVALID, "secret '%s' has no %s: it must be of schema aws",
	                 name, missing);
}

/* Those of this process travel to pods as those of a secret do; others are ours alone. */
static void read_environment(json_t *credentials)
{
	const char *id = getenv("AWS_ACCESS_KEY_ID");

	for (size_t i = 0; id && *id && i < ARRAY_SIZE(credential_names); i++) {
		const char *value = getenv(credential_names[i].variable);

		if (value && *value)
			json_object_set_new(credentials, credential_names[i].variable,
			                    json_string(value));
	}
}

static const char *credential(const json_t *credentials, const char *variable)
{
	return json_string_value(json_object_get(credentials, variable));
}

static bool open_chain(struct s3_store *store, const struct component *component,
                       struct secret_store *secrets, struct http_client *http, struct error **err)
{
	const char *secret = component_text(component, "authentication_secret", NULL);
	struct aws_chain_options chain = {
		.profile = component_text(component, "profile", NULL),
		.region = component_text(component, "region", NULL),
	};

	store->credentials = json_object();
	if (secret && chain.profile)
		return error_set(err, ERROR_INVALID,
		                 "both authentication_secret and profile are set: which keys are "
		                 "meant?");
	if (secret && !read_secret(store->credentials, secrets, secret, err))
		return false;
	chain.access_key_id = credential(store->credentials, "AWS_ACCESS_KEY_ID");
	chain.secret_access_key = credential(store->credentials, "AWS_SECRET_ACCESS_KEY");
	chain.session_token = credential(store->credentials, "AWS_SESSION_TOKEN");
	if (!secret && !chain.profile)
		read_environment(store->credentials);
	store->has_given_keys = secret != NULL;
	store->chain = aws_chain_new(http, &chain, err);
	return store->chain != NULL;
}

/* What pods are given, by the user's word. */
static bool choose_pod_credentials(struct s3_store *store, const struct component *component,
                                   struct error **err)
{
	const char *choice = component_text(component, "pod_credentials", NULL);

	if (choice && !check_pod_credentials(choice, err))
		return false;
	if (text_equal(choice, "secret") && !json_object_size(store->credentials))
		return error_set(err, ERROR_INVALID,
		                 "pod_credentials is secret, but there are no keys that last: set "
		                 "authentication_secret");
	if (text_equal(choice, "identity")) {
		secret_values_free(store->credentials);
		store->credentials = json_object();
	}
	return true;
}

/* "s3://bucket/prefix" -> bucket, and the root that ends in '/' */
static bool read_path(struct s3_store *store, const struct component *component, struct error **err)
{
	const char *path = component_text(component, "path", "");
	size_t size = strlen(path);

	if (!check_path(path, err))
		return false;
	while (path[size - 1] == '/')
		size--;
	store->store.root = text_printf("%.*s/", (int)size, path);
	path += strlen(SCHEME);
	store->bucket = xstrndup(path, strcspn(path, "/"));
	return true;
}

static bool read_keeping(struct s3_store *store, const struct component *component,
                         struct error **err)
{
	const char *sse = component_text(component, "sse", NULL);

	if (sse && !check_encryption(sse, err))
		return false;
	store->kms_key_id = text_copy(component_text(component, "kms_key_id", NULL));
	store->encryption = text_copy(sse                 ? find_encryption(sse)
	                              : store->kms_key_id ? "aws:kms"
	                                                  : NULL);
	store->storage_class = text_copy(component_text(component, "storage_class", NULL));
	return true;
}

static bool open_client(struct s3_store *store, const struct component *component,
                        struct http_client *http, struct error **err)
{
	scoped(text) char *ca =
		store->ca_path ? file_read(store->ca_path, CA_LIMIT_BYTES, NULL, err) : NULL;
	struct s3_options s3 = {
		.endpoint_url = component_text(component, "endpoint_url", NULL),
		.region = component_text(component, "region", NULL),
		.chain = store->chain,
		.virtual_host_style = !store->is_path_style,
		.ca_pem = ca,
		.encryption = store->encryption,
		.kms_key_id = store->kms_key_id,
		.bucket_key = component_bool(component, "bucket_key", false),
		.storage_class = store->storage_class,
	};

	if (store->ca_path && !ca)
		return error_wrap(err, "ca");
	store->client = s3_client_new(http, &s3, err);
	return store->client != NULL;
}

bool artifact_s3_set_up(struct s3_store *store, const struct component *component,
                        struct secret_store *secrets, struct http_client *http, struct error **err)
{
	if (!read_path(store, component, err) ||
	    !open_chain(store, component, secrets, http, err) ||
	    !choose_pod_credentials(store, component, err))
		return false;
	store->has_endpoint = component_text(component, "endpoint_url", NULL) ||
	                      aws_chain_endpoint(store->chain, "s3");
	store->is_path_style = component_bool(component, "path_style", store->has_endpoint);
	return read_keeping(store, component, err) && open_client(store, component, http, err);
}
