/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log streams. Every line comes with its timestamp, so that after a cut the log can be read on from
 * the last second: the API's sinceTime has whole seconds only, hence what was told is skipped here.
 * An answer that ends well may still be a node or a proxy that went away: only the pod knows
 * whether its container has ended.
 */
#include <string.h>

#include "core/log.h"
#include "core/text.h"
#include "submit/kube_backoff.h"
#include "submit/kube_lines.h"
#include "submit/kube_request.h"
#include "submit/kube_stream.h"

#define LINE_LIMIT_BYTES ((size_t)1 << 20)
#define REFUSAL_LIMIT_BYTES ((size_t)64 << 10)
#define WAITING_MS 1000
/* Then the log is given up: about half a minute of back-off. */
#define TRIES 10

struct kube_log_stream {
	struct kube_client *client;
	char *namespace, *pod, *container;
	char *pod_path;
	const struct kube_log_events *events;
	void *context;
	struct http_transfer *transfer;
	struct loop_source *timer;
	bool follow;        /* the container may still write */
	bool asks_pod;      /* the next request is for the pod, not its log */
	char *since;        /* the last second of which lines were told */
	size_t since_count; /* so many */
	size_t skip_count;  /* of them still to come again */
	bool skipping;      /* the line at hand was told before */
	struct kube_lines lines;
	char *refusal;
	size_t refusal_size;
	int status;
	struct kube_backoff backoff;
	bool renews, renewed;
	int telling;
	bool cancelled;
};

static void proceed(struct kube_log_stream *stream);

static void stream_free(struct kube_log_stream *stream)
{
	kube_lines_release(&stream->lines);
	free(stream->namespace);
	free(stream->pod);
	free(stream->container);
	free(stream->pod_path);
	free(stream->since);
	free(stream->refusal);
	free(stream);
}

static void enter(struct kube_log_stream *stream)
{
	stream->telling++;
}

static void leave(struct kube_log_stream *stream)
{
	if (!--stream->telling && stream->cancelled)
		stream_free(stream);
}

void kube_log_stream_cancel(struct kube_log_stream *stream)
{
	if (!stream)
		return;
	stream->cancelled = true;
	http_cancel(take(stream->transfer));
	loop_cancel(take(stream->timer));
	if (!stream->telling)
		stream_free(stream);
}

/* ---- the end, or the next try ---- */

static void end(struct kube_log_stream *stream, const struct error *reason)
{
	scoped(error) struct error *error = error_copy(reason);

	if (stream->cancelled)
		return;
	if (error)
		error_wrap(&error, "read the log of pod '%s' in namespace '%s'", stream->pod,
		           stream->namespace);
	stream->events->ended(stream->context, error);
	stream->cancelled = true;
}

static void timer_fired(void *context)
{
	struct kube_log_stream *stream = context;

	stream->timer = NULL;
	enter(stream);
	proceed(stream);
	leave(stream);
}

static void again_in(struct kube_log_stream *stream, int64_t delay_ms)
{
	if (!stream->cancelled)
		stream->timer = loop_start_timer(kube_client_loop(stream->client), delay_ms,
		                                 timer_fired, stream);
}

static void again_or_end(struct kube_log_stream *stream, const struct error *error)
{
	if (error_is_retryable(error) && stream->backoff.tries < TRIES)
		again_in(stream, kube_backoff_next(&stream->backoff));
	else
		end(stream, error);
}

/* The kubelet's words for "not yet". */
static bool is_early(int status, const char *body)
{
	return status == 400 && body &&
	       (strstr(body, "is waiting to start") ||
	        strstr(body, "does not have a host assigned"));
}

static void handle_refusal(struct kube_log_stream *stream, int status, const char *body,
                           size_t size)
{
	scoped(error) struct error *error = NULL;

	if (is_early(status, body) && stream->follow) {
		again_in(stream, WAITING_MS);
		return;
	}
	if (status == 401 && !stream->renewed) {
		stream->renews = stream->renewed = true;
		again_in(stream, 0);
		return;
	}
	kube_status_error(status, body ? body : "", size, &error);
	again_or_end(stream, error);
}

static void handle_silence(struct kube_log_stream *stream, const struct error *reason)
{
	scoped(error) struct error *error = error_copy(reason);

	kube_client_explain(stream->client, &error);
	again_or_end(stream, error);
}

