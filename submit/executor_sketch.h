/* SPDX-License-Identifier: Apache-2.0 */
/* What can be known of an executor before there is a driver to make it. */
#ifndef SUBMIT_EXECUTOR_SKETCH_H
#define SUBMIT_EXECUTOR_SKETCH_H

#include <jansson.h>

/*
 * A Pod like those that the driver among `objects` (driver_objects_build) will make, as far as Pod
 * Security looks at pods: the executors' template, and volumes of the types that the properties
 * name. Images and sources are placeholders: it is for a dry run. Owned by the caller; NULL where
 * the driver makes no executors, or nobody but Spark can read the template.
 */
json_t *executor_sketch(const json_t *objects);

#endif
