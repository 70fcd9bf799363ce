/* SPDX-License-Identifier: Apache-2.0 */
/* ConfigMaps of the driver: spark.properties as Spark has it, and the files that stepop adds. */
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_conf_folder.h"
#include "submit/driver_sensitive.h"
#include "submit/kube_object.h"

#define MAP_LIMIT_BYTES (1024 * 1024)
#define KEY_LIMIT 253
#define FILE_MODE 0644

/*
 * The key of a path in a ConfigMap, which knows [-._a-zA-Z0-9] only: '/' is written "_.", '_' is
 * "__", anything else is '_' and its hex digits, a dot in front too ("..x" is no
 * key). So no two
 * paths share a key; one that is too long ends in a hash instead.
 */
static char *key_of_path(const char *path)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *digest = digest_bytes(path, strlen(path));
	scoped(text) char *key = NULL;
	const char *at;

	for (at = path; *at; at++) {
		bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
		                (*at >= '0' && *at <= '9') || *at == '-' ||
		                (*at == '.' && at != path);

		if (is_plain)
			fputc(*at, out);
		else if (*at == '/' || *at == '_')
			fputs(*at == '/' ? "_." : "__", out);
		else
			fprintf(out, "_%02x", (unsigned char)*at);
	}
	key = text_stream_take(&stream);
	return strlen(key) <= KEY_LIMIT ? take(key) : text_printf("%.180s_h%s", key, digest);
}

/* Relative, without empty parts, "." and "..", and not beginning with "..": what the API server
 * accepts as the path of an item. */
static bool is_relative_path(const char *path)
{
	size_t size;

	if (text_starts_with(path, ".."))
		return false;
	do {
		size = strcspn(path, "/");
		if (!size || (size == 1 && path[0] == '.') || (size == 2 && !memcmp(path, "..", 2)))
			return false;
		path += size;
	} while (*path++);
	return true;
}

/* Path -> what the ConfigMap holds of it, of text and of base64. */
static json_t *all_files(const struct spark_files *files)
{
	json_t *all = files->contents ? json_copy(files->contents) : json_object();

	if (files->binaries)
		json_object_update(all, files->binaries);
	return all;
}

static bool check_size(const json_t *files, struct error **err)
{
	const char *path, *largest = "";
	size_t total = 0, most = 0;
	json_t *text;

	json_object_foreach ((json_t *)files, path, text) {
		size_t size = strlen(path) + json_string_length(text);

		total += size;
		if (size > most) {
			most = size;
			largest = path;
		}
	}
	if (total <= SPARK_FILES_LIMIT_BYTES)
		return true;
	return error_set(err, ERROR_INVALID,
	                 "the step's files are %zu KiB together, and a ConfigMap carries %d KiB; "
	                 "build what is large into the image (the largest is '%s', %zu KiB), or "
	                 "read it from the artifact store",
	                 total / 1024, SPARK_FILES_LIMIT_BYTES / 1024, largest, most / 1024);
}

/* Adds `files` to the ConfigMap's part `field`, and to the items that are mounted. */
static bool add_contents(json_t *map, const char *field, const json_t *files, json_t *items,
                         struct error **err)
{
	json_auto_t *data = json_object();
	const char *path;
	json_t *text;

	json_object_foreach ((json_t *)files, path, text) {
		scoped(text) char *key = key_of_path(path);

		if (!is_relative_path(path) || !json_is_string(text))
			return error_set(
				err, ERROR_INVALID,
				"'%s' cannot be the path of a file below the step's folder", path);
		json_object_set(data, key, text);
		json_array_append_new(items, json_pack("{s:s, s:s}", "key", key, "path", path));
	}
	if (json_object_size(data))
		json_object_set(map, field, data);
	return true;
}

bool driver_add_files(struct driver_build *build, struct error **err)
{
	const struct spark_files *files = build->app->files;
	scoped(text) char *name = text_printf("%s-files", build->app->resource_prefix);
	json_auto_t *all = files ? all_files(files) : NULL;
	json_auto_t *items = json_array();
	json_t *map;

	if (!json_object_size(all))
		return true;
	if (!check_size(all, err))
		return false;
	map = driver_build_add_object(build, "ConfigMap", name);
	json_object_set_new(map, "immutable", json_true());
	if (!add_contents(map, "data", files->contents, items, err) ||
	    !add_contents(map, "binaryData", files->binaries, items, err))
		return false;
	driver_build_add_volume(build, "stepop-files", "configMap",
	                        json_pack("{s:s, s:O}", "name", name, "items", items));
	json_object_set_new(driver_build_add_mount(build, "stepop-files", files->mount_path),
	                    "readOnly", json_true());
	return true;
}

