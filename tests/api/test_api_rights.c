/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole matrix of rights: for every resource and verb that a real API server has, its
 * authorizer is asked what driver, submitter and runner may do, in their namespace and elsewhere:
 * in another one, or, where a resource is in none, in the cluster. The answers are
 * tests/golden/rbac/rights.txt; STEPOP_TEST_WRITE_GOLDEN=1 writes it anew. Skipped, aloud, without
 * STEPOP_TEST_KUBECONFIG (an administrator's).
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_client.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

#define GOLDEN "tests/golden/rbac/rights.txt"

static const struct kube_kind reviews = { "/apis/authorization.k8s.io/v1", "subjectaccessreviews",
	                                  "SubjectAccessReview", true };

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *admin;
	/* Rights by default, with all parts, and none. */
	char *plain, *full, *foreign;
	json_t *resources; /* [{"group", "resource", "namespaced", "verbs"}], in order */
};

/* ---- what there is ---- */

static void add_resource_take(json_t *resources, const char *group, const char *resource,
                              bool is_namespaced, json_t *verbs)
{
	json_array_append_new(resources,
	                      json_pack("{s:s, s:s, s:b, s:o}", "group", group, "resource",
	                                resource, "namespaced", is_namespaced, "verbs", verbs));
}

static void add_group(struct fixture *fixture, const char *path, const char *group)
{
	struct error *err = NULL;
	json_auto_t *list = kube_client_get_path(fixture->admin, path, &err);
	const json_t *resource;
	size_t i;

	assert_ok(list, err);
	json_array_foreach (json_object_get(list, "resources"), i, resource)
		add_resource_take(fixture->resources, group,
		                  json_string_value(json_object_get(resource, "name")),
		                  json_is_true(json_object_get(resource, "namespaced")),
		                  json_incref(json_object_get(resource, "verbs")));
}

