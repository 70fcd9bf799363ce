/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of the driver: spark.kubernetes.driver.volumes.*, and its local folders. */
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/kube_object.h"
#include "submit/spark_release.h"

#define LOCAL_FOLDER "spark-local-dir-"

/* One volume of the properties: "driver" or "executor", its type and name, its place in the order.
 */
struct volume {
	const char *role;
	char *type, *name;
	size_t index;
	bool is_read_only;
	const char *access_mode; /* of its claim */
};

/* mount.path, options.claimName …; borrowed; NULL when unset. */
static const char *volume_option(const struct driver_build *build, const struct volume *volume,
                                 const char *option)
{
	scoped(text) char *key = text_printf("spark.kubernetes.%s.volumes.%s.%s.%s", volume->role,
	                                     volume->type, volume->name, option);

	return spark_conf_get(build->conf, key);
}

static bool require_option(const struct driver_build *build, const struct volume *volume,
                           const char *option, struct error **err)
{
	const char *value = volume_option(build, volume, option);

	if (!value || !*value)
		return error_set(err, ERROR_INVALID,
		                 "the volume '%s' needs spark.kubernetes.%s.volumes.%s.%s.%s",
		                 volume->name, volume->role, volume->type, volume->name, option);
	return true;
}

static bool has_details(const struct driver_build *build)
{
	return spark_release_has(build->app->spark_version, SPARK_VOLUME_DETAILS);
}

/* One claim per driver and volume stands wherever the name says OnDemand. */
static char *claim_name(const struct driver_build *build, const struct volume *volume)
{
	static const char placeholder[] = "OnDemand";
	const char *name = volume_option(build, volume, "options.claimName");
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const char *found;

	while ((found = strstr(name, placeholder))) {
		fprintf(out, "%.*s%s-driver-pvc-%zu", (int)(found - name), name,
		        build->app->resource_prefix, volume->index);
		name = found + strlen(placeholder);
	}
	fputs(name, out);
	return text_stream_take(&stream);
}

/* `kind` is "label" or "annotation". Owned by the caller. */
static json_t *claim_details(const struct driver_build *build, const struct volume *volume,
                             const char *kind)
{
	scoped(text) char *prefix = text_printf("spark.kubernetes.%s.volumes.%s.%s.%s.",
	                                        volume->role, volume->type, volume->name, kind);

	return has_details(build) ? driver_build_properties(build, prefix) : json_object();
}

static void set_claim_metadata(struct driver_build *build, const struct volume *volume,
                               json_t *claim)
{
	json_t *metadata = json_object_get(claim, "metadata");
	json_auto_t *labels = claim_details(build, volume, "label");
	json_auto_t *annotations = claim_details(build, volume, "annotation");

	json_object_update(labels, build->app->labels);
	json_object_set_new(labels, "spark-app-selector", json_string(build->app->app_id));
	json_object_set(metadata, "labels", labels);
	if (json_object_size(annotations))
		json_object_set(metadata, "annotations", annotations);
}

/* A claim is made only where both its class and its size are given. */
static void add_claim(struct driver_build *build, const struct volume *volume, const char *name)
{
	const char *class = volume_option(build, volume, "options.storageClass");
	const char *size = volume_option(build, volume, "options.sizeLimit");
	json_t *claim;

	if (!class || !size)
		return;
	claim = driver_build_add_object(build, "PersistentVolumeClaim", name);
	set_claim_metadata(build, volume, claim);
	json_object_set_new(claim, "spec",
	                    json_pack("{s:[s], s:{s:{s:s}}, s:s}", "accessModes",
	                              volume->access_mode, "resources", "requests", "storage", size,
	                              "storageClassName", class));
}

static json_t *claim_source(struct driver_build *build, const struct volume *volume)
{
	scoped(text) char *name = claim_name(build, volume);

	add_claim(build, volume, name);
	return json_pack("{s:s, s:b}", "claimName", name, "readOnly", volume->is_read_only);
}

static json_t *host_path_source(struct driver_build *build, const struct volume *volume)
{
	const char *type = has_details(build) ? volume_option(build, volume, "options.type") : NULL;

	return json_pack("{s:s, s:s}", "path", volume_option(build, volume, "options.path"), "type",
	                 type ? type : "");
}

static json_t *empty_source(struct driver_build *build, const struct volume *volume)
{
	const char *medium = volume_option(build, volume, "options.medium");
	const char *limit = volume_option(build, volume, "options.sizeLimit");
	json_t *source = json_pack("{s:s}", "medium", medium ? medium : "");

	if (limit)
		json_object_set_new(source, "sizeLimit", json_string(limit));
	return source;
}