/* The first line is Spark's; the date that it writes after it is left out, so that the same
 * application gives the same text. */
static char *properties_text(const struct spark_conf *conf, const char *name)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	fprintf(out, "#Java properties built from Kubernetes config map with name: %s\n", name);
	spark_conf_write_properties(conf, out);
	return text_stream_take(&stream);
}

/* What may be read; NULL where that is all of it. */
static struct spark_conf *readable_conf(const struct driver_build *build)
{
	scoped(spark_conf) struct spark_conf *readable = NULL;
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(build->conf, &count);

	for (i = 0; i < count; i++) {
		if (!driver_sensitive_is_property(build->sensitive, entries[i].key,
		                                  entries[i].value))
			continue;
		if (!readable) {
			readable = spark_conf_new();
			spark_conf_merge(readable, build->conf);
		}
		spark_conf_set(readable, entries[i].key, DRIVER_SENSITIVE_REDACTED);
	}
	free(entries);
	return take(readable);
}

/* The client's files; what it knows as properties is resolved already. */
static json_t *conf_files(const struct driver_build *build, struct error **err)
{
	static const char key[] = "spark.kubernetes.configMap.maxSize";
	const char *folder = build->app->client.conf_dir;
	int64_t limit;

	if (!spark_conf_get_int(build->conf, key, MAP_LIMIT_BYTES, &limit, err))
		return NULL;
	if (limit < 1 || limit > MAP_LIMIT_BYTES)
		return error_set(err, ERROR_INVALID,
		                 "%s: a ConfigMap holds at most %d bytes; choose a size from 1 to "
		                 "that",
		                 key, MAP_LIMIT_BYTES);
	return folder ? driver_conf_folder_read(folder, (size_t)limit, err) : json_object();
}

/* One for each key, in the order of the keys. */
static json_t *items_of(const json_t *data)
{
	json_t *items = json_array(), *names = json_array(), *name;
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach ((json_t *)data, key, value) {
		for (i = 0; i < json_array_size(names); i++)
			if (strcmp(json_string_value(json_array_get(names, i)), key) > 0)
				break;
		json_array_insert_new(names, i, json_string(key));
	}
	json_array_foreach (names, i, name)
		json_array_append_new(items, json_pack("{s:O, s:O, s:i}", "key", name, "path", name,
		                                       "mode", FILE_MODE));
	json_decref(names);
	return items;
}

/* Spark's plain ConfigMap, or, where there are secrets, the same files put together of the
 * ConfigMap and the Secret that has the properties. */
static void add_conf_volume(struct driver_build *build, const char *map, json_t *data,
                            const char *secret)
{
	static const char volume[] = "spark-conf-volume-driver", file[] = "spark.properties";
	json_t *sources, *items;

	if (!secret) {
		driver_build_add_volume(
			build, volume, "configMap",
			json_pack("{s:s, s:o}", "name", map, "items", items_of(data)));
		return;
	}
	sources = json_array();
	json_object_del(data, file);
	items = items_of(data);
	if (json_array_size(items))
		json_array_append_new(sources, json_pack("{s:{s:s, s:O}}", "configMap", "name", map,
		                                         "items", items));
	json_decref(items);
	json_array_append_new(sources,
	                      json_pack("{s:{s:s, s:[{s:s, s:s, s:i}]}}", "secret", "name", secret,
	                                "items", "key", file, "path", file, "mode", FILE_MODE));
	driver_build_add_volume(build, volume, "projected", json_pack("{s:o}", "sources", sources));
}

bool driver_add_config(struct driver_build *build, struct error **err)
{
	scoped(text) char *name = spark_app_config_name(build->app);
	scoped(spark_conf) struct spark_conf *readable = readable_conf(build);
	scoped(secret) char *properties = properties_text(build->conf, name);
	scoped(text) char *shown = readable ? properties_text(readable, name) : NULL;
	scoped(text) char *secret = NULL;
	json_auto_t *data = conf_files(build, err);
	json_t *map;

	if (!data)
		return false;
	if (readable)
		secret = driver_build_hide(build, "spark.properties", properties);
	json_object_set_new(data, "spark.properties", json_string(shown ? shown : properties));
	map = driver_build_add_object(build, "ConfigMap", name);
	json_object_set_new(map, "immutable", json_true());
	json_object_set_new(map, "data", json_copy(data));
	json_object_set_new(json_object_get(map, "data"), "spark.kubernetes.namespace",
	                    json_string(build->app->namespace));
	driver_build_add_env(build, "SPARK_CONF_DIR", "/opt/spark/conf");
	add_conf_volume(build, name, data, secret);
	driver_build_add_mount(build, "spark-conf-volume-driver", "/opt/spark/conf");
	return true;
}
