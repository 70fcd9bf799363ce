/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in AWS Secrets Manager: a JSON object of texts each, as its console and RDS make them. */
#include <string.h>

#include "cloud/aws_secrets.h"
#include "cloud/aws_sts.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/probe.h"
#include "stacks/project_file.h"
#include "stacks/secret.h"

#define SCHEMA_TAG "stepop:schema"
#define KEYS_TAG "stepop:keys"
#define TAG_LIMIT_BYTES 256 /* of a tag's value */

enum { LIST_MAX = 5000, RECOVERY_DAYS = 30 };

struct aws_store {
	struct secret_store base;
	struct aws_chain *chain;
	char *prefix;
	char *kms_key_id; /* or NULL */
	int recovery_days;
};

static struct aws_store *aws_store(struct secret_store *store)
{
	return container_of(store, struct aws_store, base);
}

static void aws_close(struct secret_store *base)
{
	struct aws_store *store = aws_store(base);

	aws_chain_free(store->chain);
	free(store->prefix);
	free(store->kms_key_id);
	free(store);
}

static struct secret_store *aws_open(const struct project *project,
                                     const struct component *component, struct http_client *http,
                                     struct error **err)
{
	const char *endpoint_url = component_text(component, "endpoint_url", NULL);
	struct aws_chain_options options = {
		.profile = component_text(component, "profile", NULL),
		.region = component_text(component, "region", NULL),
		.endpoint_service = endpoint_url ? "secretsmanager" : NULL,
		.endpoint_url = endpoint_url,
	};
	struct aws_chain *chain = aws_chain_new(http, &options, err);
	struct aws_store *store;

	(void)project;
	if (!chain)
		return NULL;
	store = xcalloc(1, sizeof(*store));
	store->base.flavor = &secret_aws;
	store->chain = chain;
	store->prefix = xstrdup(component_text(component, "prefix", "stepop/"));
	store->kms_key_id = text_copy(component_text(component, "kms_key_id", NULL));
	store->recovery_days =
		(int)component_integer(component, "recovery_window_days", RECOVERY_DAYS);
	return &store->base;
}

static char *full_name(const struct aws_store *store, const char *name)
{
	return text_printf("%s%s", store->prefix, name);
}

/* ---- reading ---- */

static void *unknown_secret(struct aws_store *store, const char *name, struct error **err)
{
	json_auto_t *secrets = aws_secrets_list(store->chain, store->prefix, LIST_MAX, NULL);
	json_auto_t *names = json_array();
	const char *nearest;
	json_t *secret;
	size_t i;

	/* Who may read one may not always list them: then nothing is near. */
	json_array_foreach (secrets, i, secret) {
		const char *full = json_string_value(json_object_get(secret, "name"));

		json_array_append_new(names, json_string(full + strlen(store->prefix)));
	}
	nearest = project_file_nearest(names, name);
	if (nearest)
		return error_set(err, ERROR_NOT_FOUND,
		                 "no such secret in Secrets Manager; did you mean '%s'?", nearest);
	return error_set(err, ERROR_NOT_FOUND,
	                 "there is no '%s%s' in Secrets Manager, region %s; 'stepop "
	                 "secrets-manager secret register %s' makes it",
	                 store->prefix, name, aws_chain_region(store->chain), name);
}

/* RDS has a port that is a number; owned by the caller, NULL for what is no scalar. */
static json_t *text_of(const json_t *value)
{
	char *text;
	json_t *copy;

	if (json_is_string(value))
		return json_string(json_string_value(value));
	if (!json_is_number(value) && !json_is_boolean(value))
		return NULL;
	text = json_dumps(value, JSON_ENCODE_ANY);
	copy = json_string(text);
	secret_free(text);
	return copy;
}

/* NULL when it is no object of texts. */
static json_t *parse_values(const char *text)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *values = json_object();
	json_t *value;
	const char *key;
	bool is_good = json_is_object(root);

	json_object_foreach (root, key, value)
		is_good = !json_object_set_new(values, key, text_of(value)) && is_good;
	secret_values_free(root);
	if (is_good)
		return values;
	secret_values_free(values);
	return NULL;
}

/* Takes `fault`; returns NULL. */
static void *unreadable(struct aws_store *store, const char *name, struct error *fault,
                        struct error **err)
{
	scoped(text) char *full = full_name(store, name);
	scoped(error) struct error *refusal = fault;
	enum aws_secret_state state = AWS_SECRET_ABSENT;

