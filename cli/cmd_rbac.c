/* SPDX-License-Identifier: Apache-2.0 */
/* stepop rbac render, apply, diff, check: the rights that a step operator's pods and its users
 * need. */
#include <string.h>

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/rbac_target.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

static bool run_render(const struct arguments *arguments, struct error **err)
{
	scoped(rbac_target) struct rbac_target target;
	json_auto_t *objects = NULL;

	if (!rbac_target_read(&target, arguments, err))
		return false;
	objects = rbac_objects(&target.options, err);
	return objects && output_manifests(stdout, argument_output(arguments), objects, err);
}

/* "role", as kubectl prints it; owned by the caller. */
static char *lower_kind(const json_t *object)
{
	char *kind = xstrdup(kube_object_kind(object));
	char *at;

	for (at = kind; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return kind;
}

/* Lines as it goes on, for people; one document for machines. */
static bool apply_all(struct kube_client *client, const json_t *objects, enum output_format format,
                      struct error **err)
{
	static const struct output_column columns[] = { { "name", "NAME", false }, { 0 } };
	bool is_document = format == OUTPUT_JSON || format == OUTPUT_YAML;
	json_auto_t *rows = json_array();
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		scoped(text) char *kind = lower_kind(object);
		const char *result;

		if (!rbac_apply(client, object, &result, err))
			return false;
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "type", kind, "name",
		                                      kube_object_name(object), "result", result));
		if (!is_document &&
		    !change_report(format, kind, kube_object_name(object), result, err))
			return false;
	}
	return !is_document || output_rows(stdout, format, columns, rows, err);
}

static bool run_apply(const struct arguments *arguments, struct error **err)
{
	scoped(rbac_target) struct rbac_target target;
	scoped(cluster) struct cluster *cluster = NULL;
	json_auto_t *objects = NULL;

	if (!rbac_target_read(&target, arguments, err))
		return false;
	objects = rbac_objects(&target.options, err);
	if (!objects)
		return false;
	cluster = rbac_target_connect(&target, arguments, err);
	return cluster && apply_all(cluster->client, objects, argument_output(arguments), err);
}

static bool diff_all(struct kube_client *client, const json_t *objects, json_t *rows,
                     struct error **err)
{
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (!rbac_diff(client, object, rows, err))
			return false;
	return true;
}

static bool run_diff(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "object", "OBJECT", false }, { "change", "CHANGE", false },
		{ "field", "FIELD", false },   { "server", "ON THE SERVER", false },
		{ "wanted", "WANTED", false }, { 0 },
	};
	scoped(rbac_target) struct rbac_target target;
	scoped(cluster) struct cluster *cluster = NULL;
	json_auto_t *objects = NULL;
	json_auto_t *rows = json_array();

	if (!rbac_target_read(&target, arguments, err))
		return false;
	objects = rbac_objects(&target.options, err);
	cluster = objects ? rbac_target_connect(&target, arguments, err) : NULL;
	if (!cluster || !diff_all(cluster->client, objects, rows, err))
		return false;
	if ((json_array_size(rows) || argument_output(arguments) != OUTPUT_TABLE) &&
	    !output_rows(stdout, argument_output(arguments), columns, rows, err))
		return false;
	if (json_array_size(rows))
		return error_set(err, ERROR_CONFLICT,
		                 "namespace '%s' has other rights than are wanted; 'stepop rbac "
		                 "apply' with the same options makes them so",
		                 target.options.namespace);
	return true;
}

/* Counts the rights that are missing. */
static bool check_all(struct kube_client *client, const char *namespace, json_t *rights,
                      size_t *missing, struct error **err)
{
	json_t *right;
	size_t i;

	*missing = 0;
	json_array_foreach (rights, i, right) {
		if (!rbac_check(client, namespace, right, err))
			return false;
		json_object_del(right, "reason"); /* of what should be there nobody asks */
		*missing += text_equal(json_string_value(json_object_get(right, "allowed")), "no");
	}
	return true;
}

