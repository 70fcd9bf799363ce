/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/oci_error: what registries refuse, in words that say what to do. */
#include "tests/test.h"

#include <string.h>

#include "cloud/oci_error.h"
#include "core/memory.h"
#include "core/text.h"

#define ERROR(code, message) "{\"errors\":[{\"code\":\"" code "\",\"message\":\"" message "\"}]}"

static void test_oci_error_set__says_what_to_do(void **state)
{
	static const struct {
		int status;
		const char *body, *who;
		bool push;
		enum error_kind kind;
		const char *says;
	} cases[] = {
		{ 404, ERROR("MANIFEST_UNKNOWN", "manifest unknown"), NULL, false, ERROR_NOT_FOUND,
		  "r:5000/team/x, manifest '1': there is no such image: check its tag or digest "
		  "(MANIFEST_UNKNOWN: manifest unknown)" },
		{ 404, ERROR("NAME_UNKNOWN", ""), NULL, false, ERROR_NOT_FOUND,
		  "created before the first push (NAME_UNKNOWN)" },
		{ 401, ERROR("UNAUTHORIZED", "authentication required"), NULL, false, ERROR_AUTH,
		  "does not let just anybody pull from it: give the container registry an "
		  "--authentication_secret" },
		{ 401, "", "user 'ann' of 'f'", true, ERROR_AUTH,
		  "user 'ann' of 'f' is not accepted, or may not push to it" },
		{ 403, ERROR("DENIED", "no basic auth"), "user 'ann'", true, ERROR_AUTH,
		  "user 'ann' may not push to it: have the user be given the right (DENIED: no" },
		{ 400, ERROR("MANIFEST_INVALID", "oci"), NULL, true, ERROR_UNSUPPORTED,
		  "does not take this manifest (MANIFEST_INVALID: oci)" },
		{ 415, "", NULL, true, ERROR_UNSUPPORTED, "(UNSUPPORTED)" },
		{ 400, ERROR("DIGEST_INVALID", ""), NULL, true, ERROR_INVALID,
		  "does not have its digest" },
		{ 429, ERROR("TOOMANYREQUESTS", "You have reached your pull rate limit"), NULL,
		  false, ERROR_UNAVAILABLE, "log in for a higher one" },
		{ 429, "", NULL, false, ERROR_UNAVAILABLE, "rate limit" },
		{ 413, "<html>", NULL, true, ERROR_INVALID, "(nginx: client_max_body_size) (413)" },
		{ 503, "<html>", NULL, false, ERROR_UNAVAILABLE, "answered with status 503" },
		{ 404, "<html>", NULL, false, ERROR_NOT_FOUND, "status 404: is it a registry?" },
		{ 400, ERROR("NOVEL", "of its own"), NULL, false, ERROR_INVALID,
		  "status 400: of its own" },
		{ 403, ERROR("NOVEL", "of its own"), "user 'ann'", false, ERROR_AUTH,
		  "may not pull from it" },
		{ 400, "{\"errors\":\"none\"}", NULL, false, ERROR_INVALID, "status 400" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *body = xstrdup(cases[i].body);
		const struct http_response response = { .status = cases[i].status,
			                                .body = body,
			                                .body_size = strlen(body) };
		const struct oci_subject subject = { .place = "r:5000/team/x",
			                             .thing = "manifest '1'",
			                             .who = cases[i].who,
			                             .push = cases[i].push };
		scoped(error) struct error *err = NULL;

		assert_null(oci_error_set(&err, &subject, &response));

		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].says);
	}
}

static void test_oci_error_set__keeps_what_a_registry_says_to_one_line(void **state)
{
	char body[] = ERROR("DENIED", "a\\nb\\u001b[31m");
	const struct http_response response = { .status = 403,
		                                .body = body,
		                                .body_size = strlen(body) };
	scoped(error) struct error *err = NULL;

	(void)state;
	oci_error_set(&err, &(struct oci_subject){ .place = "r", .who = "user 'a'" }, &response);

	assert_error_contains(err, "a b [31m");
}

static void test_oci_is_worth_another_try__obeys_the_registry_within_reason(void **state)
{
	static const struct {
		int tries, status;
		int64_t retry_after_ms;
		bool is_worth;
		int64_t delay_ms;
	} cases[] = {
		{ 1, 503, -1, true, 250 },    { 2, 500, -1, true, 1000 },
		{ 3, 502, -1, true, 4000 },   { 4, 503, -1, false, 0 },
		{ 1, 429, 7000, true, 7000 }, { 2, 429, 0, true, 1000 },
		{ 1, 429, 31000, false, 0 },  { 1, 408, -1, true, 250 },
		{ 1, 404, -1, false, 0 },     { 1, 401, -1, false, 0 },
	};
	scoped(error) struct error *cut = NULL, *untrusted = NULL;
	int64_t delay_ms = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct http_response response = { .status = cases[i].status,
			                                .retry_after_ms = cases[i].retry_after_ms };

		delay_ms = 0;
		assert_int_equal(
			oci_is_worth_another_try(cases[i].tries, NULL, &response, &delay_ms),
			cases[i].is_worth);
		assert_int_equal(delay_ms, cases[i].delay_ms);
	}
	error_set(&cut, ERROR_UNAVAILABLE, "cut");
	error_set(&untrusted, ERROR_AUTH, "untrusted");
	assert_true(oci_is_worth_another_try(1, cut, NULL, &delay_ms));
	assert_false(oci_is_worth_another_try(1, untrusted, NULL, &delay_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oci_error_set__says_what_to_do),
		cmocka_unit_test(test_oci_error_set__keeps_what_a_registry_says_to_one_line),
		cmocka_unit_test(test_oci_is_worth_another_try__obeys_the_registry_within_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
