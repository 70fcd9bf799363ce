/* SPDX-License-Identifier: Apache-2.0 */
/* One blob: a download, a pipe, an upload, and what is done when one of them breaks. */
#include "cloud/oci_copy_blob.h"

#include <strings.h>

#include "cloud/oci_error.h"
#include "cloud/oci_upload.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"

#define PIPE_BYTES ((size_t)256 << 10)

enum { TEXT_THING, TEXT_PATH, TEXT_RANGE, TEXT_CONTENT_RANGE, TEXT_COMMIT };

static const char *keep(struct oci_copy_blob *blob, int which, char *text)
{
	free(blob->texts[which]);
	return blob->texts[which] = text;
}

static void stop_streams(struct oci_copy_blob *blob)
{
	oci_leg_stop(&blob->in);
	oci_leg_stop(&blob->out);
	http_pipe_free(take(blob->pipe));
}

void oci_copy_blob_release(struct oci_copy_blob *blob)
{
	stop_streams(blob);
	free(take(blob->session));
	for (size_t i = 0; i < ARRAY_SIZE(blob->texts); i++)
		free(take(blob->texts[i]));
}

int64_t oci_copy_blob_sent(const struct oci_copy_blob *blob)
{
	return blob->pipe ? blob->offset + http_pipe_sent(blob->pipe) : blob->offset;
}

static bool is_done(struct oci_copy_blob *blob, enum oci_copy_result result)
{
	stop_streams(blob);
	blob->state = OCI_COPY_DONE;
	blob->result = result;
	blob->offset = blob->blob->size_bytes;
	return true;
}

/* ---- from the beginning ---- */

static void drop_session(struct oci_copy_blob *blob)
{
	free(take(blob->session));
	blob->is_session_doubtful = false;
	blob->offset = 0;
}

/* Takes `error`: tries again from what the registry has, later, or gives up. */
static bool restart(struct oci_copy_blob *blob, struct error *error, struct error **err)
{
	int64_t sent = oci_copy_blob_sent(blob), delay_ms;

	stop_streams(blob);
	if (sent > blob->furthest)
		blob->failures = 0;
	blob->furthest = sent > blob->furthest ? sent : blob->furthest;
	if (!oci_is_worth_another_try(++blob->failures, error, NULL, &delay_ms))
		return error_pass(err, error);
	error_free(error);
	blob->state = OCI_COPY_WAITING;
	blob->due_at_ms = loop_now_ms() + delay_ms;
	blob->is_session_doubtful = blob->session;
	if (blob->refuses_ranges)
		drop_session(blob);
	return true;
}

static bool is_same_registry(const struct oci_copy_request *copy)
{
	return !strcasecmp(oci_registry_host(copy->from.registry),
	                   oci_registry_host(copy->to.registry));
}

/* An upload to send to; without one where the registry has mounted the blob instead. */
static bool open_session(struct oci_copy_blob *blob, struct error **err)
{
	const struct oci_copy_request *copy = blob->copy;

	if (blob->is_session_doubtful && !oci_upload_find(&copy->to, &blob->session, &blob->offset))
		drop_session(blob);
	blob->is_session_doubtful = false;
	if (blob->session)
		return true;
	if (is_same_registry(copy))
		return oci_upload_start_or_mount(&copy->to, copy->from.repository,
		                                 blob->blob->digest, &blob->session, err);
	blob->session = oci_upload_start(&copy->to, err);
	return blob->session;
}

static bool start_in(struct oci_copy_blob *blob, struct error **err)
{
	blob->in_from = blob->offset + http_pipe_received(blob->pipe);
	keep(blob, TEXT_RANGE, text_printf("bytes=%lld-", (long long)blob->in_from));
	blob->in.request.range = blob->in_from ? blob->texts[TEXT_RANGE] : NULL;
	blob->in_was_checked = false;
	return oci_leg_start(&blob->in, blob->traffic, err);
}

