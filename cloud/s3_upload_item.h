/* SPDX-License-Identifier: Apache-2.0 */
/* One file of an upload: what is due for it, and what an answer means; for cloud/s3_upload*.c only.
 */
#ifndef CLOUD_S3_UPLOAD_ITEM_H
#define CLOUD_S3_UPLOAD_ITEM_H

#include <sys/stat.h>

#include "cloud/s3_multipart.h"
#include "cloud/s3_request.h"
#include "cloud/s3_upload.h"

enum s3_task_kind {
	S3_TASK_NONE,
	S3_TASK_LOOK,   /* is it there already? */
	S3_TASK_PUT,    /* as a whole */
	S3_TASK_CREATE, /* the upload in parts */
	S3_TASK_PART,
	S3_TASK_COMPLETE, /* the object of its parts */
	S3_TASK_VERIFY,   /* an answer was lost: did it become complete? */
	S3_TASK_ABORT,
	S3_TASK_KIND_COUNT,
};

enum s3_item_state {
	S3_ITEM_NEW,
	S3_ITEM_BEGIN,     /* it is not there */
	S3_ITEM_PARTS,     /* are under way */
	S3_ITEM_UNCERTAIN, /* the server knows no such upload any more */
	S3_ITEM_DONE,
};

struct s3_item {
	struct s3_item *prev, *next; /* of those that are open */
	struct s3_client *client;
	const char *bucket;
	char *key, *path;
	bool unless_there;
	int fd;
	struct stat status; /* when it was opened */
	enum s3_item_state state;
	bool is_busy;     /* with something other than a part */
	size_t in_flight; /* its tasks */
	struct s3_multipart parts;
	bool is_multipart;
};

/* NOT_FOUND, INVALID: no file that can be sent. The caller owns it. */
struct s3_item *s3_item_open(struct s3_client *client, const char *bucket,
                             const struct s3_upload_file *file, struct error **err);
void s3_item_free(struct s3_item *item);
DEFINE_CLEANUP(s3_item);

/* What may be sent for it now, beside what is in flight; `is_failing`: only what tidies up. */
enum s3_task_kind s3_item_due(const struct s3_item *item, bool is_failing);

/* A request in flight and what it borrows. */
struct s3_task {
	enum s3_task_kind kind;
	struct s3_item *item;
	size_t part;
	char *query, *digest, *body;
};
void s3_task_release(struct s3_task *task);
/* Fills in the request; it borrows from the task and its item. */
bool s3_task_prepare(struct s3_task *task, struct s3_request *request, struct error **err);
/* The task is not under way any more, whatever became of it. */
void s3_task_leave(struct s3_task *task);
/* What the answer means; `error` (borrowed) instead of one. False: the upload cannot go on. */
bool s3_task_answered(struct s3_task *task, struct http_response *response,
                      const struct error *error, struct error **err);

#endif
