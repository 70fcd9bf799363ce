/* SPDX-License-Identifier: Apache-2.0 */
/* From Spark's properties to the options of a kubeconfig. */
#include "submit/spark_connection.h"

#include "core/memory.h"
#include "core/text.h"

#define AUTHENTICATE "spark.kubernetes.authenticate.submission."

/* An empty value counts as none. */
static void set_default(const char **option, const char *value)
{
	if (!*option && value && *value)
		*option = value;
}

static bool set_user(const struct spark_conf *conf, struct kube_config_options *options,
                     struct error **err)
{
	const char *token = spark_conf_get(conf, AUTHENTICATE "oauthToken");
	const char *token_file = spark_conf_get(conf, AUTHENTICATE "oauthTokenFile");

	if (token && token_file)
		return error_set(err, ERROR_INVALID,
		                 "either " AUTHENTICATE "oauthToken or …oauthTokenFile is set, not "
		                 "both");
	set_default(&options->token, token);
	set_default(&options->token_file, token_file);
	set_default(&options->certificate_file,
	            spark_conf_get(conf, AUTHENTICATE "clientCertFile"));
	set_default(&options->key_file, spark_conf_get(conf, AUTHENTICATE "clientKeyFile"));
	return true;
}

static bool set_timeout(const struct spark_conf *conf, const char *key, int64_t *timeout_ms,
                        struct error **err)
{
	int64_t value;

	if (!spark_conf_get_int(conf, key, *timeout_ms, &value, err))
		return false;
	if (value < 0)
		return error_set(err, ERROR_INVALID, "%s: %jd ms is no timeout", key,
		                 (intmax_t)value);
	*timeout_ms = value;
	return true;
}

bool spark_connection_options(const struct spark_app *app, struct kube_config_options *options,
                              struct error **err)
{
	const struct spark_conf *conf = app->conf;
	struct kube_config_options found = *options;

	set_default(&found.server, app->master);
	set_default(&found.context, spark_conf_get(conf, "spark.kubernetes.context"));
	set_default(&found.namespace, app->namespace);
	set_default(&found.namespace, spark_conf_get(conf, "spark.kubernetes.namespace"));
	set_default(&found.namespace, "default");
	set_default(&found.ca_file, spark_conf_get(conf, AUTHENTICATE "caCertFile"));
	if (!set_user(conf, &found, err) ||
	    !spark_conf_get_bool(conf, "spark.kubernetes.trust.certificates", found.insecure,
	                         &found.insecure, err) ||
	    !set_timeout(conf, "spark.kubernetes.submission.connectionTimeout",
	                 &found.connect_timeout_ms, err) ||
	    !set_timeout(conf, "spark.kubernetes.submission.requestTimeout",
	                 &found.request_timeout_ms, err))
		return false;
	*options = found;
	return true;
}
