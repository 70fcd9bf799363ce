/* SPDX-License-Identifier: Apache-2.0 */
/* Listings, page by page. */
#include <stdlib.h>
#include <string.h>

#include "cloud/s3.h"
#include "cloud/s3_answer.h"
#include "cloud/s3_request.h"
#include "core/memory.h"
#include "core/text.h"

static char *list_query(const char *prefix, const char *continuation, int max_keys)
{
	scoped(text) char *token = continuation ? http_escape(continuation, false) : NULL;
	scoped(text) char *escaped = http_escape(prefix, false);

	return text_printf("%s%s%sencoding-type=url&list-type=2&max-keys=%d&prefix=%s",
	                   token ? "continuation-token=" : "", token ? token : "", token ? "&" : "",
	                   max_keys, escaped);
}

static bool list_page(struct s3_client *client, const char *bucket, const char *prefix,
                      const char *continuation, struct s3_page *page, struct error **err)
{
	struct http_response response = { 0 };
	scoped(text) char *query = list_query(prefix, continuation, 1000);
	struct s3_request request = { .method = "GET", .bucket = bucket, .query = query };
	bool is_good = s3_perform(client, &request, &response, err);

	if (is_good && !s3_is_success(&response))
		is_good = s3_refused(client, &request, &response, err);
	else if (is_good)
		is_good = s3_page_parse(response.body, response.body_size, page, err);
	http_response_release(&response);
	return is_good;
}

static bool visit_page(struct s3_page *page, s3_visit *visit, void *context, struct error **err)
{
	for (size_t i = 0; i < page->count; i++)
		if (!visit(context, &page->objects[i], err))
			return false;
	return true;
}

bool s3_list_each(struct s3_client *client, const char *bucket, const char *prefix, s3_visit *visit,
                  void *context, struct error **err)
{
	scoped(text) char *continuation = NULL;
	bool is_good;

	do {
		struct s3_page page = { 0 };

		is_good = list_page(client, bucket, prefix, continuation, &page, err) &&
		          visit_page(&page, visit, context, err);
		free(continuation);
		continuation = take(page.continuation);
		s3_page_release(&page);
	} while (is_good && continuation);
	return is_good;
}

struct gathered {
	struct s3_object *objects;
	size_t count, limit;
	const char *bucket, *prefix;
};

static bool gather(void *context, struct s3_object *object, struct error **err)
{
	struct gathered *gathered = context;

	if (gathered->count == gathered->limit)
		return error_set(err, ERROR_INVALID,
		                 "s3://%s/%s has more than %zu objects below it", gathered->bucket,
		                 gathered->prefix, gathered->limit);
	if (!(gathered->count & (gathered->count - 1))) /* doubled when full */
		gathered->objects =
			xrealloc(gathered->objects, gathered->count ? 2 * gathered->count : 1,
		                 sizeof(*gathered->objects));
	gathered->objects[gathered->count++] = *object;
	*object = (struct s3_object){ 0 };
	return true;
}

bool s3_list(struct s3_client *client, const char *bucket, const char *prefix, size_t limit,
             struct s3_object **objects, size_t *count, struct error **err)
{
	struct gathered gathered = { .limit = limit, .bucket = bucket, .prefix = prefix };

	if (!s3_list_each(client, bucket, prefix, gather, &gathered, err)) {
		s3_objects_free(gathered.objects, gathered.count);
		return false;
	}
	*objects = gathered.objects;
	*count = gathered.count;
	return true;
}

/* Asked as a listing: HEAD gives no reason. */
bool s3_head_bucket(struct s3_client *client, const char *bucket, struct error **err)
{
	scoped(text) char *query = list_query("", NULL, 1);

	return s3_perform_plain(
		client, &(struct s3_request){ .method = "GET", .bucket = bucket, .query = query },
		err);
}
