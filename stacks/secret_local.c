/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in one encrypted file of the project, .stepop/secrets/<component>.json. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/probe.h"
#include "stacks/project_file.h"
#include "stacks/secret.h"
#include "stacks/secret_box.h"

#define FILE_LIMIT_BYTES ((size_t)64 << 20)

struct local_store {
	struct secret_store base;
	char *path, *lock_path;
	char *key_file;        /* NULL: the default place */
	json_t *description;   /* of `key`; NULL: no key yet */
	struct secret_key key; /* kept: deriving it from a passphrase is slow by intention */
};

static struct local_store *local(struct secret_store *store)
{
	return container_of(store, struct local_store, base);
}

static void local_close(struct secret_store *base)
{
	struct local_store *store = local(base);

	secret_key_release(&store->key);
	json_decref(store->description);
	free(store->key_file);
	free(store->lock_path);
	free(store->path);
	free(store);
}

static struct secret_store *local_open(const struct project *project,
                                       const struct component *component, struct http_client *http,
                                       struct error **err)
{
	const char *key_file = component_text(component, "key_file", NULL);
	const char *folder = project_folder(project);
	struct local_store *store;

	(void)http;
	if (key_file && text_starts_with(key_file, folder) && key_file[strlen(folder)] == '/')
		return error_set(err, ERROR_INVALID,
		                 "key_file lies in the project folder, beside what it locks; keep "
		                 "it elsewhere");
	store = xcalloc(1, sizeof(*store));
	store->base.flavor = &secret_local;
	store->path = text_printf("%s/secrets/%s.json", folder, component->name);
	store->lock_path = text_printf("%s/secrets/%s.lock", folder, component->name);
	store->key_file = text_copy(key_file);
	return &store->base;
}

/*
 * The sealed text is a row of strings, each ended by a NUL: name, schema (may be empty), then key
 * and value in turn, and an empty key ends the secret. JSON would leave copies of the values in
 * the parser's buffers.
 */
static size_t put_text(char *buffer, const char *text)
{
	size_t size = strlen(text) + 1;

	if (buffer)
		memcpy(buffer, text, size);
	return size;
}

/* With `buffer` NULL only counts. */
static size_t encode(const json_t *secrets, char *buffer)
{
	size_t at = 0;
	const char *name, *key;
	json_t *secret, *value;

#define PUT(text) at += put_text(buffer ? buffer + at : NULL, (text))
	json_object_foreach ((json_t *)secrets, name, secret) {
		const char *schema = json_string_value(json_object_get(secret, "schema"));

		PUT(name);
		PUT(schema ? schema : "");
		json_object_foreach (json_object_get(secret, "values"), key, value) {
			PUT(key);
			PUT(json_string_value(value));
		}
		PUT("");
	}
#undef PUT
	return at;
}

