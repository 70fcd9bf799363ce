/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of reading a SparkApplication share; for submit/spark_application*.c only. All
 * values have passed the tables of spark_application_shape.h. */
#ifndef SUBMIT_SPARK_APPLICATION_LOAD_H
#define SUBMIT_SPARK_APPLICATION_LOAD_H

#include "core/check.h"
#include "submit/spark_app.h"

/* The driver's pod, or the executors'. */
struct application_pod {
	const char *role;    /* "driver" or "executor" */
	const char *path;    /* of its fields: "spec.driver" */
	const json_t *value; /* its fields; borrowed */
	json_t *pod;         /* what it begins with; owned */
	json_t *container;   /* Spark's, within it; borrowed */
	json_t *overlay;     /* spark_app's driver_overlay; owned; NULL: executors have none */
};

struct application_loader {
	struct check check;
	json_t *warnings;
	struct spark_app *app;
	const json_t *object, *spec;
	json_t *volumes; /* of the spec, by their names; owned */
	struct application_pod driver, executor;
};

/* A mapping of the manifest. */
struct application_part {
	struct application_loader *loader;
	const char *path; /* "spec.deps" */
	const json_t *value;
	struct application_pod *pod; /* NULL outside of driver and executor */
};

/* What becomes of one field; exactly one of the last three is set. */
struct application_rule {
	const char *field;
	/* Spark's property for it; '*' stands for the role, a list is joined by commas. One that
	 * ends in a dot is followed by each key of a mapping. */
	const char *property;
	void (*read)(const struct application_part *part, const char *field, const json_t *value);
	const char *ignored; /* why it means nothing here */
};

/* In the order of the rules (the last one has no field), not of the file: later ones win. */
void application_apply(const struct application_part *part, const struct application_rule *rules);

/* "FILE:LINE:COLUMN: <path>.<field>: ...". */
void application_warn(const struct application_part *part, const char *field, const char *format,
                      ...) __attribute__((__format__(__printf__, 3, 4)));
/* The same as a fault of the document. */
void application_fault(const struct application_part *part, const char *field, const char *format,
                       ...) __attribute__((__format__(__printf__, 3, 4)));

/* The text at `key`; NULL when it is absent or empty: the operator takes both alike. */
const char *application_text(const json_t *object, const char *key);
/* "spark.*.memory" with the role of the part's pod, followed by `rest`. */
char *application_property(const struct application_part *part, const char *pattern,
                           const char *rest);
/* The scalar `value` becomes the text of the property. */
void application_set_scalar(const struct application_part *part, const char *property,
                            const json_t *value);
/* Sets "<pattern><rest>" with the role of the part's pod. */
void application_set(const struct application_part *part, const char *pattern, const char *rest,
                     const char *value);

/* Appends to the list at `key`, which is made when it is missing; takes `value`. */
void application_append(json_t *object, const char *key, json_t *value);
/* The mapping at `key`, which is made when it is missing; borrowed. */
json_t *application_mapping(json_t *object, const char *key);

/* spark_application_spec.c */
void application_read_spec(struct application_loader *loader);

/* spark_application_pod.c */
void application_pod_begin(struct application_pod *pod, const json_t *fields);
void application_pod_read(struct application_loader *loader, struct application_pod *pod);
/* The pod as a template and its overlay go to the application, where there is something in them. */
void application_pods_end(struct application_loader *loader);
void application_pod_release(struct application_pod *pod);
json_t *application_pod_spec(const struct application_pod *pod);
/* Kubernetes takes the last variable of a name; the driver's follow Spark's, as a webhook's do. */
void application_pod_add_variable(struct application_pod *pod, json_t *variable);

/* spark_application_volumes.c */
void application_read_mounts(const struct application_part *part, const char *field,
                             const json_t *mounts);
void application_read_config_maps(const struct application_part *part, const char *field,
                                  const json_t *maps);
void application_mount_config_map(struct application_pod *pod, const char *map, const char *volume,
                                  const char *path);
/* The operator's name for the volume of a ConfigMap; owned by the caller. */
char *application_config_map_volume(const char *map);

/* spark_application_monitoring.c, spark_application_scheduler.c: rules of the spec, applied when
 * driver and executor have been read. */
void application_read_monitoring(const struct application_part *part, const char *field,
                                 const json_t *monitoring);
void application_read_scheduler(const struct application_part *part, const char *field,
                                const json_t *scheduler);
void application_read_scheduler_options(const struct application_part *part, const char *field,
                                        const json_t *options);

#endif
