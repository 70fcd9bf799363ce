/* SPDX-License-Identifier: Apache-2.0 */
/* Hadoop's configuration for the driver: a folder of this machine, or a ConfigMap that is there
 * (HadoopConfDriverFeatureStep). */
#include <string.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_client.h"

#define PROPERTY "spark.kubernetes.hadoop.configMapName"
#define VOLUME "hadoop-properties"
#define FOLDER "/opt/hadoop/conf"
#define LIMIT_BYTES (1024 * 1024)

/* What is no UTF-8 travels as it is; Spark 3.5 would spoil it, and 4.3 end. */
static bool add_file(json_t *map, const char *folder, const char *name, size_t *total,
                     struct error **err)
{
	scoped(text) char *path = file_join(folder, name);
	scoped(text) char *encoded = NULL;
	scoped(text) char *content = NULL;
	json_t *values = json_object();
	size_t size;
	bool is_text;

	content = driver_client_read("HADOOP_CONF_DIR", path, &size, err);
	if (!content || !driver_client_is_key(name)) {
		json_decref(values);
		return content ? error_set(err, ERROR_INVALID,
		                           "HADOOP_CONF_DIR: '%s' cannot be the key of a "
		                           "ConfigMap; rename the file or move it away",
		                           path)
		               : false;
	}
	is_text = text_is_utf8(content, size);
	encoded = is_text ? NULL : base64_encode(content, size);
	*total += strlen(name) + size;
	json_object_set_new(values, name, json_string(is_text ? content : encoded));
	driver_build_merge(map, is_text ? "data" : "binaryData", values);
	return true;
}

/* Into `map`, and an item each into `items`. */
static bool add_files(json_t *map, json_t *items, const char *folder, struct error **err)
{
	json_auto_t *names = driver_client_files(folder);
	size_t total = 0, i;
	json_t *name;

	json_array_foreach (names, i, name) {
		if (!add_file(map, folder, json_string_value(name), &total, err))
			return false;
		json_array_append_new(items, json_pack("{s:O, s:O}", "key", name, "path", name));
	}
	if (total > LIMIT_BYTES)
		return error_set(err, ERROR_INVALID,
		                 "HADOOP_CONF_DIR: the files of '%s' are %zu KiB together, and a "
		                 "ConfigMap carries %d KiB; move away what is not configuration",
		                 folder, total / 1024, LIMIT_BYTES / 1024);
	return true;
}

/* A folder that is not there makes an empty ConfigMap, as with Spark. */
static bool make_map(struct driver_build *build, const char *name, const char *folder,
                     json_t *source, struct error **err)
{
	json_t *map = driver_build_add_object(build, "ConfigMap", name);
	json_t *items = json_array();
	bool is_fine = add_files(map, items, folder, err);

	json_object_set_new(map, "immutable", json_true());
	if (json_array_size(items))
		json_object_set(source, "items", items);
	json_decref(items);
	return is_fine;
}

bool driver_add_hadoop(struct driver_build *build, struct error **err)
{
	const char *folder = build->app->client.hadoop_conf_dir;
	const char *existing = spark_conf_get(build->conf, PROPERTY);
	scoped(text) char *made = text_printf("%s-hadoop-config", build->app->resource_prefix);
	const char *name = existing ? existing : made;
	json_auto_t *source = json_pack("{s:s}", "name", name);

	if (!folder && !existing)
		return true;
	if (folder && existing)
		return error_set(err, ERROR_INVALID,
		                 "Hadoop's configuration would come from HADOOP_CONF_DIR ('%s') "
		                 "and from " PROPERTY " ('%s'); unset one of them",
		                 folder, existing);
	if (folder && !make_map(build, name, folder, source, err))
		return false;
	driver_build_add_volume(build, VOLUME, "configMap", take(source));
	driver_build_add_mount(build, VOLUME, FOLDER);
	driver_build_add_env(build, "HADOOP_CONF_DIR", FOLDER);
	spark_conf_set(build->conf, "spark.kubernetes.executor.hadoopConfigMapName", name);
	return true;
}
