/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/oci_registry: manifests and blobs, and what registries do that they should not. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/oci_registry.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/oci_fixture.h"

#define MANIFEST "{\"mediaType\":\"" OCI_MANIFEST "\",\"layers\":[]}"
#define REFUSAL(code) "{\"errors\":[{\"code\":\"" code "\",\"message\":\"said\"}]}"
#define EMPTY(status, headers) "HTTP/1.1 " status "\r\n" headers "Content-Length: 0\r\n\r\n"

static char *manifest_answer(const char *type, const char *digest)
{
	scoped(text) char *headers = text_printf("%s%s%s", digest ? "Docker-Content-Digest: " : "",
	                                         digest ? digest : "", digest ? "\r\n" : "");

	return text_printf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n%s",
	                   type, headers, strlen(MANIFEST), MANIFEST);
}

static struct oci_place place_at(struct oci_registry *registry)
{
	return (struct oci_place){ .registry = registry, .repository = "team/spark" };
}

/* ---- manifests ---- */

static void test_oci_manifest_get__gives_the_bytes_as_they_are(void **state)
{
	scoped(text) char *digest = oci_fixture_digest(MANIFEST);
	scoped(text) char *answer = manifest_answer(OCI_MANIFEST "; charset=utf-8", digest);
	const struct fake_http_answer answers[] = {
		{ .match = "GET /v2/team/spark/manifests/3.5.9 ", .bytes = answer },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };
	scoped(error) struct error *err = NULL;
	scoped(text) char *request = NULL;

	assert_ok(oci_manifest_get(&place, "3.5.9", &manifest, &err), err);

	assert_string_equal(manifest.bytes, MANIFEST);
	assert_int_equal(manifest.size, strlen(MANIFEST));
	assert_string_equal(manifest.media_type, OCI_MANIFEST);
	assert_string_equal(manifest.digest, digest);
	request = oci_fixture_find(fake, "GET /v2/");
	assert_non_null(strstr(request, "Accept: " OCI_MANIFEST ", " OCI_INDEX ", " DOCKER_MANIFEST
	                                ", " DOCKER_INDEX "\r\n"));
	assert_null(strstr(request, "Authorization"));
	oci_manifest_release(&manifest);
}

static void test_oci_manifest_get__refuses_what_does_not_have_the_digest(void **state)
{
	scoped(text) char *other = oci_fixture_digest("something else");
	scoped(text) char *digest = oci_fixture_digest(MANIFEST);
	scoped(text) char *lies = manifest_answer(OCI_MANIFEST, other);
	scoped(text) char *right = manifest_answer(OCI_MANIFEST, digest);
	const struct fake_http_answer answers[] = {
		{ .match = "/manifests/latest", .bytes = lies },
		{ .match = "/manifests/sha256:", .bytes = right },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	const char *const references[] = { "latest", other };

	for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
		struct oci_manifest manifest = { 0 };
		scoped(error) struct error *err = NULL;

		assert_false(oci_manifest_get(&place, references[i], &manifest, &err));

		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "does not have the digest sha256:");
	}
}