static bool start_end(struct oci_copy_blob *blob, struct error **err)
{
	oci_leg_stop(&blob->in);
	oci_leg_stop(&blob->out);
	blob->state = OCI_COPY_ENDING;
	blob->out.request = (struct oci_request){
		.place = blob->copy->to,
		.method = "PUT",
		.url = keep(blob, TEXT_COMMIT,
		            oci_upload_commit_url(blob->session, blob->blob->digest)),
		.thing = blob->texts[TEXT_THING],
		.push = true,
		.timeout_ms = OCI_COMMIT_TIMEOUT_MS,
	};
	return oci_leg_start(&blob->out, blob->traffic, err);
}

static bool start_flow(struct oci_copy_blob *blob, struct error **err)
{
	blob->state = OCI_COPY_FLOWING;
	blob->pipe = http_pipe_new(PIPE_BYTES);
	blob->in.request = (struct oci_request){
		.place = blob->copy->from,
		.path = keep(blob, TEXT_PATH, text_printf("blobs/%s", blob->blob->digest)),
		.thing = blob->texts[TEXT_THING],
		.pipe = blob->pipe,
		.is_stream = true,
	};
	return start_in(blob, err);
}

static bool step_waiting(struct oci_copy_blob *blob, struct error **err)
{
	bool exists;

	keep(blob, TEXT_THING, text_printf("layer '%s'", blob->blob->digest));
	if (!blob->session) {
		if (!oci_blob_exists(&blob->copy->to, blob->blob->digest, &exists, err))
			return false;
		if (exists)
			return is_done(blob, blob->has_begun ? OCI_COPY_SENT : OCI_COPY_PRESENT);
	}
	blob->has_begun = true;
	if (!open_session(blob, err))
		return false;
	if (!blob->session)
		return is_done(blob, OCI_COPY_MOUNTED);
	if (blob->offset >= blob->blob->size_bytes)
		return start_end(blob, err);
	return start_flow(blob, err);
}

/* ---- the flow ---- */

static bool start_out(struct oci_copy_blob *blob, struct error **err)
{
	int64_t size = blob->blob->size_bytes;
	char *range = text_printf("%lld-%lld", (long long)blob->offset, (long long)size - 1);

	keep(blob, TEXT_CONTENT_RANGE, range);
	blob->out.request = (struct oci_request){
		.place = blob->copy->to,
		.method = "PATCH",
		.url = blob->session,
		.thing = blob->texts[TEXT_THING],
		.push = true,
		.content_type = "application/octet-stream",
		/* As docker has it: a blob that comes in one piece has none. */
		.content_range = blob->offset ? range : NULL,
		.body_pipe = blob->pipe,
		.body_size = (size_t)(size - blob->offset),
		.is_stream = true,
		.is_once = true,
	};
	return oci_leg_start(&blob->out, blob->traffic, err);
}

static struct error *no_ranges(const struct oci_copy_blob *blob)
{
	struct error *error = NULL;

	error_set(&error, ERROR_UNAVAILABLE,
	          "%s/%s, %s: the registry cannot go on in the middle of a layer",
	          oci_registry_host(blob->copy->from.registry), blob->copy->from.repository,
	          blob->in.request.thing);
	return error;
}

static void *wrong_size(const struct oci_copy_blob *blob, int64_t size, struct error **err)
{
	return error_set(err, ERROR_INVALID,
	                 "%s/%s, %s: the registry gives %lld bytes, the manifest says %lld; it is "
	                 "damaged, or not to be trusted",
	                 oci_registry_host(blob->copy->from.registry), blob->copy->from.repository,
	                 blob->in.request.thing, (long long)size,
	                 (long long)blob->blob->size_bytes);
}

/* The download's head: it must promise just what is missing. */
static bool check_in(struct oci_copy_blob *blob, struct error **err)
{
	const struct oci_leg *in = &blob->in;

	blob->in_was_checked = true;
	if (blob->in_from && in->status == 200) {
		blob->refuses_ranges = true;
		return restart(blob, no_ranges(blob), err);
	}
	if (in->length_bytes >= 0 && blob->in_from + in->length_bytes != blob->blob->size_bytes)
		return wrong_size(blob, blob->in_from + in->length_bytes, err);
	return blob->out.transfer || start_out(blob, err);
}

