/* SPDX-License-Identifier: Apache-2.0 */
/* Sends a submission's objects with dryRun=All, and asks for the rights behind them. */
#include "submit/submission_rehearsal.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/executor_sketch.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

static bool is_answer(const struct error *error)
{
	return error->kind == ERROR_INVALID || error->kind == ERROR_AUTH ||
	       error->kind == ERROR_NOT_FOUND || error->kind == ERROR_CONFLICT;
}

static void add_row(json_t *rows, char *check, const char *result, const char *message)
{
	json_array_append_new(rows, json_pack("{s:s, s:s, s:s?}", "check", check, "result", result,
	                                      "message", message));
	free(check);
}

/* `*refused` grows by one where the API server would not take the object. */
static bool rehearse_one(struct kube_client *client, const json_t *object, json_t *rows,
                         size_t *refused, struct error **err)
{
	const char *version = json_string_value(json_object_get(object, "apiVersion"));
	char *check = text_printf("%s/%s", kube_object_kind(object), kube_object_name(object));
	scoped(error) struct error *failure = NULL;
	json_auto_t *stored =
		kube_client_create(client, kube_kind_find(version, kube_object_kind(object)),
	                           kube_object_namespace(object), object, KUBE_DRY_RUN, &failure);
	scoped(text) char *message = failure ? error_text(failure) : NULL;
	bool exists = failure && failure->kind == ERROR_CONFLICT;

	if (failure && !is_answer(failure)) {
		free(check);
		return error_pass(err, take(failure));
	}
	add_row(rows, check, exists ? "exists" : failure ? "refused" : "ok", message);
	*refused += failure && !exists;
	return true;
}

/*
 * A driver whose executors are refused waits for them for ever. Of the answers to a sketch only Pod
 * Security's is taken for one: it depends on nothing that a sketch has not.
 */
static bool rehearse_executor(struct kube_client *client, const json_t *objects, json_t *rows,
                              size_t *refused, struct error **err)
{
	json_auto_t *pod = executor_sketch(objects);
	scoped(error) struct error *failure = NULL;
	json_auto_t *stored =
		pod ? kube_client_create(client, &kube_pods, NULL, pod, KUBE_DRY_RUN, &failure)
		    : NULL;
	scoped(text) char *message = failure ? error_text(failure) : NULL;

	if (failure && !is_answer(failure))
		return error_pass(err, take(failure));
	if (!message || !strstr(message, "violates PodSecurity"))
		return true;
	add_row(rows, xstrdup("the driver's executors"), "refused", message);
	++*refused;
	return true;
}

bool submission_rehearse(struct kube_client *client, const json_t *objects, json_t *rows,
                         size_t *refused, struct error **err)
{
	const json_t *object;
	size_t i;

	*refused = 0;
	json_array_foreach (objects, i, object)
		if (!rehearse_one(client, object, rows, refused, err))
			return false;
	return rehearse_executor(client, objects, rows, refused, err);
}

static bool check_right(struct kube_client *client, const char *namespace, json_t *right,
                        json_t *rows, size_t *missing, struct error **err)
{
	const char *allowed, *result;

	if (!rbac_check(client, namespace, right, err))
		return false;
	allowed = json_string_value(json_object_get(right, "allowed"));
	result = text_equal(allowed, "yes")  ? "ok"
	         : text_equal(allowed, "no") ? "missing"
	                                     : allowed;
	*missing += text_equal(result, "missing");
	add_row(rows,
	        text_printf("%s: %s %s", json_string_value(json_object_get(right, "who")),
	                    json_string_value(json_object_get(right, "verb")),
	                    json_string_value(json_object_get(right, "resource"))),
	        result, NULL);
	return true;
}

bool submission_check_rights(struct kube_client *client, const json_t *objects, json_t *rows,
                             size_t *missing, struct error **err)
{
	const json_t *pod = driver_objects_pod(objects);
	const char *account = json_string_value(
		json_object_get(json_object_get(pod, "spec"), "serviceAccountName"));
	const struct rbac_options options = { .namespace = kube_object_namespace(pod),
		                              .service_account = account ? account : "default",
		                              .parts = rbac_parts_of(objects) };
	json_auto_t *rights = rbac_rights(&options, err);
	json_t *right;
	size_t i;

	*missing = 0;
	if (!rights)
		return false;
	json_array_foreach (rights, i, right)
		if (!check_right(client, options.namespace, right, rows, missing, err))
			return false;
	return true;
}
