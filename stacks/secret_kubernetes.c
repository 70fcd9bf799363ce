/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets as Secret objects of a namespace of Kubernetes. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "stacks/probe.h"
#include "stacks/project_file.h"
#include "stacks/secret.h"
#include "stacks/secret_object.h"
#include "submit/kube_client.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

#define CHANGED "somebody else changed it meanwhile: look again, and repeat"

struct kubernetes_store {
	struct secret_store base;
	struct kube_client *kube;
	char *namespace, *prefix;
	json_t *versions; /* name -> resourceVersion as this process has read it */
};

static struct kubernetes_store *kubernetes_store(struct secret_store *store)
{
	return container_of(store, struct kubernetes_store, base);
}

static void kubernetes_close(struct secret_store *base)
{
	struct kubernetes_store *store = kubernetes_store(base);

	kube_client_free(store->kube);
	json_decref(store->versions);
	free(store->namespace);
	free(store->prefix);
	free(store);
}

static struct secret_store *kubernetes_open(const struct project *project,
                                            const struct component *component,
                                            struct http_client *http, struct error **err)
{
	const struct kube_config_options options = {
		.kubeconfig = component_text(component, "kubeconfig", NULL),
		.context = component_text(component, "context", NULL),
		.namespace = component_text(component, "namespace", NULL),
	};
	struct kube_config *config = kube_config_load(&options, err);
	struct kubernetes_store *store;

	(void)project;
	if (!config)
		return NULL;
	store = xcalloc(1, sizeof(*store));
	store->base.flavor = &secret_kubernetes;
	store->namespace = xstrdup(config->namespace);
	store->prefix = xstrdup(component_text(component, "prefix", ""));
	store->versions = json_object();
	store->kube = kube_client_new_take(http, config);
	return &store->base;
}

/* With a prefix, only what has it is of this component. */
static bool is_listed(const struct kubernetes_store *store, const json_t *object)
{
	return secret_object_is_own(object) &&
	       text_starts_with(kube_object_name(object), store->prefix);
}

/* ---- reading ---- */

/* What a Secret holds is in the answer; it is wiped with the object. */
static json_t *list_objects(const struct kubernetes_store *store, struct error **err)
{
	const struct kube_list_options options = { .label_selector = SECRET_OBJECT_SELECTOR };

	return kube_client_list(store->kube, &kube_secrets, store->namespace, &options, NULL, err);
}

static json_t *names_of(const struct kubernetes_store *store)
{
	json_t *objects = list_objects(store, NULL), *names = json_array(), *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (is_listed(store, object))
			json_array_append_new(names, json_string(secret_object_secret(object)));
	secret_values_free(objects);
	return names;
}

/* Who may read one may not always list them: then nothing is near. */
static void *unknown_secret(const struct kubernetes_store *store, const char *name,
                            struct error **err)
{
	json_auto_t *names = names_of(store);
	const char *nearest = project_file_nearest(names, name);

	if (nearest)
		return error_set(err, ERROR_NOT_FOUND,
		                 "no such secret in namespace '%s'; did you mean '%s'?",
		                 store->namespace, nearest);
	return error_set(
		err, ERROR_NOT_FOUND,
		"no such secret in namespace '%s'; 'stepop secrets-manager secret register "
		"%s' makes it",
		store->namespace, name);
}

static bool check_own(const struct kubernetes_store *store, const json_t *object, const char *name,
                      struct error **err)
{
	const char *own_name = secret_object_secret(object);

	if (secret_object_is_own(object) && text_equal(own_name, name))
		return true;
	return error_set(
		err, ERROR_CONFLICT,
		"Secret '%s' in namespace '%s' was not made by this secrets manager, and is "
		"left alone; choose another name, or give the component a prefix",
		kube_object_name(object), store->namespace);
}

/* The object, to be released with secret_values_free(). *absent (may be NULL) is set, and no error,
 * when there is none. */
