/* SPDX-License-Identifier: Apache-2.0 */
/* operator/flavor: what a step operator's options refer to reaches pods by a Secret only. */
#include "tests/test.h"

#include <string.h>

#include "core/digest.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "operator/flavor.h"
#include "stacks/secret.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "tests/fakes/temporary_project.h"

#define PROPERTY "spark.hadoop.fs.s3a.secret.key"
static const char value[] = "hush/hush+hush=";
static const char kubeconfig[] = "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
				 "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
				 "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:9'}}]\n"
				 "users: [{name: u, user: {token: t}}]\n";

struct opened {
	struct loop *loop;
	struct http_client *http;
	struct secret_store *secrets;
	struct artifact_store *artifacts;
	struct step_operator *operator;
	struct operator_context context;
};

static void opened_release(struct opened *opened)
{
	step_operator_free(opened->operator);
	artifact_store_free(opened->artifacts);
	secret_store_free(opened->secrets);
	http_client_free(opened->http);
	loop_free(opened->loop);
}
#define OPENED(name) __attribute__((__cleanup__(opened_release))) struct opened name = { 0 }

static void open_stores(struct temporary_project *temporary, struct opened *opened)
{
	json_auto_t *none = json_object();
	json_auto_t *s3 = json_pack("{s:s, s:s, s:s}", "path", "s3://bucket/x", "endpoint_url",
	                            "http://127.0.0.1:9", "authentication_secret", "keys");
	const struct component vault = { COMPONENT_SECRETS_MANAGER, (char *)"vault",
		                         (char *)"local", none };
	const struct component store = { COMPONENT_ARTIFACT_STORE, (char *)"store", (char *)"s3",
		                         s3 };
	json_t *values = json_pack("{s:s, s:s}", "aws_access_key_id", "AKID",
	                           "aws_secret_access_key", value);
	scoped(error) struct error *err = NULL;

	opened->loop = loop_new();
	opened->http = http_client_new(opened->loop);
	opened->secrets = secret_store_open(temporary->project, &vault, opened->http, &err);
	assert_ok(opened->secrets, err);
	assert_ok(secret_put(opened->secrets, "keys", "aws", values, true, &err), err);
	secret_values_free(values);
	opened->artifacts = artifact_store_open(temporary->project, &store, opened->secrets,
	                                        opened->http, &err);
	assert_ok(opened->artifacts, err);
}

static bool open_operator(struct temporary_project *temporary, struct opened *opened,
                          const char *reference, bool offline, struct error **err)
{
	scoped(text) char *path = temporary_project_path(temporary, "kubeconfig");
	json_auto_t *options =
		json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "docker_parent_image", "spark:3.5.9",
	                  "namespace", "jobs", "kubeconfig", path, "submit_kwargs", PROPERTY,
	                  reference, "spark.driver.extraJavaOptions", "-Dx={{APP_ID}}");
	const struct component component = { COMPONENT_STEP_OPERATOR, (char *)"spark",
		                             (char *)"spark-kubernetes", options };

	temporary_project_write(temporary, "kubeconfig", kubeconfig);
	opened->context = (struct operator_context){
		.loop = opened->loop,
		.http = opened->http,
		.secrets = opened->secrets,
		.artifacts = opened->artifacts,
		.run_id = "0123456789abcdef0123456789abcdef",
		.run_name = "run",
		.pipeline = "pipeline",
		.offline = offline,
	};
	opened->operator= step_operator_open(&component, &opened->context, err);
	return opened->operator;
}

static json_t *render(const struct opened *opened)
{
	json_auto_t *settings = json_object(), *contract = json_object();
	const struct step step = { .name = (char *)"train",
		                   .main = (char *)"local:///app.jar",
		                   .main_class = (char *)"App",
		                   .settings = settings };
	const struct step_launch launch = { .step = &step, .attempt = 1, .contract = contract };
	scoped(error) struct error *err = NULL;
	json_t *objects = step_operator_render(opened->operator, & launch, &err);

	assert_ok(objects, err);
	return objects;
}

