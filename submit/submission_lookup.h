/* SPDX-License-Identifier: Apache-2.0 */
/* Applications that were submitted, by their submission ids: spark-submit's --status and --kill. */
#ifndef SUBMIT_SUBMISSION_LOOKUP_H
#define SUBMIT_SUBMISSION_LOOKUP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/error.h"
#include "submit/kube_client.h"

/* "[namespace:]pod"; a '*' at its end: all driver pods whose names begin so. */
struct submission_id {
	char *namespace; /* NULL: the config's */
	char *name;      /* without the '*' */
	bool is_glob;
};
/* INVALID: a namespace or a pod's name that cannot be one, a '*' elsewhere. */
bool submission_id_parse(const char *text, struct submission_id *id, struct error **err);
void submission_id_release(struct submission_id *id);

/* "<namespace>:<pod>", as spark-submit prints it. Owned by the caller. */
char *submission_id_of(const json_t *pod);

/*
 * The pods that `id` names, an array that is owned by the caller: one by its name, whatever it is;
 * a glob finds those with the label spark-role=driver (K8SSparkSubmitOperation). A glob without a
 * namespace means the config's, not all of them as spark-submit has it: a kill must not reach
 * further than meant. NOT_FOUND with what was looked for when there is none; INVALID as
 * submission_id_parse.
 */
json_t *submission_find(struct kube_client *client, const char *id, struct error **err);

/*
 * Deletes a driver pod in the background, and by that its application. grace_s (-1: its own) is
 * spark.kubernetes.appKillPodDeletionGracePeriod. INVALID: it is no driver (spark-submit deletes
 * any pod). One that is gone already is a success.
 */
bool submission_kill(struct kube_client *client, const json_t *pod, int64_t grace_s,
                     struct error **err);

/* spark-submit's status block (KubernetesUtils.formatPodState): names, labels, times, node, phase,
 * the containers' states; N/A for what is missing. */
void submission_describe(const json_t *pod, FILE *out);

#endif