static json_t *read_object(struct kubernetes_store *store, const char *name, bool *absent,
                           struct error **err)
{
	scoped(text) char *object = secret_object_name(store->prefix, name);
	scoped(error) struct error *fault = NULL;
	json_t *secret =
		kube_client_get(store->kube, &kube_secrets, store->namespace, object, &fault);

	if (absent)
		*absent = fault && fault->kind == ERROR_NOT_FOUND;
	if (!secret && absent && *absent)
		return NULL;
	if (!secret && fault->kind == ERROR_NOT_FOUND)
		return unknown_secret(store, name, err);
	if (!secret)
		return error_pass(err, take(fault));
	if (check_own(store, secret, name, err))
		return secret;
	secret_values_free(secret);
	return NULL;
}

static json_t *kubernetes_get(struct secret_store *base, const char *name, struct error **err)
{
	struct kubernetes_store *store = kubernetes_store(base);
	json_t *object = read_object(store, name, NULL, err), *values;

	if (!object)
		return NULL;
	json_object_set_new(store->versions, name, json_string(secret_object_version(object)));
	values = secret_object_values(object, err);
	secret_values_free(object);
	return values;
}

/* The API server lists by the objects' names, which are in the order of ours but for '_'. */
static json_t *kubernetes_list(struct secret_store *base, struct error **err)
{
	struct kubernetes_store *store = kubernetes_store(base);
	json_t *objects = list_objects(store, err), *object, *list;
	size_t i;

	if (!objects)
		return NULL;
	list = json_array();
	json_array_foreach (objects, i, object)
		if (is_listed(store, object))
			json_array_append_new(list, secret_object_describe(object));
	secret_values_free(objects);
	return list;
}

/* ---- writing ---- */

static bool create(struct kubernetes_store *store, const char *name, const char *schema,
                   const json_t *values, struct error **err)
{
	scoped(text) char *object = secret_object_name(store->prefix, name);
	scoped(error) struct error *fault = NULL;
	json_t *secret = secret_object_new(object, name, schema, values);
	json_t *stored =
		kube_client_create(store->kube, &kube_secrets, store->namespace, secret, 0, &fault);

	secret_values_free(secret);
	secret_values_free(stored);
	if (!fault)
		return true;
	if (fault->kind != ERROR_CONFLICT)
		return error_pass(err, take(fault));
	return error_set(err, ERROR_CONFLICT,
	                 "Secret '%s' exists already in namespace '%s'; 'stepop secrets-manager "
	                 "secret update %s' changes it, if it is stepop's",
	                 object, store->namespace, name);
}

static bool change(struct kubernetes_store *store, const json_t *object, const char *schema,
                   const json_t *values, struct error **err)
{
	json_t *patch = secret_object_change(object, schema, values);
	scoped(error) struct error *fault = NULL;
	json_t *stored = kube_client_patch(store->kube, &kube_secrets, store->namespace,
	                                   kube_object_name(object), patch, &fault);

	secret_values_free(patch);
	secret_values_free(stored);
	if (!fault)
		return true;
	error_pass(err, take(fault));
	if (err && (*err)->kind == ERROR_CONFLICT)
		return error_wrap(err,
		                  "somebody else changed it meanwhile: look again, and repeat");
	return false;
}

/* What was read to be changed must still be what is there. */
static bool is_as_read(const struct kubernetes_store *store, const char *name, const json_t *object)
{
	const char *read = json_string_value(json_object_get(store->versions, name));

	return !read || text_equal(read, secret_object_version(object));
}

static bool replace(struct kubernetes_store *store, const char *name, const char *schema,
                    const json_t *values, struct error **err)
{
	bool absent, changed;
	json_t *object = read_object(store, name, &absent, err);

	if (absent)
		return create(store, name, schema, values, err);
	if (!object)
		return false;
	if (is_as_read(store, name, object))
		changed = change(store, object, schema, values, err);
	else
		changed = error_set(err, ERROR_CONFLICT, CHANGED);
	secret_values_free(object);
	json_object_del(store->versions, name);
	return changed;
}

