/* SPDX-License-Identifier: Apache-2.0 */
/* A kube_client whose API server is a scripted fake_http. */
#ifndef TESTS_FAKES_FAKE_KUBE_H
#define TESTS_FAKES_FAKE_KUBE_H

#include "core/loop.h"
#include "submit/kube_client.h"
#include "tests/fakes/fake_http.h"

struct fake_kube {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *client;
	struct fake_http *server;
};

/* The answers are borrowed. The client's namespace is "spark", its context "test" of "a file". */
void fake_kube_open(struct fake_kube *kube, const struct fake_http_answer *answers, size_t count);
void fake_kube_close(struct fake_kube *kube);
#define FAKE_KUBE(name) __attribute__((__cleanup__(fake_kube_close))) struct fake_kube name = { 0 }

#endif
