/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts as objects below a prefix of a bucket in S3, or in what speaks its API. */
#include <stdlib.h>
#include <string.h>

#include "cloud/s3.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact.h"

#define SCHEME "s3://"
#define PROBE ".stepop-check"

enum { LIST_MAX = 100000 };

struct s3_store {
	struct artifact_store store;
	struct s3_client *client;
	char *bucket;
	char *endpoint_url, *region;
	bool is_path_style;
	json_t *credentials; /* environment variable -> value; secret_values_free() */
};

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

static const struct component_option options[] = {
	{ .name = "path", .required = true, .help = "s3://bucket/prefix", .check = check_path },
	{ .name = "endpoint_url",
	  .help = "server that speaks S3's API, such as http://minio:9000; default: AWS" },
	{ .name = "region", .help = "default: us-east-1" },
	{ .name = "authentication_secret",
	  .help = "secret of schema aws in the stack's secrets manager; default: the environment's "
	          "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN" },
	{ .name = "path_style",
	  .kind = OPTION_BOOL,
	  .help = "bucket in the path of URLs, not in the host; default: true with endpoint_url" },
	{ 0 },
};
static const struct component_flavor flavor = {
	.type = COMPONENT_ARTIFACT_STORE,
	.name = "s3",
	.help = "a bucket in Amazon S3 or in a server that speaks its API",
	.options = options,
};

static struct s3_store *s3_store(struct artifact_store *store)
{
	return container_of(store, struct s3_store, store);
}

static void s3_close(struct artifact_store *base)
{
	struct s3_store *store = s3_store(base);

	s3_client_free(store->client);
	secret_values_free(store->credentials);
	free(store->bucket);
	free(store->endpoint_url);
	free(store->region);
	free(store);
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

static bool read_environment(json_t *credentials, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(credential_names); i++) {
		const char *value = getenv(credential_names[i].variable);

		if (value && *value)
			json_object_set_new(credentials, credential_names[i].variable,
			                    json_string(value));
		else if (!credential_names[i].is_optional)
			return error_set(
				err, ERROR_AUTH,
				"no credentials: register a secret of schema aws and name it "
				"with --authentication_secret, or set AWS_ACCESS_KEY_ID and "
				"AWS_SECRET_ACCESS_KEY (profiles, SSO and instance roles are "
				"not read yet)");
	}
	return true;
}

static bool read_credentials(struct s3_store *store, const struct component *component,
                             struct secret_store *secrets, struct error **err)
{
	const char *name = component_text(component, "authentication_secret", NULL);

	store->credentials = json_object();
	return name ? read_secret(store->credentials, secrets, name, err)
	            : read_environment(store->credentials, err);
}

