/* SPDX-License-Identifier: Apache-2.0 */
/* submit/pod_security: the controls of the Pod Security Standard "restricted". */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/pod_security.h"

/* A pod whose spec is `spec`, JSON with ' for "; its last container is Spark's. */
static json_t *pod_of(const char *spec)
{
	scoped(text) char *text = text_printf("{'kind': 'Pod', 'spec': %s}", spec);
	json_error_t where;
	json_t *pod;
	char *at;

	for (at = text; *at; at++)
		if (*at == '\'')
			*at = '"';
	pod = json_loads(text, 0, &where);
	if (!pod)
		fail_msg("%s: %s", text, where.text);
	return pod;
}

static json_t *spark_container(const json_t *pod)
{
	const json_t *containers = json_object_get(json_object_get(pod, "spec"), "containers");

	return json_array_get(containers, json_array_size(containers) - 1);
}

/* What becomes of it, as JSON with ' for ", owned by the caller. */
static char *restricted(const char *spec, bool has_claims)
{
	json_auto_t *pod = pod_of(spec);
	scoped(error) struct error *err = NULL;
	char *text, *at;

	assert_ok(pod_security_restrict(pod, spark_container(pod), has_claims, &err), err);
	text = json_dumps(json_object_get(pod, "spec"), JSON_COMPACT | JSON_SORT_KEYS);
	for (at = text; *at; at++)
		if (*at == '"')
			*at = '\'';
	return text;
}

#define CONTEXT(more)                                                                              \
	"'securityContext':{'allowPrivilegeEscalation':false,'capabilities':{'drop':['ALL']}" more \
	"}"
#define POD_CONTEXT \
	"'securityContext':{'runAsNonRoot':true,'seccompProfile':{'type':'RuntimeDefault'}}"

