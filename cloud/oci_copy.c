/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs from one registry to another, several at a time. */
#include <string.h>

#include "cloud/oci_copy_blob.h"
#include "cloud/oci_reference.h"
#include "cloud/oci_registry.h"
#include "cloud/oci_request.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"

#define PARALLEL 3
#define PROGRESS_MS 100
#define NEVER INT64_MAX

struct oci_copy {
	struct oci_copy_request request;
	struct oci_traffic traffic;
	struct oci_copy_blob *blobs;
	size_t count;
	int64_t progress_at_ms;
	struct loop_source *timer;
	oci_copy_ended *ended; /* NULL: somebody waits */
};

static void copy_free(struct oci_copy *copy)
{
	if (!copy)
		return;
	loop_cancel(copy->timer);
	for (size_t i = 0; i < copy->count; i++)
		oci_copy_blob_release(&copy->blobs[i]);
	free(copy->blobs);
	free(copy);
}

static bool is_known(const struct oci_copy *copy, const struct oci_blob *blob)
{
	for (size_t i = 0; i < copy->count; i++)
		if (text_equal(copy->blobs[i].blob->digest, blob->digest))
			return true;
	return false;
}

static bool check_blobs(const struct oci_copy_request *request, struct error **err)
{
	for (size_t i = 0; i < request->count; i++)
		if (!oci_is_digest(request->blobs[i].digest) || request->blobs[i].size_bytes < 0)
			return error_set(
				err, ERROR_INVALID, "%s/%s: '%s' with %lld bytes is no layer",
				oci_registry_host(request->from.registry), request->from.repository,
				request->blobs[i].digest, (long long)request->blobs[i].size_bytes);
	return true;
}

/* Blobs point to the copy's own request. */
static struct oci_copy *copy_new(struct http_client *http, const struct oci_copy_request *request)
{
	struct oci_copy *copy = xcalloc(1, sizeof(*copy));

	copy->request = *request;
	copy->traffic.http = http;
	copy->traffic.context = copy;
	copy->blobs = xcalloc(request->count, sizeof(*copy->blobs));
	for (size_t i = 0; i < request->count; i++)
		if (!is_known(copy, &request->blobs[i]))
			copy->blobs[copy->count++] =
				(struct oci_copy_blob){ .copy = &copy->request,
				                        .blob = &request->blobs[i],
				                        .traffic = &copy->traffic };
	return copy;
}

/* ---- steps ---- */

static bool is_active(const struct oci_copy_blob *blob)
{
	return blob->has_begun && blob->state != OCI_COPY_DONE;
}

static bool copy_step(struct oci_copy *copy, struct error **err)
{
	int left = copy->request.parallel > 0 ? copy->request.parallel : PARALLEL;

	for (size_t i = 0; i < copy->count; i++)
		left -= is_active(&copy->blobs[i]);
	for (size_t i = 0; i < copy->count; i++) {
		struct oci_copy_blob *blob = &copy->blobs[i];
		bool was_active = is_active(blob);

		if (!was_active && left <= 0)
			continue;
		if (!oci_copy_blob_step(blob, err))
			return false;
		left += was_active - is_active(blob);
	}
	return true;
}

static bool is_over(const struct oci_copy *copy)
{
	for (size_t i = 0; i < copy->count; i++)
		if (copy->blobs[i].state != OCI_COPY_DONE)
			return false;
	return true;
}

static bool tell_progress(struct oci_copy *copy, struct error **err)
{
	int64_t sent = 0, total = 0;

	if (!copy->request.progress || (loop_now_ms() < copy->progress_at_ms && !is_over(copy)))
		return true;
	copy->progress_at_ms = loop_now_ms() + PROGRESS_MS;
	for (size_t i = 0; i < copy->count; i++) {
		const struct oci_copy_blob *blob = &copy->blobs[i];

		if (blob->state == OCI_COPY_DONE && blob->result != OCI_COPY_SENT)
			continue;
		sent += oci_copy_blob_sent(blob);
		total += blob->blob->size_bytes;
	}
	return copy->request.progress(copy->request.context, sent, total) ||
	       error_set(err, ERROR_CANCELLED, "%s/%s: copying was stopped",
	                 oci_registry_host(copy->request.to.registry), copy->request.to.repository);
}

