/* SPDX-License-Identifier: Apache-2.0 */
/* The moments at which waiting for a pod's start ends. */
#include "submit/pod_patience.h"

#include "core/text.h"

#define PULL_PATIENCE_MS 30000
#define NEVER (-1)

void pod_patience_begin(struct pod_patience *patience, int64_t start_timeout_ms, int64_t now_ms)
{
	*patience = (struct pod_patience){
		.start_by_ms = start_timeout_ms ? now_ms + start_timeout_ms : NEVER,
		.hopeless_at_ms = NEVER,
	};
}

static bool is_pull_problem(const char *reason)
{
	return text_equal(reason, "ErrImagePull") || text_equal(reason, "ImagePullBackOff");
}

void pod_patience_see(struct pod_patience *patience, const struct pod_status *status,
                      int64_t now_ms)
{
	if (status->phase != POD_PENDING)
		patience->start_by_ms = patience->hopeless_at_ms = NEVER;
	else if (!is_pull_problem(status->reason))
		patience->hopeless_at_ms = status->hopeless ? now_ms : NEVER;
	else if (patience->hopeless_at_ms == NEVER)
		patience->hopeless_at_ms = now_ms + PULL_PATIENCE_MS;
}

int64_t pod_patience_deadline_ms(const struct pod_patience *patience)
{
	if (patience->start_by_ms == NEVER || patience->hopeless_at_ms == NEVER)
		return patience->start_by_ms == NEVER ? patience->hopeless_at_ms
		                                      : patience->start_by_ms;
	return patience->hopeless_at_ms < patience->start_by_ms ? patience->hopeless_at_ms
	                                                        : patience->start_by_ms;
}

static bool is_past(int64_t moment_ms, int64_t now_ms)
{
	return moment_ms != NEVER && moment_ms <= now_ms;
}

enum pod_patience_verdict pod_patience_judge(const struct pod_patience *patience, int64_t now_ms)
{
	if (is_past(patience->hopeless_at_ms, now_ms))
		return POD_HOPELESS;
	return is_past(patience->start_by_ms, now_ms) ? POD_START_TIMED_OUT : POD_PATIENCE_LEFT;
}