	if (refusal->kind == ERROR_NOT_FOUND)
		return unknown_secret(store, name, err);
	if (refusal->kind == ERROR_INVALID && aws_secrets_find(store->chain, full, &state, NULL) &&
	    state == AWS_SECRET_DELETED)
		return error_set(err, ERROR_NOT_FOUND,
		                 "it was deleted; 'stepop secrets-manager secret register %s' "
		                 "makes it anew",
		                 name);
	return error_pass(err, take(refusal));
}

static json_t *aws_get(struct secret_store *base, const char *name, struct error **err)
{
	struct aws_store *store = aws_store(base);
	scoped(text) char *full = full_name(store, name);
	scoped(error) struct error *fault = NULL;
	scoped(secret) char *text = aws_secrets_get(store->chain, full, &fault);
	json_t *values;

	if (!text)
		return unreadable(store, name, take(fault), err);
	values = parse_values(text);
	if (!values)
		return error_set(err, ERROR_INVALID,
		                 "'%s' in Secrets Manager should hold a JSON object of texts, such "
		                 "as {\"user\": \"…\", \"password\": \"…\"}",
		                 full);
	return values;
}

/* ---- writing ---- */

/* Tags are no secrets: the schema, and the names of the keys when they fit. An empty tag says that
 * it is not known. */
static json_t *describe_by_tags(const char *schema, const json_t *values)
{
	scoped(text) char *keys = NULL;
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const char *key, *blank = "";
	json_t *value;

	json_object_foreach ((json_t *)values, key, value) {
		fprintf(out, "%s%s", blank, key);
		blank = " ";
	}
	keys = text_stream_take(&stream);
	return json_pack("{s:s, s:s}", SCHEMA_TAG, schema ? schema : "", KEYS_TAG,
	                 strlen(keys) <= TAG_LIMIT_BYTES ? keys : "");
}

/* After a refusal, whose words are AWS's: what is really there. Takes `fault`. */
static bool replace(struct aws_store *store, const char *full, const struct aws_secret_value *value,
                    bool create_only, struct error *fault, struct error **err)
{
	scoped(error) struct error *refusal = fault;
	enum aws_secret_state state;

	if (refusal->kind != ERROR_CONFLICT && refusal->kind != ERROR_INVALID)
		return error_pass(err, take(refusal));
	if (!aws_secrets_find(store->chain, full, &state, err))
		return false;
	if (state == AWS_SECRET_ABSENT)
		return error_pass(err, take(refusal));
	if (state == AWS_SECRET_PRESENT && create_only)
		return error_set(err, ERROR_CONFLICT,
		                 "it exists already; 'stepop secrets-manager secret update %s' "
		                 "changes it",
		                 full + strlen(store->prefix));
	if (state == AWS_SECRET_DELETED && !aws_secrets_restore(store->chain, full, err))
		return false;
	return aws_secrets_put(store->chain, full, value, err);
}

static bool aws_put(struct secret_store *base, const char *name, const char *schema,
                    const json_t *values, bool create_only, struct error **err)
{
	struct aws_store *store = aws_store(base);
	scoped(text) char *full = full_name(store, name);
	scoped(secret) char *text = json_dumps(values, JSON_COMPACT);
	json_auto_t *tags = describe_by_tags(schema, values);
	struct aws_secret_value value = { .text = text,
		                          .tags = tags,
		                          .kms_key_id = store->kms_key_id };

	struct error *fault = NULL;

	return aws_secrets_create(store->chain, full, &value, &fault) ||
	       replace(store, full, &value, create_only, fault, err);
}

static bool aws_remove(struct secret_store *base, const char *name, struct error **err)
{
	struct aws_store *store = aws_store(base);
	scoped(text) char *full = full_name(store, name);
	enum aws_secret_state state;

	if (!aws_secrets_find(store->chain, full, &state, err))
		return false;
	if (state != AWS_SECRET_PRESENT)
		return unknown_secret(store, name, err);
	return aws_secrets_delete(store->chain, full, store->recovery_days, err);
}

/* ---- listing ---- */

static json_t *split_keys(const char *text)
{
	json_t *keys = json_array();

	while (*text) {
		size_t size = strcspn(text, " ");

		json_array_append_new(keys, json_stringn(text, size));
		text += size + (text[size] == ' ');
	}
	return keys;
}

/* Of a secret that others made, or that has too many; empty when it cannot be read. */
static json_t *read_keys(struct secret_store *base, const char *name)
{
	json_t *values = aws_get(base, name, NULL), *keys = json_array(), *value;
	const char *key;

	json_object_foreach (values, key, value)
		json_array_append_new(keys, json_string(key));
	secret_values_free(values);
	return keys;
}

