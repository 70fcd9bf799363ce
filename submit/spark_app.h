/* SPDX-License-Identifier: Apache-2.0 */
/* One Spark application as it is submitted: identity, what to run, properties, what else its pods
 * need. */
#ifndef SUBMIT_SPARK_APP_H
#define SUBMIT_SPARK_APP_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "submit/pod_security.h"
#include "submit/spark_conf.h"

enum spark_resource {
	SPARK_RESOURCE_JAVA,
	SPARK_RESOURCE_PYTHON,
	SPARK_RESOURCE_R,
};

/* A ConfigMap whose keys are mounted as a tree of files: user code, the runtime, step.json. */
struct spark_files {
	char *mount_path; /* "/opt/stepop" */
	json_t *contents; /* relative path -> text; owned */
	json_t *binaries; /* relative path -> base64 of what is not UTF-8; owned; or NULL */
};
/* What they may be together, base64 and names included: an object in etcd has 1 MiB. */
#define SPARK_FILES_LIMIT_BYTES (900 * 1024)
void spark_files_free(struct spark_files *files);

/*
 * What spark-submit takes from the machine it runs on (SparkSubmitArguments, and what the feature
 * steps read of sys.env). Owned; NULL: not there. stepop's own steps take nothing of it.
 */
struct spark_client {
	char *conf_dir;        /* $SPARK_CONF_DIR, else $SPARK_HOME/conf: its files travel along */
	char *hadoop_conf_dir; /* $HADOOP_CONF_DIR */
	char *local_dirs;      /* $SPARK_LOCAL_DIRS */
	char *pyspark_python;  /* $PYSPARK_PYTHON */
	char *pyspark_driver_python; /* $PYSPARK_DRIVER_PYTHON */
};

/*
 * Filled by the caller, who owns it; spark_app_release() frees what it holds. Only name, conf,
 * main_resource are required (and the image, in conf).
 */
struct spark_app {
	char *name;            /* spark.app.name */
	char *resource_prefix; /* pod is <prefix>-driver; NULL: derived from the name, as
	                          KubernetesConf does */
	char *app_id;          /* spark.app.id: "spark-" and 32 hex digits; NULL: made */
	char *unique_id;       /* of spark-drv-<id>-conf-map; 16 hex digits; NULL: made */
	char *namespace;       /* NULL: spark.kubernetes.namespace, else "default" */
	char *master;          /* "https://…" as put into spark.master (k8s:// is added) */
	char *submission_id;   /* the same id gives the same names again; NULL: a random one */
	char *user;            /* SPARK_USER */
	char *proxy_user;      /* --proxy-user of the driver's own spark-submit; or NULL */
	char *spark_version;   /* "3.5.9", "4.3": which Spark the objects are made for; NULL: as the
	                          name of the image says, else 3.5.9 */
	enum spark_resource resource;
	char *main_class;    /* NULL: PythonRunner or RRunner by the resource */
	char *main_resource; /* "local:///opt/stepop/main.py" */
	json_t *args;        /* array of strings, or NULL */
	/* Pods whose contents the driver's and the executors' begin with; NULL: as
	 * spark.kubernetes.{driver,executor}.podTemplateFile says. Owned. */
	json_t *driver_template, *executor_template;
	/* Laid over Spark's container of the driver when all rules are through with it, for what a
	 * template cannot have against them: its `env` is appended, so that it wins, and its
	 * `resources` replace theirs. A container; owned; or NULL. */
	json_t *driver_overlay;
	/* Of the driver's pod, and of the executors' by their template. */
	enum pod_security pod_security;
	/* Objects made beside Spark's, in front of the Pod, and owned by it: apiVersion, kind,
	 * metadata.name and what they hold; namespace and labels are added. Array or NULL; owned.
	 */
	json_t *extra_objects;
	struct spark_client client;
	struct spark_conf *conf;
	json_t *labels;            /* on every object, and on executors; object or NULL */
	json_t *annotations;       /* on the driver pod; object or NULL */
	struct spark_files *files; /* or NULL */
	/* name of a Secret to create -> its stringData; owned by the driver pod; or NULL. Each key
	 * is also an environment variable of the driver and of the executors, by secretKeyRef.
	 * Values never reach another object. */
	json_t *secrets;
};
void spark_app_release(struct spark_app *app);

/* One more variable of the Secret "<resource prefix>-credentials", which is begun when needed. The
 * resource prefix must be set. */
void spark_app_add_secret_env(struct spark_app *app, const char *variable, const char *value);

/*
 * Fills in what is NULL of the identity: prefix, ids, namespace, user, version (which is also
 * completed: "4.3" is the newest of its line; an unknown one is left as it is). With a prefix
 * (or a submission id) given, the ids follow from it, the namespace and the label stepop.dev/run,
 * so that a second try makes the same objects; without one they are random, as spark-submit's.
 * driver_objects_build() does so on a copy; call it to know the names before.
 */
void spark_app_complete(struct spark_app *app);

/* The names that the rules give (design 4.7; Spark's KubernetesConf), of a completed application or
 * one with a prefix. Owned by the caller. */
char *spark_app_driver_name(const struct spark_app *app);
char *spark_app_service_name(const struct spark_app *app);
char *spark_app_config_name(const struct spark_app *app); /* the ConfigMap of spark.properties */

/* Spark's label spark-app-name: lower case, [a-z0-9-], at most 63; may be empty. */
char *spark_app_name_label(const char *name);

/*
 * "<pipeline>-<run8>-<step>-<attempt>" within the limit that keeps pod (+"-driver"), service
 * (+"-driver-svc") and executor ("-exec-9999") names at 63 or less: 52. What is longer is cut, and
 * what holds other characters than lower-case letters, digits, '-' and '_' is cleaned; both then
 * carry 8 hex digits of a hash of the whole. '_' becomes '-', so steps 'a_b' and 'a-b' of one
 * pipeline share their name: the second meets CONFLICT. Begins with a letter (a Service's name
 * must). Never empty; owned by the caller.
 */
char *spark_app_resource_prefix(const char *pipeline, const char *run_id, const char *step,
                                int attempt);

#endif
