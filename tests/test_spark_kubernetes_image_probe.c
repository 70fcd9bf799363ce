/* SPDX-License-Identifier: Apache-2.0 */
/* operator/flavors/spark_kubernetes_image_probe: what a registry's answer means for a stack. */
#include "tests/test.h"

#include <string.h>

#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/spark_kubernetes_probe.h"
#include "tests/fakes/fake_http.h"
#include "tests/fakes/temporary_project.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PATIENCE_MS 10000

/* What a registry that gives all its answers by `bytes` (NULL: nobody listens) leads to. */
static json_t *line_for(const char *bytes, const char *image, const char *pull_secrets)
{
	struct fake_http_answer answers[] = { { .bytes = bytes ? bytes : "", .repeat = true } };
	scoped(fake_http) struct fake_http *fake = bytes ? fake_http_start(answers, 1, NULL) : NULL;
	scoped(loop) struct loop *loop = loop_new();
	scoped(http_client) struct http_client *http = http_client_new(loop);
	scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
	scoped(text) char *name = text_printf(
		"127.0.0.1:%d/%s", fake ? fake_http_port(fake) : fake_http_closed_port(), image);
	json_auto_t *options = json_pack("{s:s, s:s*}", "docker_parent_image", name,
	                                 "image_pull_secrets", pull_secrets);
	const struct component component = { COMPONENT_STEP_OPERATOR, (char *)"spark",
		                             (char *)"spark-kubernetes", options };

	const struct operator_context context = { .loop = loop, .http = http };

	http_client_set_deadline(http, loop_now_ms() + PATIENCE_MS);
	spark_kubernetes_probe_image(&component, &context, report);
	assert_int_equal(json_array_size(probe_report_lines(report)), 1);
	return json_deep_copy(json_array_get(probe_report_lines(report), 0));
}

static const char *field(const json_t *line, const char *name)
{
	return json_string_value(json_object_get(line, name));
}

static void test_spark_kubernetes_probe_image__weighs_what_the_registry_says(void **state)
{
	static const char found[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: "
				    "application/vnd.oci.image.manifest.v1+json\r\n"
				    "Docker-Content-Digest: " DIGEST "\r\n\r\n";
	static const struct {
		const char *bytes, *image, *pull_secrets, *result, *part;
	} cases[] = {
		{ found, "spark:3.5.9", NULL, "ok", "/spark:3.5.9 is " DIGEST },
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "spark:3", NULL, "fault",
		  "spark" },
		{ "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "spark:3", NULL,
		  "warning", "cannot be seen from this machine" },
		{ "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "spark:3", "pull",
		  "warning", "pods have pull secrets" },
		{ NULL, "spark:3", NULL, "warning", "cannot be seen from this machine" },
		{ NULL, "Spark:3", NULL, "fault", "Spark" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *line = line_for(cases[i].bytes, cases[i].image, cases[i].pull_secrets);

		if (!text_equal(field(line, "result"), cases[i].result) ||
		    !strstr(field(line, "text"), cases[i].part)) {
			print_error("%zu: %s: %s\n", i, field(line, "result"), field(line, "text"));
			fail();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* A home of its own: no credentials are found. */
		cmocka_unit_test_setup_teardown(
			test_spark_kubernetes_probe_image__weighs_what_the_registry_says,
			temporary_project_setup, temporary_project_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
