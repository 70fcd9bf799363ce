/* SPDX-License-Identifier: Apache-2.0 */
/* The releases of Spark that objects can be made for, and what tells them apart. */
#ifndef SUBMIT_SPARK_RELEASE_H
#define SUBMIT_SPARK_RELEASE_H

#include <stdbool.h>

#include "core/error.h"

/* What came with a release and acts at submission (the release is in spark_release.c's table). */
enum spark_feature {
	/* 4.0 */
	SPARK_SUBSTITUTES_LABELS, /* {{APP_ID}} in labels, too */
	SPARK_MINIMUM_OVERHEAD,   /* spark.driver.minMemoryOverhead */
	SPARK_CLAIMS_FOR_ONE_POD, /* claims are ReadWriteOncePod */
	SPARK_VOLUME_DETAILS,     /* subPathExpr, types of host paths, labels of claims */
	SPARK_AWS_SDK_2,          /* Hadoop 3.4: credential providers have other names */
	/* 4.1 */
	SPARK_CONNECT_PORT,
	SPARK_SUBSTITUTES_IMAGES,     /* {{SPARK_VERSION}} */
	SPARK_FORGETS_PYTHON_VERSION, /* spark.kubernetes.pyspark.pythonVersion */
	SPARK_EXCLUDES_STEPS,         /* spark.kubernetes.driver.pod.excludedFeatureSteps */
	/* 4.2 */
	SPARK_NETWORK_POLICY,
	SPARK_BINARY_UNITS,      /* Ki, MiB … in sizes (SPARK-55051) */
	SPARK_POD_GROUP_IN_LINE, /* spark.kubernetes.scheduler.volcano.podGroupTemplateJson */
	/* 4.3 */
	SPARK_PRIVILEGE_ESCALATION, /* of the container is written */
	SPARK_SERVICE_DETAILS,      /* publishNotReadyAddresses, appProtocol of spark-connect */
	SPARK_USER_IS_PROXY_USER,   /* before $SPARK_USER */
};

/* `version` is one that spark_release_check() accepts; any other has no feature. */
bool spark_release_has(const char *version, enum spark_feature feature);

/*
 * The release that is meant, in full: "4.3" is the newest of its line that is known ("4.3.0"), a
 * "v" in front is dropped, and what follows the third number ("-preview1") is kept. Owned by the
 * caller. INVALID, with those that are known, for a release that is older or newer than they.
 */
char *spark_release_complete(const char *version, struct error **err);
bool spark_release_check(const char *version, struct error **err);

/*
 * The Spark version in the name of an image, the way it is written there without "v":
 * "apache/spark:4.3.0-scala2.13-java17-ubuntu", "registry:5000/etl:7-spark3.5". One of Spark's own
 * image names (spark, spark-py, spark-r, pyspark) may carry a version that is not known. Owned by
 * the caller; NULL when none is found.
 */
char *spark_release_of_image(const char *image);

#endif
