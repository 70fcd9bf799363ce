/* SPDX-License-Identifier: Apache-2.0 */
/* From a file to an object: the requests in their order, and the answers. */
#include "cloud/s3_upload_item.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/s3_answer.h"
#include "cloud/s3_client.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

enum { TRIES = 6, ABORT_TRIES = 2, ABORT_TIMEOUT_MS = 3000, COMPLETE_TIMEOUT_MS = 300000 };

void s3_item_free(struct s3_item *item)
{
	if (!item)
		return;
	fd_cleanup(&item->fd);
	s3_multipart_release(&item->parts);
	free(item->key);
	free(item->path);
	free(item);
}

static bool open_file(struct s3_item *item, struct error **err)
{
	item->fd = open(item->path, O_RDONLY | O_CLOEXEC);
	if (item->fd < 0 || fstat(item->fd, &item->status))
		return error_set(err, ERROR_NOT_FOUND, "open '%s': %m", item->path);
	if (!S_ISREG(item->status.st_mode))
		return error_set(err, ERROR_INVALID, "'%s' is no regular file", item->path);
	if (item->status.st_size > S3_OBJECT_MAX_BYTES)
		return error_set(err, ERROR_INVALID,
		                 "'%s' is larger than 5 TiB, the limit of objects in S3",
		                 item->path);
	return true;
}

struct s3_item *s3_item_open(struct s3_client *client, const char *bucket,
                             const struct s3_upload_file *file, struct error **err)
{
	scoped(s3_item) struct s3_item *item = xcalloc(1, sizeof(*item));

	item->client = client;
	item->bucket = bucket;
	item->key = xstrdup(file->key);
	item->path = xstrdup(file->path);
	item->unless_there = file->unless_there;
	if (!open_file(item, err))
		return NULL;
	item->is_multipart = item->status.st_size > (off_t)client->part_bytes;
	if (item->is_multipart)
		s3_multipart_init(&item->parts, item->status.st_size, client->part_bytes);
	return take(item);
}

static enum s3_task_kind due_to_tidy_up(const struct s3_item *item)
{
	bool is_begun = item->parts.upload_id && item->state == S3_ITEM_PARTS;

	return is_begun && !item->in_flight ? S3_TASK_ABORT : S3_TASK_NONE;
}

enum s3_task_kind s3_item_due(const struct s3_item *item, bool is_failing)
{
	if (item->is_busy)
		return S3_TASK_NONE;
	if (is_failing)
		return due_to_tidy_up(item);
	switch (item->state) {
	case S3_ITEM_NEW:
		if (item->unless_there)
			return S3_TASK_LOOK;
		/* fall through */
	case S3_ITEM_BEGIN:
		return item->is_multipart ? S3_TASK_CREATE : S3_TASK_PUT;
	case S3_ITEM_PARTS:
		if (item->parts.next < item->parts.count)
			return S3_TASK_PART;
		return s3_multipart_is_whole(&item->parts) ? S3_TASK_COMPLETE : S3_TASK_NONE;
	case S3_ITEM_UNCERTAIN:
		return S3_TASK_VERIFY;
	default:
		return S3_TASK_NONE;
	}
}

/* ---- requests ---- */

static bool file_body(struct s3_task *task, struct s3_request *request, int64_t offset, size_t size,
                      struct error **err)
{
	task->digest = digest_range(task->item->fd, offset, size, err);
	request->method = "PUT";
	request->body = size ? NULL : "";
	request->body_fd = task->item->fd;
	request->body_offset = offset;
	request->body_size = size;
	request->body_digest = task->digest;
	return task->digest || error_wrap(err, "read '%s'", task->item->path);
}

static bool prepare_look(struct s3_task *task, struct s3_request *request, struct error **err)
{
	(void)task;
	(void)err;
	request->method = "HEAD";
	return true;
}

static bool prepare_put(struct s3_task *task, struct s3_request *request, struct error **err)
{
	request->makes_object = true;
	request->content_type = "application/octet-stream";
	return file_body(task, request, 0, (size_t)task->item->status.st_size, err);
}

static bool prepare_create(struct s3_task *task, struct s3_request *request, struct error **err)
{
	(void)task;
	(void)err;
	request->method = "POST";
	request->query = "uploads=";
	request->makes_object = true;
	request->content_type = "application/octet-stream";
	return true;
}

static bool prepare_part(struct s3_task *task, struct s3_request *request, struct error **err)
{
	struct s3_multipart *parts = &task->item->parts;

	task->part = parts->next++;
	task->query = s3_multipart_part_query(parts, task->part);
	request->query = task->query;
	return file_body(task, request, s3_multipart_offset(parts, task->part),
	                 s3_multipart_size(parts, task->part), err);
}

/* Each part was checked on its way; this finds parts of two versions of the file. */
static bool check_unchanged(const struct s3_item *item, struct error **err)
{
	struct stat now;

	if (!fstat(item->fd, &now) && now.st_size == item->status.st_size &&
	    now.st_mtim.tv_sec == item->status.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == item->status.st_mtim.tv_nsec)
		return true;
	return error_set(err, ERROR_CONFLICT, "'%s' was changed while it was uploaded", item->path);
}

