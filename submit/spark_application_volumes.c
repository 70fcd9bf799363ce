/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of a SparkApplication: local folders by Spark's properties, all others by the pod. */
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_application_load.h"

#define LOCAL_FOLDER "spark-local-dir-"
#define VOLUME_NAME_LIMIT 63

/* What Spark can be told about a volume: "options.<option>" of its type. */
static const struct volume_type {
	const char *name;
	const char *options[4];
} local_types[] = {
	{ "emptyDir", { "sizeLimit", "medium" } },
	{ "hostPath", { "path", "type" } },
	{ "nfs", { "path", "server", "readOnly" } },
	{ "persistentVolumeClaim", { "claimName", "readOnly" } },
};

static const struct volume_type *type_of(const json_t *volume)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(local_types); i++)
		if (json_is_object(json_object_get(volume, local_types[i].name)))
			return &local_types[i];
	return NULL;
}

/* Sets "<prefix>.<option>", unless it is nothing. */
static void set_option(const struct application_part *part, const char *prefix, const char *option,
                       const json_t *value)
{
	scoped(text) char *property = text_printf("%s.%s", prefix, option);

	if (value && !json_is_false(value) &&
	    !(json_is_string(value) && !json_string_length(value)))
		application_set_scalar(part, property, value);
}

static void set_options(const struct application_part *part, const char *prefix,
                        const struct volume_type *type, const json_t *volume)
{
	size_t i;

	for (i = 0; type->options[i]; i++) {
		scoped(text) char *option = text_printf("options.%s", type->options[i]);

		set_option(part, prefix, option,
		           json_object_get(json_object_get(volume, type->name), type->options[i]));
	}
}

/* Spark makes SPARK_LOCAL_DIRS of the volumes so named; hence they must be its own. */
static void mount_local_folder(const struct application_part *part, const char *field,
                               const json_t *volume, const json_t *mount)
{
	const struct volume_type *type = type_of(volume);
	const char *name = application_text(volume, "name");
	scoped(text) char *prefix = NULL;

	if (!type) {
		application_fault(
			part, field,
			"the volume '%s' holds local folders of Spark, and such a one is an "
			"emptyDir, hostPath, nfs or persistentVolumeClaim",
			name);
		return;
	}
	prefix =
		text_printf("spark.kubernetes.%s.volumes.%s.%s", part->pod->role, type->name, name);
	set_option(part, prefix, "mount.path", json_object_get(mount, "mountPath"));
	set_option(part, prefix, "mount.subPath", json_object_get(mount, "subPath"));
	set_option(part, prefix, "mount.readOnly", json_object_get(mount, "readOnly"));
	set_options(part, prefix, type, volume);
}

static bool has_volume(const struct application_pod *pod, const char *name)
{
	const json_t *volume;
	size_t i;

	json_array_foreach (json_object_get(application_pod_spec(pod), "volumes"), i, volume)
		if (text_equal(application_text(volume, "name"), name))
			return true;
	return false;
}

static void refuse_mount(const struct application_part *part, const char *field, const char *name)
{
	scoped(text) char *suggestion =
		check_suggestion_of_keys(&part->loader->check, name, part->loader->volumes);

	application_fault(part, field, "there is no volume '%s' in spec.volumes%s", name,
	                  suggestion);
}

static void read_mount(const struct application_part *part, const char *field, const json_t *mount)
{
	const char *name = application_text(mount, "name");
	const json_t *volume = json_object_get(part->loader->volumes, name);
	bool is_there = has_volume(part->pod, name);

	if (!volume && !is_there) {
		refuse_mount(part, field, name);
		return;
	}
	if (volume && text_starts_with(name, LOCAL_FOLDER)) {
		mount_local_folder(part, field, volume, mount);
		return;
	}
	if (!is_there)
		application_append(application_pod_spec(part->pod), "volumes",
		                   json_deep_copy(volume));
	application_append(part->pod->container, "volumeMounts", json_deep_copy(mount));
}

void application_read_mounts(const struct application_part *part, const char *field,
                             const json_t *mounts)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (mounts, i, mount)
		read_mount(part, field, mount);
}

/* A ConfigMap's name may hold dots and be long; a volume's is a label. */
char *application_config_map_volume(const char *map)
{
	scoped(text) char *digest = digest_bytes(map, strlen(map));
	scoped(text) char *plain = text_printf("%s-vol", map);
	scoped(text) char *label = xstrdup(map);
	size_t size = strlen(map), limit = VOLUME_NAME_LIMIT - strlen("-01234567-vol"), i;

	if (strlen(plain) <= VOLUME_NAME_LIMIT && !strchr(plain, '.'))
		return take(plain);
	for (i = 0; label[i]; i++)
		if (label[i] == '.')
			label[i] = '-';
	if (size > limit)
		size = limit;
	while (size && label[size - 1] == '-')
		size--;
	return text_printf("%.*s-%.8s-vol", (int)size, label, digest);
}

void application_mount_config_map(struct application_pod *pod, const char *map, const char *volume,
                                  const char *path)
{
	if (!has_volume(pod, volume))
		application_append(
			application_pod_spec(pod), "volumes",
			json_pack("{s:s, s:{s:s}}", "name", volume, "configMap", "name", map));
	application_append(
		pod->container, "volumeMounts",
		json_pack("{s:s, s:s, s:b}", "name", volume, "mountPath", path, "readOnly", 1));
}

void application_read_config_maps(const struct application_part *part, const char *field,
                                  const json_t *maps)
{
	const json_t *map;
	size_t i;

	(void)field;
	json_array_foreach (maps, i, map) {
		const char *name = application_text(map, "name");
		scoped(text) char *volume = application_config_map_volume(name);

		application_mount_config_map(part->pod, name, volume,
		                             application_text(map, "path"));
	}
}
