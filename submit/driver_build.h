/* SPDX-License-Identifier: Apache-2.0 */
/* What the feature steps of the driver share while they build its objects; for submit/driver_*.c
 * only. */
#ifndef SUBMIT_DRIVER_BUILD_H
#define SUBMIT_DRIVER_BUILD_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "submit/spark_app.h"

struct driver_sensitive;

struct driver_build {
	const struct spark_app *app; /* completed */
	struct spark_conf *conf;     /* a copy that the features add to; becomes spark.properties */
	json_t *pod;
	json_t *container; /* Spark's, within the pod; borrowed */
	json_t *labels;    /* by which the Service selects: a template's are not among them */
	struct driver_sensitive *sensitive; /* what is a secret, by the properties at first */
	json_t *others;                     /* the objects beside the pod, in any order */
};

/*
 * One feature each, as Spark has feature steps: reads the properties, adds to pod, container and
 * others. Their order is that of Spark's KubernetesDriverBuilder, for lists are compared with its.
 */
bool driver_begin_pod(struct driver_build *build, struct error **err);
bool driver_hide_variables(struct driver_build *build, struct error **err);
bool driver_add_submit_properties(struct driver_build *build, struct error **err);
bool driver_add_metadata(struct driver_build *build, struct error **err);
bool driver_add_scheduling(struct driver_build *build, struct error **err);
bool driver_add_image(struct driver_build *build, struct error **err);
bool driver_add_ports(struct driver_build *build, struct error **err);
bool driver_add_privileges(struct driver_build *build, struct error **err);
bool driver_add_environment(struct driver_build *build, struct error **err);
bool driver_add_cpu(struct driver_build *build, struct error **err);
bool driver_add_memory(struct driver_build *build, struct error **err);
bool driver_add_devices(struct driver_build *build, struct error **err);
bool driver_add_credentials(struct driver_build *build, struct error **err);
bool driver_add_service(struct driver_build *build, struct error **err);
bool driver_add_network_policy(struct driver_build *build, struct error **err);
bool driver_add_secrets(struct driver_build *build, struct error **err);
bool driver_mount_secrets(struct driver_build *build, struct error **err);
bool driver_add_secret_environment(struct driver_build *build, struct error **err);
bool driver_mount_volumes(struct driver_build *build, struct error **err);
bool driver_add_command(struct driver_build *build, struct error **err);
bool driver_add_hadoop(struct driver_build *build, struct error **err);
bool driver_add_krb5(struct driver_build *build, struct error **err);
bool driver_add_kerberos_login(struct driver_build *build, struct error **err);
bool driver_add_executor_template(struct driver_build *build, struct error **err);
bool driver_add_local_folders(struct driver_build *build, struct error **err);
bool driver_add_pod_group(struct driver_build *build, struct error **err);
bool driver_add_files(struct driver_build *build, struct error **err);
bool driver_add_config(struct driver_build *build, struct error **err);
bool driver_add_extra_objects(struct driver_build *build, struct error **err);
bool driver_lay_over(struct driver_build *build, struct error **err);
bool driver_restrict(struct driver_build *build, struct error **err);

/* Makes the template of executors, whose Spark container is `container`, what pod security wants;
 * checked is also what properties will add to it. */
bool driver_restrict_executors(const struct driver_build *build, json_t *pod, json_t *container,
                               struct error **err);

struct driver_feature {
	bool (*add)(struct driver_build *build, struct error **err);
	/* Of which of Spark's steps (org.apache.spark.deploy.k8s.features) it is a part, and left
	 * out with; or NULL. */
	const char *step;
};
/* Whether spark.kubernetes.driver.pod.{featureSteps,excludedFeatureSteps} name nothing but steps
 * that can be added and left out. */
bool driver_steps_check(const struct driver_build *build, const struct driver_feature *features,
                        size_t count, struct error **err);
/* NULL is always wanted. */
bool driver_step_is_wanted(const struct driver_build *build, const char *step);

/* "spark.kubernetes.driver.label." -> object of the rest of each key to its value, in order; owned
 * by the caller. */
json_t *driver_build_properties(const struct driver_build *build, const char *prefix);
/* The first of two properties that is set, or NULL. */
const char *driver_build_either(const struct driver_build *build, const char *key,
                                const char *fallback_key);
/* spec of the pod; borrowed. */
json_t *driver_build_spec(const struct driver_build *build);

/* These take what they are given. The list at `key` is made when it is missing. */
/* `entries` win over those of a template; none: nothing is written. */
void driver_build_merge(json_t *object, const char *key, json_t *entries);
void driver_build_append(json_t *object, const char *key, json_t *value);
void driver_build_add_env(struct driver_build *build, const char *name, const char *value);
void driver_build_add_secret_env(struct driver_build *build, const char *name, const char *secret,
                                 const char *key);
/* A volume of the pod, `source` at `type` ("configMap"), and where the container sees it. */
void driver_build_add_volume(struct driver_build *build, const char *name, const char *type,
                             json_t *source);
json_t *driver_build_add_mount(struct driver_build *build, const char *volume, const char *path);
/*
 * Keeps `value` in the Secret "<resource prefix>-properties", which is begun when needed. What
 * spark.redaction.regex calls sensitive is readable nowhere else. The name of the Secret is the
 * caller's.
 */
char *driver_build_hide(struct driver_build *build, const char *key, const char *value);
/* A new object beside the pod, with namespace and stepop's labels; borrowed. */
json_t *driver_build_add_object(struct driver_build *build, const char *kind, const char *name);
json_t *driver_build_add_object_of(struct driver_build *build, const char *api_version,
                                   const char *kind, const char *name);

#endif
