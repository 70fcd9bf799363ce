/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/oci_auth: what is told to registries and their token services, and to whom. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/oci_registry.h"
#include "cloud/oci_token.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/oci_fixture.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define ANN_SECRET "Basic YW5uOnNlY3JldA=="

/* ---- requests and answers of token services ---- */

static void test_oci_token_url__asks_for_all_that_is_about_to_be_done(void **state)
{
	static const struct {
		const char *realm, *service;
		struct oci_scope scope;
		const char *url;
	} cases[] = {
		{ "https://auth/token",
		  "registry.io",
		  { "team/x", false, NULL },
		  "https://auth/token?service=registry.io&scope=repository%3Ateam%2Fx%3Apull" },
		{ "https://auth/token?a=b",
		  "r s",
		  { "x", true, NULL },
		  "https://auth/token?a=b&service=r%20s&scope=repository%3Ax%3Apull%2Cpush" },
		{ "https://auth/token",
		  NULL,
		  { "x", true, "base/y" },
		  "https://auth/token?scope=repository%3Ax%3Apull%2Cpush"
		  "&scope=repository%3Abase%2Fy%3Apull" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *realm = xstrdup(cases[i].realm);
		scoped(text) char *service = text_copy(cases[i].service);
		const struct oci_challenge challenge = { .realm = realm, .service = service };
		scoped(text) char *url = oci_token_url(&challenge, &cases[i].scope);

		assert_string_equal(url, cases[i].url);
	}
}

static void test_oci_token_parse__reads_both_kinds_of_answers(void **state)
{
	static const struct {
		const char *answer, *token;
		int64_t lifetime_ms;
	} cases[] = {
		{ "{\"token\":\"t\",\"expires_in\":300}", "t", 300000 },
		{ "{\"access_token\":\"a\"}", "a", 60000 },
		{ "{\"token\":\"\",\"access_token\":\"a\",\"expires_in\":1}", "a", 60000 },
		{ "{\"token\":\"t\",\"expires_in\":99999999}", "t", 86400000 },
		{ "{\"token\":\"t\\r\\nX-Evil: 1\"}", NULL, 0 },
		{ "{\"token\":7}", NULL, 0 },
		{ "{}", NULL, 0 },
		{ "<html>", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		int64_t lifetime_ms = 0;
		scoped(secret) char *token = oci_token_parse(
			cases[i].answer, strlen(cases[i].answer), &lifetime_ms, &err);

		assert_true(text_equal(token, cases[i].token));
		assert_int_equal(lifetime_ms, cases[i].lifetime_ms);
		assert_int_equal(!token, err != NULL);
	}
}

/* ---- a registry with a token service ---- */

/* A 401 that sends to /token of another server: the port is known once that listens. */
static char *bearer_challenge(const struct fake_http *tokens)
{
	scoped(text) char *realm = fake_http_url(tokens, "/token");
	scoped(text) char *header =
		text_printf("WWW-Authenticate: Bearer realm=\"%s\",service=\"reg\"\r\n", realm);

	return fake_http_json("401 Unauthorized", header,
	                      "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"who\"}]}");
}

static char *token_answer(const char *token)
{
	scoped(text) char *body = text_printf("{\"token\":\"%s\",\"expires_in\":300}", token);

	return fake_http_json("200 OK", NULL, body);
}

static bool exists(struct oci_registry *registry, const char *repository, struct error **err)
{
	const struct oci_place place = { .registry = registry, .repository = repository };
	scoped(text) char *digest = oci_fixture_digest("x");
	bool is_there = false;

	return oci_blob_exists(&place, digest, &is_there, err) && is_there;
}

static const struct oci_registry_options ann = { .user = "ann", .password = "secret" };

static void test_oci_auth__keeps_the_token_of_a_repository(void **state)
{
	scoped(text) char *token = token_answer("T1");
	const struct fake_http_answer token_answers[] = {
		{ .match = "GET /token", .bytes = token, .repeat = true },
	};
	scoped(fake_http) struct fake_http *tokens = fake_http_start(token_answers, 1, NULL);
	scoped(text) char *challenge = bearer_challenge(tokens);
	const struct fake_http_answer answers[] = {
		{ .match = "Authorization: Bearer T1\r\n", .bytes = OK, .repeat = true },
		{ .match = "HEAD /v2/", .bytes = challenge, .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, &ann);
	const struct oci_place place = { .registry = registry, .repository = "team/x" };
	char bytes[] = "{}", type[] = OCI_MANIFEST;
	const struct oci_manifest manifest = { .bytes = bytes, .size = 2, .media_type = type };
	scoped(error) struct error *err = NULL;
	scoped(text) char *request = NULL;

	assert_ok(exists(registry, "team/x", &err), err);
	assert_ok(exists(registry, "team/x", &err), err);
	assert_int_equal(oci_fixture_count(tokens, "GET /token"), 1);
	assert_ok(exists(registry, "team/y", &err), err);
	assert_int_equal(oci_fixture_count(tokens, "GET /token"), 2);
	assert_ok(oci_manifest_put(&place, "1", &manifest, &err), err);

	assert_int_equal(oci_fixture_count(tokens, "Apull%2Cpush "), 1);
	assert_int_equal(oci_fixture_count(tokens, "GET /token"), 3);
	request = oci_fixture_find(tokens,
	                           "/token?service=reg&scope=repository%3Ateam%2Fx%3Apull HTTP");
	assert_non_null(strstr(request, "Authorization: " ANN_SECRET "\r\n"));
}

static void test_oci_auth__asks_for_more_rights_to_push_and_to_mount(void **state)
{
	scoped(text) char *token = token_answer("T1");
	const struct fake_http_answer token_answers[] = {
		{ .match = "GET /token", .bytes = token, .repeat = true },
	};
	scoped(fake_http) struct fake_http *tokens = fake_http_start(token_answers, 1, NULL);
	scoped(text) char *challenge = bearer_challenge(tokens);
	const struct fake_http_answer answers[] = {
		{ .match = "POST /v2/team/x/blobs/uploads/?mount=",
		  .bytes = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" },
		{ .match = "Bearer T1\r\n", .bytes = OK, .repeat = true },
		{ .match = "HEAD /v2/", .bytes = challenge },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 3, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, &ann);
	const struct oci_place place = { .registry = registry, .repository = "team/x" };
	scoped(text) char *digest = oci_fixture_digest("x");
	scoped(error) struct error *err = NULL;
	bool mounted;

	assert_ok(exists(registry, "team/x", &err), err);
	assert_ok(oci_blob_mount(&place, "base/y", digest, &mounted, &err), err);
	assert_ok(exists(registry, "team/x", &err), err);

	assert_int_equal(oci_fixture_count(tokens, "scope=repository%3Ateam%2Fx%3Apull "), 1);
	assert_int_equal(oci_fixture_count(tokens, "%3Ateam%2Fx%3Apull%2Cpush&scope=repository%3A"
	                                           "base%2Fy%3Apull "),
	                 1);
	assert_int_equal(oci_fixture_count(tokens, "GET /token"), 2);
}

static void test_oci_auth__asks_for_a_new_token_when_one_is_refused(void **state)
{
	scoped(text) char *first = token_answer("T1");
	scoped(text) char *second = token_answer("T2");
	const struct fake_http_answer token_answers[] = {
		{ .match = "GET /token", .bytes = first },
		{ .match = "GET /token", .bytes = second },
	};
	scoped(fake_http) struct fake_http *tokens = fake_http_start(token_answers, 2, NULL);
	scoped(text) char *challenge = bearer_challenge(tokens);
	const struct fake_http_answer answers[] = {
		{ .match = "Bearer T1\r\n", .bytes = OK }, /* once: it has expired then */
		{ .match = "Bearer T2\r\n", .bytes = OK },
		{ .match = "HEAD /v2/", .bytes = challenge, .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 3, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, &ann);
	scoped(error) struct error *err = NULL;

	assert_ok(exists(registry, "x", &err), err);
	assert_ok(exists(registry, "x", &err), err);

	assert_int_equal(oci_fixture_count(tokens, "GET /token"), 2);
}

static void test_oci_auth__says_who_was_refused_and_keeps_the_password(void **state)
{
	scoped(text) char *refusal = fake_http_json(
		"401 Unauthorized", NULL,
		"{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"wrong password\"}]}");
	const struct fake_http_answer token_answers[] = { { .match = "GET /token",
		                                            .bytes = refusal } };
	scoped(fake_http) struct fake_http *tokens = fake_http_start(token_answers, 1, NULL);
	scoped(text) char *challenge = bearer_challenge(tokens);
	const struct fake_http_answer answers[] = {
		{ .match = "HEAD /v2/", .bytes = challenge, .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, &ann);
	scoped(error) struct error *err = NULL;
	scoped(text) char *text = NULL;

	assert_false(exists(registry, "x", &err));

	text = error_text(err);
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "the token service 'http://127.0.0.1:");
	assert_error_contains(err, "user 'ann' of the component's secret is not accepted");
	assert_error_contains(err, "wrong password");
	assert_null(strstr(text, "secret'"));
	assert_null(strstr(text, "YW5uOnNlY3JldA"));
}

static void test_oci_auth__says_that_anybody_is_not_let_in(void **state)
{
	scoped(text) char *token = token_answer("T1");
	const struct fake_http_answer token_answers[] = {
		{ .match = "GET /token", .bytes = token, .repeat = true },
	};
	scoped(fake_http) struct fake_http *tokens = fake_http_start(token_answers, 1, NULL);
	scoped(text) char *challenge = bearer_challenge(tokens);
	const struct fake_http_answer answers[] = {
		{ .match = "HEAD /v2/", .bytes = challenge, .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	scoped(error) struct error *err = NULL;
	scoped(text) char *request = NULL;

	assert_false(exists(registry, "x", &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "does not let just anybody pull from it");
	assert_error_contains(err, "--authentication_secret");
	request = oci_fixture_find(tokens, "GET /token");
	assert_null(strstr(request, "Authorization"));
	assert_int_equal(oci_fixture_count(fake, "HEAD /v2/"), 2);
}

static void test_oci_auth__exchanges_an_identity_token(void **state)
{
	char folder[] = "/tmp/stepop-auth-XXXXXX";
	scoped(text) char *token = token_answer("T1");
	const struct fake_http_answer token_answers[] = { { .match = "POST /token ",
		                                            .bytes = token } };
	scoped(fake_http) struct fake_http *tokens = fake_http_start(token_answers, 1, NULL);
	scoped(text) char *challenge = bearer_challenge(tokens);
	const struct fake_http_answer answers[] = {
		{ .match = "Bearer T1\r\n", .bytes = OK },
		{ .match = "HEAD /v2/", .bytes = challenge },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	static const struct oci_registry_options by_files;
	scoped(oci_registry) struct oci_registry *registry =
		oci_fixture_open(*state, fake, &by_files);
	scoped(text) char *host = oci_fixture_host(fake);
	scoped(text) char *config =
		text_printf("{\"auths\":{\"%s\":{\"identitytoken\":\"id/+&=\"}}}", host);
	scoped(text) char *path = NULL;
	scoped(error) struct error *err = NULL;
	scoped(text) char *request = NULL;

	assert_non_null(mkdtemp(folder));
	path = file_join(folder, "config.json");
	assert_true(file_write(path, config, strlen(config), 0600, NULL));
	setenv("DOCKER_CONFIG", folder, 1);

	assert_ok(exists(registry, "team/x", &err), err);

	request = oci_fixture_find(tokens, "POST /token ");
	assert_non_null(strstr(request, "Content-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(request, "grant_type=refresh_token&service=reg&client_id=stepop"
	                                "&scope=repository%3Ateam%2Fx%3Apull"
	                                "&refresh_token=id%2F%2B%26%3D"));
	file_remove_tree(folder, NULL);
}

/* ---- somebody else's passwords ---- */

struct ecr {
	int asked;
	int64_t expires_at_ms;
};

static bool authorize(void *context, const char *registry, char **user, char **password,
                      int64_t *expires_at_ms, struct error **err)
{
	struct ecr *ecr = context;

	if (!text_starts_with(registry, "127.0.0.1:"))
		return error_set(err, ERROR_INVALID, "another registry");
	*user = xstrdup("AWS");
	*password = text_printf("p%d", ++ecr->asked);
	*expires_at_ms = ecr->expires_at_ms;
	return true;
}

/* "AWS:p1", "AWS:p2" in base64. */
#define AWS_1 "Basic QVdTOnAx\r\n"
#define AWS_2 "Basic QVdTOnAy\r\n"
#define BASIC_401                                                                              \
	"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"e\"\r\nContent-Length: " \
	"0\r\n\r\n"

static void test_oci_auth__asks_the_hook_again_once_its_password_expires(void **state)
{
	static const struct {
		int64_t lifetime_ms; /* 0: for ever */
		int asked;
	} cases[] = { { 0, 1 }, { 3600000, 1 }, { 5000, 2 } };
	const struct fake_http_answer answers[] = {
		{ .match = AWS_1, .bytes = OK, .repeat = true },
		{ .match = AWS_2, .bytes = OK, .repeat = true },
		{ .match = "HEAD /v2/", .bytes = BASIC_401, .repeat = true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ecr ecr = { .expires_at_ms = cases[i].lifetime_ms
			                                    ? clock_now_ms() + cases[i].lifetime_ms
			                                    : 0 };
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 3, NULL);
		scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(
			*state, fake,
			&(struct oci_registry_options){ .authorize = authorize,
		                                        .authorize_context = &ecr });
		scoped(error) struct error *err = NULL;

		assert_ok(exists(registry, "x", &err), err);
		assert_ok(exists(registry, "x", &err), err);

		assert_int_equal(ecr.asked, cases[i].asked);
	}
}

static void test_oci_auth__asks_the_hook_again_when_its_password_is_refused(void **state)
{
	struct ecr ecr = { 0 };
	const struct fake_http_answer answers[] = {
		{ .match = AWS_1, .bytes = OK },
		{ .match = AWS_2, .bytes = OK },
		{ .match = "HEAD /v2/", .bytes = BASIC_401, .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 3, NULL);
	scoped(oci_registry) struct oci_registry *registry =
		oci_fixture_open(*state, fake,
	                         &(struct oci_registry_options){ .authorize = authorize,
	                                                         .authorize_context = &ecr });
	scoped(error) struct error *err = NULL;

	assert_ok(exists(registry, "x", &err), err);
	assert_ok(exists(registry, "x", &err), err);

	assert_int_equal(ecr.asked, 2);
}

static void test_oci_auth__sends_no_password_to_a_token_service_without_tls(void **state)
{
	scoped(fake_ca) struct fake_ca *ca = fake_ca_new();
	struct fake_certificate certificate = fake_ca_issue(ca, "IP:127.0.0.1", 3600);
	const struct fake_http_options tls = { .certificate = &certificate };
	scoped(fake_http) struct fake_http *tokens = fake_http_start(NULL, 0, NULL);
	scoped(text) char *challenge = bearer_challenge(tokens);
	const struct fake_http_answer answers[] = { { .match = "HEAD /v2/", .bytes = challenge } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, &tls);
	struct oci_registry_options options = ann;
	scoped(oci_registry) struct oci_registry *registry = NULL;
	scoped(error) struct error *err = NULL;

	options.ca_pem = fake_ca_pem(ca);
	registry = oci_fixture_open(*state, fake, &options);

	assert_false(exists(registry, "x", &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "is without TLS: passwords are not sent there");
	assert_int_equal(fake_http_requests(tokens), 0);
	fake_certificate_release(&certificate);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, oci_fixture_setup, oci_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_oci_token_url__asks_for_all_that_is_about_to_be_done),
		TEST(test_oci_token_parse__reads_both_kinds_of_answers),
		TEST(test_oci_auth__keeps_the_token_of_a_repository),
		TEST(test_oci_auth__asks_for_more_rights_to_push_and_to_mount),
		TEST(test_oci_auth__asks_for_a_new_token_when_one_is_refused),
		TEST(test_oci_auth__says_who_was_refused_and_keeps_the_password),
		TEST(test_oci_auth__says_that_anybody_is_not_let_in),
		TEST(test_oci_auth__exchanges_an_identity_token),
		TEST(test_oci_auth__asks_the_hook_again_once_its_password_expires),
		TEST(test_oci_auth__asks_the_hook_again_when_its_password_is_refused),
		TEST(test_oci_auth__sends_no_password_to_a_token_service_without_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
