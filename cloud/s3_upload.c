/* SPDX-License-Identifier: Apache-2.0 */
/* Which request of which file is in flight. */
#include "cloud/s3_upload.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#include "cloud/s3_call.h"
#include "cloud/s3_client.h"
#include "cloud/s3_upload_item.h"
#include "core/interrupt.h"
#include "core/memory.h"

/* Small files wait for answers, parts for bandwidth: more of the first are worth it. */
enum { SLOTS = 8, PARTS_IN_FLIGHT = 4 };

struct slot {
	struct s3_upload *upload;
	struct s3_task task; /* S3_TASK_NONE: the slot is free */
	struct s3_request request;
	struct s3_call *call;
};

struct s3_upload {
	struct s3_client *client;
	char *bucket;
	struct s3_upload_file *files;
	size_t count, next; /* of files; the next one to be opened */
	struct s3_item *open;
	struct slot slots[SLOTS];
	size_t parts_in_flight;
	bool is_awaited, is_over;
	s3_upload_ended *ended;
	void *context;
	struct error *error;         /* the first; from then on it is only tidied up */
	struct loop_source *starter; /* nothing is told from within s3_upload_start() */
};

static void s3_upload_free(struct s3_upload *upload)
{
	struct s3_item *item, *next;

	if (!upload)
		return;
	DL_FOREACH_SAFE(upload->open, item, next)
	s3_item_free(item);
	for (size_t i = 0; i < upload->count; i++) {
		free((char *)upload->files[i].key);
		free((char *)upload->files[i].path);
	}
	loop_cancel(upload->starter);
	free(upload->files);
	free(upload->bucket);
	error_free(upload->error);
	free(upload);
}
DEFINE_CLEANUP(s3_upload);

static void proceed(struct s3_upload *upload);

/* ---- slots ---- */

static void vacate(struct slot *slot)
{
	struct s3_upload *upload = slot->upload;
	struct s3_item *item = slot->task.item;

	s3_task_leave(&slot->task);
	if (slot->task.kind == S3_TASK_PART)
		upload->parts_in_flight--;
	s3_task_release(&slot->task);
	slot->call = NULL;
	if (item->state != S3_ITEM_DONE || item->in_flight)
		return;
	DL_DELETE(upload->open, item);
	s3_item_free(item);
}

/* What makes an upload in parts, or an object of it, comes to its end: its answer says what there
 * is to abort. */
static void give_up(struct s3_upload *upload)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &upload->slots[i];

		if (!slot->call || slot->task.kind == S3_TASK_CREATE ||
		    slot->task.kind == S3_TASK_COMPLETE || slot->task.kind == S3_TASK_ABORT)
			continue;
		s3_call_cancel(slot->call);
		vacate(slot);
	}
}

static void fail(struct s3_upload *upload, struct error *error)
{
	if (upload->error) {
		error_free(error);
		return;
	}
	upload->error = error;
	give_up(upload);
}

static void answered(void *context, struct http_response *response, struct error *error)
{
	struct slot *slot = context;
	struct s3_upload *upload = slot->upload;
	struct error *failure = NULL;

	slot->call = NULL;
	if (!s3_task_answered(&slot->task, response, error, &failure))
		fail(upload, failure);
	vacate(slot);
	proceed(upload);
}

static void occupy(struct slot *slot, struct s3_item *item, enum s3_task_kind kind)
{
	struct s3_upload *upload = slot->upload;
	struct error *error = NULL;

	slot->task = (struct s3_task){ .kind = kind, .item = item };
	upload->parts_in_flight += kind == S3_TASK_PART;
	if (s3_task_prepare(&slot->task, &slot->request, &error))
		slot->call = s3_call_start(upload->client, &slot->request, upload->is_awaited,
		                           answered, slot, &error);
	if (slot->call)
		return;
	if (kind == S3_TASK_ABORT)
		item->state = S3_ITEM_DONE; /* not even that can be sent */
	vacate(slot);
	fail(upload, error);
}

/* ---- what is next ---- */

static struct slot *free_slot(struct s3_upload *upload)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (upload->slots[i].task.kind == S3_TASK_NONE)
			return &upload->slots[i];
	return NULL;
}

static struct s3_item *find_due(struct s3_upload *upload, enum s3_task_kind *kind)
{
	struct s3_item *item;

	DL_FOREACH (upload->open, item) {
		*kind = s3_item_due(item, upload->error != NULL);
		if (*kind == S3_TASK_PART && upload->parts_in_flight == PARTS_IN_FLIGHT)
			*kind = S3_TASK_NONE;
		if (*kind != S3_TASK_NONE)
			return item;
	}
	return NULL;
}

