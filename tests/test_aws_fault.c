/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/aws_fault: what services of AWS refuse, and what becomes of it. */
#include "tests/test.h"

#include <string.h>

#include "cloud/aws_fault.h"
#include "core/memory.h"
#include "core/text.h"

static void test_aws_fault_parse__reads_json_and_xml(void **state)
{
	static const struct {
		const char *body, *code, *message;
	} cases[] = {
		{ "{\"__type\":\"ResourceNotFoundException\",\"Message\":\"There is none.\"}",
		  "ResourceNotFoundException", "There is none" },
		{ "{\"__type\":\"com.amazonaws.ecr#AccessDeniedException:http://"
		  "x\",\"message\":\"No\"}",
		  "AccessDeniedException", "No" },
		{ "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
		  "<Type>Sender</Type><Code>ExpiredToken</Code><Message>It\nended</Message></Error>"
		  "</ErrorResponse>",
		  "ExpiredToken", "It ended" },
		{ "{\"message\":\"No cluster found for name: x.\"}", NULL,
		  "No cluster found for name: x" },
		{ "<html><body>a proxy</body></html>", NULL, NULL },
		{ "", NULL, NULL },
		{ "[1]", NULL, NULL },
		{ "{\"__type\":1,\"message\":{}}", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aws_fault fault;

		aws_fault_parse(cases[i].body, strlen(cases[i].body), &fault);
		assert_true(text_equal(fault.code, cases[i].code));
		assert_true(text_equal(fault.message, cases[i].message));
		aws_fault_release(&fault);
	}
}

static void test_aws_fault_set__says_what_to_do(void **state)
{
	static const struct {
		const char *code, *message;
		int status;
		enum error_kind kind;
		const char *says;
	} cases[] = {
		{ "ExpiredToken", "The security token included in the request is expired", 403,
		  ERROR_AUTH, "is expired (ExpiredToken); they have expired; renew them" },
		{ "InvalidClientTokenId", "It is invalid", 403, ERROR_AUTH,
		  "AWS does not know this access key, or its session token is missing" },
		{ "SignatureDoesNotMatch",
		  "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z", 403,
		  ERROR_AUTH, "20260101T001500Z; this machine's clock is wrong" },
		{ "InvalidSignatureException", "Signature not yet current: 20260101T000000Z", 400,
		  ERROR_AUTH, "this machine's clock is wrong" },
		{ "SignatureDoesNotMatch", "x-amz-security-token:never-shown", 403, ERROR_AUTH,
		  "the signature is refused (SignatureDoesNotMatch); the secret access key" },
		{ "AccessDenied", "User: arn:x is not authorized to perform: sts:AssumeRole", 403,
		  ERROR_AUTH, "is not authorized to perform: sts:AssumeRole (AccessDenied); have" },
		{ "RegionDisabledException", "STS is not activated", 403, ERROR_INVALID,
		  "choose a region that the account has switched on" },
		{ "RepositoryNotFoundException", "none", 400, ERROR_NOT_FOUND, "none (Repo" },
		{ "ResourceExistsException", "there", 400, ERROR_CONFLICT, "there (Resource" },
		{ "ThrottlingException", "Rate exceeded", 400, ERROR_UNAVAILABLE, "Rate exceeded" },
		{ "SomethingNew", "odd", 400, ERROR_INVALID, "odd (SomethingNew)" },
		{ NULL, "No cluster found for name: x", 404, ERROR_NOT_FOUND,
		  "status 404: No cluster found" },
		{ NULL, NULL, 502, ERROR_UNAVAILABLE, "status 502: no reason is given" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aws_fault fault = { .code = (char *)cases[i].code,
			                   .message = (char *)cases[i].message };
		scoped(error) struct error *err = NULL;

		assert_null(aws_fault_set(&fault, cases[i].status, &err));
		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].says);
		assert_null(strstr(err->message, "never-shown"));
	}
}

static void test_aws_fault__tells_what_passes_and_what_expires(void **state)
{
	struct aws_fault throttled = { .code = (char *)"Throttling" };
	struct aws_fault expired = { .code = (char *)"ExpiredTokenException" };
	struct aws_fault denied = { .code = (char *)"AccessDenied" };
	struct aws_fault silent = { 0 };

	(void)state;
	assert_true(aws_fault_is_passing(&throttled, 400));
	assert_true(aws_fault_is_passing(&silent, 503));
	assert_true(aws_fault_is_passing(&silent, 429));
	assert_false(aws_fault_is_passing(&denied, 403));
	assert_true(aws_fault_is_expiry(&expired));
	assert_false(aws_fault_is_expiry(&denied));
	assert_false(aws_fault_is_expiry(&silent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws_fault_parse__reads_json_and_xml),
		cmocka_unit_test(test_aws_fault_set__says_what_to_do),
		cmocka_unit_test(test_aws_fault__tells_what_passes_and_what_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
