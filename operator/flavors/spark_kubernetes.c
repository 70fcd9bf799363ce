/* SPDX-License-Identifier: Apache-2.0 */
/* Flavor spark-kubernetes: a step is a driver pod, as spark-submit in cluster mode would create it,
 * which starts its executors. */
#include <string.h>
#include <uthash.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/flavors.h"
#include "operator/flavors/spark_kubernetes_app.h"
#include "operator/flavors/spark_kubernetes_image.h"
#include "operator/flavors/spark_kubernetes_job.h"
#include "operator/flavors/spark_kubernetes_probe.h"
#include "operator/step_launch.h"
#include "submit/driver_pod.h"
#include "submit/driver_sensitive.h"
#include "submit/kube_client.h"
#include "submit/kube_object.h"
#include "submit/kube_stream.h"
#include "submit/pod_security.h"
#include "submit/spark_release.h"
#include "submit/spark_upload.h"
#include "submit/submission.h"

#define START_TIMEOUT_MS 600000
#define CREATE_TRIES 3
/* Rights may be granted a moment after they are asked for. */
#define REFUSAL_PATIENCE_MS 60000

struct spark_operator {
	struct step_operator base;
	const struct operator_context *context;
	const struct component *component;
	struct kube_client *kube; /* NULL when offline */
	char *server, *namespace;
	struct kube_watch *watch;
	struct followed *jobs; /* by driver pod */
	struct loop_source *refusal_timer;
	json_t *code; /* of the function steps; NULL until the first of them */
	struct spark_images *images;
};

/* The watch's objects find their job by the driver pod's name. */
struct followed {
	const char *pod; /* the job's */
	struct spark_job *job;
	struct spark_operator *owner;
	UT_hash_handle hh;
};

static struct spark_operator *spark_operator_of(struct step_operator *operator)
{
	return container_of(operator, struct spark_operator, base);
}

/* "k8s://https://host:6443" as spark-submit takes it; without a scheme it is https. */
static char *server_of(const char *master)
{
	const char *url = text_starts_with(master, "k8s://") ? master + strlen("k8s://") : master;

	return strstr(url, "://") ? xstrdup(url) : text_printf("https://%s", url);
}

static void spark_close(struct step_operator *operator)
{
	struct spark_operator *spark = spark_operator_of(operator);

	kube_watch_cancel(spark->watch);
	kube_client_free(spark->kube);
	free(spark->server);
	free(spark->namespace);
	loop_cancel(spark->refusal_timer);
	json_decref(spark->code);
	spark_images_free(spark->images);
	free(spark);
}

/* A dry run asks nobody: without a cluster's configuration it still shows the objects. */
static bool connect_to_cluster(struct spark_operator *spark, struct error **err)
{
	const struct component *component = spark->component;
	const char *context = spark->context->kube_context;
	const char *file = spark->context->kubeconfig;
	struct kube_config_options options = {
		.kubeconfig = file ? file : component_text(component, "kubeconfig", NULL),
		.context = context ? context : component_text(component, "context", NULL),
		.server = spark->server,
		.namespace = spark->namespace,
	};
	struct kube_config *config = kube_config_load(&options, err);

	if (!config)
		return false;
	free(spark->server);
	free(spark->namespace);
	spark->server = xstrdup(config->server);
	spark->namespace = xstrdup(config->namespace);
	spark->kube = kube_client_new_take(spark->context->http, config);
	return true;
}

static struct step_operator *spark_open(const struct component *component,
                                        const struct operator_context *context, struct error **err)
{
	struct spark_operator *spark;
	const char *master = component_text(component, "master", NULL);
	const char *namespace = context->namespace;

	spark = xcalloc(1, sizeof(*spark));
	spark->base.flavor = &flavor_spark_kubernetes;
	spark->context = context;
	spark->component = component;
	spark->images = spark_images_new(context);
	spark->server = master ? server_of(master) : NULL;
	spark->namespace =
		text_copy(namespace ? namespace : component_text(component, "namespace", NULL));
	if (context->offline)
		spark->namespace = spark->namespace ? spark->namespace : xstrdup("default");
	else if (!connect_to_cluster(spark, err)) {
		spark_close(&spark->base);
		return NULL;
	}
	return &spark->base;
}

static bool ensure_code(struct spark_operator *spark, const struct step *step, struct error **err)
{
	if (!spark->code && step->function)
		spark->code = spark_kubernetes_code_collect(spark->context->code_folder, err);
	return spark->code || !step->function;
}

/* The image that stepop makes for the step; *name NULL: the step runs from its own as it is. */
static bool resolve_image(struct spark_operator *spark, const struct step *step, bool build,
                          const char **name, struct error **err)
{
	scoped(text) char *parent = spark_kubernetes_parent_image(spark->component, step, err);
	const struct spark_image_request request = { .step = step,
		                                     .code = step->function ? spark->code : NULL,
		                                     .parent = parent };

	return parent && spark_images_resolve(spark->images, &request, build, name, err);
}