/* For people: what a review is made of is left out. */
static void complete_rows(json_t *rights, const char *namespace, const char *wanted)
{
	json_t *right;
	size_t i;

	json_array_foreach (rights, i, right) {
		bool is_everywhere = json_is_true(json_object_get(right, "everywhere"));

		json_object_del(right, "subject");
		json_object_del(right, "group");
		json_object_set_new(right, "wanted", json_string(wanted));
		json_object_set_new(right, "where",
		                    json_string(is_everywhere ? "all namespaces" : namespace));
	}
}

static void warn_of_dangers(const struct arguments *arguments, const json_t *dangers)
{
	json_auto_t *sentences = rbac_danger_sentences(dangers);
	const json_t *sentence;
	size_t i;

	if (argument_switch(arguments, "quiet"))
		return;
	json_array_foreach (sentences, i, sentence)
		fprintf(stderr, "stepop: warning: %s\n", json_string_value(sentence));
}

static bool run_check(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "allowed", "ALLOWED", false },
		{ "wanted", "WANTED", false },
		{ "who", "WHO", false },
		{ "verb", "VERB", false },
		{ "resource", "RESOURCE", false },
		{ "where", "WHERE", false },
		{ 0 },
	};
	scoped(rbac_target) struct rbac_target target;
	scoped(cluster) struct cluster *cluster = NULL;
	json_auto_t *rights = NULL;
	json_auto_t *dangers = NULL;
	const char *namespace;
	size_t missing, needed;

	if (!rbac_target_read(&target, arguments, err))
		return false;
	namespace = target.options.namespace;
	rights = rbac_rights(&target.options, err);
	cluster = rights ? rbac_target_connect(&target, arguments, err) : NULL;
	if (!cluster || !check_all(cluster->client, namespace, rights, &missing, err))
		return false;
	dangers = rbac_find_dangers(cluster->client, &target.options, err);
	if (!dangers)
		return false;
	needed = json_array_size(rights);
	complete_rows(rights, namespace, "yes");
	complete_rows(dangers, namespace, "no");
	json_array_extend(rights, dangers);
	if (!output_rows(stdout, argument_output(arguments), columns, rights, err))
		return false;
	warn_of_dangers(arguments, dangers);
	if (missing)
		return error_set(err, ERROR_AUTH,
		                 "%zu of %zu rights are missing in namespace '%s'; someone who may "
		                 "can grant them with 'stepop rbac apply'",
		                 missing, needed, namespace);
	return true;
}

#define DETAILS                                                                                  \
	"Namespace and service account are those of the active stack's step operator, or "       \
	"those of --namespace and --service-account. The driver's account may manage its "       \
	"executors, and nothing else; with --submitter, --submitter-group or --runner, that "    \
	"user, group or account may run stepop against the namespace. What not everybody needs " \
	"is a part: secrets is granted unless it is left out, network-policies, volumes and "    \
	"pod-groups are where the step operator calls for them. docs/rbac.md says what each "    \
	"right is for."

const struct command cmd_rbac_render = {
	.words = "rbac render",
	.arguments = "",
	.summary = "print the manifests of the rights that are needed",
	.details = DETAILS,
	.options = rbac_target_options,
	.examples = "  stepop rbac render --submitter alice | kubectl apply -f -",
	.run = run_render,
};

const struct command cmd_rbac_apply = {
	.words = "rbac apply",
	.arguments = "",
	.summary = "create namespace, service account and least rights",
	.details = DETAILS,
	.options = rbac_target_options,
	.examples = "  stepop rbac apply\n  stepop rbac apply --submitter-group data-engineers\n"
		    "  stepop rbac apply -n spark --service-account spark --with volumes",
	.run = run_apply,
};

const struct command cmd_rbac_diff = {
	.words = "rbac diff",
	.arguments = "",
	.summary = "show what 'rbac apply' would change",
	.details = DETAILS " The exit status is 6 where anything differs.",
	.options = rbac_target_options,
	.examples = "  stepop rbac diff --submitter-group data-engineers",
	.run = run_diff,
};

const struct command cmd_rbac_check = {
	.words = "rbac check",
	.arguments = "",
	.summary = "ask the cluster for each right that is needed, and for some that are too many",
	.details =
		DETAILS " Without --submitter your own rights are checked. Rights that a driver's "
			"account should not have are told as warnings.",
	.options = rbac_target_options,
	.examples = "  stepop rbac check",
	.run = run_check,
};