/* The download is over, or has to be asked for again, from where it broke. */
static bool in_over(struct oci_copy_blob *blob, struct error **err)
{
	struct oci_leg *in = &blob->in;
	int64_t received = blob->offset + http_pipe_received(blob->pipe), delay_ms;
	bool is_whole = !in->error && oci_is_success(&in->response);

	if (is_whole && received != blob->blob->size_bytes)
		return wrong_size(blob, received, err);
	in->has_ended = false;
	if (is_whole)
		return true;
	if (received > blob->in_from)
		in->exchange.failures = 0;
	switch (oci_leg_judge(in, &delay_ms, err)) {
	case OCI_FAILED:
		return false;
	case OCI_ANSWERED:
		return oci_refused(&in->request, &in->response, err);
	case OCI_AGAIN:
		break;
	}
	blob->due_at_ms = loop_now_ms() + delay_ms;
	blob->in_is_due = true;
	return true;
}

/* The registry has taken all, or the upload is broken. */
static bool out_over(struct oci_copy_blob *blob, struct error **err)
{
	struct oci_leg *out = &blob->out;
	struct error *error = NULL;
	int64_t delay_ms;
	char *session;

	switch (oci_leg_judge(out, &delay_ms, &error)) {
	case OCI_FAILED:
		return restart(blob, error, err);
	case OCI_AGAIN: /* what was sent already cannot be sent again: 401 in the middle */
		error_set(&error, ERROR_UNAVAILABLE, "the registry asked again who we are");
		return restart(blob, error, err);
	case OCI_ANSWERED:
		break;
	}
	if (!oci_is_success(&out->response)) {
		oci_refused(&out->request, &out->response, &error);
		return restart(blob, error, err);
	}
	session = oci_upload_location(blob->session, &out->response);
	if (session) {
		free(blob->session);
		blob->session = session;
	}
	return start_end(blob, err);
}

static bool step_flowing(struct oci_copy_blob *blob, struct error **err)
{
	const struct oci_leg *in = &blob->in;

	if (blob->out.has_ended)
		return out_over(blob, err);
	if (blob->in_is_due) {
		blob->in_is_due = false;
		return start_in(blob, err);
	}
	if (in->has_head && !blob->in_was_checked && in->status / 100 == 2 && !check_in(blob, err))
		return false;
	return !in->has_ended || in_over(blob, err);
}

/* ---- the end ---- */

static bool step_ending(struct oci_copy_blob *blob, struct error **err)
{
	struct oci_leg *out = &blob->out;
	struct error *error = NULL;
	int64_t delay_ms;

	if (!out->has_ended)
		return out->transfer || oci_leg_start(out, blob->traffic, err);
	out->has_ended = false;
	switch (oci_leg_judge(out, &delay_ms, &error)) {
	case OCI_AGAIN:
		blob->due_at_ms = loop_now_ms() + delay_ms;
		return true;
	case OCI_FAILED:
		break;
	case OCI_ANSWERED:
		if (oci_is_success(&out->response))
			return is_done(blob, OCI_COPY_SENT);
		oci_refused(&out->request, &out->response, &error);
		break;
	}
	/* An answer that was lost may have been a good one: the next try begins by looking. */
	drop_session(blob);
	return restart(blob, error, err);
}

bool oci_copy_blob_is_due(const struct oci_copy_blob *blob)
{
	switch (blob->state) {
	case OCI_COPY_WAITING:
		return true;
	case OCI_COPY_FLOWING:
		return blob->in_is_due;
	case OCI_COPY_ENDING:
		return !blob->out.transfer;
	case OCI_COPY_DONE:
		break;
	}
	return false;
}

bool oci_copy_blob_step(struct oci_copy_blob *blob, struct error **err)
{
	if (loop_now_ms() < blob->due_at_ms)
		return true;
	switch (blob->state) {
	case OCI_COPY_WAITING:
		return step_waiting(blob, err);
	case OCI_COPY_FLOWING:
		return step_flowing(blob, err);
	case OCI_COPY_ENDING:
		return step_ending(blob, err);
	case OCI_COPY_DONE:
		break;
	}
	return true;
}
