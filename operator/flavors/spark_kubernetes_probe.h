/* SPDX-License-Identifier: Apache-2.0 */
/* Tries what a step operator of flavor spark-kubernetes will need, without making anything. */
#ifndef OPERATOR_FLAVORS_SPARK_KUBERNETES_PROBE_H
#define OPERATOR_FLAVORS_SPARK_KUBERNETES_PROBE_H

#include "operator/flavors/spark_kubernetes_app.h"
#include "stacks/probe.h"
#include "submit/kube_client.h"

/*
 * Adds lines: API server and its version, clock, who we are, namespace with its Pod Security level,
 * rights of the submitter and of the drivers' account (access reviews), whether the objects of a
 * step with the component's settings would be taken (dry run: admission, quotas, accounts), and
 * whether there is room for its executors as well. target->artifacts NULL: what rests on the
 * objects is left out, and a line says so. The run's identity in `target` is not read.
 */
void spark_kubernetes_probe(const struct spark_kubernetes_target *target, struct kube_client *kube,
                            struct probe_report *report);
/* Whether the component's image is where its name says, as far as this machine may look: its
 * registry is asked, with the credentials of the stack's container registry where it is the same.
 */
void spark_kubernetes_probe_image(const struct component *component,
                                  const struct operator_context *context,
                                  struct probe_report *report);

#endif
