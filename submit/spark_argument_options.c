/* SPDX-License-Identifier: Apache-2.0 */
/* The options of spark-submit (SparkSubmitOptionParser): those that count here, and why others do
 * not. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_arguments.h"

static const struct spark_argument_option options[] = {
	{ .name = "master",
	  .property = "spark.master",
	  .placeholder = "URL",
	  .help = "k8s://https://host:port; default: the kubeconfig's cluster" },
	{ .name = "deploy-mode",
	  .property = "spark.submit.deployMode",
	  .placeholder = "MODE",
	  .help = "cluster, the only one here" },
	{ .name = "name",
	  .property = "spark.app.name",
	  .placeholder = "NAME",
	  .help = "of the application; default: its main class or file" },
	{ .name = "class", .placeholder = "CLASS", .help = "main class of a jar" },
	{ .name = "conf",
	  .letter = 'c',
	  .is_repeatable = true,
	  .placeholder = "PROPERTY=VALUE",
	  .help = "a Spark property" },
	{ .name = "properties-file",
	  .placeholder = "FILE",
	  .help = "Spark properties; replaces conf/spark-defaults.conf" },
	{ .name = "extra-properties-file",
	  .is_repeatable = true,
	  .placeholder = "FILE",
	  .help = "more of them, which win over --properties-file" },
	{ .name = "load-spark-defaults",
	  .is_switch = true,
	  .help = "read conf/spark-defaults.conf beside --properties-file" },
	{ .name = "driver-memory",
	  .property = "spark.driver.memory",
	  .placeholder = "MEM",
	  .help = "heap of the driver, as in 512m or 2g; default: 1g" },
	{ .name = "driver-cores",
	  .property = "spark.driver.cores",
	  .placeholder = "NUM",
	  .help = "cores of the driver; default: 1" },
	{ .name = "driver-java-options",
	  .property = "spark.driver.extraJavaOptions",
	  .placeholder = "OPTIONS",
	  .help = "options of the driver's JVM" },
	{ .name = "driver-library-path",
	  .property = "spark.driver.extraLibraryPath",
	  .placeholder = "PATH",
	  .help = "native libraries of the driver" },
	{ .name = "driver-class-path",
	  .property = "spark.driver.extraClassPath",
	  .placeholder = "PATH",
	  .help = "class path of the driver, in the image" },
	{ .name = "executor-memory",
	  .property = "spark.executor.memory",
	  .placeholder = "MEM",
	  .help = "heap of each executor; default: 1g" },
	{ .name = "executor-cores",
	  .property = "spark.executor.cores",
	  .placeholder = "NUM",
	  .help = "cores of each executor; default: 1" },
	{ .name = "num-executors",
	  .property = "spark.executor.instances",
	  .placeholder = "NUM",
	  .help = "executors; default: 2" },
	{ .name = "jars",
	  .property = "spark.jars",
	  .placeholder = "LIST",
	  .help = "jars for driver and executors, between commas" },
	{ .name = "files",
	  .property = "spark.files",
	  .placeholder = "LIST",
	  .help = "files for the working folder of each executor" },
	{ .name = "archives",
	  .property = "spark.archives",
	  .placeholder = "LIST",
	  .help = "archives that are unpacked there, as FILE#FOLDER" },
	{ .name = "py-files",
	  .property = "spark.submit.pyFiles",
	  .placeholder = "LIST",
	  .help = ".py, .zip and .egg files for PYTHONPATH" },
	{ .name = "packages",
	  .property = "spark.jars.packages",
	  .placeholder = "LIST",
	  .help = "group:artifact:version of jars, which the driver fetches" },
	{ .name = "exclude-packages",
	  .property = "spark.jars.excludes",
	  .placeholder = "LIST",
	  .help = "group:artifact of what --packages must not draw in" },
	{ .name = "repositories",
	  .property = "spark.jars.repositories",
	  .placeholder = "LIST",
	  .help = "more repositories for --packages" },
	{ .name = "principal",
	  .property = "spark.kerberos.principal",
	  .placeholder = "NAME",
	  .help = "Kerberos principal" },
	{ .name = "keytab",
	  .property = "spark.kerberos.keytab",
	  .placeholder = "FILE",
	  .help = "its keytab" },
	{ .name = "proxy-user", .placeholder = "NAME", .help = "user that the driver acts as" },
	{ 0 },
};

static const struct {
	const char *option, *reason;
} refusals[] = {
	{ "driver-default-class-path", "is for Spark's own scripts" },
	{ "kubernetes-master", "was replaced by --master in Spark 2.3" },
	{ "kubernetes-namespace", "was replaced by --conf spark.kubernetes.namespace=… in Spark "
	                          "2.3" },
	{ "queue", "is for YARN; on Kubernetes a scheduler such as Volcano or YuniKorn has queues: "
	           "see spark.kubernetes.scheduler.name and pod labels" },
	{ "remote", "is for clients of Spark Connect, which start no driver" },
	{ "supervise", "is for Spark's standalone cluster" },
	{ "total-executor-cores",
	  "is for Spark's standalone cluster; use --num-executors and --executor-cores" },
	{ "usage-error", "is for Spark's own scripts" },
};

const struct spark_argument_option *spark_argument_options(void)
{
	return options;
}

const char *spark_argument_refusal(const char *option)
{
	size_t i;

	option += strspn(option, "-");
	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		if (text_equal(refusals[i].option, option))
			return refusals[i].reason;
	return NULL;
}
