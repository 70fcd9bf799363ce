/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/oci_reference: names of images. */
#include "tests/test.h"

#include <string.h>

#include "cloud/oci_reference.h"
#include "core/memory.h"
#include "core/text.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX64

static void assert_text(const char *is, const char *should_be, const char *of)
{
	if (text_equal(is, should_be))
		return;
	print_error("'%s': '%s', not '%s'\n", of, is ? is : "(none)",
	            should_be ? should_be : "(none)");
	fail();
}

static void test_oci_reference_parse__takes_names_apart(void **state)
{
	static const struct {
		const char *text, *registry, *repository, *tag, *digest, *rendered;
	} cases[] = {
		{ "busybox", "docker.io", "library/busybox", NULL, NULL,
		  "docker.io/library/busybox" },
		{ "busybox:1.35", "docker.io", "library/busybox", "1.35", NULL,
		  "docker.io/library/busybox:1.35" },
		{ "apache/spark:3.5.9", "docker.io", "apache/spark", "3.5.9", NULL,
		  "docker.io/apache/spark:3.5.9" },
		{ "docker.io/busybox", "docker.io", "library/busybox", NULL, NULL,
		  "docker.io/library/busybox" },
		{ "index.docker.io/library/busybox", "docker.io", "library/busybox", NULL, NULL,
		  "docker.io/library/busybox" },
		{ "registry:5000/team/spark:3.5.9@" SHA256, "registry:5000", "team/spark", "3.5.9",
		  SHA256, "registry:5000/team/spark:3.5.9@" SHA256 },
		{ "localhost/x", "localhost", "x", NULL, NULL, "localhost/x" },
		{ "localhost:5000/x", "localhost:5000", "x", NULL, NULL, "localhost:5000/x" },
		{ "[::1]:5000/x:y", "[::1]:5000", "x", "y", NULL, "[::1]:5000/x:y" },
		{ "[2001:db8::1]/x", "[2001:db8::1]", "x", NULL, NULL, "[2001:db8::1]/x" },
		{ "127.0.0.1:5000/x@" SHA256, "127.0.0.1:5000", "x", NULL, SHA256,
		  "127.0.0.1:5000/x@" SHA256 },
		{ "Registry/x", "Registry", "x", NULL, NULL, "Registry/x" },
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/spark-py",
		  "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "team/spark-py", NULL, NULL,
		  "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/spark-py" },
		{ "ghcr.io/a/b.c/d_e/f__g/h---i:V1_x.y-z", "ghcr.io", "a/b.c/d_e/f__g/h---i",
		  "V1_x.y-z", NULL, "ghcr.io/a/b.c/d_e/f__g/h---i:V1_x.y-z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_reference reference = { 0 };
		scoped(error) struct error *err = NULL;
		scoped(text) char *rendered = NULL;

		assert_ok(oci_reference_parse(cases[i].text, &reference, &err), err);

		assert_text(reference.registry, cases[i].registry, cases[i].text);
		assert_text(reference.repository, cases[i].repository, cases[i].text);
		assert_text(reference.tag, cases[i].tag, cases[i].text);
		assert_text(reference.digest, cases[i].digest, cases[i].text);
		rendered = oci_reference_render(&reference);
		assert_text(rendered, cases[i].rendered, cases[i].text);
		oci_reference_release(&reference);
	}
}

static void test_oci_reference_parse__says_what_is_wrong_with_which_part(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "", "the name of the image is empty" },
		{ "docker://busybox", "leave 'docker://' out" },
		{ "https://registry:5000/x", "leave 'https://' out" },
		{ "team/Spark:1", "small letters" },
		{ "team//spark", "'team//spark' is no repository" },
		{ "/spark", "is no repository" },
		{ "registry:5000/", "is no repository" },
		{ "spark-", "is no repository" },
		{ "a___b", "is no repository" },
		{ "a..b", "is no repository" },
		{ "a b", "is no repository" },
		{ "registry:0/x", "'registry:0' is no host" },
		{ "registry:65536/x", "is no host" },
		{ "registry:/x", "is no host" },
		{ "-host.example/x", "is no host" },
		{ "host..example/x", "is no host" },
		{ "[::1/x", "is no host" },
		{ "[]:5/x", "is no host" },
		{ "spark:", "'' is no tag" },
		{ "spark:.x", "'.x' is no tag" },
		{ "spark:a b", "'a b' is no tag" },
		{ "spark@", "'' is no digest" },
		{ "spark@sha256:abc", "'sha256:abc' is no digest" },
		{ "spark@md5:" HEX64, "is no digest" },
		{ "spark@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		  "is no digest" },
		{ "spark\n:x", "image 'spark :x'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_reference reference = { 0 };
		scoped(error) struct error *err = NULL;

		assert_false(oci_reference_parse(cases[i].text, &reference, &err));

		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].reason);
		assert_null(reference.registry);
	}
}

static void test_oci_reference_parse__holds_names_to_their_lengths(void **state)
{
	static const struct {
		size_t repository, tag;
		bool is_good;
	} cases[] = { { 255, 128, true }, { 256, 128, false }, { 255, 129, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_reference reference = { 0 };
		char repository[257] = { 0 }, tag[130] = { 0 };
		scoped(text) char *text = NULL;

		memset(repository, 'a', cases[i].repository);
		memset(tag, 'b', cases[i].tag);
		text = text_printf("host.example/%s:%s", repository, tag);

		assert_int_equal(oci_reference_parse(text, &reference, NULL), cases[i].is_good);

		oci_reference_release(&reference);
	}
}

static void test_oci_reference_target__is_digest_then_tag_then_latest(void **state)
{
	char tag[] = "1", digest[] = SHA256;
	struct oci_reference reference = { .tag = tag, .digest = digest };

	(void)state;
	assert_string_equal(oci_reference_target(&reference), SHA256);
	reference.digest = NULL;
	assert_string_equal(oci_reference_target(&reference), "1");
	reference.tag = NULL;
	assert_string_equal(oci_reference_target(&reference), "latest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oci_reference_parse__takes_names_apart),
		cmocka_unit_test(test_oci_reference_parse__says_what_is_wrong_with_which_part),
		cmocka_unit_test(test_oci_reference_parse__holds_names_to_their_lengths),
		cmocka_unit_test(test_oci_reference_target__is_digest_then_tag_then_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