/* A large file comes to its end before more of its kind are begun. */
static bool has_room(const struct s3_upload *upload)
{
	const struct s3_item *item;
	size_t count = 0;

	DL_FOREACH (upload->open, item)
		count += item->is_multipart ? SLOTS / 2 : 1;
	return count < SLOTS;
}

static bool open_next(struct s3_upload *upload)
{
	struct error *error = NULL;
	struct s3_item *item;

	if (upload->error || upload->next == upload->count || !has_room(upload))
		return false;
	item = s3_item_open(upload->client, upload->bucket, &upload->files[upload->next++], &error);
	if (item)
		DL_APPEND(upload->open, item);
	else
		fail(upload, error);
	return item != NULL;
}

static bool is_idle(const struct s3_upload *upload)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (upload->slots[i].task.kind != S3_TASK_NONE)
			return false;
	return true;
}

static void proceed(struct s3_upload *upload)
{
	struct slot *slot;

	while ((slot = free_slot(upload))) {
		enum s3_task_kind kind;
		struct s3_item *item = find_due(upload, &kind);

		if (item)
			occupy(slot, item, kind);
		else if (!open_next(upload))
			break;
	}
	if (!is_idle(upload))
		return;
	upload->is_over = true;
	if (upload->is_awaited)
		return;
	upload->ended(upload->context, upload->error);
	s3_upload_free(upload);
}

/* ---- on the loop ---- */

static struct s3_upload *upload_new(struct s3_client *client, const char *bucket,
                                    const struct s3_upload_file *files, size_t count)
{
	struct s3_upload *upload = xcalloc(1, sizeof(*upload));

	upload->client = client;
	upload->bucket = xstrdup(bucket);
	upload->files = xcalloc(count, sizeof(*files));
	upload->count = count;
	for (size_t i = 0; i < count; i++)
		upload->files[i] = (struct s3_upload_file){
			.key = xstrdup(files[i].key),
			.path = xstrdup(files[i].path),
			.unless_there = files[i].unless_there,
		};
	for (size_t i = 0; i < SLOTS; i++)
		upload->slots[i].upload = upload;
	return upload;
}

static bool check_names(const struct s3_upload *upload, struct error **err)
{
	for (size_t i = 0; i < upload->count; i++) {
		const struct s3_request request = { .bucket = upload->bucket,
			                            .key = upload->files[i].key };

		if (!s3_request_check(&request, err))
			return false;
	}
	return true;
}

static void begin(void *context)
{
	struct s3_upload *upload = context;

	upload->starter = NULL;
	proceed(upload);
}

struct s3_upload *s3_upload_start(struct s3_client *client, const char *bucket,
                                  const struct s3_upload_file *files, size_t count,
                                  s3_upload_ended *ended, void *context, struct error **err)
{
	scoped(s3_upload) struct s3_upload *upload = upload_new(client, bucket, files, count);

	upload->ended = ended;
	upload->context = context;
	if (!check_names(upload, err))
		return NULL;
	upload->starter = loop_start_timer(http_client_loop(client->http), 0, begin, upload);
	return take(upload);
}

static void abort_all(struct s3_upload *upload)
{
	struct s3_item *item;

	DL_FOREACH (upload->open, item) {
		struct s3_task task = { .kind = S3_TASK_ABORT, .item = item };
		struct s3_request request;
		bool is_sent;

		if (s3_item_due(item, true) != S3_TASK_ABORT ||
		    !s3_task_prepare(&task, &request, NULL))
			continue;
		request.tries = 1;
		is_sent = s3_perform_plain(upload->client, &request, NULL);
		s3_task_release(&task);
		if (!is_sent)
			return; /* a server that is away is not waited for again */
	}
}

void s3_upload_cancel(struct s3_upload *upload)
{
	if (!upload)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &upload->slots[i];

		if (slot->task.kind == S3_TASK_NONE)
			continue;
		s3_call_cancel(slot->call);
		vacate(slot);
	}
	abort_all(upload);
	s3_upload_free(upload);
}

/* ---- waited for ---- */

bool s3_put_files(struct s3_client *client, const char *bucket, const struct s3_upload_file *files,
                  size_t count, struct error **err)
{
	scoped(s3_upload) struct s3_upload *upload = upload_new(client, bucket, files, count);
	struct interrupt interrupt;
	struct error *signal = NULL;

	if (!check_names(upload, err))
		return false;
	upload->is_awaited = true;
	interrupt_hold(&interrupt);
	proceed(upload);
	while (!upload->is_over) {
		s3_call_await(client, upload->error ? -1 : interrupt.fd);
		if (upload->error || interrupt_check(&interrupt, &signal))
			continue;
		fail(upload, signal);
		proceed(upload);
	}
	interrupt_release(&interrupt);
	return !upload->error || error_pass(err, take(upload->error));
}
