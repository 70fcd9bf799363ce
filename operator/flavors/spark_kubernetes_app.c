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
#include "submit/spark_release.h"

#define MOUNT_PATH "/opt/stepop"
#define CODE_PATH MOUNT_PATH "/code"

/* The component's own options are Spark properties by other names. */
static void set_backend(struct spark_conf *conf, const struct component *component)
{
	static const struct {
		const char *option, *property;
	} options[] = {
		{ "docker_parent_image", "spark.kubernetes.container.image" },
		{ "service_account", "spark.kubernetes.authenticate.driver.serviceAccountName" },
		{ "image_pull_policy", "spark.kubernetes.container.image.pullPolicy" },
		{ "image_pull_secrets", "spark.kubernetes.container.image.pullSecrets" },
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
static struct spark_conf *build_conf(const struct spark_kubernetes_target *target,
                                     const struct step_launch *launch,
                                     const struct artifact_access *access, struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	const json_t *kwargs = json_object_get(target->component->options, "submit_kwargs");

	if (access->spark_conf && !spark_conf_merge_json(conf, access->spark_conf, err))
		return NULL;
	set_backend(conf, target->component);
	if (kwargs && !spark_conf_merge_json(conf, kwargs, err))
		return error_wrap(err, "submit_kwargs of step operator '%s'",
		                  target->component->name);
	if (!spark_settings_apply(conf, launch->step, err))
		return NULL;
	return take(conf);
}

static void set_environment(struct spark_conf *conf, const json_t *environment)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)environment, name, value) {
		scoped(text) char *driver = text_printf("spark.kubernetes.driverEnv.%s", name);
		scoped(text) char *executor = text_printf("spark.executorEnv.%s", name);

		spark_conf_set(conf, driver, json_string_value(value));
		spark_conf_set(conf, executor, json_string_value(value));
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

/* /opt/stepop: the shared code, and step.json. */
static struct spark_files *build_files(const struct spark_kubernetes_target *target,
                                       const struct step_launch *launch)
{
	json_auto_t *contract = build_contract(target, launch);
	scoped(text) char *text = json_dumps(contract, JSON_INDENT(1));
	struct spark_files *files = xcalloc(1, sizeof(*files));

	files->mount_path = xstrdup(MOUNT_PATH);
	files->contents = json_copy((json_t *)target->code);
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
	app->main_resource = xstrdup("local://" MOUNT_PATH "/main.py");
	app->args = json_pack("[s]", MOUNT_PATH "/step.json");
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
	app->conf = build_conf(target, launch, &access, err);
	own_identity = access.own_identity;
	artifact_access_release(&access);
	if (!app->conf)
		return false;
	set_program(target, launch, app);
	set_environment(app->conf, json_object_get(launch->step->settings, "environment"));
	spark_conf_set_default(app->conf, "spark.app.submitTime", submitted_at);
	app->namespace = xstrdup(target->namespace);
	app->master = xstrdup(target->server ? target->server : "https://kubernetes.default.svc");
	app->spark_version = text_copy(component_text(target->component, "spark_version", NULL));
	app->labels = build_labels(target, launch);
	if (own_identity)
		set_own_identity(app);
	return true;
}