/* When the next step is due unless a stream has something to tell before. */
static int64_t next_at_ms(const struct oci_copy *copy)
{
	int64_t next_ms = copy->request.progress ? copy->progress_at_ms : NEVER;

	for (size_t i = 0; i < copy->count; i++) {
		const struct oci_copy_blob *blob = &copy->blobs[i];

		if (is_active(blob) && oci_copy_blob_is_due(blob) && blob->due_at_ms < next_ms)
			next_ms = blob->due_at_ms;
	}
	return next_ms;
}

static struct oci_copy_outcome outcome_of(const struct oci_copy *copy)
{
	struct oci_copy_outcome outcome = { 0 };

	for (size_t i = 0; i < copy->count; i++) {
		const struct oci_copy_blob *blob = &copy->blobs[i];

		if (blob->state != OCI_COPY_DONE)
			continue;
		outcome.present += blob->result == OCI_COPY_PRESENT;
		outcome.mounted += blob->result == OCI_COPY_MOUNTED;
		outcome.copied += blob->result == OCI_COPY_SENT;
		if (blob->result == OCI_COPY_SENT)
			outcome.copied_bytes += blob->blob->size_bytes;
	}
	return outcome;
}

/* ---- waiting ---- */

static void told_waiting(void *context)
{
	(void)context;
}

bool oci_blobs_copy(const struct oci_copy_request *request, struct oci_copy_outcome *outcome,
                    struct error **err)
{
	struct http_client *http = request->to.registry->http;
	struct oci_copy *copy;
	bool ok = true;

	if (!check_blobs(request, err))
		return false;
	copy = copy_new(http, request);
	copy->traffic.is_awaited = true;
	copy->traffic.told = told_waiting;
	while (ok) {
		int64_t next_ms;

		ok = copy_step(copy, err) && tell_progress(copy, err);
		if (!ok || is_over(copy))
			break;
		next_ms = next_at_ms(copy);
		http_await(http, next_ms == NEVER ? -1 : next_ms, -1);
	}
	if (ok)
		*outcome = outcome_of(copy);
	copy_free(copy);
	return ok;
}

/* ---- on the loop ---- */

static void timer_fired(void *context);

/* In so many milliseconds at most; NEVER: when there is something to see. */
static void arm(struct oci_copy *copy, int64_t at_ms)
{
	int64_t delay_ms = at_ms - loop_now_ms();

	loop_cancel(take(copy->timer));
	if (at_ms != NEVER)
		copy->timer = loop_start_timer(http_client_loop(copy->traffic.http),
		                               delay_ms > 0 ? delay_ms : 0, timer_fired, copy);
}

static void told_by_loop(void *context)
{
	arm(context, loop_now_ms());
}

static void timer_fired(void *context)
{
	struct oci_copy *copy = context;
	scoped(error) struct error *error = NULL;
	struct oci_copy_outcome outcome;

	copy->timer = NULL;
	if (copy_step(copy, &error) && tell_progress(copy, &error) && !is_over(copy)) {
		arm(copy, next_at_ms(copy));
		return;
	}
	outcome = outcome_of(copy);
	copy->ended(copy->request.context, &outcome, error);
	copy_free(copy);
}

struct oci_copy *oci_copy_start(struct http_client *http, const struct oci_copy_request *request,
                                oci_copy_ended *ended, struct error **err)
{
	struct oci_copy *copy;

	if (!check_blobs(request, err))
		return NULL;
	copy = copy_new(http, request);
	copy->traffic.told = told_by_loop;
	copy->ended = ended;
	arm(copy, loop_now_ms());
	return copy;
}

void oci_copy_cancel(struct oci_copy *copy)
{
	copy_free(copy);
}
