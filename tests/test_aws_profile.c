/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/aws_profile: what ~/.aws/config and ~/.aws/credentials say. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_profile.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

static struct aws_profiles *profiles_of(const char *config, const char *credentials)
{
	struct aws_profiles *profiles = aws_profiles_new();
	struct error *err = NULL;

	assert_ok(
		aws_profiles_add(profiles, AWS_CONFIG_FILE, "config", config, strlen(config), &err),
		err);
	assert_ok(aws_profiles_add(profiles, AWS_CREDENTIALS_FILE, "credentials", credentials,
	                           strlen(credentials), &err),
	          err);
	return profiles;
}

static void test_aws_profiles__reads_both_kinds_of_sections(void **state)
{
	scoped(aws_profiles) struct aws_profiles *profiles =
		profiles_of("[default]\nregion=eu-west-1\n"
	                    "[profile dev]\nregion = eu-west-2\nrole_arn: arn:aws:iam::1:role/r\n"
	                    "[profile 'my own']\nregion = eu-west-3\n"
	                    "[profile empty]\n"
	                    "[dev]\nregion = not-a-profile\n"
	                    "[sso-session dev]\nregion = nor-this\n",
	                    "[dev]\naws_access_key_id = AKID\n");
	static const struct {
		const char *profile, *key, *value;
	} cases[] = {
		{ "default", "region", "eu-west-1" },
		{ "dev", "region", "eu-west-2" },
		{ "dev", "role_arn", "arn:aws:iam::1:role/r" },
		{ "dev", "aws_access_key_id", "AKID" },
		{ "my own", "region", "eu-west-3" },
		{ "empty", "region", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *value = aws_profiles_get(profiles, cases[i].profile, cases[i].key);

		assert_true(text_equal(value, cases[i].value));
		assert_true(aws_profiles_has(profiles, cases[i].profile));
	}
	assert_false(aws_profiles_has(profiles, "profile dev"));
	assert_string_equal(aws_profiles_source(profiles, "dev", "aws_access_key_id"),
	                    "credentials");
}

static void test_aws_profiles__take_what_is_said_last(void **state)
{
	scoped(aws_profiles) struct aws_profiles *profiles =
		profiles_of("[profile a]\naws_access_key_id = CONFIG\nregion = one\nregion = two\n"
	                    "[profile b]\nregion = other\n[profile a]\noutput = json\n",
	                    "[a]\naws_access_key_id = CREDENTIALS\n");

	(void)state;
	assert_string_equal(aws_profiles_get(profiles, "a", "aws_access_key_id"), "CREDENTIALS");
	assert_string_equal(aws_profiles_get(profiles, "a", "region"), "two");
	assert_string_equal(aws_profiles_get(profiles, "a", "output"), "json");
}

static void test_aws_profiles__reads_values_as_they_stand(void **state)
{
	scoped(aws_profiles) struct aws_profiles *profiles =
		profiles_of("# a comment\n; another\r\n\n  # and one more\n"
	                    "  [profile a]  \r\n"
	                    "KEY = Value # no comment ; none\r\n"
	                    "command = one \\\n    two # three\n"
	                    "url=https://host:1/?a=b\n"
	                    "empty =\n"
	                    "last = end",
	                    "");

	(void)state;
	assert_string_equal(aws_profiles_get(profiles, "a", "key"), "Value # no comment ; none");
	assert_string_equal(aws_profiles_get(profiles, "a", "command"), "one \\\ntwo # three");
	assert_string_equal(aws_profiles_get(profiles, "a", "url"), "https://host:1/?a=b");
	assert_null(aws_profiles_get(profiles, "a", "empty"));
	assert_string_equal(aws_profiles_get(profiles, "a", "last"), "end");
}

static void test_aws_profiles__reads_blocks_of_services(void **state)
{
	scoped(aws_profiles) struct aws_profiles *profiles =
		profiles_of("[profile a]\nservices = local\ns3 =\n  addressing_style = path\n"
	                    "region = eu-west-1\n"
	                    "[services local]\ns3 =\n  endpoint_url = http://minio:9000\n"
	                    "sts = \n\tendpoint_url = http://moto:5000\n  other = x\n",
	                    "");

	(void)state;
	assert_string_equal(aws_profiles_service(profiles, "local", "s3", "endpoint_url"),
	                    "http://minio:9000");
	assert_string_equal(aws_profiles_service(profiles, "local", "sts", "endpoint_url"),
	                    "http://moto:5000");
	assert_null(aws_profiles_service(profiles, "local", "ecr", "endpoint_url"));
	assert_null(aws_profiles_service(profiles, "other", "s3", "endpoint_url"));
	assert_null(aws_profiles_get(profiles, "a", "addressing_style"));
	assert_string_equal(aws_profiles_get(profiles, "a", "region"), "eu-west-1");
}

static void test_aws_profiles__name_the_line_of_a_fault_and_not_what_is_in_it(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "never-shown = 1\n", "config:1: a setting stands before" },
		{ "[default\n", "config:1: '[' begins" },
		{ "[]\n", "config:1: '[' begins" },
		{ "[default]\nnever-shown\n", "config:2: it should be 'key = value'" },
		{ "[default]\n= never-shown\n", "config:2: it should be 'key = value'" },
		{ "[default]\ns3 =\n  never-shown\n", "config:3: an indented line" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(aws_profiles) struct aws_profiles *profiles = aws_profiles_new();
		scoped(error) struct error *err = NULL;

		assert_false(aws_profiles_add(profiles, AWS_CONFIG_FILE, "config", cases[i].text,
		                              strlen(cases[i].text), &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].says);
		assert_null(strstr(err->message, "never-shown"));
	}
	scoped(aws_profiles) struct aws_profiles *profiles = aws_profiles_new();
	scoped(error) struct error *err = NULL;
	assert_false(
		aws_profiles_add(profiles, AWS_CONFIG_FILE, "config", "[a]\nb = \0\n", 10, &err));
	assert_error_contains(err, "config:2: a NUL character");
}

