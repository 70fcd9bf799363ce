/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets Manager's API (2017-10-17), one function for each operation. */
#include "cloud/aws_secrets.h"

#include <string.h>

#include "cloud/aws_request.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

#define PAGE_SIZE 100

static const struct aws_json_service service = { .name = "secretsmanager",
	                                         .target = "secretsmanager" };

/* Takes `input`; the answer is of no interest. */
static bool call_take(struct aws_chain *chain, const char *operation, json_t *input,
                      struct error **err)
{
	json_t *answer = aws_json_call(chain, &service, operation, input, err);

	json_decref(input);
	json_decref(answer);
	return answer;
}

static void wipe(const json_t *text)
{
	if (json_is_string(text))
		text_wipe((char *)json_string_value(text), json_string_length(text));
}

char *aws_secrets_get(struct aws_chain *chain, const char *name, struct error **err)
{
	json_auto_t *input = json_pack("{s:s}", "SecretId", name);
	json_auto_t *answer = aws_json_call(chain, &service, "GetSecretValue", input, err);
	const json_t *value = json_object_get(answer, "SecretString");
	char *text = text_copy(json_string_value(value));

	wipe(value);
	if (answer && !text)
		return error_set(err, ERROR_INVALID,
		                 "it holds bytes (SecretBinary), and a text is expected");
	return text;
}

bool aws_secrets_find(struct aws_chain *chain, const char *name, enum aws_secret_state *state,
                      struct error **err)
{
	json_auto_t *input = json_pack("{s:s}", "SecretId", name);
	struct error *fault = NULL;
	json_auto_t *answer = aws_json_call(chain, &service, "DescribeSecret", input, &fault);
	const json_t *deleted = json_object_get(answer, "DeletedDate");

	if (!answer && fault->kind != ERROR_NOT_FOUND)
		return error_pass(err, fault);
	error_free(fault);
	*state = !answer                             ? AWS_SECRET_ABSENT
	         : deleted && !json_is_null(deleted) ? AWS_SECRET_DELETED
	                                             : AWS_SECRET_PRESENT;
	return true;
}

/* [{"Key", "Value"}], owned by the caller. */
static json_t *tag_list(const json_t *tags)
{
	json_t *list = json_array(), *value;
	const char *key;

	json_object_foreach ((json_t *)tags, key, value)
		json_array_append_new(list, json_pack("{s:s, s:O}", "Key", key, "Value", value));
	return list;
}

/* A try that was answered too late is recognized when it comes again. Takes `input`. */
static bool call_with_text_take(struct aws_chain *chain, const char *operation, json_t *input,
                                const char *text, struct error **err)
{
	scoped(text) char *token = digest_random_hex(32);
	json_t *secret = json_string(text);
	json_t *answer;

	json_object_set_new(input, "ClientRequestToken", json_string(token));
	json_object_set(input, "SecretString", secret);
	answer = aws_json_call(chain, &service, operation, input, err);
	wipe(secret);
	json_decref(secret);
	json_decref(input);
	json_decref(answer);
	return answer;
}

bool aws_secrets_create(struct aws_chain *chain, const char *name,
                        const struct aws_secret_value *value, struct error **err)
{
	json_t *input = json_pack("{s:s, s:o, s:s*}", "Name", name, "Tags", tag_list(value->tags),
	                          "KmsKeyId", value->kms_key_id);

	return call_with_text_take(chain, "CreateSecret", input, value->text, err);
}

bool aws_secrets_put(struct aws_chain *chain, const char *name,
                     const struct aws_secret_value *value, struct error **err)
{
	return call_with_text_take(chain, "PutSecretValue", json_pack("{s:s}", "SecretId", name),
	                           value->text, err) &&
	       call_take(chain, "TagResource",
	                 json_pack("{s:s, s:o}", "SecretId", name, "Tags", tag_list(value->tags)),
	                 err);
}

bool aws_secrets_restore(struct aws_chain *chain, const char *name, struct error **err)
{
	return call_take(chain, "RestoreSecret", json_pack("{s:s}", "SecretId", name), err);
}

bool aws_secrets_delete(struct aws_chain *chain, const char *name, int recovery_days,
                        struct error **err)
{
	json_t *input = recovery_days ? json_pack("{s:s, s:i}", "SecretId", name,
	                                          "RecoveryWindowInDays", recovery_days)
	                              : json_pack("{s:s, s:b}", "SecretId", name,
	                                          "ForceDeleteWithoutRecovery", true);

	return call_take(chain, "DeleteSecret", input, err);
}

/* ---- listing ---- */

/* The filter matches names word by word, and without regard to case: it may find more. */
static void add_page(json_t *list, const json_t *page, const char *prefix)
{
	json_t *secret, *tag;
	size_t i, j;

	json_array_foreach (json_object_get(page, "SecretList"), i, secret) {
		const char *name = json_string_value(json_object_get(secret, "Name"));
		json_t *tags = json_object();

		json_array_foreach (json_object_get(secret, "Tags"), j, tag) {
			const char *key = json_string_value(json_object_get(tag, "Key"));

			if (key)
				json_object_set(tags, key, json_object_get(tag, "Value"));
		}
		if (name && text_starts_with(name, prefix))
			json_array_append_new(list,
			                      json_pack("{s:s, s:O}", "name", name, "tags", tags));
		json_decref(tags);
	}
}

static json_t *page_input(const char *prefix, const char *next)
{
	json_t *input = json_pack("{s:i, s:s*}", "MaxResults", PAGE_SIZE, "NextToken", next);

	if (*prefix)
		json_object_set_new(input, "Filters",
		                    json_pack("[{s:s, s:[s]}]", "Key", "name", "Values", prefix));
	return input;
}

json_t *aws_secrets_list(struct aws_chain *chain, const char *prefix, size_t limit,
                         struct error **err)
{
	json_auto_t *list = json_array();
	scoped(text) char *next = NULL;

	do {
		json_auto_t *input = page_input(prefix, next);
		json_auto_t *page = aws_json_call(chain, &service, "ListSecrets", input, err);

		if (!page)
			return NULL;
		add_page(list, page, prefix);
		if (json_array_size(list) > limit)
			return error_set(err, ERROR_INVALID,
			                 "there are more than %zu secrets below '%s'; give the "
			                 "component a prefix of its own",
			                 limit, prefix);
		free(next);
		next = text_copy(json_string_value(json_object_get(page, "NextToken")));
	} while (next);
	return json_incref(list);
}
