/* SPDX-License-Identifier: Apache-2.0 */
/* Submits applications through the queue and follows them. */
#include "cli/submit_run.h"

#include <signal.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/follower.h"
#include "submit/kube_object.h"
#include "submit/spark_upload.h"
#include "submit/submission.h"
#include "submit/submission_lookup.h"
#include "submit/submission_queue.h"

#define LOG_TAIL_BYTES 4096
/* With more than that, single applications are told of only when they fail. */
#define MANY 20

enum submitted_state {
	SUBMITTED_WAITING, /* not sent yet */
	SUBMITTED_REFUSED,
	SUBMITTED_SENT, /* and nobody waits for it */
	SUBMITTED_PENDING,
	SUBMITTED_RUNNING,
	SUBMITTED_SUCCEEDED,
	SUBMITTED_FAILED,
	SUBMITTED_GIVEN_UP,
};

struct submitted {
	struct submit_run *run;
	enum submitted_state state;
	char *namespace, *pod, *container, *id;
	bool wants_wait;
	bool has_exit_code;
	int exit_code;
	char *reason;
	int64_t sent_at_ms, ended_at_ms; /* monotonic */
	struct error *error;             /* of REFUSED, GIVEN_UP */
};

struct submit_run {
	const struct submit_run_options *options;
	struct submission_queue *queue;
	struct follower *follower;
	struct submitted *items;
	size_t count, next, ended;
	char *trouble; /* what was last said of it; NULL: all is well */
	int signal_number;
};

static const char *state_name(enum submitted_state state)
{
	static const char *const names[] = {
		[SUBMITTED_WAITING] = "waiting", [SUBMITTED_REFUSED] = "not submitted",
		[SUBMITTED_SENT] = "submitted",  [SUBMITTED_PENDING] = "pending",
		[SUBMITTED_RUNNING] = "running", [SUBMITTED_SUCCEEDED] = "succeeded",
		[SUBMITTED_FAILED] = "failed",   [SUBMITTED_GIVEN_UP] = "not started",
	};

	return names[state];
}

json_t *submit_run_objects(struct cluster *cluster, struct spark_app *app, json_t *warnings,
                           struct error **err)
{
	json_t *objects;

	if (!spark_upload_prepare(app, cluster ? cluster->http : NULL, warnings, err))
		return NULL;
	objects = driver_objects_build(app, err);
	if (objects)
		driver_objects_warn(app, objects, warnings);
	return objects;
}

static bool is_quiet(const struct submit_run *run)
{
	return argument_switch(run->options->arguments, "quiet");
}

/* "spark:pi-driver: running on node-1" */
static void say(const struct submitted *item, const char *detail)
{
	if (is_quiet(item->run))
		return;
	fprintf(stderr, "%s: %s%s%s\n", item->id ? item->id : "an application",
	        state_name(item->state), detail ? ": " : "", detail ? detail : "");
}

static bool is_worth_saying(const struct submit_run *run)
{
	return run->count <= MANY || argument_switch(run->options->arguments, "verbose");
}

/* How far many are, after each that ended. */
static void say_count(const struct submit_run *run)
{
	if (is_quiet(run) || is_worth_saying(run))
		return;
	if (run->ended == run->count || run->ended % 50 == 0)
		fprintf(stderr, "%zu of %zu are done\n", run->ended, run->count);
}

static void end_item(struct submitted *item, enum submitted_state state)
{
	item->state = state;
	item->ended_at_ms = loop_now_ms();
	item->run->ended++;
	say_count(item->run);
}

static bool name_item(struct submitted *item, const struct spark_app *app, const json_t *objects,
                      struct error **err)
{
	item->namespace = xstrdup(app->namespace);
	item->pod = spark_app_driver_name(app);
	item->id = text_printf("%s:%s", item->namespace, item->pod);
	item->container = text_copy(driver_objects_container(objects));
	return spark_conf_get_bool(app->conf, "spark.kubernetes.submission.waitAppCompletion", true,
	                           &item->wants_wait, err);
}