/* The next string; NULL when the bytes end before it does. */
static const char *next_text(const char **at, const char *end)
{
	const char *text = *at, *nul = text < end ? memchr(text, '\0', end - text) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

static bool decode_secret(const char **at, const char *end, json_t *secrets)
{
	const char *name = next_text(at, end), *schema = next_text(at, end), *key, *value;
	json_t *values = json_object(), *secret;

	if (!name || !schema) {
		json_decref(values);
		return false;
	}
	secret = json_pack("{s:s*, s:o}", "schema", *schema ? schema : NULL, "values", values);
	json_object_set_new(secrets, name, secret);
	for (;;) {
		key = next_text(at, end);
		if (!key || !*key)
			return key != NULL;
		value = next_text(at, end);
		if (!value)
			return false;
		json_object_set_new(values, key, json_string(value));
	}
}

static json_t *decode(const char *bytes, size_t size, struct error **err)
{
	const char *at = bytes, *end = bytes + size;
	json_t *secrets = json_object();

	while (at < end) {
		if (decode_secret(&at, end, secrets))
			continue;
		secret_values_free(secrets);
		return error_set(err, ERROR_INVALID, "what is in it cannot be read");
	}
	return secrets;
}

static bool find_key(struct local_store *store, const json_t *description, struct error **err)
{
	if (store->description && json_equal(store->description, description))
		return true;
	if (!secret_key_find(description, store->key_file, &store->key, err))
		return false;
	json_decref(store->description);
	store->description = json_deep_copy(description);
	return true;
}

static json_t *unseal(struct local_store *store, const json_t *box, struct error **err)
{
	const json_t *description = secret_box_description(box, err);
	json_t *secrets;
	char *bytes;
	size_t size;

	if (!description || !find_key(store, description, err))
		return NULL;
	bytes = secret_box_open(box, &store->key, &size, err);
	if (!bytes)
		return NULL;
	secrets = decode(bytes, size, err);
	text_wipe(bytes, size);
	free(bytes);
	return secrets;
}

/* All secrets: name -> {"schema": text, if any, "values": {key: text}}. Without a file there are
 * none yet. To be released with secret_values_free(). */
static json_t *read_all(struct local_store *store, struct error **err)
{
	scoped(text) char *text = NULL;
	json_auto_t *box = NULL;
	json_error_t fault;
	json_t *secrets;
	size_t size;

	if (!file_exists(store->path))
		return json_object();
	text = file_read(store->path, FILE_LIMIT_BYTES, &size, err);
	if (!text)
		return NULL;
	box = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
	if (!box)
		return error_set(err, ERROR_INVALID, "%s:%d:%d: %s", store->path, fault.line,
		                 fault.column, fault.text);
	secrets = unseal(store, box, err);
	if (!secrets)
		return error_wrap(err, "open %s", store->path);
	return secrets;
}

static json_t *seal(struct local_store *store, const json_t *secrets, struct error **err)
{
	size_t size = encode(secrets, NULL);
	char *bytes = xcalloc(size, 1);
	json_t *box;

	encode(secrets, bytes);
	box = secret_box_seal(store->description, &store->key, bytes, size, err);
	text_wipe(bytes, size);
	free(bytes);
	return box;
}

static bool write_all(struct local_store *store, const json_t *secrets, struct error **err)
{
	json_auto_t *box = NULL;
	scoped(text) char *text = NULL;

	if (!store->description)
		store->description = secret_key_create(store->key_file, &store->key, err);
	if (!store->description)
		return error_wrap(err, "make a key for %s", store->path);
	box = seal(store, secrets, err);
	if (!box)
		return false;
	text = json_dumps(box, JSON_INDENT(2));
	return file_write_atomic(store->path, text, strlen(text), 0600, err);
}

/* Held while the file is read, changed and replaced. */
static int lock(const struct local_store *store, struct error **err)
{
	scoped(text) char *folder = file_folder(store->lock_path);

	if (!file_make_folders(folder, 0700, err))
		return -1;
	return project_lock(store->lock_path, err);
}

static void *unknown_secret(const json_t *secrets, const char *name, struct error **err)
{
	json_auto_t *names = json_array();
	const char *other, *nearest;
	json_t *secret;

	json_object_foreach ((json_t *)secrets, other, secret)
		json_array_append_new(names, json_string(other));
	nearest = project_file_nearest(names, name);
	if (nearest)
		return error_set(err, ERROR_NOT_FOUND, "no such secret; did you mean '%s'?",
		                 nearest);
	return error_set(err, ERROR_NOT_FOUND,
	                 "no such secret; 'stepop secrets-manager secret register %s' makes it",
	                 name);
}

/* The old values are wiped, not only dropped. */
static void forget(json_t *secrets, const char *name)
{
	json_t *secret = json_incref(json_object_get(secrets, name));

	json_object_del(secrets, name);
	secret_values_free(secret);
}

static json_t *local_get(struct secret_store *base, const char *name, struct error **err)
{
	json_t *secrets = read_all(local(base), err), *values;

	if (!secrets)
		return NULL;
	values = json_incref(json_object_get(json_object_get(secrets, name), "values"));
	if (!values)
		unknown_secret(secrets, name, err);
	secret_values_free(secrets);
	return values;
}

static bool local_put(struct secret_store *base, const char *name, const char *schema,
                      const json_t *values, bool create_only, struct error **err)
{
	struct local_store *store = local(base);
	scoped(fd) int held = lock(store, err);
	json_t *secrets = held < 0 ? NULL : read_all(store, err);
	bool stored;

	if (!secrets)
		return false;
	if (create_only && json_object_get(secrets, name)) {
		stored = error_set(err, ERROR_CONFLICT,
		                   "it exists already; 'stepop secrets-manager secret update %s' "
		                   "changes it",
		                   name);
	} else {
		forget(secrets, name);
		json_object_set_new(secrets, name,
		                    json_pack("{s:s*, s:O}", "schema", schema, "values", values));
		stored = write_all(store, secrets, err);
	}
	secret_values_free(secrets);
	return stored;
}

static bool local_remove(struct secret_store *base, const char *name, struct error **err)
{
	struct local_store *store = local(base);
	scoped(fd) int held = lock(store, err);
	json_t *secrets = held < 0 ? NULL : read_all(store, err);
	bool removed;

	if (!secrets)
		return false;
	removed = json_object_get(secrets, name) || unknown_secret(secrets, name, err);
	if (removed) {
		forget(secrets, name);
		removed = write_all(store, secrets, err);
	}
	secret_values_free(secrets);
	return removed;
}

static json_t *describe(const char *name, const json_t *secret)
{
	const json_t *schema = json_object_get(secret, "schema");
	json_t *keys = json_array(), *value;
	const char *key;

	json_object_foreach (json_object_get(secret, "values"), key, value)
		json_array_append_new(keys, json_string(key));
	return json_pack("{s:s, s:O?, s:o}", "name", name, "schema", schema, "keys", keys);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *local_list(struct secret_store *base, struct error **err)
{
	json_t *secrets = read_all(local(base), err), *secret, *list;
	const char **names, *name;
	size_t count = 0, i;

	if (!secrets)
		return NULL;
	names = xcalloc(json_object_size(secrets), sizeof(*names));
	json_object_foreach (secrets, name, secret)
		names[count++] = name;
	qsort(names, count, sizeof(*names), compare_names);
	list = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(list, describe(names[i], json_object_get(secrets, names[i])));
	free(names);
	secret_values_free(secrets);
	return list;
}

/* Opening it takes the key, and shows that nobody has changed it. */
static void local_probe(struct secret_store *base, struct probe_report *report)
{
	struct local_store *store = local(base);
	scoped(error) struct error *err = NULL;
	json_t *secrets = read_all(store, &err);

	if (!secrets)
		probe_fault(report, "secrets manager", NULL, err);
	else
		probe_ok(report, "secrets manager", "%s (secrets: %zu)", store->path,
		         json_object_size(secrets));
	secret_values_free(secrets);
}

static bool check_key_file(const char *path, struct error **err)
{
	if (*path == '/' || text_starts_with(path, "~/"))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "an absolute path, or one that begins with ~/, is expected: the key is "
	                 "kept outside of the project");
}

static const struct component_flavor component = {
	.type = COMPONENT_SECRETS_MANAGER,
	.name = "local",
	.help = "a file in the project folder, encrypted with AES-256-GCM",
	.options =
		(const struct component_option[]){
			{
				.name = "key_file",
				.help = "where the key is kept; default: below ~/.config/stepop",
				.check = check_key_file,
			},
			{ 0 },
		},
};

const struct secret_flavor secret_local = {
	.component = &component,
	.open = local_open,
	.get = local_get,
	.put = local_put,
	.remove = local_remove,
	.list = local_list,
	.probe = local_probe,
	.close = local_close,
};