static void test_pod_security_restrict__fills_in_what_is_asked_for(void **state)
{
	static const struct {
		const char *spec, *result;
		bool has_claims;
	} cases[] = {
		{ "{'containers': [{'name': 'spark'}]}",
		  "{'containers':[{'name':'spark'," CONTEXT(",'runAsUser':185") "}]," POD_CONTEXT
		                                                                "}",
		  false },
		/* Every container, and Spark's user for Spark's alone. */
		{ "{'initContainers': [{'name': 'i'}], 'containers': [{'name': 'side'}, {'name': "
		  "'spark'}]}",
		  "{'containers':[{'name':'side'," CONTEXT("") "},{'name':'spark'," CONTEXT(
			  ",'runAsUser':185") "}],'initContainers':[{'name':'i'," CONTEXT("") "}]"
		                                                                              "," POD_CONTEXT
		                                                                              "}",
		  false },
		/* What is allowed is kept. */
		{ "{'containers': [{'name': 's', 'securityContext': {'readOnlyRootFilesystem': "
		  "true, 'capabilities': {'add': ['NET_BIND_SERVICE'], 'drop': ['KILL']}}}], "
		  "'securityContext': {'runAsUser': 1000, 'seccompProfile': {'type': "
		  "'Localhost', 'localhostProfile': 'p'}}}",
		  "{'containers':[{'name':'s','securityContext':{'allowPrivilegeEscalation':false,"
		  "'capabilities':{'add':['NET_BIND_SERVICE'],'drop':['ALL']},"
		  "'readOnlyRootFilesystem':true}}],'securityContext':{'runAsNonRoot':true,"
		  "'runAsUser':1000,'seccompProfile':{'localhostProfile':'p','type':'Localhost'}}}",
		  false },
		/* A claim's file system is made the user's. */
		{ "{'containers': [{'name': 'spark'}]}",
		  "{'containers':[{'name':'spark'," CONTEXT(
			  ",'runAsUser':185") "}],"
		                              "'securityContext':{'fsGroup':185,'"
		                              "fsGroupChangePolicy':'OnRootMismatch',"
		                              "'runAsNonRoot':true,'seccompProfile':{'type':'"
		                              "RuntimeDefault'}}}",
		  true },
		{ "{'containers': [{'name': 'spark', 'securityContext': {'runAsUser': 7}}], "
		  "'volumes': [{'name': 'v', 'persistentVolumeClaim': {}}]}",
		  "{'containers':[{'name':'spark'," CONTEXT(
			  ",'runAsUser':7") "}],"
		                            "'securityContext':{'fsGroup':7,'fsGroupChangePolicy':'"
		                            "OnRootMismatch',"
		                            "'runAsNonRoot':true,'seccompProfile':{'type':'"
		                            "RuntimeDefault'}},"
		                            "'volumes':[{'name':'v','persistentVolumeClaim':{}}]}",
		  false },
		{ "{'containers': [{'name': 'spark'}], 'securityContext': {'fsGroup': 5}}",
		  "{'containers':[{'name':'spark'," CONTEXT(
			  ",'runAsUser':185") "}],"
		                              "'securityContext':{'fsGroup':5,'runAsNonRoot':true,"
		                              "'seccompProfile':{'type':'RuntimeDefault'}}}",
		  true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *result = restricted(cases[i].spec, cases[i].has_claims);
		scoped(text) char *again = restricted(result, cases[i].has_claims);

		assert_string_equal(result, cases[i].result);
		assert_string_equal(again, result);
	}
}

#define IN_CONTAINER(context) "{'containers': [{'name': 'c', 'securityContext': {" context "}}]}"
#define IN_POD(fields) "{'containers': [{'name': 'c'}], " fields "}"

static void test_pod_security_restrict__names_what_it_does_not_allow(void **state)
{
	static const struct {
		const char *spec, *part;
	} cases[] = {
		{ IN_POD("'hostNetwork': true"), "hostNetwork is true" },
		{ IN_POD("'hostPID': true"), "hostPID is true" },
		{ IN_POD("'hostIPC': true"), "hostIPC is true" },
		{ IN_POD("'volumes': [{'name': 'v', 'hostPath': {'path': '/'}}]"),
		  "the volume 'v' is a hostPath" },
		{ IN_POD("'volumes': [{'name': 'v', 'nfs': {}}]"), "the volume 'v' is a nfs" },
		{ IN_POD("'securityContext': {'runAsNonRoot': false}"), "runAsNonRoot is false" },
		{ IN_POD("'securityContext': {'runAsUser': 0}"), "runAsUser is 0, which is root" },
		{ IN_POD("'securityContext': {'seccompProfile': {'type': 'Unconfined'}}"),
		  "seccompProfile is Unconfined" },
		{ IN_CONTAINER("'runAsUser': 0"), "container 'c': runAsUser is 0" },
		{ IN_CONTAINER("'runAsNonRoot': false"), "container 'c': runAsNonRoot is false" },
		{ IN_CONTAINER("'privileged': true"), "container 'c': privileged is true" },
		{ IN_CONTAINER("'allowPrivilegeEscalation': true"),
		  "container 'c': allowPrivilegeEscalation is true" },
		{ IN_CONTAINER("'capabilities': {'add': ['SYS_ADMIN']}"),
		  "container 'c': the capability SYS_ADMIN is added" },
		{ IN_CONTAINER("'seccompProfile': {'type': 'Unconfined'}"),
		  "container 'c': seccompProfile is Unconfined" },
		{ "{'containers': [{'name': 'c', 'ports': [{'hostPort': 80}]}]}",
		  "container 'c': a hostPort is set" },
		{ "{'containers': [{'name': 'c'}], 'initContainers': [{'name': 'i', "
		  "'securityContext': {'privileged': true}}]}",
		  "container 'i': privileged is true" },
		{ IN_POD("'hostPID': true, 'securityContext': {'runAsUser': 0}"),
		  "hostPID is true; runAsUser is 0" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *pod = pod_of(cases[i].spec);
		scoped(error) struct error *err = NULL;

		if (pod_security_restrict(pod, spark_container(pod), false, &err))
			fail_msg("%s is not refused", cases[i].spec);
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].part);
	}
}

static void test_pod_security_parse__knows_two_levels(void **state)
{
	enum pod_security security = POD_SECURITY_NONE;
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_true(pod_security_parse("restricted", &security, NULL));
	assert_int_equal(security, POD_SECURITY_RESTRICTED);
	assert_true(pod_security_parse("none", &security, NULL));
	assert_int_equal(security, POD_SECURITY_NONE);
	assert_false(pod_security_check("baseline", &err));
	assert_error_contains(err, "'baseline' is no level of pod security");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pod_security_restrict__fills_in_what_is_asked_for),
		cmocka_unit_test(test_pod_security_restrict__names_what_it_does_not_allow),
		cmocka_unit_test(test_pod_security_parse__knows_two_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
