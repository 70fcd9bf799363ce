/* SPDX-License-Identifier: Apache-2.0 */
/* A request to S3 with its tries: a passing fault is waited out, the right region is followed,
 * expired credentials are asked for anew. */
#ifndef CLOUD_S3_CALL_H
#define CLOUD_S3_CALL_H

#include "cloud/s3_request.h"

struct s3_call;

/* Last call, never from within s3_call_start(). Either `error` is NULL and the response final,
 * whatever it says; what is taken out of it is set to NULL. Or there is no response. Both are
 * borrowed. */
typedef void s3_call_ended(void *context, struct http_response *response, struct error *error);

/* What `request` borrows must live until the end. An awaited call proceeds in s3_call_await()
 * alone, others by the loop. NULL and *err when nothing could be sent: names, credentials. */
struct s3_call *s3_call_start(struct s3_client *client, const struct s3_request *request,
                              bool is_awaited, s3_call_ended *ended, void *context,
                              struct error **err);
/* NULL is allowed. No callback comes after this. Not to be used once ended() was called. */
void s3_call_cancel(struct s3_call *call);

/* Lets awaited calls proceed until something was told of one, or `wake_fd` (-1: none) can be
 * read. */
void s3_call_await(struct s3_client *client, int wake_fd);

#endif