static json_t *describe(struct secret_store *base, const json_t *secret)
{
	const char *full = json_string_value(json_object_get(secret, "name"));
	const char *name = full + strlen(aws_store(base)->prefix);
	const json_t *tags = json_object_get(secret, "tags");
	const char *schema = json_string_value(json_object_get(tags, SCHEMA_TAG));
	const char *keys = json_string_value(json_object_get(tags, KEYS_TAG));

	return json_pack("{s:s, s:s?, s:o}", "name", name, "schema",
	                 schema && *schema ? schema : NULL, "keys",
	                 keys && *keys ? split_keys(keys) : read_keys(base, name));
}

static int compare_names(const void *a, const void *b)
{
	const json_t *one = *(const json_t *const *)a, *other = *(const json_t *const *)b;

	return strcmp(json_string_value(json_object_get(one, "name")),
	              json_string_value(json_object_get(other, "name")));
}

static json_t *aws_list(struct secret_store *base, struct error **err)
{
	struct aws_store *store = aws_store(base);
	json_auto_t *secrets = aws_secrets_list(store->chain, store->prefix, LIST_MAX, err);
	size_t count = json_array_size(secrets), i;
	const json_t **sorted;
	json_t *list;

	if (!secrets)
		return NULL;
	sorted = xcalloc(count, sizeof(const json_t *));
	for (i = 0; i < count; i++)
		sorted[i] = json_array_get(secrets, i);
	qsort(sorted, count, sizeof(const json_t *), compare_names);
	list = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(list, describe(base, sorted[i]));
	free(sorted);
	return list;
}

/* ---- check ---- */

static void aws_probe(struct secret_store *base, struct probe_report *report)
{
	struct aws_store *store = aws_store(base);
	scoped(error) struct error *no_caller = NULL;
	scoped(error) struct error *no_list = NULL;
	json_auto_t *secrets = NULL;
	struct aws_caller caller;

	if (aws_sts_caller(store->chain, &caller, &no_caller)) {
		probe_ok(report, "identity", "%s, with credentials from %s", caller.arn,
		         aws_chain_source(store->chain));
		aws_caller_release(&caller);
	} else {
		probe_fault(report, "identity", NULL, no_caller);
		return;
	}
	secrets = aws_secrets_list(store->chain, store->prefix, LIST_MAX, &no_list);
	if (secrets)
		probe_ok(report, "secrets", "%zu below '%s' in region %s", json_array_size(secrets),
		         store->prefix, aws_chain_region(store->chain));
	else
		probe_fault(report, "secrets", NULL, no_list);
}

/* ---- the flavor ---- */

static bool check_prefix(const char *value, struct error **err)
{
	return !value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                            "0123456789/_+=.@-")] ||
	       error_set(err, ERROR_INVALID,
	                 "names in Secrets Manager have letters, digits and /_+=.@- only");
}

static bool check_recovery(const char *value, struct error **err)
{
	int64_t days;

	return (text_to_int64(value, 0, 30, &days) && (!days || days >= 7)) ||
	       error_set(err, ERROR_INVALID,
	                 "Secrets Manager keeps what is deleted for 7 to 30 days; 0 is not at all");
}

static const struct component_option options[] = {
	{ .name = "region", .help = "default: AWS_REGION, else the profile's" },
	{ .name = "profile",
	  .help = "profile of ~/.aws/config; default: AWS's standard chain (docs/aws.md)" },
	{ .name = "prefix",
	  .help = "what the names begin with in Secrets Manager; default: stepop/",
	  .check = check_prefix },
	{ .name = "kms_key_id", .help = "key of KMS for new secrets; default: the account's" },
	{ .name = "recovery_window_days",
	  .kind = OPTION_INTEGER,
	  .help = "how long a deleted secret can be restored, 7 to 30; 0: it cannot; default: 30",
	  .check = check_recovery },
	{ .name = "endpoint_url", .help = "a VPC endpoint, say; default: AWS's of the region" },
	{ 0 },
};
static const struct component_flavor flavor = {
	.type = COMPONENT_SECRETS_MANAGER,
	.name = "aws",
	.help = "AWS Secrets Manager",
	.options = options,
};

const struct secret_flavor secret_aws = {
	.component = &flavor,
	.open = aws_open,
	.get = aws_get,
	.put = aws_put,
	.remove = aws_remove,
	.list = aws_list,
	.probe = aws_probe,
	.close = aws_close,
};
