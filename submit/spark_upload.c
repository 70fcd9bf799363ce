/* SPDX-License-Identifier: Apache-2.0 */
/* Local files: which there are, where they go, and how the application names them then. */
#include "submit/spark_upload.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_upload_target.h"
#include "submit/spark_uri.h"

#define UPLOAD_PATH "spark.kubernetes.file.upload.path"
#define INTERNAL "spark-internal"
#define MOUNT_PATH "/opt/stepop/files"
#define FILE_SCHEME "file://"
#define DIGEST_DIGITS 32

static const char *const lists[] = { "spark.jars", "spark.files", "spark.archives",
	                             "spark.submit.pyFiles" };

/* What becomes of the application; it is touched only when all has gone well. */
struct upload {
	struct spark_app *app;
	json_t *uris[ARRAY_SIZE(lists)];  /* of each list, resolved; the main jar among them */
	char *main_resource;              /* resolved */
	json_t *places;                   /* "file:///…" of each local file -> what stands for it,
	                                     without scheme and fragment */
	const char *scheme, *main_scheme; /* of what stands for it, in lists and as the resource */
	struct spark_files *files;        /* to be those of the application; or NULL */
};

static void upload_release(struct upload *upload)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		json_decref(upload->uris[i]);
	json_decref(upload->places);
	free(upload->main_resource);
	spark_files_free(upload->files);
}

/* ---- which ---- */

/* One spelling for each file. Owned by the caller. */
static char *normal_uri(const char *uri)
{
	scoped(text) char *path = spark_uri_path(uri);

	return spark_uri_from_path(path);
}

static bool add_file(struct upload *upload, const char *uri, struct error **err)
{
	scoped(text) char *path = spark_uri_path(uri);
	scoped(text) char *normal = normal_uri(uri);
	struct stat status;

	if (stat(path, &status))
		return error_set(err, ERROR_NOT_FOUND, "there is no file '%s'", path);
	if (S_ISDIR(status.st_mode))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is a folder; name its files, or an archive of it", path);
	if (!text_is_utf8(path, strlen(path)))
		return error_set(err, ERROR_INVALID, "the name of '%s' is not UTF-8", normal);
	json_object_set_new(upload->places, normal, json_null());
	return true;
}

static void resolve_uris(struct upload *upload)
{
	const struct spark_app *app = upload->app;
	bool is_internal = text_equal(app->main_resource, INTERNAL);
	size_t i, k;

	upload->main_resource =
		is_internal ? xstrdup(INTERNAL) : spark_uri_resolve(app->main_resource);
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		json_auto_t *pieces = spark_conf_split(spark_conf_get(app->conf, lists[i]));
		const json_t *piece;

		upload->uris[i] = json_array();
		json_array_foreach (pieces, k, piece) {
			scoped(text) char *uri = spark_uri_resolve(json_string_value(piece));

			json_array_append_new(upload->uris[i], json_string(uri));
		}
	}
	if (app->resource != SPARK_RESOURCE_JAVA || is_internal ||
	    !spark_uri_is_local(upload->main_resource))
		return;
	/* As SparkSubmit lists it; a remote one is listed when the objects are built. */
	json_array_append_new(upload->uris[0], json_string(upload->main_resource));
	free(upload->main_resource);
	upload->main_resource = xstrdup(INTERNAL);
}

static bool is_local_main(const struct upload *upload)
{
	return !text_equal(upload->main_resource, INTERNAL) &&
	       spark_uri_is_local(upload->main_resource);
}

static bool collect_files(struct upload *upload, struct error **err)
{
	const json_t *uri;
	size_t i, k;

	resolve_uris(upload);
	if (is_local_main(upload) && !add_file(upload, upload->main_resource, err))
		return error_wrap(err, "the application");
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		json_array_foreach (upload->uris[i], k, uri)
			if (spark_uri_is_local(json_string_value(uri)) &&
			    !add_file(upload, json_string_value(uri), err))
				return error_wrap(err, "%s", lists[i]);
	return true;
}

/* ---- into a ConfigMap ---- */

static void *refuse_size(int64_t total_bytes, const char *largest, int64_t largest_bytes,
                         struct error **err)
{
	return error_set(err, ERROR_INVALID,
	                 "the local files are %" PRId64 " KiB together, and a ConfigMap carries %d "
	                 "KiB (the largest is '%s', %" PRId64 " KiB); set " UPLOAD_PATH
	                 ", or build them into the image",
	                 total_bytes / 1024, SPARK_FILES_LIMIT_BYTES / 1024, largest,
	                 largest_bytes / 1024);
}

