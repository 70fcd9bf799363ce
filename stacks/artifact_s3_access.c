/* SPDX-License-Identifier: Apache-2.0 */
/* What pods, and processes of this machine, need to reach the same bucket. */
#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact_s3.h"

static void set(json_t *conf, const char *name, const char *value)
{
	json_object_set_new(conf, name, json_string(value));
}

/* Hadoop's words (S3A, "Working with Encrypted S3 Data"); DSSE-KMS since Hadoop 3.4.1. */
static const char *s3a_encryption(const char *encryption)
{
	return text_equal(encryption, "aws:kms")        ? "SSE-KMS"
	       : text_equal(encryption, "aws:kms:dsse") ? "DSSE-KMS"
	                                                : encryption;
}

static void set_keeping(const struct s3_store *store, json_t *conf)
{
	if (store->encryption)
		set(conf, "spark.hadoop.fs.s3a.encryption.algorithm",
		    s3a_encryption(store->encryption));
	if (store->kms_key_id)
		set(conf, "spark.hadoop.fs.s3a.encryption.key", store->kms_key_id);
	if (store->storage_class)
		set(conf, "spark.hadoop.fs.s3a.create.storage.class", store->storage_class);
}

/*
 * What Hadoop's S3A needs. The provider for keys is the class of AWS SDK 1: Hadoop 3.3 (Spark 3.5)
 * has no other, and Hadoop 3.4 (Spark 4) maps its name to that of SDK 2. The one for a pod's own
 * identity has different names in the two, and so is left to who knows the release. Keys travel
 * apart from this.
 *
 * Committers are left as Spark has them: FileOutputCommitter, algorithm 1, which renames at the
 * end. On S3 that is a copy of each object, so slow for large outputs, but right since S3 lists
 * what was written: _SUCCESS comes last, each attempt has a folder of its own, and nothing reads
 * an output without _SUCCESS. Algorithm 2 would be faster, and leaves files of failed tasks.
 */
void artifact_s3_access(struct artifact_store *base, struct artifact_access *access)
{
	struct s3_store *store = container_of(base, struct s3_store, store);
	const char *endpoint_url = s3_client_endpoint(store->client);
	json_t *conf = access->spark_conf, *value;
	const char *name;

	access->own_identity = !json_object_size(store->credentials);
	set(conf, "spark.hadoop.fs.s3.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem");
	if (!access->own_identity)
		set(conf, "spark.hadoop.fs.s3a.aws.credentials.provider",
		    "com.amazonaws.auth.EnvironmentVariableCredentialsProvider");
	set(conf, "spark.hadoop.fs.s3a.endpoint.region", s3_client_region(store->client));
	set(conf, "spark.hadoop.fs.s3a.path.style.access", store->is_path_style ? "true" : "false");
	if (endpoint_url) {
		set(conf, "spark.hadoop.fs.s3a.endpoint", endpoint_url);
		set(conf, "spark.hadoop.fs.s3a.connection.ssl.enabled",
		    text_starts_with(endpoint_url, "https:") ? "true" : "false");
	}
	set_keeping(store, conf);
	json_object_foreach (store->credentials, name, value)
		set(access->secrets, name, json_string_value(value));
}

json_t *artifact_s3_session(struct artifact_store *base, struct error **err)
{
	struct s3_store *store = container_of(base, struct s3_store, store);
	const struct aws_credentials *credentials = aws_chain_get(store->chain, err);

	if (!credentials)
		return NULL;
	return json_pack("{s:s, s:s, s:s*}", "AWS_ACCESS_KEY_ID", credentials->access_key_id,
	                 "AWS_SECRET_ACCESS_KEY", credentials->secret_access_key,
	                 "AWS_SESSION_TOKEN", credentials->session_token);
}
