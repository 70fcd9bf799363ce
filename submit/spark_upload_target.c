/* SPDX-License-Identifier: Apache-2.0 */
/* Files are put into S3, or copied into a folder. */
#include "submit/spark_upload_target.h"

#include <string.h>
#include <sys/stat.h>

#include "cloud/s3_upload.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_s3.h"
#include "submit/spark_uri.h"

struct spark_upload_target {
	char *uri;
	char *folder;            /* or NULL */
	char *bucket, *prefix;   /* "" or ending in '/' */
	struct aws_chain *chain; /* behind the client; or NULL */
	struct s3_client *client;
	struct s3_upload_file *files; /* to be put; in a folder `key` is a path */
	size_t count;
};

void spark_upload_target_free(struct spark_upload_target *target)
{
	if (!target)
		return;
	free(target->uri);
	free(target->folder);
	free(target->bucket);
	free(target->prefix);
	for (size_t i = 0; i < target->count; i++) {
		free((char *)target->files[i].key);
		free((char *)target->files[i].path);
	}
	free(target->files);
	s3_client_free(target->client);
	aws_chain_free(target->chain);
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
	target->client = spark_s3_open(http, &s3, &target->chain, err);
	spark_s3_release(&s3);
	return target->client || error_wrap(err, "bucket '%s'", target->bucket);
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

void spark_upload_target_add(struct spark_upload_target *target, const char *relative,
                             const char *path)
{
	target->files = xrealloc(target->files, target->count + 1, sizeof(*target->files));
	target->files[target->count++] = (struct s3_upload_file){
		.key = target->folder ? file_join(target->folder, relative)
		                      : text_printf("%s%s", target->prefix, relative),
		.path = xstrdup(path),
		.unless_there = true,
	};
}

static bool copy_file(const struct s3_upload_file *file, struct error **err)
{
	scoped(text) char *folder = file_folder(file->key);
	struct stat here, there;

	if (stat(file->path, &here))
		return error_set(err, ERROR_NOT_FOUND, "there is no file '%s'", file->path);
	if (!stat(file->key, &there) && there.st_size == here.st_size)
		return true;
	return file_make_folders(folder, 0755, err) && file_copy(file->path, file->key, 0644, err);
}

static bool copy_files(struct spark_upload_target *target, struct error **err)
{
	for (size_t i = 0; i < target->count; i++)
		if (!copy_file(&target->files[i], err))
			return false;
	return true;
}

bool spark_upload_target_send(struct spark_upload_target *target, struct error **err)
{
	bool is_sent = target->folder ? copy_files(target, err)
	                              : s3_put_files(target->client, target->bucket, target->files,
	                                             target->count, err);

	if (is_sent)
		return true;
	return target->count == 1
	               ? error_wrap(err, "upload '%s' to '%s'", target->files[0].path, target->uri)
	               : error_wrap(err, "upload %zu files to '%s'", target->count, target->uri);
}