static json_t *nfs_source(struct driver_build *build, const struct volume *volume)
{
	return json_pack("{s:s, s:s}", "server", volume_option(build, volume, "options.server"),
	                 "path", volume_option(build, volume, "options.path"));
}

static const struct volume_type {
	const char *name;
	const char *required[3];
	json_t *(*source)(struct driver_build *build, const struct volume *volume);
} volume_types[] = {
	{ "hostPath", { "options.path" }, host_path_source },
	{ "emptyDir", { NULL }, empty_source },
	{ "nfs", { "options.server", "options.path" }, nfs_source },
	{ "persistentVolumeClaim", { "options.claimName" }, claim_source },
};

static const struct volume_type *volume_type_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(volume_types); i++)
		if (text_equal(volume_types[i].name, name))
			return &volume_types[i];
	return NULL;
}

/* A number alone is bytes, and fewer than 1024 of them are a forgotten unit. */
static bool check_size(const struct driver_build *build, const struct volume *volume,
                       struct error **err)
{
	const char *size = volume_option(build, volume, "options.sizeLimit");

	if (!has_details(build) || !size || size[strspn(size, "0123456789")] ||
	    strtoull(size, NULL, 10) >= 1024)
		return true;
	return error_set(err, ERROR_INVALID,
	                 "spark.kubernetes.%s.volumes.%s.%s.options.sizeLimit: '%s' is less than "
	                 "1Ki; write its unit, as in '10Gi'",
	                 volume->role, volume->type, volume->name, size);
}

static bool check_sub_path(const struct driver_build *build, const struct volume *volume,
                           struct error **err)
{
	if (!has_details(build) || !volume_option(build, volume, "mount.subPath") ||
	    !volume_option(build, volume, "mount.subPathExpr"))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "the volume '%s' has both mount.subPath and mount.subPathExpr; set one of "
	                 "them",
	                 volume->name);
}

static bool read_flags(const struct driver_build *build, struct volume *volume, struct error **err)
{
	bool is_for_one_pod =
		spark_release_has(build->app->spark_version, SPARK_CLAIMS_FOR_ONE_POD);
	scoped(text) char *key = text_printf("spark.kubernetes.%s.volumes.%s.%s.mount.readOnly",
	                                     volume->role, volume->type, volume->name);
	bool is_legacy;

	if (!spark_conf_get_bool(build->conf, key, false, &volume->is_read_only, err) ||
	    !spark_conf_get_bool(build->conf, "spark.kubernetes.legacy.useReadWriteOnceAccessMode",
	                         !is_for_one_pod, &is_legacy, err))
		return false;
	volume->access_mode = is_legacy ? "ReadWriteOnce" : "ReadWriteOncePod";
	return true;
}

static bool check_volume(const struct driver_build *build, struct volume *volume,
                         struct error **err)
{
	const struct volume_type *type = volume_type_find(volume->type);
	size_t i;

	if (!type)
		return error_set(
			err, ERROR_INVALID,
			"spark.kubernetes.%s.volumes.%s: a volume is a hostPath, emptyDir, "
			"nfs or persistentVolumeClaim",
			volume->role, volume->type);
	if (!require_option(build, volume, "mount.path", err))
		return false;
	for (i = 0; type->required[i]; i++)
		if (!require_option(build, volume, type->required[i], err))
			return false;
	return check_size(build, volume, err) && check_sub_path(build, volume, err) &&
	       read_flags(build, volume, err);
}

static void mount_volume(struct driver_build *build, const struct volume *volume)
{
	const struct volume_type *type = volume_type_find(volume->type);
	const char *sub_path = volume_option(build, volume, "mount.subPath");
	const char *expression = volume_option(build, volume, "mount.subPathExpr");
	json_t *mount = driver_build_add_mount(build, volume->name,
	                                       volume_option(build, volume, "mount.path"));

	json_object_set_new(mount, "readOnly", json_boolean(volume->is_read_only));
	json_object_set_new(mount, "subPath", json_string(sub_path ? sub_path : ""));
	if (has_details(build))
		json_object_set_new(mount, "subPathExpr",
		                    json_string(expression ? expression : ""));
	driver_build_add_volume(build, volume->name, type->name, type->source(build, volume));
}

/* "hostPath.data.mount.path" -> type and name; both are the caller's. */
static bool read_volume_key(const char *key, struct volume *volume, struct error **err)
{
	const char *dot = strchr(key, '.');
	const char *end = dot ? strchr(dot + 1, '.') : NULL;

	if (!end)
		return error_set(err, ERROR_INVALID,
		                 "spark.kubernetes.%s.volumes.%s is not written as "
		                 "<type>.<name>.mount.path or <type>.<name>.options.<option>",
		                 volume->role, key);
	volume->type = xstrndup(key, (size_t)(dot - key));
	volume->name = xstrndup(dot + 1, (size_t)(end - dot - 1));
	return true;
}

