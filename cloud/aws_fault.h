/* SPDX-License-Identifier: Apache-2.0 */
/* What a service of AWS refused: its code and words, and what they mean to us. */
#ifndef CLOUD_AWS_FAULT_H
#define CLOUD_AWS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

/* Owned texts; NULL where nothing is said. */
struct aws_fault {
	char *code;    /* "ResourceNotFoundException", without name space */
	char *message; /* one printable line, without a full stop */
};
/* Reads the JSON of newer services and the XML of older ones; anything else gives none. */
void aws_fault_parse(const char *body, size_t size, struct aws_fault *fault);
void aws_fault_release(struct aws_fault *fault);

/* Worth another try after a while. */
bool aws_fault_is_passing(const struct aws_fault *fault, int status);
/* The credentials were valid once: new ones may help. */
bool aws_fault_is_expiry(const struct aws_fault *fault);

/*
 * "no such secret … (ResourceNotFoundException); what to do". The kind comes from the code, else
 * from the status. What is said of a wrong signature is left out: it repeats the request, session
 * token and all. Returns NULL, like error_set().
 */
void *aws_fault_set(const struct aws_fault *fault, int status, struct error **err);

#endif