static json_t *objects_of(struct submitted *item, size_t index, struct error **err)
{
	const struct submit_run_options *options = item->run->options;
	json_auto_t *warnings = json_array();
	scoped(driver_objects) json_t *objects = NULL;
	struct spark_app app;

	if (submit_source_app(options->source, index, &app, err))
		objects = submit_run_objects(options->cluster, &app, warnings, err);
	if (objects && !name_item(item, &app, objects, err))
		driver_objects_free(take(objects));
	spark_app_release(&app);
	return take(objects);
}

static void refuse(struct submitted *item, struct error *error)
{
	scoped(text) char *text = error_text(error);
	scoped(text) char *advice = submission_advice(error, item->namespace, NULL);

	item->error = error;
	end_item(item, SUBMITTED_REFUSED);
	if (is_quiet(item->run))
		return;
	say(item, text);
	if (advice)
		fprintf(stderr, "What to do: %s\n", advice);
}

static json_t *next(void *context, void **item_out)
{
	struct submit_run *run = context;

	while (run->next < run->count) {
		struct submitted *item = &run->items[run->next];
		struct error *err = NULL;
		json_t *objects = objects_of(item, run->next++, &err);

		if (objects) {
			*item_out = item;
			return objects;
		}
		refuse(item, err);
	}
	return NULL;
}

static void submitted(void *context, void *item_in, const json_t *pod)
{
	struct submit_run *run = context;
	struct submitted *item = item_in;

	item->sent_at_ms = loop_now_ms();
	item->state = SUBMITTED_SENT;
	if (is_worth_saying(run))
		say(item, NULL);
	if (!item->wants_wait)
		end_item(item, SUBMITTED_SENT);
	else
		follower_add(run->follower, pod, item->container, item);
}

static void failed(void *context, void *item_in, const struct error *error)
{
	(void)context;
	refuse(item_in, error_copy(error));
}

static const struct submission_queue_events queue_events = {
	.next = next,
	.submitted = submitted,
	.failed = failed,
};

static void changed(void *context, void *item_in, const struct pod_status *status,
                    const json_t *pod)
{
	struct submit_run *run = context;
	struct submitted *item = item_in;
	scoped(text) char *detail = NULL;

	item->state = status->phase == POD_RUNNING ? SUBMITTED_RUNNING : SUBMITTED_PENDING;
	if (status->phase == POD_RUNNING && status->node)
		detail = text_printf("on node %s", status->node);
	else if (status->reason)
		detail = text_printf("%s%s%s", status->reason, status->message ? ": " : "",
		                     status->message ? status->message : "");
	if (!is_worth_saying(run))
		return;
	say(item, detail);
	if (pod && argument_switch(run->options->arguments, "verbose") && !is_quiet(run))
		submission_describe(pod, stderr);
}

static void take_status(struct submitted *item, const struct pod_status *status)
{
	free(item->reason);
	item->reason = text_copy(status->reason);
	item->has_exit_code = status->has_exit_code;
	item->exit_code = status->exit_code;
}

/* What the driver said last; what cannot be had is left out. */
static void show_log(const struct submitted *item)
{
	struct kube_client *client = item->run->options->cluster->client;
	scoped(text) char *text = kube_client_log(client, item->namespace, item->pod,
	                                          item->container, LOG_TAIL_BYTES, NULL);
	size_t size = text ? strlen(text) : 0;
	const char *line = text;

	if (!size)
		return;
	if (size >= LOG_TAIL_BYTES && strchr(text, '\n'))
		line = strchr(text, '\n') + 1;
	fprintf(stderr, "the end of its log:\n%s%s", line, text[size - 1] == '\n' ? "" : "\n");
}

