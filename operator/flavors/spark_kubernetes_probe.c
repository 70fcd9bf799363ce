/* SPDX-License-Identifier: Apache-2.0 */
/* The probes of the flavor spark-kubernetes. */
#include "operator/flavors/spark_kubernetes_probe.h"

#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "submit/quota_room.h"
#include "submit/rbac.h"
#include "submit/spark_demand.h"
#include "submit/submission.h"
#include "submit/submission_rehearsal.h"

/* AWS refuses signatures that are 5 minutes off; tokens may be valid from now on only. */
#define CLOCK_TOLERANCE_MS 30000
#define LISTED_RIGHTS 8
#define STACK_CHECK_RIGHTS \
	"someone who may can let you look: 'stepop rbac apply --with stack-check'"

static const struct kube_kind self_reviews = { "/apis/authentication.k8s.io/v1",
	                                       "selfsubjectreviews", "SelfSubjectReview", true };
static const struct kube_kind resource_quotas = { "/api/v1", "resourcequotas", "ResourceQuota",
	                                          false };
static const struct kube_kind limit_ranges = { "/api/v1", "limitranges", "LimitRange", false };

struct probe {
	const struct spark_kubernetes_target *target;
	struct kube_client *kube;
	struct probe_report *report;
	const char *namespace, *account;
};

/* ---- the cluster ---- */

static bool probe_server(const struct probe *probe)
{
	const struct kube_config *config = kube_client_config(probe->kube);
	scoped(error) struct error *err = NULL;
	json_auto_t *version = kube_client_get_path(probe->kube, "/version", &err);
	const char *git = json_string_value(json_object_get(version, "gitVersion"));

	if (version)
		probe_ok(probe->report, "API server", "%s at %s (%s)",
		         git ? git : "unknown version", config->server, config->source);
	else
		probe_fault(probe->report, "API server", NULL, err);
	return version;
}

static void probe_clock(const struct probe *probe)
{
	scoped(text) char *apart = NULL;
	int64_t ahead_ms;

	if (!kube_client_clock_ahead(probe->kube, &ahead_ms))
		return;
	apart = clock_format_duration(ahead_ms < 0 ? -ahead_ms : ahead_ms);
	if (ahead_ms > CLOCK_TOLERANCE_MS || ahead_ms < -CLOCK_TOLERANCE_MS)
		probe_warning(probe->report, "clock",
		              "set the clock of the one that is wrong (NTP): tokens and signatures "
		              "are refused when it is too far off",
		              "this machine is %s %s the API server", apart,
		              ahead_ms < 0 ? "ahead of" : "behind");
	else
		probe_ok(probe->report, "clock", "within %s of the API server's", apart);
}

/* Servers before 1.28 do not tell. */
static void probe_identity(const struct probe *probe)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *review = json_pack("{s:s, s:s}", "apiVersion", "authentication.k8s.io/v1",
	                                "kind", "SelfSubjectReview");
	json_auto_t *answer = kube_client_create(probe->kube, &self_reviews, NULL, review, 0, &err);
	const json_t *user = json_object_get(json_object_get(answer, "status"), "userInfo");
	const char *name = json_string_value(json_object_get(user, "username"));

	if (name)
		probe_ok(probe->report, "identity", "%s", name);
	else if (err && err->kind != ERROR_NOT_FOUND)
		probe_fault(probe->report, "identity", NULL, err);
}

/* ---- the namespace ---- */

static const char *enforced_level(const json_t *namespace)
{
	const char *level = kube_object_label(namespace, "pod-security.kubernetes.io/enforce");

	return level ? level : "privileged";
}

/* False: there is none, in which nothing more can be tried. */
static bool probe_namespace(const struct probe *probe)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *namespace =
		kube_client_get(probe->kube, &kube_namespaces, NULL, probe->namespace, &err);

	if (namespace && kube_object_is_terminating(namespace)) {
		error_set(&err, ERROR_CONFLICT, "'%s' is being deleted", probe->namespace);
		probe_fault(probe->report, "namespace", "wait until it is gone, or choose another",
		            err);
	} else if (namespace) {
		probe_ok(probe->report, "namespace", "'%s'; Pod Security level: %s",
		         probe->namespace, enforced_level(namespace));
	} else if (err->kind == ERROR_AUTH) {
		probe_warning(probe->report, "namespace", STACK_CHECK_RIGHTS,
		              "'%s' may not be looked at; whether it takes pods is tried below",
		              probe->namespace);
	} else {
		probe_fault(probe->report, "namespace",
		            err->kind == ERROR_NOT_FOUND
		                    ? "someone who may can make it with 'stepop rbac apply'"
		                    : NULL,
		            err);
		return err->kind != ERROR_NOT_FOUND;
	}
	return true;
}