static bool set_image(struct spark_operator *spark, const struct step *step,
                      struct spark_kubernetes_target *target, char **pull_config,
                      struct error **err)
{
	struct error *trouble = NULL;

	if (!resolve_image(spark, step, false, &target->image, err))
		return false;
	if (!target->image)
		return true;
	*pull_config = container_registry_pull_config(spark->context->registry, &trouble);
	target->pull_config = *pull_config;
	return !trouble || error_pass(err, trouble);
}

/* With `executors` the objects are to be launched: local files are sent where they are read. */
static json_t *build_objects(struct spark_operator *spark, const struct step_launch *launch,
                             int *executors, struct error **err)
{
	struct http_client *http = executors ? spark->context->http : NULL;
	json_auto_t *warnings = json_array();
	scoped(secret) char *pull_config = NULL;
	struct spark_kubernetes_target target = {
		.component = spark->component,
		.server = spark->server,
		.namespace = spark->namespace,
		.run_id = spark->context->run_id,
		.run_name = spark->context->run_name,
		.pipeline = spark->context->pipeline,
		.artifacts = spark->context->artifacts,
	};
	struct spark_app app;
	json_t *objects = NULL;
	int64_t wanted = 2;

	if (!ensure_code(spark, launch->step, err) ||
	    !set_image(spark, launch->step, &target, &pull_config, err))
		return NULL;
	target.code = spark->code;
	if (spark_kubernetes_app_build(&target, launch, &app, err) &&
	    spark_conf_get_int(app.conf, "spark.executor.instances", 2, &wanted, err) &&
	    spark_upload_prepare(&app, http, warnings, err))
		objects = driver_objects_build(&app, err);
	if (executors)
		*executors = (int)wanted;
	spark_app_release(&app);
	return objects;
}

static json_t *spark_render(struct step_operator *operator, const struct step_launch * launch,
                            struct error **err)
{
	return build_objects(spark_operator_of(operator), launch, NULL, err);
}

/* Everything that can be wrong with the objects shows when they are built. */
static bool spark_check(struct step_operator *operator, const struct step * step,
                        struct error **err)
{
	struct spark_operator *spark = spark_operator_of(operator);
	json_auto_t *contract = json_object();
	struct step_launch launch = { .step = step,
		                      .attempt = 1,
		                      .code_folder = spark->context->code_folder,
		                      .contract = contract };
	scoped(driver_objects) json_t *objects = build_objects(spark, &launch, NULL, err);

	return objects != NULL;
}

static void spark_probe(struct step_operator *operator, struct probe_report * report)
{
	struct spark_operator *spark = spark_operator_of(operator);
	const struct spark_kubernetes_target target = {
		.component = spark->component,
		.server = spark->server,
		.namespace = spark->namespace,
		.artifacts = spark->context->artifacts,
	};

	spark_kubernetes_probe(&target, spark->kube, report);
	spark_kubernetes_probe_image(spark->component, spark->context, report);
}

static bool spark_prepare(struct step_operator *operator, const struct step * step,
                          struct error **err)
{
	struct spark_operator *spark = spark_operator_of(operator);
	const char *name;

	return ensure_code(spark, step, err) && resolve_image(spark, step, true, &name, err);
}

static const char *spark_image(const struct step_operator *operator, const struct step * step)
{
	const struct spark_operator *spark = spark_operator_of((struct step_operator *)operator);

	return spark_images_built(spark->images, step);
}

static const char *label(const json_t *pod, const char *name)
{
	return json_string_value(
		json_object_get(json_object_get(json_object_get(pod, "metadata"), "labels"), name));
}

static struct spark_job *find_job(struct spark_operator *spark, const char *pod)
{
	struct followed *followed = NULL;

	HASH_FIND_STR(spark->jobs, pod, followed);
	return followed ? followed->job : NULL;
}

/* Executors are named after their driver: <prefix>-exec-<n> and <prefix>-driver. */
static struct spark_job *find_job_of_executor(struct spark_operator *spark, const json_t *pod)
{
	const char *name = kube_object_name(pod);
	const char *end = name;
	const char *at;
	scoped(text) char *driver = NULL;

	if (!text_equal(label(pod, "spark-role"), "executor"))
		return NULL;
	for (at = strstr(name, "-exec-"); at; at = strstr(at + 1, "-exec-"))
		end = at;
	driver = text_printf("%.*s-driver", (int)(end - name), name);
	return find_job(spark, driver);
}

