/* SPDX-License-Identifier: Apache-2.0 */
/* Pods that satisfy a Pod Security Standard (kubernetes.io/docs/concepts/security/
 * pod-security-standards): their security contexts filled in, and what contradicts it refused. */
#ifndef SUBMIT_POD_SECURITY_H
#define SUBMIT_POD_SECURITY_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"

enum pod_security {
	POD_SECURITY_NONE,       /* "none": pods are what Spark makes them */
	POD_SECURITY_RESTRICTED, /* "restricted" */
};
/* USAGE for any other name. */
bool pod_security_parse(const char *name, enum pod_security *security, struct error **err);
/* For tables of options: whether pod_security_parse() takes it. */
bool pod_security_check(const char *name, struct error **err);

/* The user of Spark's own images (ARG spark_uid of its Dockerfile). */
#define POD_SECURITY_SPARK_USER 185

/*
 * Makes `pod` (a Pod with spec.containers) "restricted": no root, no privileges, no capabilities,
 * the runtime's seccomp profile, in every container and init container. What it says already is
 * kept where the standard allows it; where it does not, INVALID names all such fields.
 *
 * `container`, one of the pod's, is Spark's. It runs as POD_SECURITY_SPARK_USER unless pod or
 * container name a user: an image may name its own user by a word, and the kubelet then cannot tell
 * that it is not root. Where the pod has claims, or `has_claims` says that it will, fsGroup is that
 * user, too, unless it is set: a file system that is new belongs to root.
 */
bool pod_security_restrict(json_t *pod, json_t *container, bool has_claims, struct error **err);

/* Whether volumes of this type ("emptyDir") are allowed. */
bool pod_security_allows_volume(const char *type);

#endif