/* By their sizes on disk: what is far too large is not read. */
static bool check_sizes(const struct upload *upload, struct error **err)
{
	int64_t total_bytes = 0, largest_bytes = -1;
	scoped(text) char *largest = NULL;
	const char *uri;
	json_t *place;

	json_object_foreach (upload->places, uri, place) {
		scoped(text) char *path = spark_uri_path(uri);
		struct stat status;

		if (stat(path, &status))
			continue; /* gone meanwhile: reading it will say so */
		total_bytes += status.st_size;
		if (status.st_size > largest_bytes) {
			largest_bytes = status.st_size;
			free(largest);
			largest = take(path);
		}
	}
	return total_bytes <= SPARK_FILES_LIMIT_BYTES ||
	       refuse_size(total_bytes, largest, largest_bytes, err);
}

static json_t *file_content(const struct spark_files *files, const char *name)
{
	json_t *text = json_object_get(files->contents, name);

	return text ? text : json_object_get(files->binaries, name);
}

/* Text as it is, other bytes as base64. */
static bool add_content(struct spark_files *files, const char *name, const char *bytes, size_t size)
{
	bool is_text = text_is_utf8(bytes, size);
	scoped(text) char *base64 = is_text ? NULL : base64_encode(bytes, size);
	json_t *content = is_text ? json_stringn(bytes, size) : json_string(base64);
	json_t *there = file_content(files, name);
	bool is_same = there && json_equal(there, content);

	if (there) {
		json_decref(content);
		return is_same;
	}
	json_object_set_new(is_text ? files->contents : files->binaries, name, content);
	return true;
}

static bool carry_file(struct upload *upload, const char *folder, const char *uri,
                       struct error **err)
{
	struct spark_files *files = upload->files;
	scoped(text) char *path = spark_uri_path(uri);
	const char *base_name = strrchr(path, '/') + 1;
	scoped(text) char *name = text_printf("%s%s", folder, base_name);
	scoped(text) char *mounted = file_join(files->mount_path, name);
	scoped(text) char *place = spark_uri_from_path(mounted);
	size_t size;
	scoped(text) char *bytes = file_read(path, SPARK_FILES_LIMIT_BYTES, &size, err);

	if (!bytes)
		return false;
	if (!add_content(files, name, bytes, size))
		return error_set(
			err, ERROR_INVALID,
			"'%s' and another local file are both named '%s', and would meet in "
			"one folder; rename one, or set " UPLOAD_PATH,
			path, base_name);
	json_object_set_new(upload->places, uri, json_string(place + strlen(FILE_SCHEME)));
	return true;
}

static bool check_total(const struct spark_files *files, struct error **err)
{
	const json_t *const parts[] = { files->contents, files->binaries };
	int64_t total_bytes = 0, largest_bytes = -1;
	const char *name, *largest = "";
	json_t *content;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		json_object_foreach ((json_t *)parts[i], name, content) {
			int64_t size_bytes = (int64_t)(strlen(name) + json_string_length(content));

			total_bytes += size_bytes;
			if (size_bytes > largest_bytes) {
				largest_bytes = size_bytes;
				largest = name;
			}
		}
	return total_bytes <= SPARK_FILES_LIMIT_BYTES ||
	       refuse_size(total_bytes, largest, largest_bytes, err);
}

/* Beside what travels already, in a folder of their own. */
static bool carry_files(struct upload *upload, struct error **err)
{
	const struct spark_files *there = upload->app->files;
	const char *uri;
	json_t *place;
	void *next;

	upload->scheme = FILE_SCHEME;
	upload->main_scheme = "local://";
	if (!check_sizes(upload, err))
		return false;
	upload->files = xcalloc(1, sizeof(*upload->files));
	upload->files->mount_path = xstrdup(there ? there->mount_path : MOUNT_PATH);
	upload->files->contents =
		there && there->contents ? json_copy(there->contents) : json_object();
	upload->files->binaries =
		there && there->binaries ? json_copy(there->binaries) : json_object();
	json_object_foreach_safe(
		upload->places, next, uri,
		place) if (!carry_file(upload, there ? "files/" : "", uri, err)) return false;
	return check_total(upload->files, err);
}

/* ---- to the upload path ---- */

/* What the folders' names follow from, beside the contents; owned by the caller. */
static char *upload_identity(const struct spark_app *app)
{
	if (app->submission_id || app->resource_prefix)
		return xstrdup(app->submission_id ? app->submission_id : app->resource_prefix);
	return digest_random_hex(DIGEST_DIGITS);
}

