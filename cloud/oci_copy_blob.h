/* SPDX-License-Identifier: Apache-2.0 */
/* The way of one blob from one registry to another; a part of oci_blobs_copy(). */
#ifndef CLOUD_OCI_COPY_BLOB_H
#define CLOUD_OCI_COPY_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "cloud/oci_leg.h"
#include "cloud/oci_registry.h"
#include "core/error.h"
#include "core/http_pipe.h"

enum oci_copy_state {
	OCI_COPY_WAITING, /* for its turn, or for another try from the beginning */
	OCI_COPY_FLOWING, /* from the download through the pipe into the upload */
	OCI_COPY_ENDING,  /* the upload has it all; the registry looks at its digest */
	OCI_COPY_DONE,
};

enum oci_copy_result { OCI_COPY_PRESENT, OCI_COPY_MOUNTED, OCI_COPY_SENT };

/* Begins as { .copy …, .blob …, .traffic … }. */
struct oci_copy_blob {
	const struct oci_copy_request *copy;
	const struct oci_blob *blob;
	const struct oci_traffic *traffic;
	enum oci_copy_state state;
	enum oci_copy_result result; /* once it is done */
	bool has_begun;
	int64_t due_at_ms;        /* nothing is done before */
	char *session;            /* of the upload; its URL */
	bool is_session_doubtful; /* something broke: see what the registry still has */
	int64_t offset;           /* what the session had before the pipe */
	struct http_pipe *pipe;
	struct oci_leg in, out;
	int64_t in_from; /* where the download was to begin */
	bool in_was_checked, in_is_due;
	bool refuses_ranges; /* the source can only begin anew */
	int64_t furthest;    /* of all tries */
	int failures;        /* since it came further */
	char *texts[5];      /* what requests point to */
};
void oci_copy_blob_release(struct oci_copy_blob *blob);

/* Does what can be done now: short requests are waited for, streams started and looked at. */
bool oci_copy_blob_step(struct oci_copy_blob *blob, struct error **err);
/* It goes on at due_at_ms by itself; otherwise it waits for a stream to tell something. */
bool oci_copy_blob_is_due(const struct oci_copy_blob *blob);
/* What the target has of it, or will have unless something breaks. */
int64_t oci_copy_blob_sent(const struct oci_copy_blob *blob);

#endif
