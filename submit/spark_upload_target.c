/* SPDX-License-Identifier: Apache-2.0 */
/* Files are put into S3, or copied into a folder. */
#include "submit/spark_upload_target.h"

#include <string.h>
#include <sys/stat.h>

#include "cloud/s3.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_s3.h"
#include "submit/spark_uri.h"

struct spark_upload_target {
	char *uri;
	char *folder;          /* or NULL */
	char *bucket, *prefix; /* "" or ending in '/' */
	struct s3_client *client;
};

void spark_upload_target_free(struct spark_upload_target *target)
{
	if (!target)
		return;
	free(target->uri);
	free(target->folder);
	free(target->bucket);
	free(target->prefix);
	s3_client_free(target->client);
	free(target);
}

const char *spark_upload_target_uri(const struct spark_upload_target *target)
{
	return target->uri;
}

/* "bucket/prefix" */
static bool open_s3(struct spark_upload_target *target, const char *place,
                    const struct spark_conf *conf, struct http_client *http, struct error **err)
{
	size_t size = strcspn(place, "/");
	const char *prefix = place + size + (place[size] == '/');
	struct spark_s3 s3;

	if (!size)
		return error_set(err, ERROR_INVALID, "'%s' names no bucket", target->uri);
	target->bucket = xstrndup(place, size);
	target->prefix = text_printf("%s%s", prefix, *prefix ? "/" : "");
	if (!http)
		return true;
	if (!spark_s3_settings(conf, target->bucket, &s3, err))
		return false;
	target->client = s3_client_new(http, &s3.options, err);
	spark_s3_release(&s3);
	return target->client != NULL;
}

static bool open_place(struct spark_upload_target *target, const struct spark_conf *conf,
                       struct http_client *http, struct error **err)
{
	static const char *const schemes[] = { "s3a://", "s3://" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(schemes); i++)
		if (text_starts_with(target->uri, schemes[i]))
			return open_s3(target, target->uri + strlen(schemes[i]), conf, http, err);
	if (!spark_uri_is_local(target->uri))
		return error_set(err, ERROR_INVALID,
		                 "'%s': files are uploaded to s3a://bucket/prefix or to a folder; "
		                 "put them there by other means and give their URIs",
		                 target->uri);
	target->folder = spark_uri_path(target->uri);
	return true;
}

struct spark_upload_target *spark_upload_target_open(const char *upload_path,
                                                     const struct spark_conf *conf,
                                                     struct http_client *http, struct error **err)
{
	scoped(spark_upload_target) struct spark_upload_target *target =
		xcalloc(1, sizeof(*target));
	size_t size = strlen(upload_path);

	while (size > 1 && upload_path[size - 1] == '/' && upload_path[size - 2] != ':')
		size--;
	target->uri = xstrndup(upload_path, size);
	return open_place(target, conf, http, err) ? take(target) : NULL;
}

/* Who may put need not be allowed to look: without an answer the object is put. */
static bool put_object(struct spark_upload_target *target, const char *relative, const char *path,
                       int64_t size_bytes, struct error **err)
{
	scoped(text) char *key = text_printf("%s%s", target->prefix, relative);
	int64_t there_bytes;

	if (s3_head(target->client, target->bucket, key, &there_bytes, NULL, NULL) &&
	    there_bytes == size_bytes)
		return true;
	return s3_put_file(target->client, target->bucket, key, path, err);
}

static bool put_copy(struct spark_upload_target *target, const char *relative, const char *path,
                     int64_t size_bytes, struct error **err)
{
	scoped(text) char *copy = file_join(target->folder, relative);
	scoped(text) char *folder = file_folder(copy);
	struct stat there;

	if (!stat(copy, &there) && there.st_size == size_bytes)
		return true;
	return file_make_folders(folder, 0755, err) && file_copy(path, copy, 0644, err);
}

bool spark_upload_target_put(struct spark_upload_target *target, const char *relative,
                             const char *path, struct error **err)
{
	struct stat status;

	if (stat(path, &status))
		return error_set(err, ERROR_NOT_FOUND, "there is no file '%s'", path);
	return (target->folder ? put_copy(target, relative, path, status.st_size, err)
	                       : put_object(target, relative, path, status.st_size, err)) ||
	       error_wrap(err, "upload '%s' to '%s'", path, target->uri);
}