static void show_failure(const struct submitted *item, const struct pod_status *status)
{
	if (is_quiet(item->run))
		return;
	fprintf(stderr, "%s: %s", item->id, state_name(item->state));
	if (status->reason)
		fprintf(stderr, ": %s", status->reason);
	if (status->has_exit_code)
		fprintf(stderr, ", exit code %d", status->exit_code);
	fprintf(stderr, "\n");
	if (status->message)
		fprintf(stderr, "%s\n", status->message);
	if (status->termination_message)
		fprintf(stderr, "%s\n", status->termination_message);
	if (item->state == SUBMITTED_FAILED)
		show_log(item);
	if (status->advice)
		fprintf(stderr, "What to do: %s\n", status->advice);
}

static void ended(void *context, void *item_in, const struct pod_status *status, const json_t *pod)
{
	struct submit_run *run = context;
	struct submitted *item = item_in;
	bool succeeded = status->phase == POD_SUCCEEDED;

	(void)pod;
	take_status(item, status);
	end_item(item, succeeded ? SUBMITTED_SUCCEEDED : SUBMITTED_FAILED);
	if (!succeeded)
		show_failure(item, status);
	else if (is_worth_saying(run))
		say(item, NULL);
}

/* A pod that may start when nobody looks any more would run twice once it is submitted again. */
static void gave_up(void *context, void *item_in, const struct pod_status *status,
                    const struct error *error)
{
	struct submit_run *run = context;
	struct submitted *item = item_in;

	take_status(item, status);
	item->error = error_copy(error);
	end_item(item, SUBMITTED_GIVEN_UP);
	show_failure(item, status);
	if (error->kind == ERROR_TIMEOUT &&
	    submission_delete(run->options->cluster->client, item->namespace, item->pod, -1,
	                      NULL) &&
	    !is_quiet(run))
		fprintf(stderr, "%s: its driver pod was deleted, so that it cannot start later\n",
		        item->id);
}

static void trouble(void *context, const struct error *error)
{
	struct submit_run *run = context;
	char *text = error ? error_text(error) : NULL;
	bool is_news = !text || !run->trouble || strcmp(text, run->trouble) != 0;

	free(run->trouble);
	run->trouble = text;
	if (is_news && !is_quiet(run))
		fprintf(stderr, "%s%s\n", text ? "waiting on: " : "the API server answers again",
		        text ? text : "");
}

static const struct follower_events follower_events = {
	.changed = changed,
	.ended = ended,
	.gave_up = gave_up,
	.trouble = trouble,
};

static void interrupted(void *context, int signal_number)
{
	struct submit_run *run = context;

	run->signal_number = signal_number;
}

static bool is_over(const void *context)
{
	const struct submit_run *run = context;

	return run->signal_number || run->ended == run->count;
}

static void begin(struct submit_run *run)
{
	size_t i;

	run->count = submit_source_count(run->options->source);
	run->items = xcalloc(run->count, sizeof(*run->items));
	for (i = 0; i < run->count; i++)
		run->items[i].run = run;
	run->follower = follower_new(
		run->options->cluster->client,
		&(struct follower_options){ .start_timeout_ms = run->options->start_timeout_ms },
		&follower_events, run);
	run->queue = submission_queue_start(run->options->cluster->client, 0, &queue_events, run);
}

static void end(struct submit_run *run)
{
	size_t i;

	submission_queue_free(run->queue);
	follower_free(run->follower);
	for (i = 0; i < run->count; i++) {
		struct submitted *item = &run->items[i];

		free(item->namespace);
		free(item->pod);
		free(item->container);
		free(item->id);
		free(item->reason);
		error_free(item->error);
	}
	free(run->items);
	free(run->trouble);
}

static bool is_queue_done(const void *context)
{
	return submission_queue_is_done(context);
}