static void test_oci_manifest_get__reads_the_type_where_the_head_does_not_tell(void **state)
{
	scoped(text) char *answer = manifest_answer("application/json", NULL);
	const struct fake_http_answer answers[] = { { .match = "GET /v2/", .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };
	scoped(text) char *digest = oci_fixture_digest(MANIFEST);

	assert_true(oci_manifest_get(&place, "1", &manifest, NULL));

	assert_string_equal(manifest.media_type, OCI_MANIFEST);
	assert_string_equal(manifest.digest, digest);
	oci_manifest_release(&manifest);
}

static void test_oci_manifest_get__asks_for_tags_and_digests_only(void **state)
{
	scoped(fake_http) struct fake_http *fake = fake_http_start(NULL, 0, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };
	scoped(error) struct error *err = NULL;

	assert_false(oci_manifest_get(&place, "../../x/manifests/1", &manifest, &err));

	assert_error_contains(err, "is neither a tag nor a digest");
	assert_int_equal(fake_http_requests(fake), 0);
}

static void test_oci_manifest_head__tells_digest_and_size_without_the_bytes(void **state)
{
	scoped(text) char *digest = oci_fixture_digest(MANIFEST);
	scoped(text) char *answer =
		text_printf("HTTP/1.1 200 OK\r\nContent-Type: " DOCKER_INDEX "\r\n"
	                    "Docker-Content-Digest: %s\r\nContent-Length: 77\r\n\r\n",
	                    digest);
	const struct fake_http_answer answers[] = { { .match = "HEAD /v2/", .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };

	assert_true(oci_manifest_head(&place, "1", &manifest, NULL));

	assert_null(manifest.bytes);
	assert_int_equal(manifest.size, 77);
	assert_string_equal(manifest.digest, digest);
	assert_string_equal(manifest.media_type, DOCKER_INDEX);
	oci_manifest_release(&manifest);
}

static void test_oci_manifest_head__computes_a_digest_that_is_not_told(void **state)
{
	scoped(text) char *digest = oci_fixture_digest(MANIFEST);
	scoped(text) char *answer = manifest_answer(OCI_MANIFEST, NULL);
	const struct fake_http_answer answers[] = {
		{ .match = "HEAD /v2/",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Type: " OCI_MANIFEST "\r\n"
		           "Content-Length: 9\r\n\r\n" },
		{ .match = "GET /v2/", .bytes = answer },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };

	assert_true(oci_manifest_head(&place, "1", &manifest, NULL));

	assert_string_equal(manifest.digest, digest);
	assert_int_equal(manifest.size, strlen(MANIFEST));
	assert_null(manifest.bytes);
	oci_manifest_release(&manifest);
}

static void test_oci_manifest_head__says_that_there_is_none(void **state)
{
	const struct fake_http_answer answers[] = {
		{ .match = "HEAD /v2/",
		  .bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n" },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(
		*state, fake,
		&(struct oci_registry_options){ .anonymous = true,
	                                        .component = "container registry 'lab'" });
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };
	scoped(error) struct error *err = NULL;

	assert_false(oci_manifest_head(&place, "1", &manifest, &err));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "container registry 'lab': 127.0.0.1:");
	assert_error_contains(err, "/team/spark, manifest '1'");
}

static void test_oci_manifest_put__sends_it_by_tag_or_by_digest(void **state)
{
	const struct fake_http_answer answers[] = {
		{ .match = "PUT /v2/", .bytes = EMPTY("201 Created", ""), .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	char bytes[] = MANIFEST, type[] = OCI_MANIFEST;
	const struct oci_manifest manifest = { .bytes = bytes,
		                               .size = strlen(bytes),
		                               .media_type = type };
	scoped(text) char *digest = oci_fixture_digest(MANIFEST);
	scoped(text) char *by_digest = text_printf("PUT /v2/team/spark/manifests/%s ", digest);
	scoped(error) struct error *err = NULL;
	scoped(text) char *request = NULL;

	assert_ok(oci_manifest_put(&place, "1.0", &manifest, &err), err);
	assert_ok(oci_manifest_put(&place, NULL, &manifest, &err), err);

	request = oci_fixture_find(fake, "PUT /v2/team/spark/manifests/1.0 ");
	assert_non_null(strstr(request, "Content-Type: " OCI_MANIFEST "\r\n"));
	assert_non_null(strstr(request, "\r\n\r\n" MANIFEST));
	assert_int_equal(oci_fixture_count(fake, by_digest), 1);
}

static void test_oci_manifest_put__tells_a_refused_type_from_other_refusals(void **state)
{
	static const struct {
		const char *status, *body;
		enum error_kind kind;
		const char *says;
	} cases[] = {
		{ "400 Bad Request", REFUSAL("MANIFEST_INVALID"), ERROR_UNSUPPORTED,
		  "manifest '1' of type '" OCI_MANIFEST "': the registry does not" },
		{ "415 Unsupported Media Type", "", ERROR_UNSUPPORTED,
		  "manifest '1' of type '" OCI_MANIFEST "': the registry does not" },
		{ "404 Not Found", REFUSAL("MANIFEST_BLOB_UNKNOWN"), ERROR_NOT_FOUND,
		  "names a layer that is not in the repository" },
		{ "403 Forbidden", REFUSAL("DENIED"), ERROR_AUTH, "push to it" },
	};
	char bytes[] = MANIFEST, type[] = OCI_MANIFEST;
	const struct oci_manifest manifest = { .bytes = bytes,
		                               .size = strlen(bytes),
		                               .media_type = type };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *answer = fake_http_json(cases[i].status, NULL, cases[i].body);
		const struct fake_http_answer answers[] = { { .match = "PUT /v2/",
			                                      .bytes = answer } };
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
		scoped(oci_registry) struct oci_registry *registry =
			oci_fixture_open(*state, fake, NULL);
		const struct oci_place place = place_at(registry);
		scoped(error) struct error *err = NULL;

		assert_false(oci_manifest_put(&place, "1", &manifest, &err));

		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].says);
	}
}

