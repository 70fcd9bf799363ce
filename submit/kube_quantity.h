/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts as Kubernetes writes them: "500m", "4Gi", "1e3". */
#ifndef SUBMIT_KUBE_QUANTITY_H
#define SUBMIT_KUBE_QUANTITY_H

#include <stdbool.h>

/* The grammar of k8s.io/apimachinery/pkg/api/resource; false when it is none. A double holds what
 * quotas and requests are compared by: bytes and thousandths of CPUs. */
bool kube_quantity_parse(const char *text, double *amount);
/* For people: "1.5Gi", "300Mi", "2", "0.25"; `is_bytes` chooses binary units. Owned by the caller.
 */
char *kube_quantity_text(double amount, bool is_bytes);

#endif
