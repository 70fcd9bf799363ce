/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of SparkSubmitArguments and SparkSubmit, with words that say what to do. */
#include "submit/spark_arguments_check.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/text.h"

static bool check_deploy_mode(const struct spark_conf *conf, struct error **err)
{
	const char *mode = spark_conf_get(conf, "spark.submit.deployMode");

	if (!mode || text_equal(mode, "cluster"))
		return true;
	if (text_equal(mode, "client"))
		return error_set(err, ERROR_INVALID,
		                 "deploy mode 'client' runs the driver on this machine, which "
		                 "takes spark-submit and a JVM; stepop starts it in the cluster: "
		                 "leave --deploy-mode out, or say 'cluster'");
	return error_set(err, ERROR_INVALID, "the deploy mode is 'cluster', not '%s'", mode);
}

static bool check_resource(const char *resource, struct error **err)
{
	static const char *const shells[] = { "spark-shell", "pyspark-shell", "sparkr-shell" };
	size_t i;

	if (!resource || !*resource)
		return error_set(err, ERROR_USAGE,
		                 "name the application: a jar, a Python file or an R file");
	for (i = 0; i < ARRAY_SIZE(shells); i++)
		if (text_equal(resource, shells[i]))
			return error_set(err, ERROR_INVALID,
			                 "'%s' is a shell, which needs its driver on this machine",
			                 resource);
	return true;
}

static bool check_main_class(const char *main_class, struct error **err)
{
	static const struct {
		const char *name, *what;
	} servers[] = {
		{ "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver", "Spark's SQL shell" },
		{ "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
		  "Spark's Thrift server" },
		{ "org.apache.spark.sql.connect.service.SparkConnectServer",
		  "Spark's Connect server" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(servers); i++)
		if (text_equal(main_class, servers[i].name))
			return error_set(err, ERROR_INVALID,
			                 "%s does not run in deploy mode 'cluster' on Kubernetes",
			                 servers[i].what);
	return true;
}

/* JavaUtils.byteStringAsBytes(…) > 0 */
static bool check_memory(const struct spark_conf *conf, const char *key, struct error **err)
{
	const char *value = spark_conf_get(conf, key);
	int64_t mib;

	if (!value)
		return true;
	if (!spark_conf_get_mib(conf, key, 0, &mib, err))
		return false;
	/* Less than a MiB is not nothing. */
	return strpbrk(value, "123456789") ||
	       error_set(err, ERROR_INVALID, "%s must be more than '%s'", key, value);
}

/* Integer.parseInt(…) > 0: without blanks. */
static bool check_count(const struct spark_conf *conf, const char *key, struct error **err)
{
	const char *value = spark_conf_get(conf, key);
	int64_t count;

	return !value || text_to_int64(value, 1, INT32_MAX, &count) ||
	       error_set(err, ERROR_INVALID, "%s must be a positive whole number, not '%s'", key,
	                 value);
}

static bool is_dynamic(const struct spark_conf *conf)
{
	const char *enabled = spark_conf_get(conf, "spark.dynamicAllocation.enabled");

	return enabled && !strcasecmp(enabled, "true");
}

static bool check_numbers(const struct spark_conf *conf, struct error **err)
{
	return check_memory(conf, "spark.driver.memory", err) &&
	       check_memory(conf, "spark.executor.memory", err) &&
	       check_count(conf, "spark.driver.cores", err) &&
	       check_count(conf, "spark.executor.cores", err) &&
	       check_count(conf, "spark.cores.max", err) &&
	       (is_dynamic(conf) || check_count(conf, "spark.executor.instances", err));
}

static bool check_user(const struct spark_arguments *arguments, const struct spark_conf *conf,
                       struct error **err)
{
	if (json_object_get(arguments->options, "proxy-user") &&
	    spark_conf_get(conf, "spark.kerberos.principal"))
		return error_set(err, ERROR_INVALID,
		                 "the driver is either --proxy-user, or logs in as --principal "
		                 "(spark.kerberos.principal), not both");
	return true;
}

bool spark_arguments_check(const struct spark_arguments *arguments, const struct spark_conf *conf,
                           struct error **err)
{
	const char *main_class = json_string_value(json_object_get(arguments->options, "class"));

	if (spark_conf_get(conf, "spark.remote"))
		return error_set(err, ERROR_INVALID,
		                 "spark.remote is for clients of Spark Connect, which start no "
		                 "driver");
	return check_deploy_mode(conf, err) && check_resource(arguments->resource, err) &&
	       check_main_class(main_class, err) && check_numbers(conf, err) &&
	       check_user(arguments, conf, err);
}