/* ---- lines ---- */

#define SECOND_SIZE (sizeof("2006-01-02T15:04:05") - 1)

/* "2006-01-02T15:04:05.123+02:00" without its fraction; owned by the caller. */
static char *whole_second(const char *time)
{
	const char *zone = time + SECOND_SIZE;

	if (*zone == '.')
		zone += 1 + strspn(zone + 1, "0123456789");
	return text_printf("%.*s%s", (int)SECOND_SIZE, time, zone);
}

/*
 * Lines within the last second are counted: that many come again when the stream is resumed. Two
 * writers of one container may be a little out of order: an earlier line does not come again.
 */
static bool was_told(struct kube_log_stream *stream, const char *time)
{
	int order = stream->since ? strncmp(time, stream->since, SECOND_SIZE) : 1;

	if (order >= 0 && stream->skip_count) {
		stream->skip_count--;
		return true;
	}
	if (order > 0) {
		free(stream->since);
		stream->since = whole_second(time);
		stream->since_count = 0;
	}
	if (order >= 0)
		stream->since_count++;
	return false;
}

/* Two blanks never begin a time, and the kubelet's own complaints have none. */
static size_t time_length(const char *line, size_t size)
{
	const char *blank = memchr(line, ' ', size < 64 ? size : 64);
	size_t length = blank ? (size_t)(blank - line) : size;

	return length >= 20 && length < 64 && line[4] == '-' && line[10] == 'T' ? length : 0;
}

static bool handle_line(void *context, const char *line, size_t size, bool starts)
{
	struct kube_log_stream *stream = context;

	if (starts) {
		size_t length = time_length(line, size);

		stream->skipping = false;
		if (length) {
			scoped(text) char *time = xstrndup(line, length);

			stream->skipping = was_told(stream, time);
			length += length < size;
		}
		line += length;
		size -= length;
	}
	kube_backoff_reset(&stream->backoff);
	if (!stream->skipping && !stream->cancelled)
		stream->events->line(stream->context, line, size);
	return !stream->cancelled;
}

static void log_head(void *context, int status, const struct http_response *head)
{
	struct kube_log_stream *stream = context;

	(void)head;
	stream->status = status;
}

static void keep_refusal(struct kube_log_stream *stream, const char *bytes, size_t size)
{
	if (size > REFUSAL_LIMIT_BYTES - stream->refusal_size)
		size = REFUSAL_LIMIT_BYTES - stream->refusal_size;
	stream->refusal = xrealloc(stream->refusal, stream->refusal_size + size + 1, 1);
	memcpy(stream->refusal + stream->refusal_size, bytes, size);
	stream->refusal_size += size;
	stream->refusal[stream->refusal_size] = '\0';
}

static bool log_data(void *context, const char *bytes, size_t size)
{
	struct kube_log_stream *stream = context;
	bool goes_on = true;

	if (stream->status >= 300) {
		keep_refusal(stream, bytes, size);
		return true;
	}
	enter(stream);
	goes_on = kube_lines_feed(&stream->lines, bytes, size, handle_line, stream);
	leave(stream);
	return goes_on;
}

static void handle_log_end(struct kube_log_stream *stream, const struct error *error)
{
	if (stream->status >= 300) {
		handle_refusal(stream, stream->status, stream->refusal, stream->refusal_size);
		return;
	}
	if (error && !stream->status) {
		handle_silence(stream, error);
		return;
	}
	if (error) { /* cut: read on */
		again_in(stream, kube_backoff_next(&stream->backoff));
		return;
	}
	stream->renewed = false;
	if (stream->follow) {
		stream->asks_pod = true;
		again_in(stream, 0);
		return;
	}
	if (kube_lines_end(&stream->lines, handle_line, stream))
		end(stream, NULL);
}

static void log_ended(void *context, const struct http_response *response,
                      const struct error *error)
{
	struct kube_log_stream *stream = context;

	(void)response;
	stream->transfer = NULL;
	enter(stream);
	handle_log_end(stream, error);
	leave(stream);
}

static const struct http_events log_events = { log_head, log_data, log_ended };

/* ---- the pod ---- */

