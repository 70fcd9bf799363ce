/* SPDX-License-Identifier: Apache-2.0 */
/* The three lists of a kubeconfig, and an entry in each. */
#include "submit/kube_config_entry.h"

#include "core/text.h"

/* Takes `fields`. */
static bool put_take(json_t *config, const char *list_name, const char *name, const char *kind,
                     json_t *fields, struct error **err)
{
	json_t *list = json_object_get(config, list_name), *item;
	json_t *entry = json_pack("{s:s, s:o}", "name", name, kind, fields);
	size_t i;

	if (!list || json_is_null(list)) {
		list = json_array();
		json_object_set_new(config, list_name, list);
	}
	if (!json_is_array(list)) {
		json_decref(entry);
		return error_set(err, ERROR_INVALID, "'%s' should be a list", list_name);
	}
	json_array_foreach (list, i, item)
		if (text_equal(json_string_value(json_object_get(item, "name")), name)) {
			json_array_set_new(list, i, entry);
			return true;
		}
	json_array_append_new(list, entry);
	return true;
}

static bool put_all(json_t *config, const struct kube_config_entry *entry, struct error **err)
{
	return put_take(config, "clusters", entry->name, "cluster",
	                json_pack("{s:s, s:s}", "certificate-authority-data", entry->ca_base64,
	                          "server", entry->server),
	                err) &&
	       put_take(config, "contexts", entry->context, "context",
	                json_pack("{s:s, s:s}", "cluster", entry->name, "user", entry->name),
	                err) &&
	       put_take(config, "users", entry->name, "user",
	                json_pack("{s:O}", "exec", entry->exec), err);
}

bool kube_config_add(json_t *config, const struct kube_config_entry *entry, struct error **err)
{
	const json_t *kind = json_object_get(config, "kind");

	if (!json_is_object(config) || (kind && !text_equal(json_string_value(kind), "Config")))
		return error_set(err, ERROR_INVALID, "it is no kubeconfig");
	json_object_set_new(config, "apiVersion", json_string("v1"));
	json_object_set_new(config, "kind", json_string("Config"));
	if (!put_all(config, entry, err))
		return false;
	json_object_set_new(config, "current-context", json_string(entry->context));
	return true;
}