static bool prepare_complete(struct s3_task *task, struct s3_request *request, struct error **err)
{
	const struct s3_multipart *parts = &task->item->parts;

	if (!check_unchanged(task->item, err))
		return false;
	task->query = s3_multipart_query(parts);
	task->body = s3_multipart_body(parts);
	task->digest = digest_bytes(task->body, strlen(task->body));
	request->method = "POST";
	request->query = task->query;
	request->content_type = "application/xml";
	request->body = task->body;
	request->body_size = strlen(task->body);
	request->body_digest = task->digest;
	request->may_fail_late = true;
	request->timeout_ms = COMPLETE_TIMEOUT_MS; /* S3 puts 10,000 parts together for minutes */
	return true;
}

static bool prepare_abort(struct s3_task *task, struct s3_request *request, struct error **err)
{
	(void)err;
	task->query = s3_multipart_query(&task->item->parts);
	request->method = "DELETE";
	request->query = task->query;
	request->tries = ABORT_TRIES;
	request->timeout_ms = ABORT_TIMEOUT_MS;
	return true;
}

bool s3_task_prepare(struct s3_task *task, struct s3_request *request, struct error **err)
{
	static bool (*const prepare[S3_TASK_KIND_COUNT])(
		struct s3_task * task, struct s3_request * request, struct error * *err) = {
		[S3_TASK_LOOK] = prepare_look,         [S3_TASK_PUT] = prepare_put,
		[S3_TASK_CREATE] = prepare_create,     [S3_TASK_PART] = prepare_part,
		[S3_TASK_COMPLETE] = prepare_complete, [S3_TASK_VERIFY] = prepare_look,
		[S3_TASK_ABORT] = prepare_abort,
	};

	*request = (struct s3_request){ .bucket = task->item->bucket,
		                        .key = task->item->key,
		                        .tries = TRIES };
	task->item->in_flight++;
	task->item->is_busy = task->kind != S3_TASK_PART;
	return prepare[task->kind](task, request, err);
}

void s3_task_leave(struct s3_task *task)
{
	task->item->in_flight--;
	if (task->kind != S3_TASK_PART)
		task->item->is_busy = false;
}

void s3_task_release(struct s3_task *task)
{
	free(task->query);
	free(task->digest);
	free(task->body);
	*task = (struct s3_task){ 0 };
}

/* ---- answers ---- */

static void *refused(const struct s3_task *task, const struct http_response *response,
                     struct error **err)
{
	const struct s3_request request = { .bucket = task->item->bucket, .key = task->item->key };

	return s3_refused(task->item->client, &request, response, err);
}

static bool is_there(const struct s3_item *item, const struct http_response *response)
{
	return response && s3_is_success(response) &&
	       response->content_length == item->status.st_size;
}

static bool created(struct s3_item *item, const struct http_response *response, struct error **err)
{
	item->parts.upload_id =
		s3_upload_id_parse(response->body ? response->body : "", response->body_size, err);
	if (!item->parts.upload_id)
		return error_wrap(err, "s3://%s/%s", item->bucket, item->key);
	item->state = S3_ITEM_PARTS;
	return true;
}

static bool part_arrived(struct s3_task *task, const struct http_response *response,
                         struct error **err)
{
	if (!response->etag)
		return error_set(err, ERROR_INVALID,
		                 "s3://%s/%s: the server gives no ETag for a part: is it S3?",
		                 task->item->bucket, task->item->key);
	s3_multipart_arrived(&task->item->parts, task->part, xstrdup(response->etag));
	return true;
}

static bool succeeded(struct s3_task *task, const struct http_response *response,
                      struct error **err)
{
	switch (task->kind) {
	case S3_TASK_CREATE:
		return created(task->item, response, err);
	case S3_TASK_PART:
		return part_arrived(task, response, err);
	default:
		task->item->state = S3_ITEM_DONE;
		return true;
	}
}

bool s3_task_answered(struct s3_task *task, struct http_response *response,
                      const struct error *error, struct error **err)
{
	struct s3_item *item = task->item;

	/* Who may put need not be allowed to look: without an answer the object is put. */
	if (task->kind == S3_TASK_LOOK) {
		item->state = is_there(item, response) ? S3_ITEM_DONE : S3_ITEM_BEGIN;
		return true;
	}
	/* What cannot be aborted is left to the bucket's lifecycle rules. */
	if (task->kind == S3_TASK_ABORT) {
		item->state = S3_ITEM_DONE;
		return true;
	}
	if (error)
		return error_pass(err, error_copy(error));
	if (task->kind == S3_TASK_VERIFY && !is_there(item, response))
		return error_set(err, ERROR_UNAVAILABLE,
		                 "s3://%s/%s: the upload is gone: somebody aborted it, or a "
		                 "lifecycle rule of the bucket did",
		                 item->bucket, item->key);
	/* The answer to an earlier try may have been lost. */
	if (task->kind == S3_TASK_COMPLETE && response->status == 404) {
		item->state = S3_ITEM_UNCERTAIN;
		return true;
	}
	if (!s3_is_success(response))
		return refused(task, response, err);
	return succeeded(task, response, err);
}