/* ---- tries and redirects ---- */

static void test_oci_registry__asks_again_when_it_is_told_to_wait(void **state)
{
	scoped(text) char *answer = manifest_answer(OCI_MANIFEST, NULL);
	const struct fake_http_answer answers[] = {
		{ .match = "GET /v2/", .bytes = EMPTY("429 Too Many", "Retry-After: 1\r\n") },
		{ .match = "GET /v2/",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf",
		  .after = FAKE_CLOSE },
		{ .match = "GET /v2/", .bytes = answer },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 3, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };
	scoped(error) struct error *err = NULL;
	int64_t before_ms = loop_now_ms();

	assert_ok(oci_manifest_get(&place, "1", &manifest, &err), err);

	assert_true(loop_now_ms() - before_ms >= 1000);
	oci_manifest_release(&manifest);
}

static void test_oci_registry__gives_up_what_is_limited_for_long(void **state)
{
	scoped(text) char *answer =
		fake_http_json("429 Too Many", "Retry-After: 3600\r\n", REFUSAL("TOOMANYREQUESTS"));
	const struct fake_http_answer answers[] = {
		{ .match = "GET /v2/", .bytes = answer, .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };
	scoped(error) struct error *err = NULL;

	assert_false(oci_manifest_get(&place, "1", &manifest, &err));

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "rate limit is reached");
	assert_int_equal(oci_fixture_count(fake, "GET /v2/"), 1);
}

