/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt of a step as a Spark application. */
#include "operator/flavors/spark_kubernetes_app.h"

#include <string.h>

#include "core/clock.h"
#include "core/datadir.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/code_bundle.h"
#include "operator/flavors/spark_settings.h"
#include "operator/step_image.h"
#include "submit/spark_release.h"

#define CODE_PATH STEP_IMAGE_FOLDER "/code"
/* Where step.json is when the rest is in the image, which a volume at its folder would hide. */
#define STEP_PATH STEP_IMAGE_FOLDER "/step"
#define IMAGE_KEY "spark.kubernetes.container.image"
#define PULL_SECRETS_KEY "spark.kubernetes.container.image.pullSecrets"

/* The component's own options are Spark properties by other names. */
static void set_backend(struct spark_conf *conf, const struct component *component)
{
	static const struct {
		const char *option, *property;
	} options[] = {
		{ "docker_parent_image", IMAGE_KEY },
		{ "service_account", "spark.kubernetes.authenticate.driver.serviceAccountName" },
		{ "image_pull_policy", "spark.kubernetes.container.image.pullPolicy" },
		{ "image_pull_secrets", PULL_SECRETS_KEY },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const char *value = component_text(component, options[i].option, NULL);

		if (value)
			spark_conf_set(conf, options[i].property, value);
	}
}

/* Ascending precedence: what the store needs, what the component says of all steps (its options,
 * its submit_kwargs), the step's settings. */
static struct spark_conf *build_conf(const struct component *component, const struct step *step,
                                     const json_t *access, struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	const json_t *kwargs = json_object_get(component->options, "submit_kwargs");

	if (access && !spark_conf_merge_json(conf, access, err))
		return NULL;
	set_backend(conf, component);
	if (kwargs && !spark_conf_merge_json(conf, kwargs, err))
		return error_wrap(err, "submit_kwargs of step operator '%s'", component->name);
	if (!spark_settings_apply(conf, step, err))
		return NULL;
	return take(conf);
}

char *spark_kubernetes_parent_image(const struct component *component, const struct step *step,
                                    struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = build_conf(component, step, NULL, err);
	const char *image = conf ? spark_conf_get(conf, IMAGE_KEY) : NULL;

	if (image || !conf)
		return text_copy(image);
	return error_set(err, ERROR_INVALID, "no image: set docker_parent_image of '%s'",
	                 component->name);
}

/* Nodes pull by a Secret of the attempt's own, unless they are told another. */
static void set_pull_secret(const struct spark_kubernetes_target *target, struct spark_app *app)
{
	scoped(text) char *name = text_printf("%s-registry", app->resource_prefix);

	if (!target->pull_config || spark_conf_get(app->conf, PULL_SECRETS_KEY))
		return;
	spark_conf_set(app->conf, PULL_SECRETS_KEY, name);
	app->extra_objects = json_pack("[{s:s, s:s, s:{s:s}, s:s, s:b, s:{s:s}}]", "apiVersion",
	                               "v1", "kind", "Secret", "metadata", "name", name, "type",
	                               "kubernetes.io/dockerconfigjson", "immutable", 1,
	                               "stringData", ".dockerconfigjson", target->pull_config);
}

/* What the name of the parent says of its Spark, the name of the image does not. */
static bool set_image(const struct spark_kubernetes_target *target, struct spark_app *app,
                      struct error **err)
{
	static const char *const others[] = { "spark.kubernetes.driver.container.image",
		                              "spark.kubernetes.executor.container.image" };
	size_t i;

	if (!target->image)
		return true;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (spark_conf_get(app->conf, others[i]))
			return error_set(err, ERROR_INVALID,
			                 "settings.image makes one image for driver and executors, "
			                 "and %s names another: leave one of them out",
			                 others[i]);
	if (!app->spark_version)
		app->spark_version = spark_release_of_image(spark_conf_get(app->conf, IMAGE_KEY));
	spark_conf_set(app->conf, IMAGE_KEY, target->image);
	set_pull_secret(target, app);
	return true;
}

/* A variable of the pod hides that of the image, which has the wheels on PYTHONPATH. */
static void set_environment(struct spark_conf *conf, const json_t *environment, bool has_image)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)environment, name, value) {
		scoped(text) char *driver = text_printf("spark.kubernetes.driverEnv.%s", name);
		scoped(text) char *executor = text_printf("spark.executorEnv.%s", name);
		bool is_path = has_image && !strcmp(name, "PYTHONPATH");
		scoped(text) char *whole = text_printf("%s%s", is_path ? STEP_IMAGE_SITE ":" : "",
		                                       json_string_value(value));

		spark_conf_set(conf, driver, whole);
		spark_conf_set(conf, executor, whole);
	}
}

static json_t *build_labels(const struct spark_kubernetes_target *target,
                            const struct step_launch *launch)
{
	scoped(text) char *attempt = text_printf("%d", launch->attempt);

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "app.kubernetes.io/managed-by", "stepop",
	                 "stepop.dev/pipeline", target->pipeline, "stepop.dev/run", target->run_id,
	                 "stepop.dev/step", launch->step->name, "stepop.dev/attempt", attempt);
}

static json_t *build_contract(const struct spark_kubernetes_target *target,
                              const struct step_launch *launch)
{
	json_t *contract = json_copy(launch->contract);
	scoped(text) char *name = text_printf("%s-%s", target->pipeline, launch->step->name);

	json_object_set_new(contract, "code", json_string(CODE_PATH));
	json_object_set_new(contract, "spark", json_pack("{s:s}", "app_name", name));
	return contract;
}

