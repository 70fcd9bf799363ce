/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and makes the parts that every Kubernetes object has. */
#include "submit/kube_object.h"

#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

#define LABEL_LIMIT 63
#define SUBDOMAIN_LIMIT 253
#define HASH_DIGITS 8

json_t *kube_object_new(const char *api_version, const char *kind, const char *namespace,
                        const char *name, const json_t *labels)
{
	json_t *object = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", api_version, "kind", kind,
	                           "metadata", "name", name);
	json_t *metadata = json_object_get(object, "metadata");

	if (namespace)
		json_object_set_new(metadata, "namespace", json_string(namespace));
	if (json_object_size(labels))
		json_object_set_new(metadata, "labels", json_copy((json_t *)labels));
	return object;
}

static const char *metadata_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

const char *kube_object_kind(const json_t *object)
{
	return json_string_value(json_object_get(object, "kind"));
}

const char *kube_object_name(const json_t *object)
{
	return metadata_text(object, "name");
}

const char *kube_object_namespace(const json_t *object)
{
	return metadata_text(object, "namespace");
}

const char *kube_object_uid(const json_t *object)
{
	return metadata_text(object, "uid");
}

const char *kube_object_label(const json_t *object, const char *key)
{
	const json_t *metadata = json_object_get(object, "metadata");

	return json_string_value(json_object_get(json_object_get(metadata, "labels"), key));
}

const json_t *kube_object_condition(const json_t *object, const char *type)
{
	const json_t *conditions = json_object_get(json_object_get(object, "status"), "conditions");
	const json_t *condition;
	size_t i;

	json_array_foreach (conditions, i, condition)
		if (text_equal(json_string_value(json_object_get(condition, "type")), type))
			return condition;
	return NULL;
}

bool kube_object_is_terminating(const json_t *object)
{
	return metadata_text(object, "deletionTimestamp");
}

bool kube_object_is_owned_by(const json_t *object, const json_t *owner)
{
	const json_t *references =
		json_object_get(json_object_get(object, "metadata"), "ownerReferences");
	const char *uid = kube_object_uid(owner);
	const json_t *reference;
	size_t i;

	json_array_foreach (references, i, reference)
		if (uid && text_equal(json_string_value(json_object_get(reference, "uid")), uid))
			return true;
	return false;
}

static void hide_values(json_t *values)
{
	const char *key;
	json_t *value;

	json_object_foreach (values, key, value)
		json_object_set_new(values, key, json_string("<hidden>"));
}

void kube_object_hide_secrets(json_t *objects)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (text_equal(kube_object_kind(object), "Secret")) {
			hide_values(json_object_get(object, "stringData"));
			hide_values(json_object_get(object, "data"));
		}
}

json_t *kube_object_owner_patch(const json_t *owner)
{
	return json_pack("{s:{s:[{s:O, s:O, s:s, s:s, s:b}]}}", "metadata", "ownerReferences",
	                 "apiVersion", json_object_get(owner, "apiVersion"), "kind",
	                 json_object_get(owner, "kind"), "name", kube_object_name(owner), "uid",
	                 kube_object_uid(owner), "controller", 1);
}

/* Not isalnum(): labels know no locale. */
static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_label_character(char c)
{
	return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
}

static bool is_label_value(const char *text)
{
	size_t size = strlen(text), i;

	if (!size)
		return true;
	for (i = 0; i < size; i++)
		if (!is_label_character(text[i]))
			return false;
	return size <= LABEL_LIMIT && is_alphanumeric(text[0]) && is_alphanumeric(text[size - 1]);
}

char *kube_object_label_value(const char *text)
{
	scoped(text) char *cleaned = NULL;
	scoped(text) char *digest = digest_bytes(text, strlen(text));
	size_t i, size;

	if (is_label_value(text))
		return xstrdup(text);
	while (*text && !is_alphanumeric(*text))
		text++;
	cleaned = xstrndup(text, LABEL_LIMIT - HASH_DIGITS - 1);
	for (i = 0; cleaned[i]; i++)
		if (!is_label_character(cleaned[i]))
			cleaned[i] = '-';
	for (size = i; size && !is_alphanumeric(cleaned[size - 1]); size--)
		cleaned[size - 1] = '\0';
	return text_printf("%s%s%.*s", cleaned, size ? "-" : "", HASH_DIGITS, digest);
}

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* One label of `size` characters. */
static bool is_name_part(const char *name, size_t size)
{
	size_t i;

	if (!size || !is_name_character(name[0]) || !is_name_character(name[size - 1]))
		return false;
	for (i = 0; i < size; i++)
		if (!is_name_character(name[i]) && name[i] != '-')
			return false;
	return true;
}

bool kube_object_is_label(const char *name)
{
	return strlen(name) <= LABEL_LIMIT && is_name_part(name, strlen(name));
}

bool kube_object_is_subdomain(const char *name)
{
	size_t part;

	if (strlen(name) > SUBDOMAIN_LIMIT)
		return false;
	for (; (part = strcspn(name, ".")), name[part]; name += part + 1)
		if (!is_name_part(name, part))
			return false;
	return is_name_part(name, part);
}