static void test_oci_blob_get__does_not_say_who_asks_where_it_is_sent_to(void **state)
{
	const char *const blob = "a config";
	scoped(text) char *digest = oci_fixture_digest(blob);
	scoped(text) char *content = fake_http_json("200 OK", NULL, blob);
	const struct fake_http_answer cdn_answers[] = { { .match = "GET /cdn", .bytes = content } };
	scoped(fake_http) struct fake_http *cdn = fake_http_start(cdn_answers, 1, NULL);
	scoped(text) char *url = fake_http_url(cdn, "/cdn?signature=x%2By");
	scoped(text) char *redirect = text_printf(
		"HTTP/1.1 307 Temporary\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", url);
	const struct fake_http_answer answers[] = {
		{ .match = "Authorization: Basic YW5uOnNlY3JldA==", .bytes = redirect },
		{ .match = "GET /v2/",
		  .bytes = EMPTY("401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"\r\n") },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(
		*state, fake,
		&(struct oci_registry_options){ .user = "ann", .password = "secret" });
	const struct oci_place place = place_at(registry);
	const struct oci_blob wanted = { .digest = digest, .size_bytes = (int64_t)strlen(blob) };
	scoped(error) struct error *err = NULL;
	scoped(text) char *bytes = oci_blob_get(&place, &wanted, &err);
	scoped(text) char *request = NULL;

	assert_ok(bytes, err);
	assert_string_equal(bytes, blob);
	request = oci_fixture_find(cdn, "GET /cdn?signature=x%2By ");
	assert_non_null(request);
	assert_null(strstr(request, "Authorization"));
}

static void test_oci_registry__follows_no_circle_of_redirects(void **state)
{
	const struct fake_http_answer answers[] = {
		{ .match = "GET /v2/",
		  .bytes = EMPTY("307 Temporary", "Location: /v2/again\r\n"),
		  .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };
	scoped(error) struct error *err = NULL;

	assert_false(oci_manifest_get(&place, "1", &manifest, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "sends us from one address to the next");
}

static void test_oci_registry__does_not_leave_tls(void **state)
{
	scoped(fake_ca) struct fake_ca *ca = fake_ca_new();
	struct fake_certificate certificate = fake_ca_issue(ca, "IP:127.0.0.1", 3600);
	const struct fake_http_options tls = { .certificate = &certificate };
	const struct fake_http_answer answers[] = {
		{ .match = "GET /v2/",
		  .bytes = EMPTY("307 Temporary", "Location: http://127.0.0.1:1/x\r\n") },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, &tls);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(
		*state, fake,
		&(struct oci_registry_options){ .anonymous = true, .ca_pem = fake_ca_pem(ca) });
	const struct oci_place place = place_at(registry);
	struct oci_manifest manifest = { 0 };
	scoped(error) struct error *err = NULL;

	assert_false(oci_manifest_get(&place, "1", &manifest, &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "sends us to an address without TLS");
	fake_certificate_release(&certificate);
}

/* ---- blobs ---- */

static void test_oci_blob_exists__tells_absence_from_failure(void **state)
{
	scoped(text) char *digest = oci_fixture_digest("x");
	static const struct {
		const char *answer;
		bool ok, exists;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, true },
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n", true, false },
		{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\n", false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_http_answer answers[] = { { .match = "HEAD /v2/team/spark/blobs/",
			                                      .bytes = cases[i].answer } };
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
		scoped(oci_registry) struct oci_registry *registry =
			oci_fixture_open(*state, fake, NULL);
		const struct oci_place place = place_at(registry);
		bool exists = false;

		assert_int_equal(oci_blob_exists(&place, digest, &exists, NULL), cases[i].ok);
		assert_int_equal(exists, cases[i].exists);
	}
}

static void test_oci_blob_get__refuses_other_bytes(void **state)
{
	scoped(text) char *digest = oci_fixture_digest("right");
	static const char *const bodies[] = { "wrong", "right and more" };

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		scoped(text) char *answer = fake_http_json("200 OK", NULL, bodies[i]);
		const struct fake_http_answer answers[] = { { .match = "GET /v2/",
			                                      .bytes = answer } };
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
		scoped(oci_registry) struct oci_registry *registry =
			oci_fixture_open(*state, fake, NULL);
		const struct oci_place place = place_at(registry);
		const struct oci_blob blob = { .digest = digest, .size_bytes = 5 };
		scoped(error) struct error *err = NULL;

		assert_null(oci_blob_get(&place, &blob, &err));

		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "is not what has this digest");
	}
}

static void test_oci_blob_push__sends_bytes_to_where_the_registry_says(void **state)
{
	static const char *const locations[] = {
		"/v2/team/spark/blobs/uploads/7?_state=a%3D",
		"7?_state=a%3D",
	};
	scoped(text) char *digest = oci_fixture_digest("layer");
	scoped(text) char *escaped = http_escape(digest, false);
	scoped(text) char *put =
		text_printf("PUT /v2/team/spark/blobs/uploads/7?_state=a%%3D&digest=%s ", escaped);

	for (size_t i = 0; i < ARRAY_SIZE(locations); i++) {
		scoped(text) char *accepted = text_printf(
			"HTTP/1.1 202 Accepted\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
			locations[i]);
		const struct fake_http_answer answers[] = {
			{ .match = "POST /v2/team/spark/blobs/uploads/ ", .bytes = accepted },
			{ .match = put, .bytes = EMPTY("201 Created", "") },
		};
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
		scoped(oci_registry) struct oci_registry *registry =
			oci_fixture_open(*state, fake, NULL);
		const struct oci_place place = place_at(registry);
		const struct oci_blob blob = { .digest = digest,
			                       .size_bytes = 5,
			                       .bytes = "layer" };
		scoped(error) struct error *err = NULL;
		scoped(text) char *request = NULL;

		assert_ok(oci_blob_push(&place, &blob, &err), err);

		request = oci_fixture_find(fake, put);
		assert_non_null(strstr(request, "\r\n\r\nlayer"));
		assert_non_null(strstr(request, "Content-Type: application/octet-stream\r\n"));
	}
}

static void test_oci_blob_push__begins_anew_from_a_file_when_the_upload_breaks(void **state)
{
	const struct fake_http_answer answers[] = {
		{ .match = "POST /v2/", .bytes = EMPTY("202 Accepted", "Location: /up/1\r\n") },
		{ .match = "PUT /up/1?digest", .bytes = "", .after = FAKE_CLOSE },
		{ .match = "POST /v2/", .bytes = EMPTY("202 Accepted", "Location: /up/2\r\n") },
		{ .match = "PUT /up/2?digest", .bytes = EMPTY("503 Busy", "") },
		{ .match = "POST /v2/", .bytes = EMPTY("202 Accepted", "Location: /up/3\r\n") },
		{ .match = "PUT /up/3?digest", .bytes = EMPTY("201 Created", "") },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	scoped(text) char *digest = oci_fixture_digest("layer");
	scoped(file) FILE *file = tmpfile();
	const struct oci_blob blob = { .digest = digest, .size_bytes = 5, .fd = fileno(file) };
	scoped(error) struct error *err = NULL;
	scoped(text) char *request = NULL;

	fputs("layer", file);
	fflush(file);

	assert_ok(oci_blob_push(&place, &blob, &err), err);

	request = oci_fixture_find(fake, "PUT /up/3");
	assert_non_null(strstr(request, "\r\n\r\nlayer"));
}

static void test_oci_blob_push__says_that_the_digest_is_not_that_of_the_bytes(void **state)
{
	scoped(text) char *refusal =
		fake_http_json("400 Bad Request", NULL, REFUSAL("DIGEST_INVALID"));
	const struct fake_http_answer answers[] = {
		{ .match = "POST /v2/", .bytes = EMPTY("202 Accepted", "Location: /up/1\r\n") },
		{ .match = "PUT /up/1", .bytes = refusal },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	scoped(text) char *digest = oci_fixture_digest("other");
	const struct oci_blob blob = { .digest = digest, .size_bytes = 5, .bytes = "layer" };
	scoped(error) struct error *err = NULL;

	assert_false(oci_blob_push(&place, &blob, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "what was sent does not have its digest");
}

static void test_oci_blob_mount__is_no_failure_when_it_is_declined(void **state)
{
	static const struct {
		const char *answer;
		bool mounted;
		size_t cancelled;
	} cases[] = {
		{ EMPTY("201 Created", ""), true, 0 },
		{ EMPTY("202 Accepted", "Location: /up/1\r\n"), false, 1 },
		{ EMPTY("405 Not Allowed", ""), false, 1 },
	};
	scoped(text) char *digest = oci_fixture_digest("layer");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_http_answer answers[] = {
			{ .match = "POST /v2/team/spark/blobs/uploads/?mount=sha256%3A",
			  .bytes = cases[i].answer },
			{ .match = "POST /v2/team/spark/blobs/uploads/ ",
			  .bytes = EMPTY("202 Accepted", "Location: /up/2\r\n") },
			{ .match = "DELETE /up/", .bytes = EMPTY("204 No Content", "") },
		};
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 3, NULL);
		scoped(oci_registry) struct oci_registry *registry =
			oci_fixture_open(*state, fake, NULL);
		const struct oci_place place = place_at(registry);
		scoped(error) struct error *err = NULL;
		bool mounted = !cases[i].mounted;

		assert_ok(oci_blob_mount(&place, "base/spark", digest, &mounted, &err), err);

		assert_int_equal(mounted, cases[i].mounted);
		assert_int_equal(oci_fixture_count(fake, "DELETE /up/"), cases[i].cancelled);
		assert_int_equal(oci_fixture_count(fake, "&from=base%2Fspark "), 1);
	}
}

/* ---- options ---- */

static void test_oci_registry_new__refuses_what_is_no_host(void **state)
{
	static const char *const hosts[] = { "https://registry:5000", "registry/team", "", "a b" };
	struct oci_fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		const struct oci_registry_options options = { .host = hosts[i] };
		scoped(error) struct error *err = NULL;

		assert_null(oci_registry_new(fixture->http, &options, &err));

		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "is no host of a registry");
	}
}