/* The state of the container whose log this is: "running", "waiting", "terminated"; or NULL. */
static const char *container_state(const struct kube_log_stream *stream, const json_t *pod)
{
	const json_t *statuses =
		json_object_get(json_object_get(pod, "status"), "containerStatuses");
	const json_t *state = NULL;
	json_t *status;
	size_t i;

	json_array_foreach (statuses, i, status) {
		const char *name = json_string_value(json_object_get(status, "name"));

		if (!stream->container || text_equal(name, stream->container))
			state = json_object_get(status, "state");
	}
	return state ? json_object_iter_key(json_object_iter((json_t *)state)) : NULL;
}

static void handle_pod(struct kube_log_stream *stream, const struct http_response *response)
{
	json_auto_t *pod = json_loadb(response->body, response->body_size, 0, NULL);
	const char *phase =
		json_string_value(json_object_get(json_object_get(pod, "status"), "phase"));
	bool is_over = response->status == 404 || text_equal(phase, "Succeeded") ||
	               text_equal(phase, "Failed") ||
	               text_equal(container_state(stream, pod), "terminated");

	stream->asks_pod = false;
	/* Whoever may not read pods has the stream's word only. */
	if (response->status == 404 || response->status == 403) {
		if (kube_lines_end(&stream->lines, handle_line, stream))
			end(stream, NULL);
		return;
	}
	if (response->status >= 300) {
		stream->asks_pod = true;
		handle_refusal(stream, response->status, response->body, response->body_size);
		return;
	}
	stream->follow = !is_over; /* the last read shows what the broken stream did not */
	again_in(stream, is_over ? 0 : kube_backoff_next(&stream->backoff));
}

static void pod_ended(void *context, const struct http_response *response,
                      const struct error *error)
{
	struct kube_log_stream *stream = context;

	stream->transfer = NULL;
	enter(stream);
	if (error)
		handle_silence(stream, error);
	else
		handle_pod(stream, response);
	leave(stream);
}

static const struct http_events pod_events = { .ended = pod_ended };

/* ---- what is next ---- */

static struct http_transfer *start_log(struct kube_log_stream *stream, struct error **err)
{
	scoped(text) char *path = text_printf("%s/log", stream->pod_path);
	struct kube_query *query = kube_query_new(path);
	scoped(text) char *url = NULL;

	kube_query_add(query, "container", stream->container);
	kube_query_add(query, "follow", stream->follow ? "true" : NULL);
	kube_query_add(query, "timestamps", "true");
	kube_query_add(query, "sinceTime", stream->since);
	url = kube_query_finish(query);
	stream->skip_count = stream->since_count;
	kube_lines_reset(&stream->lines);
	free(take(stream->refusal));
	stream->refusal_size = 0;
	stream->status = 0;
	return kube_client_start(stream->client, url, stream->renews, 0, &log_events, stream, err);
}

static void proceed(struct kube_log_stream *stream)
{
	scoped(error) struct error *error = NULL;

	stream->transfer = stream->asks_pod ? kube_client_start(stream->client, stream->pod_path,
	                                                        stream->renews, 30000, &pod_events,
	                                                        stream, &error)
	                                    : start_log(stream, &error);
	stream->renews = false;
	if (!stream->transfer)
		again_or_end(stream, error);
}

struct kube_log_stream *kube_log_stream_start(struct kube_client *client, const char *namespace,
                                              const char *pod, const char *container, bool follow,
                                              const struct kube_log_events *events, void *context,
                                              struct error **err)
{
	struct kube_log_stream *stream;
	char *path;

	namespace = namespace ? namespace : kube_client_config(client)->namespace;
	path = kube_path(&kube_pods, namespace, pod, err);
	if (!path)
		return NULL;
	stream = xcalloc(1, sizeof(*stream));
	stream->client = client;
	stream->namespace = xstrdup(namespace);
	stream->pod = xstrdup(pod);
	stream->container = text_copy(container);
	stream->pod_path = path;
	stream->events = events;
	stream->context = context;
	stream->follow = follow;
	stream->lines = (struct kube_lines){ .limit_bytes = LINE_LIMIT_BYTES, .cuts = true };
	stream->timer = loop_start_timer(kube_client_loop(client), 0, timer_fired, stream);
	return stream;
}