/* What is half made is finished first: nothing is left that nobody knows of. */
static void leave(struct submit_run *run)
{
	struct loop *loop = run->options->cluster->loop;

	submission_queue_cancel(run->queue);
	loop_run_until(loop, is_queue_done, run->queue, loop_now_ms() + 10000);
	if (!is_quiet(run))
		fprintf(stderr,
		        "left while %zu of %zu were under way; they go on: 'stepop submit "
		        "--status' shows them, '--kill' ends them\n",
		        run->count - run->ended, run->count);
}

static void wait_for_all(struct submit_run *run)
{
	struct loop *loop = run->options->cluster->loop;
	struct loop_source *interrupt = loop_watch_signal(loop, SIGINT, interrupted, run);
	struct loop_source *terminate = loop_watch_signal(loop, SIGTERM, interrupted, run);

	loop_run_until(loop, is_over, run, -1);
	if (run->signal_number)
		leave(run);
	loop_cancel(interrupt);
	loop_cancel(terminate);
}

static json_t *row_of(const struct submitted *item)
{
	scoped(text) char *why = item->error ? error_text(item->error) : text_copy(item->reason);
	scoped(text) char *time = NULL;
	json_t *row;

	if (item->ended_at_ms && item->sent_at_ms)
		time = clock_format_duration(item->ended_at_ms - item->sent_at_ms);
	row = json_pack("{s:s?, s:s, s:s?, s:s?}", "submission_id", item->id, "state",
	                state_name(item->state), "time", item->wants_wait ? time : NULL, "reason",
	                why);
	if (item->has_exit_code)
		json_object_set_new(row, "exit_code", json_integer(item->exit_code));
	return row;
}

static bool print_rows(const struct submit_run *run, struct error **err)
{
	static const struct output_column columns[] = {
		{ "submission_id", "SUBMISSION ID", false },
		{ "state", "STATE", false },
		{ "exit_code", "EXIT CODE", false },
		{ "time", "TIME", false },
		{ "reason", "REASON", false },
		{ 0 },
	};
	json_auto_t *rows = json_array();
	size_t i;

	for (i = 0; i < run->count; i++)
		json_array_append_new(rows, row_of(&run->items[i]));
	fflush(stderr);
	return output_rows(stdout, argument_output(run->options->arguments), columns, rows, err);
}

static size_t count_state(const struct submit_run *run, enum submitted_state state)
{
	size_t count = 0, i;

	for (i = 0; i < run->count; i++)
		count += run->items[i].state == state;
	return count;
}

static const struct submitted *first_with(const struct submit_run *run, enum submitted_state state)
{
	size_t i;

	for (i = 0; i < run->count; i++)
		if (run->items[i].state == state)
			return &run->items[i];
	return NULL;
}

/* What was not even submitted weighs most, then what did not start, then what failed. */
static bool judge(const struct submit_run *run, struct error **err)
{
	static const enum submitted_state bad[] = { SUBMITTED_REFUSED, SUBMITTED_GIVEN_UP,
		                                    SUBMITTED_FAILED };
	size_t i;

	if (run->signal_number)
		return error_set(
			err, run->signal_number == SIGINT ? ERROR_INTERRUPTED : ERROR_TERMINATED,
			"stopped waiting; the applications go on");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct submitted *item = first_with(run, bad[i]);

		if (!item)
			continue;
		error_pass(err, item->error ? error_copy(item->error) : NULL);
		if (!item->error)
			error_set(err, ERROR_RUN_FAILED, "the application failed");
		if (run->count > 1)
			return error_wrap(err, "%zu of %zu applications %s; the first: %s",
			                  count_state(run, bad[i]), run->count, state_name(bad[i]),
			                  item->id ? item->id : "(no name)");
		return item->id ? error_wrap(err, "%s", item->id) : false;
	}
	return true;
}

bool submit_run(const struct submit_run_options *options, struct error **err)
{
	struct submit_run run = { .options = options };
	bool is_fine;

	begin(&run);
	wait_for_all(&run);
	is_fine = print_rows(&run, err) && judge(&run, err);
	end(&run);
	return is_fine;
}
