/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about a pod's reason; for submit/pod_status.c only. */
#ifndef SUBMIT_POD_ADVICE_H
#define SUBMIT_POD_ADVICE_H

#include "submit/pod_status.h"

/* Sets advice and hopeless from phase, reason, message and exit code. */
void pod_advise(const json_t *pod, struct pod_status *status);

#endif