/* Rows of one kind, of which some are missing. */
static void add_missing(const json_t *rows, const char *who, struct error **err)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *list = NULL;
	size_t i, missing = 0, who_size = strlen(who);
	const json_t *row;

	json_array_foreach (rows, i, row) {
		const char *check = json_string_value(json_object_get(row, "check"));

		if (!text_equal(json_string_value(json_object_get(row, "result")), "missing"))
			continue;
		if (missing++ < LISTED_RIGHTS)
			fprintf(out, "%s%s", missing > 1 ? ", " : "", check + who_size + 2);
	}
	list = text_stream_take(&stream);
	if (missing)
		error_set(err, ERROR_AUTH, "%zu missing: %s%s", missing, list,
		          missing > LISTED_RIGHTS ? " …" : "");
}

/* The rows of `who` ("you: create pods"); owned by the caller. */
static json_t *rows_of(const json_t *rows, const char *who)
{
	scoped(text) char *start = text_printf("%s: ", who);
	json_t *found = json_array(), *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (text_starts_with(json_string_value(json_object_get(row, "check")), start))
			json_array_append(found, row);
	return found;
}

static bool all_are(const json_t *rows, const char *result)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (!text_equal(json_string_value(json_object_get(row, "result")), result))
			return false;
	return true;
}

static void tell_rights(const struct probe *probe, const json_t *all, const char *what,
                        const char *who)
{
	json_auto_t *rows = rows_of(all, who);
	scoped(error) struct error *err = NULL;

	add_missing(rows, who, &err);
	if (err)
		probe_fault(probe->report, what,
		            "someone who may can grant them with 'stepop rbac apply'; 'stepop rbac "
		            "check' lists them all",
		            err);
	else if (all_are(rows, "unknown"))
		probe_warning(probe->report, what,
		              "let someone who may ask run 'stepop rbac check'",
		              "you may not ask about %s", who);
	else
		probe_ok(probe->report, what, "all %zu are granted to %s", json_array_size(rows),
		         who);
}

/* Every program that a step runs has what the driver's account has. */
static void tell_excess(const struct probe *probe)
{
	const struct rbac_options options = { .namespace = probe->namespace,
		                              .service_account = probe->account };
	json_auto_t *dangers = rbac_find_dangers(probe->kube, &options, NULL);
	json_auto_t *sentences = rbac_danger_sentences(dangers);
	const json_t *sentence;
	size_t i;

	json_array_foreach (sentences, i, sentence)
		probe_warning(
			probe->report, "driver's rights",
			"take that binding away; 'stepop rbac apply' grants what drivers need",
			"%s", json_string_value(sentence));
}

/* What every program that a user runs there could do. */
static void probe_dangers(const struct probe *probe)
{
	const struct rbac_options options = { .namespace = probe->namespace,
		                              .service_account = probe->account };
	json_auto_t *dangers = rbac_find_dangers(probe->kube, &options, NULL);
	json_auto_t *sentences = dangers ? rbac_danger_sentences(dangers) : NULL;
	const json_t *sentence;
	size_t i;

	json_array_foreach (sentences, i, sentence)
		probe_warning(probe->report, "driver's rights",
		              "take it away; 'stepop rbac apply' grants what drivers need", "%s",
		              json_string_value(sentence));
}

static void probe_rights(const struct probe *probe, const json_t *objects)
{
	scoped(text) char *account =
		text_printf("system:serviceaccount:%s:%s", probe->namespace, probe->account);
	scoped(error) struct error *err = NULL;
	json_auto_t *rows = json_array();
	size_t missing;

	if (!submission_check_rights(probe->kube, objects, rows, &missing, &err)) {
		probe_fault(probe->report, "rights", NULL, err);
		return;
	}
	tell_rights(probe, rows, "your rights", RBAC_OWN_RIGHTS);
	tell_rights(probe, rows, "driver's rights", account);
	probe_dangers(probe);
	tell_excess(probe);
}

/* ---- what a step would make ---- */

/* What was refused, in the words of the API server. */
static void tell_refusal(const struct probe *probe, const json_t *row)
{
	const char *message = json_string_value(json_object_get(row, "message"));
	bool is_forbidden = strstr(message, "is forbidden") != NULL;
	scoped(error) struct error *err = NULL;
	scoped(text) char *advice = NULL;

	error_set(&err, is_forbidden ? ERROR_AUTH : ERROR_INVALID, "%s", message);
	advice = submission_advice(err, probe->namespace, probe->account);
	probe_fault(probe->report, "dry run", advice, err);
}

