/* SPDX-License-Identifier: Apache-2.0 */
/* Registries on loopback are asked by TLS first: answers of fakes must name what they match. */
#include "tests/fakes/oci_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/oci_digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/test.h"

int oci_fixture_setup(void **state)
{
	struct oci_fixture *fixture = xcalloc(1, sizeof(*fixture));

	setenv("HOME", "/nonexistent", 1);
	unsetenv("DOCKER_CONFIG");
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CONFIG_HOME");
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	*state = fixture;
	return 0;
}

int oci_fixture_teardown(void **state)
{
	struct oci_fixture *fixture = *state;

	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture);
	return 0;
}

char *oci_fixture_host(const struct fake_http *fake)
{
	return text_printf("127.0.0.1:%d", fake_http_port(fake));
}

struct oci_registry *oci_fixture_open(const struct oci_fixture *fixture,
                                      const struct fake_http *fake,
                                      const struct oci_registry_options *options)
{
	struct oci_registry_options own =
		options ? *options : (struct oci_registry_options){ .anonymous = true };
	scoped(text) char *host = oci_fixture_host(fake);
	scoped(error) struct error *err = NULL;
	struct oci_registry *registry;

	own.host = host;
	registry = oci_registry_new(fixture->http, &own, &err);
	assert_ok(registry, err);
	return registry;
}

char *oci_fixture_digest(const char *text)
{
	return oci_digest_of(text, strlen(text));
}

size_t oci_fixture_count(struct fake_http *fake, const char *part)
{
	size_t count = 0;

	for (size_t i = 0; i < fake_http_requests(fake); i++) {
		scoped(text) char *request = fake_http_request(fake, i);

		count += strstr(request, part) != NULL;
	}
	return count;
}

char *oci_fixture_find(struct fake_http *fake, const char *part)
{
	for (size_t i = 0; i < fake_http_requests(fake); i++) {
		scoped(text) char *request = fake_http_request(fake, i);

		if (strstr(request, part))
			return take(request);
	}
	return NULL;
}