static bool kubernetes_put(struct secret_store *base, const char *name, const char *schema,
                           const json_t *values, bool create_only, struct error **err)
{
	struct kubernetes_store *store = kubernetes_store(base);

	return create_only ? create(store, name, schema, values, err)
	                   : replace(store, name, schema, values, err);
}

static bool kubernetes_remove(struct secret_store *base, const char *name, struct error **err)
{
	struct kubernetes_store *store = kubernetes_store(base);
	json_t *object = read_object(store, name, NULL, err);
	bool removed = object && kube_client_delete(store->kube, &kube_secrets, store->namespace,
	                                            kube_object_name(object), -1, err);

	secret_values_free(object);
	json_object_del(store->versions, name);
	return removed;
}

/* ---- the check ---- */

static bool ask(const struct kubernetes_store *store, const char *verb, bool *allowed,
                struct error **err)
{
	json_auto_t *right = json_pack("{s:s, s:s, s:s, s:s, s:n}", "who", RBAC_OWN_RIGHTS, "verb",
	                               verb, "resource", "secrets", "group", "", "subject");

	if (!rbac_check(store->kube, store->namespace, right, err))
		return false;
	*allowed = text_equal(json_string_value(json_object_get(right, "allowed")), "yes");
	return true;
}

/* Runs only read; who only runs needs no more. */
static void kubernetes_probe(struct secret_store *base, struct probe_report *report)
{
	static const char *const verbs[] = { "get", "list", "create", "patch", "delete" };
	struct kubernetes_store *store = kubernetes_store(base);
	scoped(error) struct error *err = NULL;
	scoped(text) char *missing = xstrdup("");
	bool allowed, may_get = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		char *longer;

		if (!ask(store, verbs[i], &allowed, &err)) {
			probe_fault(report, "secrets manager", NULL, err);
			return;
		}
		if (allowed)
			continue;
		may_get = may_get && i > 0;
		longer = text_printf("%s%s%s", missing, *missing ? ", " : "", verbs[i]);
		free(missing);
		missing = longer;
	}
	if (!may_get)
		error_set(&err, ERROR_AUTH, "you may not get secrets in namespace '%s'",
		          store->namespace);
	if (err)
		probe_fault(report, "secrets manager",
		            "someone who may can grant it with 'stepop rbac apply --with "
		            "secrets-manager'",
		            err);
	else if (*missing)
		probe_warning(report, "secrets manager", NULL,
		              "namespace '%s': secrets can be used, but you may not %s them",
		              store->namespace, missing);
	else
		probe_ok(report, "secrets manager",
		         "secrets of namespace '%s' can be used and changed", store->namespace);
}

static bool check_prefix(const char *value, struct error **err)
{
	scoped(text) char *name = text_printf("%sx", value);

	if (kube_object_is_subdomain(name))
		return true;
	return error_set(
		err, ERROR_INVALID,
		"lower-case letters, digits, '-' and '.' are expected, and a letter or digit "
		"first");
}

static bool check_namespace(const char *value, struct error **err)
{
	if (kube_object_is_label(value))
		return true;
	return error_set(err, ERROR_INVALID, "'%s' cannot be the name of a namespace", value);
}

static const struct component_option options[] = {
	{ .name = "namespace",
	  .help = "namespace of the Secrets; default: the kubeconfig's",
	  .check = check_namespace },
	{ .name = "prefix", .help = "what the Secrets' names begin with", .check = check_prefix },
	{ .name = "kubeconfig", .help = "file to use instead of $KUBECONFIG or ~/.kube/config" },
	{ .name = "context", .help = "context of the kubeconfig" },
	{ 0 },
};

static const struct component_flavor component = {
	.type = COMPONENT_SECRETS_MANAGER,
	.name = "kubernetes",
	.help = "Secrets in a namespace of Kubernetes",
	.options = options,
};

const struct secret_flavor secret_kubernetes = {
	.component = &component,
	.open = kubernetes_open,
	.get = kubernetes_get,
	.put = kubernetes_put,
	.remove = kubernetes_remove,
	.list = kubernetes_list,
	.probe = kubernetes_probe,
	.close = kubernetes_close,
};