static void probe_objects(const struct probe *probe, const json_t *objects)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *rows = json_array();
	const json_t *row;
	size_t refused, i;

	if (!submission_rehearse(probe->kube, objects, rows, &refused, &err)) {
		probe_fault(probe->report, "dry run", NULL, err);
		return;
	}
	json_array_foreach (rows, i, row)
		if (text_equal(json_string_value(json_object_get(row, "result")), "refused"))
			tell_refusal(probe, row);
	if (!refused)
		probe_ok(probe->report, "dry run", "the %zu objects of a step would be taken",
		         json_array_size(rows));
}

/* ---- room ---- */

static bool list_of(const struct probe *probe, const struct kube_kind *kind, json_t **list,
                    struct error **err)
{
	*list = kube_client_list(probe->kube, kind, probe->namespace, NULL, NULL, err);
	return *list;
}

static void compare_room(const struct probe *probe, const struct quota_demand *demands,
                         size_t count, struct error **err)
{
	json_auto_t *quotas = NULL, *ranges = NULL, *lacks = NULL;
	const json_t *lack;
	size_t i;

	if (!list_of(probe, &resource_quotas, &quotas, err) ||
	    !list_of(probe, &limit_ranges, &ranges, err))
		return;
	lacks = quota_room_lacks(quotas, ranges, demands, count);
	json_array_foreach (lacks, i, lack) {
		scoped(error) struct error *fault = NULL;

		error_set(&fault, ERROR_INVALID, "%s", json_string_value(lack));
		probe_fault(probe->report, "room",
		            "wait for other pods, ask for more, or let steps have fewer or smaller "
		            "executors",
		            fault);
	}
	if (!json_array_size(lacks))
		probe_ok(probe->report, "room",
		         "for a driver and %" PRId64 " executors (%zu quotas, %zu limit ranges)",
		         demands[1].count, json_array_size(quotas), json_array_size(ranges));
}

static void probe_room(const struct probe *probe, const struct spark_app *app)
{
	struct quota_demand demands[2];
	scoped(error) struct error *err = NULL;

	if (spark_demand_of(app, demands, &err))
		compare_room(probe, demands, ARRAY_SIZE(demands), &err);
	if (err && err->kind == ERROR_AUTH)
		probe_warning(probe->report, "room", STACK_CHECK_RIGHTS,
		              "quotas may not be looked at: whether executors fit is not known");
	else if (err)
		probe_fault(probe->report, "room", NULL, err);
}

/* ---- all of it ---- */

/* A step that names a program of the image: the objects are those of any step, but for its code. */
static bool build_app(const struct probe *probe, struct spark_app *app, struct error **err)
{
	json_auto_t *settings = json_object(), *contract = json_object();
	const struct step step = { .name = (char *)"check",
		                   .main = (char *)"local:///opt/spark/check.jar",
		                   .main_class = (char *)"Check",
		                   .settings = settings };
	const struct step_launch launch = { .step = &step, .attempt = 1, .contract = contract };
	struct spark_kubernetes_target target = *probe->target;
	scoped(text) char *run_id = digest_random_hex(32);

	target.pipeline = "stepop-check";
	target.run_name = "stepop-check";
	target.run_id = run_id;
	if (!spark_kubernetes_app_build(&target, &launch, app, err))
		return false;
	spark_app_complete(app);
	return true;
}

static void probe_step(const struct probe *probe)
{
	scoped(driver_objects) json_t *objects = NULL;
	scoped(error) struct error *err = NULL;
	struct spark_app app = { 0 };

	if (build_app(probe, &app, &err))
		objects = driver_objects_build(&app, &err);
	if (objects) {
		probe_rights(probe, objects);
		probe_objects(probe, objects);
		probe_room(probe, &app);
	} else {
		probe_fault(probe->report, "settings", NULL, err);
	}
	spark_app_release(&app);
}

void spark_kubernetes_probe(const struct spark_kubernetes_target *target, struct kube_client *kube,
                            struct probe_report *report)
{
	const struct probe probe = {
		.target = target,
		.kube = kube,
		.report = report,
		.namespace = target->namespace,
		.account = component_text(target->component, "service_account", "default"),
	};

	if (!probe_server(&probe))
		return;
	probe_clock(&probe);
	probe_identity(&probe);
	if (!probe_namespace(&probe))
		return;
	if (target->artifacts)
		probe_step(&probe);
	else
		probe_warning(report, "dry run", NULL,
		              "not tried, nor are rights: the artifact store must be mended first");
}
