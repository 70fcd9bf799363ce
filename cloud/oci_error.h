/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry refused, as an error that says what to do; and what is worth another try. */
#ifndef CLOUD_OCI_ERROR_H
#define CLOUD_OCI_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"

/* What was asked, for messages. Borrowed. */
struct oci_subject {
	const char *place; /* "registry:5000/team/spark" */
	const char *thing; /* "manifest '3.5.9'"; or NULL */
	const char *who;   /* "user 'ann' of '/root/.docker/config.json'"; NULL: anonymous */
	bool push;
};

/* For an answer that is no success, by the code of its JSON (OCI distribution specification, "Error
 * codes"), or else by its status. Returns NULL, like error_set(). */
void *oci_error_set(struct error **err, const struct oci_subject *subject,
                    const struct http_response *response);

#define OCI_TRIES 4
/* Whether to ask again after so many tries (1: it was the first), and when: 5xx, 408, 429 (when the
 * registry says, 30 s at most), a lost connection (`error`; the response is not read then). */
bool oci_is_worth_another_try(int tries, const struct error *error,
                              const struct http_response *response, int64_t *delay_ms);

#endif
