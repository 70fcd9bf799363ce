/* SPDX-License-Identifier: Apache-2.0 */
/* One half of a copy: a stream from or to a registry, and what came of it. */
#ifndef CLOUD_OCI_LEG_H
#define CLOUD_OCI_LEG_H

#include <stdbool.h>

#include "cloud/oci_request.h"
#include "core/error.h"
#include "core/http.h"

/* Whose streams they are: the loop's, or those of somebody who waits; told() is called when there
 * is something new to be seen. */
struct oci_traffic {
	struct http_client *http;
	bool is_awaited;
	void (*told)(void *context);
	void *context;
};

/* Begins as { 0 }. */
struct oci_leg {
	struct oci_request request;
	struct oci_exchange exchange;
	const struct oci_traffic *traffic;
	struct http_transfer *transfer; /* NULL: it is not under way */
	bool has_head, has_ended;
	int status;                    /* once it has its head */
	int64_t length_bytes;          /* likewise; -1: not told */
	struct http_response response; /* once it has ended */
	struct error *error;           /* likewise, unless it was answered in full */
};

/* Sends leg->request, again if it was sent before; the request must stay as it is. Waits for a
 * token at most. */
bool oci_leg_start(struct oci_leg *leg, const struct oci_traffic *traffic, struct error **err);
/* What is to be done about a leg that has ended; see oci_exchange_judge(). */
enum oci_verdict oci_leg_judge(struct oci_leg *leg, int64_t *delay_ms, struct error **err);
/* Whatever its state is; it is { 0 } then. */
void oci_leg_stop(struct oci_leg *leg);

#endif
