/* SPDX-License-Identifier: Apache-2.0 */
/* A kube_client whose API server is scripted. */
#include "tests/fakes/fake_kube.h"

void fake_kube_open(struct fake_kube *kube, const struct fake_http_answer *answers, size_t count)
{
	struct kube_config *config = xcalloc(1, sizeof(*config));

	kube->server = fake_http_start(answers, count, NULL);
	kube->loop = loop_new();
	kube->http = http_client_new(kube->loop);
	config->server = fake_http_url(kube->server, "");
	config->namespace = xstrdup("spark");
	config->context = xstrdup("test");
	config->source = xstrdup("a file");
	kube->client = kube_client_new_take(kube->http, config);
}

void fake_kube_close(struct fake_kube *kube)
{
	kube_client_free(kube->client);
	http_client_free(kube->http);
	loop_free(kube->loop);
	fake_http_free(kube->server);
}