static void pod_changed(void *context, json_t *pod)
{
	struct spark_operator *spark = context;
	struct spark_job *job = find_job(spark, kube_object_name(pod));
	struct spark_job *master = job ? NULL : find_job_of_executor(spark, pod);

	if (job)
		spark_job_driver_changed(job, pod);
	else if (master)
		spark_job_executor_changed(master, pod, false);
}

static void pod_deleted(void *context, json_t *pod)
{
	struct spark_operator *spark = context;
	struct spark_job *job = find_job(spark, kube_object_name(pod));
	struct spark_job *master = job ? NULL : find_job_of_executor(spark, pod);

	if (job)
		spark_job_driver_deleted(job, pod);
	else if (master)
		spark_job_executor_changed(master, pod, true);
}

static void refused_for_long(void *context)
{
	struct spark_operator *spark = context;
	struct followed *followed, *next;

	spark->refusal_timer = NULL;
	HASH_ITER (hh, spark->jobs, followed, next)
		spark_job_give_up(followed->job,
		                  "the API server does not let stepop watch its pods; "
		                  "'stepop rbac check' names the missing right");
}

/* The API server is away: jobs go on, and their progress says so. That it refuses does not heal by
 * waiting. */
static void watch_trouble(void *context, const struct error *error)
{
	struct spark_operator *spark = context;
	scoped(text) char *trouble = error ? error_text(error) : NULL;
	struct followed *followed, *next;

	if (!error || error->kind != ERROR_AUTH)
		loop_cancel(take(spark->refusal_timer));
	else if (!spark->refusal_timer)
		spark->refusal_timer = loop_start_timer(spark->context->loop, REFUSAL_PATIENCE_MS,
		                                        refused_for_long, spark);
	HASH_ITER (hh, spark->jobs, followed, next)
		spark_job_trouble(followed->job, trouble);
}

static const struct kube_watch_events watch_events = {
	.changed = pod_changed,
	.deleted = pod_deleted,
	.trouble = watch_trouble,
};

/* One watch serves all jobs of the run in its namespace. */
static bool ensure_watch(struct spark_operator *spark, struct error **err)
{
	scoped(text) char *selector = text_printf("stepop.dev/run=%s", spark->context->run_id);
	const struct kube_watch_options options = { .kind = &kube_pods,
		                                    .namespace = spark->namespace,
		                                    .label_selector = selector };

	if (!spark->watch)
		spark->watch = kube_watch_start(spark->kube, &options, &watch_events, spark, err);
	return spark->watch != NULL;
}

static int64_t start_timeout_ms(const struct spark_operator *spark, const struct step *step)
{
	const char *own = json_string_value(json_object_get(step->settings, "start_timeout"));
	int64_t timeout_ms =
		component_duration_ms(spark->component, "start_timeout", START_TIMEOUT_MS);

	if (own)
		clock_parse_duration(own, &timeout_ms);
	return timeout_ms;
}

/* What Kubernetes refused, and what that means for the user. */
static void *explain(struct spark_operator *spark, struct error **err)
{
	const char *account = component_text(spark->component, "service_account", "default");
	scoped(text) char *advice =
		err && *err ? submission_advice(*err, spark->namespace, account) : NULL;

	if (advice)
		error_wrap(err, "%s", advice);
	return NULL;
}

/*
 * An answer that did not come leaves open whether the Pod exists: the same objects are sent again,
 * and what is there is ours. If it stays silent the Pod is asked to go, for the step will be told
 * to have failed.
 */
static json_t *create_objects(struct spark_operator *spark, const json_t *objects,
                              struct error **err)
{
	const char *pod = kube_object_name(driver_objects_pod(objects));
	scoped(error) struct error *trouble = NULL;
	json_t *created = NULL;
	int tries;

	for (tries = 0; tries < CREATE_TRIES && !created; tries++) {
		error_free(take(trouble));
		created = submission_create(spark->kube, objects, &trouble);
		if (!error_is_retryable(trouble))
			break;
	}
	if (!created && error_is_retryable(trouble))
		submission_delete(spark->kube, spark->namespace, pod, 0, NULL);
	return created ? created : error_pass(err, take(trouble));
}