json_t *spark_kubernetes_code_collect(const char *code_folder, struct error **err)
{
	scoped(text) char *folder = datadir_find("runtime", err);
	json_auto_t *runtime = folder ? code_bundle_collect(folder, err) : NULL;
	json_auto_t *code = runtime ? code_bundle_collect(code_folder, err) : NULL;
	json_t *all;

	if (!code)
		return NULL;
	all = json_object();
	code_bundle_add(all, "", runtime);
	code_bundle_add(all, "code/", code);
	return all;
}

/* /opt/stepop: the shared code, and step.json; the latter alone where an image has the code. */
static struct spark_files *build_files(const struct spark_kubernetes_target *target,
                                       const struct step_launch *launch)
{
	json_auto_t *contract = build_contract(target, launch);
	scoped(text) char *text = json_dumps(contract, JSON_INDENT(1));
	struct spark_files *files = xcalloc(1, sizeof(*files));

	files->mount_path = xstrdup(target->image ? STEP_PATH : STEP_IMAGE_FOLDER);
	files->contents = target->image ? json_object() : json_copy((json_t *)target->code);
	json_object_set_new(files->contents, "step.json", json_string(text));
	return files;
}

/* Names that are the same for one attempt however often it is launched: a second create meets its
 * own objects. */
static void set_identity(const struct spark_kubernetes_target *target,
                         const struct step_launch *launch, struct spark_app *app)
{
	scoped(text) char *identity =
		text_printf("%s/%s/%d", target->run_id, launch->step->name, launch->attempt);
	scoped(text) char *digest = digest_bytes(identity, strlen(identity));

	app->resource_prefix = spark_app_resource_prefix(target->pipeline, target->run_id,
	                                                 launch->step->name, launch->attempt);
	app->name = xstrdup(app->resource_prefix);
	app->app_id = text_printf("spark-%.32s", digest);
	app->unique_id = text_printf("%.16s", digest + 32);
}

static void set_program(const struct spark_kubernetes_target *target,
                        const struct step_launch *launch, struct spark_app *app)
{
	const struct step *step = launch->step;

	if (!step->function) {
		app->main_resource = xstrdup(step->main);
		app->main_class = text_copy(step->main_class);
		app->resource = text_ends_with(step->main, ".py")  ? SPARK_RESOURCE_PYTHON
		                : text_ends_with(step->main, ".R") ? SPARK_RESOURCE_R
		                                                   : SPARK_RESOURCE_JAVA;
		app->args = step->args ? json_incref(step->args) : NULL;
		return;
	}
	app->resource = SPARK_RESOURCE_PYTHON;
	app->main_resource = xstrdup("local://" STEP_IMAGE_FOLDER "/main.py");
	app->args = json_pack("[s]", target->image ? STEP_PATH "/step.json"
	                                           : STEP_IMAGE_FOLDER "/step.json");
	app->files = build_files(target, launch);
}

static void set_secrets(const struct artifact_access *access, struct spark_app *app)
{
	scoped(text) char *name = text_printf("%s-credentials", app->resource_prefix);

	if (json_object_size(access->secrets))
		/* A copy: releasing `access` wipes its own. */
		app->secrets = json_pack("{s:o}", name, json_deep_copy(access->secrets));
}

/* The chain that looks for web identity (IRSA), container (Pod Identity) and node, as the AWS SDK
 * of the release calls it: Hadoop maps the names of single providers, but not this one. */
static void set_own_identity(struct spark_app *app)
{
	spark_app_complete(app); /* says which release it is */
	spark_conf_set_default(app->conf, "spark.hadoop.fs.s3a.aws.credentials.provider",
	                       spark_release_has(app->spark_version, SPARK_AWS_SDK_2)
	                               ? "software.amazon.awssdk.auth.credentials."
	                                 "DefaultCredentialsProvider"
	                               : "com.amazonaws.auth.DefaultAWSCredentialsProviderChain");
}

bool spark_kubernetes_app_build(const struct spark_kubernetes_target *target,
                                const struct step_launch *launch, struct spark_app *app,
                                struct error **err)
{
	struct artifact_access access = { 0 };
	bool own_identity;
	const char *security = component_text(target->component, "pod_security", NULL);
	scoped(text) char *submitted_at = text_printf("%lld", (long long)clock_now_ms());

	*app = (struct spark_app){ 0 };
	if (security && !pod_security_parse(security, &app->pod_security, err))
		return false;
	artifact_access(target->artifacts, &access);
	set_identity(target, launch, app);
	set_secrets(&access, app);
	app->conf = build_conf(target->component, launch->step, access.spark_conf, err);
	own_identity = access.own_identity;
	artifact_access_release(&access);
	app->spark_version = text_copy(component_text(target->component, "spark_version", NULL));
	if (!app->conf || !set_image(target, app, err))
		return false;
	set_program(target, launch, app);
	set_environment(app->conf, json_object_get(launch->step->settings, "environment"),
	                target->image != NULL);
	spark_conf_set_default(app->conf, "spark.app.submitTime", submitted_at);
	app->namespace = xstrdup(target->namespace);
	app->master = xstrdup(target->server ? target->server : "https://kubernetes.default.svc");
	app->labels = build_labels(target, launch);
	if (own_identity)
		set_own_identity(app);
	return true;
}