static void test_aws_profiles_load__follows_the_environment_and_the_home_folder(void **state)
{
	char folder[] = "/tmp/stepop-aws-XXXXXX";
	scoped(text) char *home = xstrdup(getenv("HOME") ? getenv("HOME") : "/");
	scoped(aws_profiles) struct aws_profiles *none = NULL;
	scoped(aws_profiles) struct aws_profiles *profiles = NULL;
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	scoped(text) char *dot_aws = file_join(folder, ".aws");
	scoped(text) char *config = file_join(folder, "elsewhere");
	scoped(text) char *credentials = file_join(folder, ".aws/credentials");
	setenv("HOME", folder, 1);
	unsetenv("AWS_SHARED_CREDENTIALS_FILE");
	setenv("AWS_CONFIG_FILE", "~/elsewhere", 1);

	assert_ok(none = aws_profiles_load(&err), err);
	assert_null(aws_profiles_missing(none, "dev", &err));
	assert_error_contains(err, "there is no profile 'dev': there are no files");
	error_free(take(err));

	assert_ok(file_make_folders(dot_aws, 0700, &err), err);
	assert_ok(file_write(config, "[profile dev]\nregion=a\n", 23, 0600, &err), err);
	assert_ok(file_write(credentials, "[prod]\n", 7, 0600, &err), err);
	assert_ok(profiles = aws_profiles_load(&err), err);
	assert_true(aws_profiles_has(profiles, "dev"));
	assert_true(aws_profiles_has(profiles, "prod"));
	assert_null(aws_profiles_missing(profiles, "dve", &err));
	assert_error_contains(err, "did you mean 'dev'?");
	error_free(take(err));
	assert_null(aws_profiles_missing(profiles, "something", &err));
	assert_error_contains(err, "; there are: dev, prod");

	setenv("HOME", home, 1);
	unsetenv("AWS_CONFIG_FILE");
	assert_true(file_remove_tree(folder, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws_profiles__reads_both_kinds_of_sections),
		cmocka_unit_test(test_aws_profiles__take_what_is_said_last),
		cmocka_unit_test(test_aws_profiles__reads_values_as_they_stand),
		cmocka_unit_test(test_aws_profiles__reads_blocks_of_services),
		cmocka_unit_test(test_aws_profiles__name_the_line_of_a_fault_and_not_what_is_in_it),
		cmocka_unit_test(
			test_aws_profiles_load__follows_the_environment_and_the_home_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