static bool take_mount_path(const struct driver_build *build, const struct volume *volume,
                            json_t *paths, struct error **err)
{
	const char *path = volume_option(build, volume, "mount.path");
	const char *other = json_string_value(json_object_get(paths, path));

	if (other)
		return error_set(err, ERROR_INVALID,
		                 "the volumes '%s' and '%s' have one mount path, '%s'", other,
		                 volume->name, path);
	json_object_set_new(paths, path, json_string(volume->name));
	return true;
}

/* `seen` holds "<type>.<name>" of those that were dealt with, `paths` their mount paths. */
static bool handle_volume(struct driver_build *build, const char *key, struct volume *volume,
                          json_t *seen, json_t *paths, struct error **err)
{
	scoped(text) char *identity = NULL;

	if (!read_volume_key(key, volume, err))
		return false;
	identity = text_printf("%s.%s", volume->type, volume->name);
	if (json_object_get(seen, identity))
		return true;
	volume->index = json_object_size(seen);
	json_object_set_new(seen, identity, json_true());
	if (!check_volume(build, volume, err) || !take_mount_path(build, volume, paths, err))
		return false;
	if (text_equal(volume->role, "driver"))
		mount_volume(build, volume);
	return true;
}

static bool handle_volumes(struct driver_build *build, const char *role, struct error **err)
{
	scoped(text) char *prefix = text_printf("spark.kubernetes.%s.volumes.", role);
	json_auto_t *settings = driver_build_properties(build, prefix);
	json_auto_t *seen = json_object();
	json_auto_t *paths = json_object();
	const char *key;
	json_t *value;

	json_object_foreach (settings, key, value) {
		struct volume volume = { .role = role };
		bool is_fine = handle_volume(build, key, &volume, seen, paths, err);

		free(volume.type);
		free(volume.name);
		if (!is_fine)
			return false;
	}
	return true;
}

/* The executors' are the driver's business; here they are checked only, to fail early. */
bool driver_mount_volumes(struct driver_build *build, struct error **err)
{
	return handle_volumes(build, "driver", err) && handle_volumes(build, "executor", err);
}

/* The paths of the volumes that the user meant for it; an array. */
static json_t *mounted_local_folders(const struct driver_build *build)
{
	json_t *folders = json_array();
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(build->container, "volumeMounts"), i, mount)
		if (text_starts_with(json_string_value(json_object_get(mount, "name")),
		                     LOCAL_FOLDER))
			json_array_append(folders, json_object_get(mount, "mountPath"));
	return folders;
}

/* A folder of its own for each application; in Spark its name is a random UUID. */
static char *default_local_folder(const struct driver_build *build)
{
	const char *id = build->app->app_id;
	scoped(text) char *digits = digest_bytes(id, strlen(id));

	return text_printf("/var/data/spark-%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8,
	                   digits + 12, digits + 16, digits + 20);
}

static bool make_local_folders(struct driver_build *build, const json_t *folders,
                               struct error **err)
{
	bool is_memory;
	const json_t *folder;
	size_t i;

	if (!spark_conf_get_bool(build->conf, "spark.kubernetes.local.dirs.tmpfs", false,
	                         &is_memory, err))
		return false;
	json_array_foreach (folders, i, folder) {
		scoped(text) char *name = text_printf(LOCAL_FOLDER "%zu", i + 1);
		json_t *source = is_memory ? json_pack("{s:s}", "medium", "Memory") : json_object();

		driver_build_add_volume(build, name, "emptyDir", source);
		driver_build_add_mount(build, name, json_string_value(folder));
	}
	return true;
}

static char *joined(const json_t *texts)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const json_t *text;
	size_t i;

	json_array_foreach (texts, i, text)
		fprintf(out, "%s%s", i ? "," : "", json_string_value(text));
	return text_stream_take(&stream);
}

bool driver_add_local_folders(struct driver_build *build, struct error **err)
{
	json_auto_t *mounted = mounted_local_folders(build);
	scoped(text) char *fallback = default_local_folder(build);
	const char *inherited = build->app->client.local_dirs;
	const char *configured = spark_conf_get(build->conf, "spark.local.dir");
	const char *chosen = inherited && *inherited ? inherited : configured;
	json_auto_t *folders = spark_conf_split(chosen ? chosen : fallback);
	scoped(text) char *list = joined(json_array_size(mounted) ? mounted : folders);

	if (!json_array_size(mounted) && !make_local_folders(build, folders, err))
		return false;
	driver_build_add_env(build, "SPARK_LOCAL_DIRS", list);
	return true;
}