/* "spark-upload-<uuid>" for a content; owned by the caller. */
static char *upload_folder(const char *identity, const char *path, struct error **err)
{
	scoped(text) char *content = digest_file(path, err);
	scoped(text) char *whole = NULL;
	scoped(text) char *digits = NULL;

	if (!content)
		return NULL;
	whole = text_printf("%s/%s", identity, content);
	digits = digest_bytes(whole, strlen(whole));
	return text_printf("spark-upload-%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8,
	                   digits + 12, digits + 16, digits + 20);
}

static bool upload_file(struct upload *upload, struct spark_upload_target *target,
                        const char *identity, const char *uri, struct error **err)
{
	scoped(text) char *path = spark_uri_path(uri);
	const char *name = strrchr(path, '/') + 1;
	scoped(text) char *folder = upload_folder(identity, path, err);
	scoped(text) char *relative = folder ? file_join(folder, name) : NULL;

	if (!relative)
		return false;
	spark_upload_target_add(target, relative, path);
	json_object_set_new(upload->places, uri,
	                    json_sprintf("%s/%s/%s", spark_upload_target_uri(target), folder,
	                                 strrchr(uri, '/') + 1));
	return true;
}

static bool upload_files(struct upload *upload, const char *upload_path, struct http_client *http,
                         struct error **err)
{
	scoped(spark_upload_target) struct spark_upload_target *target =
		spark_upload_target_open(upload_path, upload->app->conf, http, err);
	scoped(text) char *identity = upload_identity(upload->app);
	const char *uri;
	json_t *place;
	void *next;

	upload->scheme = upload->main_scheme = "";
	if (!target)
		return error_wrap(err, UPLOAD_PATH);
	json_object_foreach_safe(
		upload->places, next, uri,
		place) if (!upload_file(upload, target, identity, uri, err)) return false;
	return !http || spark_upload_target_send(target, err);
}

/* ---- what the application says then ---- */

/* Owned by the caller. */
static char *placed_uri(const struct upload *upload, const char *scheme, const char *uri)
{
	scoped(text) char *normal = normal_uri(uri);
	const char *place = json_string_value(json_object_get(upload->places, normal));

	return text_printf("%s%s%s", scheme, place, spark_uri_fragment(uri));
}

/* Those that were local come first, as Spark has them. */
static void rewrite_list(const struct upload *upload, size_t which)
{
	json_auto_t *moved = json_array();
	json_auto_t *others = json_array();
	scoped(text) char *list = NULL;
	const json_t *uri;
	size_t i;

	json_array_foreach (upload->uris[which], i, uri) {
		const char *text = json_string_value(uri);
		bool is_local = spark_uri_is_local(text);
		scoped(text) char *placed =
			is_local ? placed_uri(upload, upload->scheme, text) : NULL;

		json_array_append_new(is_local ? moved : others,
		                      json_string(is_local ? placed : text));
	}
	if (!json_array_size(moved))
		return;
	json_array_extend(moved, others);
	list = spark_uri_join(moved);
	spark_conf_set(upload->app->conf, lists[which], list);
}

static void rewrite_app(struct upload *upload)
{
	struct spark_app *app = upload->app;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		rewrite_list(upload, i);
	free(app->main_resource);
	app->main_resource = is_local_main(upload) ? placed_uri(upload, upload->main_scheme,
	                                                        upload->main_resource)
	                                           : take(upload->main_resource);
	if (upload->files) {
		spark_files_free(app->files);
		app->files = take(upload->files);
	}
}

static bool prepare(struct upload *upload, struct http_client *http, json_t *warnings,
                    struct error **err)
{
	const char *path = spark_conf_get(upload->app->conf, UPLOAD_PATH);
	size_t count;

	if (!collect_files(upload, err))
		return false;
	count = json_object_size(upload->places);
	if (!count)
		return true;
	if (path ? !upload_files(upload, path, http, err) : !carry_files(upload, err))
		return false;
	if (path && !http)
		json_array_append_new(warnings,
		                      json_sprintf("%zu local file%s not uploaded to %s "
		                                   "in a dry run",
		                                   count, count == 1 ? " is" : "s are", path));
	rewrite_app(upload);
	return true;
}

bool spark_upload_prepare(struct spark_app *app, struct http_client *http, json_t *warnings,
                          struct error **err)
{
	struct upload upload = { .app = app, .places = json_object() };
	bool is_fine = prepare(&upload, http, warnings, err);

	upload_release(&upload);
	return is_fine;
}
