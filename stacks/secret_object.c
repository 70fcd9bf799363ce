/* SPDX-License-Identifier: Apache-2.0 */
/* Names, labels and data of Secret objects. */
#include "stacks/secret_object.h"

#include <ctype.h>
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/secret.h"
#include "submit/kube_object.h"

#define OWN_LABEL "stepop.dev/secrets-manager"
#define OWN_VALUE "kubernetes"
#define NAME_ANNOTATION "stepop.dev/secret"
#define SCHEMA_ANNOTATION "stepop.dev/schema"
#define DIGEST_DIGITS 8

char *secret_object_name(const char *prefix, const char *name)
{
	scoped(text) char *plain = text_printf("%s%s", prefix, name), *digest = NULL;
	char *c;

	for (c = plain + strlen(prefix); *c; c++)
		*c = *c == '_' ? '.' : *c;
	if (kube_object_is_subdomain(plain))
		return take(plain);
	for (c = plain + strlen(prefix); *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
	digest = digest_bytes(name, strlen(name));
	return text_printf("%s-%.*s", plain, DIGEST_DIGITS, digest);
}

static const char *annotation(const json_t *object, const char *key)
{
	const json_t *metadata = json_object_get(object, "metadata");

	return json_string_value(json_object_get(json_object_get(metadata, "annotations"), key));
}

bool secret_object_is_own(const json_t *object)
{
	return text_equal(kube_object_label(object, OWN_LABEL), OWN_VALUE) &&
	       annotation(object, NAME_ANNOTATION);
}

const char *secret_object_secret(const json_t *object)
{
	return annotation(object, NAME_ANNOTATION);
}

const char *secret_object_version(const json_t *object)
{
	return json_string_value(
		json_object_get(json_object_get(object, "metadata"), "resourceVersion"));
}

static json_t *decode_value(const char *key, const json_t *encoded, struct error **err)
{
	const char *text = json_string_value(encoded);
	size_t size = 0;
	char *bytes = text ? base64_decode(text, &size) : NULL;
	json_t *value = bytes && text_is_utf8(bytes, size) ? json_stringn(bytes, size) : NULL;

	text_wipe(bytes, size);
	free(bytes);
	return value ? value
	             : error_set(err, ERROR_INVALID,
	                         "the value of '%s' is no text; keep bytes in base64 within it",
	                         key);
}

json_t *secret_object_values(const json_t *object, struct error **err)
{
	json_t *values = json_object(), *encoded;
	const char *key;

	json_object_foreach (json_object_get(object, "data"), key, encoded) {
		json_t *value = decode_value(key, encoded, err);

		if (!value) {
			secret_values_free(values);
			return NULL;
		}
		json_object_set_new(values, key, value);
	}
	return values;
}

json_t *secret_object_describe(const json_t *object)
{
	json_t *keys = json_array(), *value;
	const char *key;

	json_object_foreach (json_object_get(object, "data"), key, value)
		json_array_append_new(keys, json_string(key));
	return json_pack("{s:s, s:s?, s:o}", "name", annotation(object, NAME_ANNOTATION), "schema",
	                 annotation(object, SCHEMA_ANNOTATION), "keys", keys);
}

static json_t *encode_values(const json_t *values)
{
	json_t *data = json_object(), *value;
	const char *key;

	json_object_foreach ((json_t *)values, key, value) {
		scoped(secret) char *encoded =
			base64_encode(json_string_value(value), json_string_length(value));

		json_object_set_new(data, key, json_string(encoded));
	}
	return data;
}

json_t *secret_object_new(const char *object_name, const char *name, const char *schema,
                          const json_t *values)
{
	return json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s}, s:{s:s, s:s*}}, s:s, s:o}", "apiVersion",
	                 "v1", "kind", "Secret", "metadata", "name", object_name, "labels",
	                 "app.kubernetes.io/managed-by", "stepop", OWN_LABEL, OWN_VALUE,
	                 "annotations", NAME_ANNOTATION, name, SCHEMA_ANNOTATION, schema, "type",
	                 "Opaque", "data", encode_values(values));
}

json_t *secret_object_change(const json_t *object, const char *schema, const json_t *values)
{
	json_t *data = encode_values(values), *value;
	const char *key;

	json_object_foreach (json_object_get(object, "data"), key, value)
		if (!json_object_get(data, key))
			json_object_set_new(data, key, json_null());
	return json_pack("{s:{s:s, s:{s:s?}}, s:o}", "metadata", "resourceVersion",
	                 secret_object_version(object), "annotations", SCHEMA_ANNOTATION, schema,
	                 "data", data);
}