static struct job *spark_launch(struct step_operator *operator, const struct step_launch * launch,
                                const struct job_events *events, void *context, struct error **err)
{
	struct spark_operator *spark = spark_operator_of(operator);
	int executors = 0;
	scoped(driver_objects) json_t *objects = build_objects(spark, launch, &executors, err);
	json_auto_t *pod = NULL;
	struct followed *followed;

	if (!objects || !ensure_watch(spark, err))
		return NULL;
	pod = create_objects(spark, objects, err);
	if (!pod)
		return explain(spark, err);
	followed = xcalloc(1, sizeof(*followed));
	followed->owner = spark;
	followed->job = spark_job_new(&(struct spark_job_start){
		.flavor = &flavor_spark_kubernetes,
		.loop = spark->context->loop,
		.kube = spark->kube,
		.namespace = spark->namespace,
		.pod = kube_object_name(pod),
		.container = driver_objects_container(objects),
		.log_path = launch->log_path,
		/* Without a session there are no executors to wait for. */
		.executors_wanted =
			!launch->step->function || step_needs_spark(launch->step, launch->contract)
				? executors
				: 0,
		.start_timeout_ms = start_timeout_ms(spark, launch->step),
		.events = events,
		.context = context,
		.owner = followed });
	followed->pod = spark_job_pod(followed->job);
	HASH_ADD_KEYPTR(hh, spark->jobs, followed->pod, strlen(followed->pod), followed);
	return spark_job_base(followed->job);
}

static bool spark_cancel(struct job *job, struct error **err)
{
	return spark_job_cancel(spark_job_of(job), err);
}

static const char *spark_describe(const struct job *job)
{
	return spark_job_describe(spark_job_of((struct job *)job));
}

static void spark_free_job(struct job *job)
{
	struct followed *followed = spark_job_owner(spark_job_of(job));

	HASH_DEL(followed->owner->jobs, followed);
	spark_job_free(followed->job);
	free(followed);
}

static bool check_master(const char *value, struct error **err)
{
	scoped(text) char *server = server_of(value);

	if (text_starts_with(server, "https://") || text_starts_with(server, "http://"))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "'%s' is no Kubernetes master; it looks like k8s://https://host:6443",
	                 value);
}

/* Such properties travel in a Secret; any other is readable in the pods' ConfigMap. */
static bool check_secret_property(const char *property, struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(driver_sensitive) struct driver_sensitive *sensitive = driver_sensitive_new(conf);

	if (driver_sensitive_is_property(sensitive, property, "a secret"))
		return true;
	return error_set(
		err, ERROR_INVALID,
		"refers to a secret, but is no property that Spark keeps secret, and would be "
		"readable in the pods' ConfigMap; use "
		"spark.kubernetes.driver.secretKeyRef.<VARIABLE>");
}

static const struct component_option options[] = {
	{ "master", OPTION_TEXT, false,
	  "k8s://https://host:port of the API server; default: the kubeconfig's", check_master },
	{ "namespace", OPTION_TEXT, false, "namespace of the pods; default: the kubeconfig's",
	  NULL },
	{ "service_account", OPTION_TEXT, false, "account of the driver pods", NULL },
	{ "docker_parent_image", OPTION_TEXT, true, "image with Spark and Python", NULL },
	{ "image_pull_policy", OPTION_TEXT, false, "IfNotPresent (the default), Always or Never",
	  NULL },
	{ "image_pull_secrets", OPTION_TEXT, false, "comma-separated names of pull secrets", NULL },
	{ "spark_version", OPTION_TEXT, false,
	  "of the image, as in 4.3; default: what the image's name says, else 3.5.9",
	  spark_release_check },
	{ "pod_security", OPTION_TEXT, false,
	  "restricted: pods satisfy that Pod Security Standard; default: none",
	  pod_security_check },
	{ "start_timeout", OPTION_DURATION, false,
	  "how long a driver may take to start; default: 10m", NULL },
	{ "submit_kwargs", OPTION_JSON, false, "Spark properties for every step, as JSON",
	  check_secret_property },
	{ "kubeconfig", OPTION_TEXT, false, "file to use instead of $KUBECONFIG or ~/.kube/config",
	  NULL },
	{ "context", OPTION_TEXT, false, "context of the kubeconfig", NULL },
	{ 0 },
};

const struct flavor flavor_spark_kubernetes = {
	.abi = FLAVOR_ABI,
	.component =
		&(const struct component_flavor){
			.type = COMPONENT_STEP_OPERATOR,
			.name = "spark-kubernetes",
			.help = "a step is a Spark driver pod and its executors",
			.options = options,
			.shown = (const char *const[]){ "master", "namespace", "service_account",
	                                                "docker_parent_image", "image_pull_policy",
	                                                "image_pull_secrets", "spark_version",
	                                                "pod_security", NULL },
			.aliases =
				(const struct component_alias[]){
					{ "image", "docker_parent_image" },
					{ "container_image", "docker_parent_image" },
					{ 0 } },
		},
	.needs_remote_store = true,
	.open = spark_open,
	.check = spark_check,
	.prepare = spark_prepare,
	.image = spark_image,
	.render = spark_render,
	.probe = spark_probe,
	.launch = spark_launch,
	.cancel = spark_cancel,
	.describe = spark_describe,
	.free_job = spark_free_job,
	.close = spark_close,
};
