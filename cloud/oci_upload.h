/* SPDX-License-Identifier: Apache-2.0 */
/* Upload sessions of a registry: a URL that bytes are sent to, which changes with each answer. */
#ifndef CLOUD_OCI_UPLOAD_H
#define CLOUD_OCI_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "cloud/oci_registry.h"
#include "core/error.h"
#include "core/http.h"

/* The session's URL, owned by the caller. */
char *oci_upload_start(const struct oci_place *place, struct error **err);
/* The same where the blob cannot be mounted from another repository; where it was, *session is
 * NULL. */
bool oci_upload_start_or_mount(const struct oci_place *place, const char *from_repository,
                               const char *digest, char **session, struct error **err);
/* How many bytes the session has, and its new URL in *session. False without an error: it is gone.
 */
bool oci_upload_find(const struct oci_place *place, char **session, int64_t *offset);
/* Whether it works or not: sessions time out by themselves. */
void oci_upload_cancel(const struct oci_place *place, const char *session);

/* From the answer to what was sent to `session`; NULL when it does not tell. Owned by the caller.
 */
char *oci_upload_location(const char *session, const struct http_response *response);
/* With the parameter that ends the upload. Owned by the caller. */
char *oci_upload_commit_url(const char *session, const char *digest);

#endif