/* The kinds of the objects that hold `text`, as it is or in base64: "Secret Secret ". */
static char *kinds_with(const json_t *objects, const char *text)
{
	scoped(text) char *encoded = base64_encode(text, strlen(text));
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		scoped(text) char *dump = json_dumps(object, 0);

		if (strstr(dump, text) || strstr(dump, encoded))
			fprintf(out, "%s ", kube_object_kind(object));
	}
	return text_stream_take(&stream);
}

static void test_step_operator_open__lets_a_secret_reach_pods_by_a_secret_only(void **state)
{
	OPENED(opened);
	scoped(driver_objects) json_t *objects = NULL;
	scoped(text) char *kinds = NULL, *property = NULL;
	scoped(error) struct error *err = NULL;

	open_stores(*state, &opened);
	assert_ok(open_operator(*state, &opened, "{{keys.aws_secret_access_key}}", false, &err),
	          err);
	objects = render(&opened);
	kinds = kinds_with(objects, value);
	property = kinds_with(objects, PROPERTY);

	assert_true(*kinds);
	assert_null(strstr(kinds, "ConfigMap"));
	assert_null(strstr(kinds, "Pod"));
	assert_non_null(strstr(property, "ConfigMap"));
}

static void test_step_operator_open__shows_the_reference_in_a_dry_run(void **state)
{
	OPENED(opened);
	json_t *objects = NULL;
	scoped(text) char *kinds = NULL;
	scoped(error) struct error *err = NULL;

	open_stores(*state, &opened);
	secret_store_free(take(opened.secrets));
	assert_ok(open_operator(*state, &opened, "{{nowhere.key}}", true, &err), err);
	objects = render(&opened);
	kinds = kinds_with(objects, "{{nowhere.key}}");
	driver_objects_free(objects);

	assert_string_equal(kinds, "Secret ");
}

static void test_step_operator_open__names_what_is_missing(void **state)
{
	OPENED(opened);
	scoped(error) struct error *err = NULL;

	open_stores(*state, &opened);
	assert_false(open_operator(*state, &opened, "{{keys.aws_secret_acces_key}}", false, &err));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "open step operator 'spark': option 'submit_kwargs': '" PROPERTY
	                           "': secret 'keys' has no key 'aws_secret_acces_key'; did you "
	                           "mean 'aws_secret_access_key'?");
}

static void
test_component_options__of_pods_refer_to_secrets_only_where_spark_hides_them(void **state)
{
	static const struct {
		const char *option, *text, *said; /* NULL: it is taken */
	} cases[] = {
		{ "submit_kwargs", "spark.db.password={{db.password}}", NULL },
		{ "submit_kwargs", "spark.hadoop.fs.s3a.access.key=a{{db.password}}", NULL },
		{ "submit_kwargs", "spark.x=-Xloggc:{{APP_ID}}", NULL },
		{ "kubeconfig", "{{cluster.kubeconfig}}", NULL },
		{ "submit_kwargs", "spark.x={{db.password}}",
		  "is no property that Spark keeps secret" },
		{ "submit_kwargs", "spark.ssl.keyPasswordFile={{db.file}}",
		  "is no property that Spark keeps secret" },
		{ "namespace", "{{db.namespace}}", "others can read this option's value" },
		{ "service_account", "{{db.account}}", "others can read this option's value" },
	};
	const struct component_flavor *flavor =
		catalog_find(catalog_built_in(), COMPONENT_STEP_OPERATOR, "spark-kubernetes");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *texts = json_pack("{s:s}", cases[i].option, cases[i].text);
		scoped(error) struct error *err = NULL;
		json_auto_t *options =
			component_options_parse(flavor, texts, COMPONENT_OPTIONS_PARTIAL, &err);

		if (!cases[i].said) {
			assert_ok(options, err);
			continue;
		}
		assert_null(options);
		assert_error_contains(err, cases[i].said);
	}
}

#define with_project(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_project(test_step_operator_open__lets_a_secret_reach_pods_by_a_secret_only),
		with_project(test_step_operator_open__shows_the_reference_in_a_dry_run),
		with_project(test_step_operator_open__names_what_is_missing),
		cmocka_unit_test(
			test_component_options__of_pods_refer_to_secrets_only_where_spark_hides_them),
	};

	memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