static const char *credential(const struct s3_store *store, const char *variable)
{
	return json_string_value(json_object_get(store->credentials, variable));
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

static bool s3_set_up(struct s3_store *store, const struct component *component,
                      struct secret_store *secrets, struct http_client *http, struct error **err)
{
	const char *endpoint_url = component_text(component, "endpoint_url", NULL);
	struct s3_options s3 = { .endpoint_url = endpoint_url };

	store->store.flavor = &artifact_s3;
	store->endpoint_url = text_copy(endpoint_url);
	store->region = xstrdup(component_text(component, "region", "us-east-1"));
	store->is_path_style = component_bool(component, "path_style", endpoint_url != NULL);
	if (!read_path(store, component, err) || !read_credentials(store, component, secrets, err))
		return false;
	s3.region = store->region;
	s3.virtual_host_style = !store->is_path_style;
	s3.access_key_id = credential(store, "AWS_ACCESS_KEY_ID");
	s3.secret_access_key = credential(store, "AWS_SECRET_ACCESS_KEY");
	s3.session_token = credential(store, "AWS_SESSION_TOKEN");
	store->client = s3_client_new(http, &s3, err);
	return store->client != NULL;
}

static struct artifact_store *s3_open(const struct project *project,
                                      const struct component *component,
                                      struct secret_store *secrets, struct http_client *http,
                                      struct error **err)
{
	struct s3_store *store = xcalloc(1, sizeof(*store));

	(void)project;
	store->store.flavor = &artifact_s3;
	if (s3_set_up(store, component, secrets, http, err))
		return &store->store;
	artifact_store_free(&store->store);
	return NULL;
}

static const char *key_of(const struct s3_store *store, const char *uri)
{
	return uri + strlen(SCHEME) + strlen(store->bucket) + 1;
}

static char *s3_store_get(struct artifact_store *base, const char *uri, int64_t offset, size_t size,
                          size_t limit, size_t *got, struct error **err)
{
	struct s3_store *store = s3_store(base);

	return s3_get(store->client, store->bucket, key_of(store, uri), offset, size, limit, got,
	              err);
}

static bool s3_store_put(struct artifact_store *base, const char *uri, const void *bytes,
                         size_t size, struct error **err)
{
	struct s3_store *store = s3_store(base);

	return s3_put(store->client, store->bucket, key_of(store, uri), bytes, size, NULL, err);
}

static bool s3_store_put_file(struct artifact_store *base, const char *uri, const char *path,
                              struct error **err)
{
	struct s3_store *store = s3_store(base);

	return s3_put_file(store->client, store->bucket, key_of(store, uri), path, err);
}

static bool s3_store_size(struct artifact_store *base, const char *uri, int64_t *size_bytes,
                          struct error **err)
{
	struct s3_store *store = s3_store(base);

	return s3_head(store->client, store->bucket, key_of(store, uri), size_bytes, NULL, err);
}

static bool s3_store_list(struct artifact_store *base, const char *uri,
                          struct artifact_entry **entries, size_t *count, struct error **err)
{
	struct s3_store *store = s3_store(base);
	const char *prefix = key_of(store, uri);
	struct s3_object *objects = NULL;
	size_t object_count = 0;

	if (!s3_list(store->client, store->bucket, prefix, LIST_MAX, &objects, &object_count, err))
		return false;
	*entries = xcalloc(object_count, sizeof(**entries));
	*count = 0;
	for (size_t i = 0; i < object_count; i++) {
		/* S3A and web consoles mark folders by objects whose keys end in '/'. */
		if (!text_starts_with(objects[i].key, prefix) ||
		    text_ends_with(objects[i].key, "/"))
			continue;
		(*entries)[(*count)++] = (struct artifact_entry){
			.name = xstrdup(objects[i].key + strlen(prefix)),
			.size_bytes = objects[i].size_bytes,
			.etag = take(objects[i].etag),
		};
	}
	s3_objects_free(objects, object_count);
	return true;
}

static bool s3_check(struct artifact_store *base, struct error **err)
{
	struct s3_store *store = s3_store(base);
	scoped(text) char *uri = text_printf("%s" PROBE, base->root);
	scoped(text) char *text = NULL;
	size_t got;

	return s3_head_bucket(store->client, store->bucket, err) &&
	       s3_store_put(base, uri, "ok", 2, err) &&
	       (text = s3_store_get(base, uri, 0, 0, 100, &got, err)) &&
	       s3_delete(store->client, store->bucket, key_of(store, uri), err);
}

static void set(json_t *conf, const char *name, const char *value)
{
	json_object_set_new(conf, name, json_string(value));
}

/*
 * What Hadoop's S3A needs. The provider is the class of AWS SDK 1: Hadoop 3.3 (Spark 3.5) has no
 * other, and Hadoop 3.4 (Spark 4) maps its name to that of SDK 2. Keys travel apart from this.
 *
 * Committers are left as Spark has them: FileOutputCommitter, algorithm 1, which renames at the
 * end. On S3 that is a copy of each object, so slow for large outputs, but right since S3 lists
 * what was written: _SUCCESS comes last, each attempt has a folder of its own, and nothing reads
 * an output without _SUCCESS. Algorithm 2 would be faster, and leaves files of failed tasks.
 */
static void s3_access(struct artifact_store *base, struct artifact_access *access)
{
	struct s3_store *store = s3_store(base);
	json_t *conf = access->spark_conf, *value;
	const char *name;

	set(conf, "spark.hadoop.fs.s3.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem");
	set(conf, "spark.hadoop.fs.s3a.aws.credentials.provider",
	    "com.amazonaws.auth.EnvironmentVariableCredentialsProvider");
	set(conf, "spark.hadoop.fs.s3a.endpoint.region", store->region);
	set(conf, "spark.hadoop.fs.s3a.path.style.access", store->is_path_style ? "true" : "false");
	if (store->endpoint_url) {
		set(conf, "spark.hadoop.fs.s3a.endpoint", store->endpoint_url);
		set(conf, "spark.hadoop.fs.s3a.connection.ssl.enabled",
		    text_starts_with(store->endpoint_url, "https:") ? "true" : "false");
	}
	json_object_foreach (store->credentials, name, value)
		set(access->secrets, name, json_string_value(value));
}

const struct artifact_flavor artifact_s3 = {
	.component = &flavor,
	.open = s3_open,
	.get = s3_store_get,
	.put = s3_store_put,
	.put_file = s3_store_put_file,
	.size = s3_store_size,
	.list = s3_store_list,
	.check = s3_check,
	.access = s3_access,
	.remote = true,
	.close = s3_close,
};