/* What discovery does not know: verbs of the authorizer alone, and kinds that a cluster may add. */
static void add_undiscovered(json_t *resources)
{
	static const struct {
		const char *group, *resource;
		bool is_namespaced;
		const char *verbs;
	} more[] = {
		{ "*", "*", true, "*" },
		{ "", "users", false, "impersonate" },
		{ "", "groups", false, "impersonate" },
		{ "", "serviceaccounts", true, "impersonate" },
		{ "authentication.k8s.io", "userextras/scopes", false, "impersonate" },
		{ "rbac.authorization.k8s.io", "roles", true, "bind escalate" },
		{ "rbac.authorization.k8s.io", "clusterroles", false, "bind escalate" },
		{ "certificates.k8s.io", "signers", false, "approve attest sign" },
		{ "scheduling.volcano.sh", "podgroups", true,
		  "create delete get list patch update watch" },
		{ "scheduling.volcano.sh", "queues", false,
		  "create delete get list patch update watch" },
		{ "scheduling.x-k8s.io", "podgroups", true,
		  "create delete get list patch update watch" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		scoped(text) char *copy = xstrdup(more[i].verbs);
		json_t *verbs = json_array();
		char *rest = copy, *verb;

		while ((verb = strsep(&rest, " ")))
			json_array_append_new(verbs, json_string(verb));
		add_resource_take(resources, more[i].group, more[i].resource, more[i].is_namespaced,
		                  verbs);
	}
}

static void discover(struct fixture *fixture)
{
	struct error *err = NULL;
	json_auto_t *groups = kube_client_get_path(fixture->admin, "/apis", &err);
	const json_t *group;
	size_t i;

	assert_ok(groups, err);
	fixture->resources = json_array();
	add_group(fixture, "/api/v1", "");
	json_array_foreach (json_object_get(groups, "groups"), i, group) {
		const json_t *preferred = json_object_get(group, "preferredVersion");
		const char *version = json_string_value(json_object_get(preferred, "groupVersion"));
		scoped(text) char *path = text_printf("/apis/%s", version);

		add_group(fixture, path, json_string_value(json_object_get(group, "name")));
	}
	add_undiscovered(fixture->resources);
	assert_true(json_array_size(fixture->resources) > 100);
}

/* ---- who there is ---- */

/* spec.user and spec.groups of a review. */
static json_t *account(const char *namespace, const char *name)
{
	scoped(text) char *user = text_printf("system:serviceaccount:%s:%s", namespace, name);
	scoped(text) char *group = text_printf("system:serviceaccounts:%s", namespace);

	return json_pack("{s:s, s:[s, s, s]}", "user", user, "groups", "system:serviceaccounts",
	                 group, "system:authenticated");
}

static json_t *user(const char *name)
{
	return json_pack("{s:s, s:[s]}", "user", name, "groups", "system:authenticated");
}

static void apply_all(struct fixture *fixture, const struct rbac_options *options)
{
	struct error *err = NULL;
	json_auto_t *objects = rbac_objects(options, &err);
	const json_t *object;
	const char *result;
	size_t i;

	assert_ok(objects, err);
	json_array_foreach (objects, i, object)
		assert_ok(rbac_apply(fixture->admin, object, &result, &err), err);
}

static void apply_rights(struct fixture *fixture, const char *namespace, unsigned parts)
{
	struct rbac_options options = { .namespace = namespace,
		                        .service_account = "spark",
		                        .submitter = "alice",
		                        .parts = parts };

	apply_all(fixture, &options);
	options.submitter = NULL;
	options.runner = "stepop";
	apply_all(fixture, &options);
}

static int set_up(void **state)
{
	const struct kube_config_options options = { .kubeconfig =
		                                             getenv("STEPOP_TEST_KUBECONFIG") };
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct error *err = NULL;
	struct kube_config *config = kube_config_load(&options, &err);
	scoped(text) char *digits = digest_random_hex(8);

	assert_ok(config, err);
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->admin = kube_client_new_take(fixture->http, config);
	fixture->plain = text_printf("rights-plain-%s", digits);
	fixture->full = text_printf("rights-full-%s", digits);
	fixture->foreign = text_printf("rights-foreign-%s", digits);
	apply_rights(fixture, fixture->plain, RBAC_SECRETS);
	apply_rights(fixture, fixture->full, RBAC_ALL_PARTS);
	discover(fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kube_client_delete(fixture->admin, &kube_namespaces, NULL, fixture->plain, -1, NULL);
	kube_client_delete(fixture->admin, &kube_namespaces, NULL, fixture->full, -1, NULL);
	kube_client_free(fixture->admin);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	json_decref(fixture->resources);
	free(fixture->plain);
	free(fixture->full);
	free(fixture->foreign);
	free(fixture);
	return 0;
}

/* ---- who may what ---- */

static bool is_allowed(const struct fixture *fixture, const json_t *who, const char *namespace,
                       const json_t *resource, const json_t *verb)
{
	const char *name = json_string_value(json_object_get(resource, "resource"));
	const char *slash = strchr(name, '/');
	scoped(text) char *base = xstrndup(name, slash ? (size_t)(slash - name) : strlen(name));
	json_auto_t *review =
		json_pack("{s:s, s:s, s:{}, s:{s:{s:s, s:O, s:O, s:s, s:s}}}", "apiVersion",
	                  "authorization.k8s.io/v1", "kind", "SubjectAccessReview", "metadata",
	                  "spec", "resourceAttributes", "namespace", namespace, "verb", verb,
	                  "group", json_object_get(resource, "group"), "resource", base,
	                  "subresource", slash ? slash + 1 : "");
	struct error *err = NULL;
	json_auto_t *answer = NULL;

	json_object_update(json_object_get(review, "spec"), (json_t *)who);
	answer = kube_client_create(fixture->admin, &reviews, NULL, review, 0, &err);
	assert_ok(answer, err);
	return json_is_true(json_object_get(json_object_get(answer, "status"), "allowed"));
}

/* Whoever has a right in all namespaces has it in this one, too. */
static const char *elsewhere(const struct fixture *fixture, const json_t *resource)
{
	bool is_namespaced = json_is_true(json_object_get(resource, "namespaced"));

	return is_namespaced ? fixture->foreign : "";
}

/* "pods: create get", "apps/deployments: create", one line each; of `known` none is told.
 * `namespace` NULL: elsewhere. */
static void write_rights(const struct fixture *fixture, const json_t *who, const char *namespace,
                         const json_t *known, FILE *out)
{
	const json_t *resource, *verb;
	size_t i, j;

	json_array_foreach (fixture->resources, i, resource) {
		const char *group = json_string_value(json_object_get(resource, "group"));
		const char *name = json_string_value(json_object_get(resource, "resource"));
		const char *place = namespace ? namespace : elsewhere(fixture, resource);
		bool is_begun = false;

		json_array_foreach (json_object_get(resource, "verbs"), j, verb) {
			scoped(text) char *right =
				text_printf("%s %s/%s", json_string_value(verb), group, name);

			if (!is_allowed(fixture, who, place, resource, verb) ||
			    json_object_get(known, right))
				continue;
			if (!is_begun)
				fprintf(out, "  %s%s%s:", group, *group ? "/" : "", name);
			fprintf(out, " %s", json_string_value(verb));
			is_begun = true;
		}
		if (is_begun)
			fputc('\n', out);
	}
}

/* What every account that is authenticated may do: "verb group/resource" -> true. */
static json_t *rights_of_anybody(const struct fixture *fixture)
{
	json_auto_t *nobody = account(fixture->foreign, "nobody");
	json_t *rights = json_object();
	const json_t *resource, *verb;
	size_t i, j;

	json_array_foreach (fixture->resources, i, resource)
		json_array_foreach (json_object_get(resource, "verbs"), j, verb) {
			scoped(text) char *right = text_printf(
				"%s %s/%s", json_string_value(verb),
				json_string_value(json_object_get(resource, "group")),
				json_string_value(json_object_get(resource, "resource")));

			if (is_allowed(fixture, nobody, elsewhere(fixture, resource), resource,
			               verb))
				json_object_set_new(rights, right, json_true());
		}
	return rights;
}

static void write_actor(const struct fixture *fixture, const char *title, const json_t *who,
                        const char *namespace, const json_t *anybody, FILE *out)
{
	fprintf(out, "%s, in its namespace:\n", title);
	write_rights(fixture, who, namespace, anybody, out);
	fprintf(out, "%s, elsewhere:\n", title);
	write_rights(fixture, who, NULL, anybody, out);
}

static char *rights_text(const struct fixture *fixture)
{
	json_auto_t *anybody = rights_of_anybody(fixture);
	json_auto_t *alice = user("alice");
	json_auto_t *nobody = account(fixture->foreign, "nobody");
	const struct {
		const char *title, *namespace, *account;
	} actors[] = {
		{ "driver", fixture->plain, "spark" },
		{ "submitter", fixture->plain, NULL },
		{ "runner", fixture->plain, "stepop" },
		{ "driver with all parts", fixture->full, "spark" },
		{ "submitter with all parts", fixture->full, NULL },
	};
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	size_t i;

	fputs("anybody:\n", out);
	write_rights(fixture, nobody, NULL, NULL, out);
	for (i = 0; i < ARRAY_SIZE(actors); i++) {
		json_auto_t *who = actors[i].account
		                           ? account(actors[i].namespace, actors[i].account)
		                           : json_incref(alice);

		write_actor(fixture, actors[i].title, who, actors[i].namespace, anybody, out);
	}
	return text_stream_take(&stream);
}

/* The text between two titles of `text`, owned by the caller. */
static char *section(const char *text, const char *title)
{
	const char *start = strstr(text, title);
	const char *end;

	assert_non_null(start);
	start += strlen(title);
	for (end = start; text_starts_with(end, "  "); end = strchr(end, '\n') + 1)
		;
	return xstrndup(start, (size_t)(end - start));
}

static void test_rights__are_those_of_the_golden_file_and_no_others(void **state)
{
	const struct fixture *fixture = *state;
	scoped(text) char *text = rights_text(fixture);
	scoped(text) char *submitter = section(text, "submitter, in its namespace:\n");
	scoped(text) char *runner = section(text, "runner, in its namespace:\n");
	scoped(text) char *golden = NULL;
	struct error *err = NULL;
	size_t size;

	assert_string_equal(runner, submitter);
	if (getenv("STEPOP_TEST_WRITE_GOLDEN"))
		assert_ok(file_write(GOLDEN, text, strlen(text), 0644, &err), err);
	golden = file_read(GOLDEN, 1 << 20, &size, &err);
	assert_ok(golden, err);
	assert_string_equal(text, golden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_rights__are_those_of_the_golden_file_and_no_others, set_up, tear_down),
	};
	const char *kubeconfig = getenv("STEPOP_TEST_KUBECONFIG");

	if (!kubeconfig || !*kubeconfig) {
		puts("SKIPPED: the matrix of rights: STEPOP_TEST_KUBECONFIG is not set");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