static void test_oci_place_check__gives_the_upload_up_again(void **state)
{
	const struct fake_http_answer answers[] = {
		{ .match = "GET /v2/team/spark/tags/list?n=1 ", .bytes = EMPTY("404 None", "") },
		{ .match = "POST /v2/", .bytes = EMPTY("202 Accepted", "Location: /up/1\r\n") },
		{ .match = "DELETE /up/1", .bytes = EMPTY("204 No Content", "") },
		{ .match = "POST /v2/", .bytes = EMPTY("403 Forbidden", "") },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 4, NULL);
	scoped(oci_registry) struct oci_registry *registry = oci_fixture_open(*state, fake, NULL);
	const struct oci_place place = place_at(registry);
	scoped(error) struct error *err = NULL;

	assert_ok(oci_place_check(&place, false, &err), err);
	assert_ok(oci_place_check(&place, true, &err), err);
	assert_int_equal(oci_fixture_count(fake, "DELETE /up/1"), 1);
	assert_false(oci_place_check(&place, true, &err));

	assert_int_equal(err->kind, ERROR_AUTH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, oci_fixture_setup, oci_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_oci_manifest_get__gives_the_bytes_as_they_are),
		TEST(test_oci_manifest_get__refuses_what_does_not_have_the_digest),
		TEST(test_oci_manifest_get__reads_the_type_where_the_head_does_not_tell),
		TEST(test_oci_manifest_get__asks_for_tags_and_digests_only),
		TEST(test_oci_manifest_head__tells_digest_and_size_without_the_bytes),
		TEST(test_oci_manifest_head__computes_a_digest_that_is_not_told),
		TEST(test_oci_manifest_head__says_that_there_is_none),
		TEST(test_oci_manifest_put__sends_it_by_tag_or_by_digest),
		TEST(test_oci_manifest_put__tells_a_refused_type_from_other_refusals),
		TEST(test_oci_registry__asks_again_when_it_is_told_to_wait),
		TEST(test_oci_registry__gives_up_what_is_limited_for_long),
		TEST(test_oci_blob_get__does_not_say_who_asks_where_it_is_sent_to),
		TEST(test_oci_registry__follows_no_circle_of_redirects),
		TEST(test_oci_registry__does_not_leave_tls),
		TEST(test_oci_blob_exists__tells_absence_from_failure),
		TEST(test_oci_blob_get__refuses_other_bytes),
		TEST(test_oci_blob_push__sends_bytes_to_where_the_registry_says),
		TEST(test_oci_blob_push__begins_anew_from_a_file_when_the_upload_breaks),
		TEST(test_oci_blob_push__says_that_the_digest_is_not_that_of_the_bytes),
		TEST(test_oci_blob_mount__is_no_failure_when_it_is_declined),
		TEST(test_oci_registry_new__refuses_what_is_no_host),
		TEST(test_oci_place_check__gives_the_upload_up_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
