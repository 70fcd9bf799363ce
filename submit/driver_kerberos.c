/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the driver logs in to Kerberos (KerberosConfDriverFeatureStep): krb5.conf, a keytab, a Secret
 * with delegation tokens. Spark's client would, where none of the last two is given, fetch tokens
 * with the ticket of the user who submits; stepop does not speak Hadoop's protocols, and such a
 * ticket is left unused.
 */
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_client.h"

#define KRB5_PATH "spark.kubernetes.kerberos.krb5.path"
#define KRB5_MAP "spark.kubernetes.kerberos.krb5.configMapName"
#define KEYTAB "spark.kerberos.keytab"
#define PRINCIPAL "spark.kerberos.principal"
#define TOKEN_SECRET "spark.kubernetes.kerberos.tokenSecret.name"
#define TOKEN_KEY "spark.kubernetes.kerberos.tokenSecret.itemKey"
#define KEYTAB_FOLDER "/mnt/secrets/kerberos-keytab"
#define TOKEN_FOLDER "/mnt/secrets/hadoop-credentials"

static bool check_key(const char *property, const char *name, struct error **err)
{
	if (driver_client_is_key(name))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "%s: a file named '%s' cannot travel in a ConfigMap or Secret; rename it",
	                 property, name);
}

/* A ConfigMap of the one file; its volume source, or NULL. */
static json_t *make_krb5_map(struct driver_build *build, const char *path, struct error **err)
{
	scoped(text) char *name = text_printf("%s-krb5-file", build->app->resource_prefix);
	const char *file = driver_client_base_name(path);
	scoped(text) char *content = NULL;
	json_t *map;
	size_t size;

	if (!check_key(KRB5_PATH, file, err))
		return NULL;
	content = driver_client_read(KRB5_PATH, path, &size, err);
	if (!content)
		return NULL;
	if (!text_is_utf8(content, size))
		return error_set(err, ERROR_INVALID, KRB5_PATH ": '%s' is not UTF-8 text", path);
	map = driver_build_add_object(build, "ConfigMap", name);
	json_object_set_new(map, "immutable", json_true());
	json_object_set_new(map, "data", json_pack("{s:s}", file, content));
	return json_pack("{s:s, s:[{s:s, s:s}]}", "name", name, "items", "key", file, "path", file);
}

bool driver_add_krb5(struct driver_build *build, struct error **err)
{
	const char *path = spark_conf_get(build->conf, KRB5_PATH);
	const char *existing = spark_conf_get(build->conf, KRB5_MAP);
	json_t *source;

	if (!path && !existing)
		return true;
	if (path && existing)
		return error_set(err, ERROR_INVALID,
		                 "krb5.conf would come from " KRB5_PATH " and from " KRB5_MAP
		                 "; set one of them");
	source = path ? make_krb5_map(build, path, err) : json_pack("{s:s}", "name", existing);
	if (!source)
		return false;
	driver_build_add_volume(build, "krb5-file", "configMap", source);
	json_object_set_new(driver_build_add_mount(build, "krb5-file", "/etc/krb5.conf"), "subPath",
	                    json_string("krb5.conf"));
	return true;
}

/* Both or none. */
static bool check_pair(const struct driver_build *build, const char *one, const char *other,
                       struct error **err)
{
	bool has_one = spark_conf_get(build->conf, one);
	bool has_other = spark_conf_get(build->conf, other);

	if (has_one == has_other)
		return true;
	return error_set(err, ERROR_INVALID, "%s is set without %s; they belong together",
	                 has_one ? one : other, has_one ? other : one);
}

static bool send_keytab(struct driver_build *build, const char *path, struct error **err)
{
	scoped(text) char *name = text_printf("%s-kerberos-keytab", build->app->resource_prefix);
	const char *file = driver_client_base_name(path);
	scoped(text) char *place = text_printf(KEYTAB_FOLDER "/%s", file);
	scoped(secret) char *encoded = NULL;
	json_t *secret;
	size_t size;
	char *content;

	if (!check_key(KEYTAB, file, err))
		return false;
	content = driver_client_read(KEYTAB, path, &size, err);
	if (!content)
		return false;
	encoded = base64_encode(content, size);
	text_wipe(content, size);
	free(content);
	secret = driver_build_add_object(build, "Secret", name);
	json_object_set_new(secret, "immutable", json_true());
	json_object_set_new(secret, "data", json_pack("{s:s}", file, encoded));
	driver_build_add_volume(build, "kerberos-keytab", "secret",
	                        json_pack("{s:s}", "secretName", name));
	driver_build_add_mount(build, "kerberos-keytab", KEYTAB_FOLDER);
	spark_conf_set(build->conf, KEYTAB, place);
	return true;
}

static void mount_tokens(struct driver_build *build)
{
	scoped(text) char *place =
		text_printf(TOKEN_FOLDER "/%s", spark_conf_get(build->conf, TOKEN_KEY));

	driver_build_add_volume(
		build, "hadoop-secret", "secret",
		json_pack("{s:s}", "secretName", spark_conf_get(build->conf, TOKEN_SECRET)));
	driver_build_add_mount(build, "hadoop-secret", TOKEN_FOLDER);
	driver_build_add_env(build, "HADOOP_TOKEN_FILE_LOCATION", place);
}

/* A keytab that travels makes tokens needless; one of the image ("local:") does not. */
bool driver_add_kerberos_login(struct driver_build *build, struct error **err)
{
	const char *keytab = spark_conf_get(build->conf, KEYTAB);

	if (!check_pair(build, KEYTAB, PRINCIPAL, err) ||
	    !check_pair(build, TOKEN_SECRET, TOKEN_KEY, err))
		return false;
	if (keytab && !text_starts_with(keytab, "local:"))
		return send_keytab(build, keytab, err);
	if (spark_conf_get(build->conf, TOKEN_SECRET))
		mount_tokens(build);
	return true;
}
