/* SPDX-License-Identifier: Apache-2.0 */
/* One cluster more in a kubeconfig. */
#ifndef SUBMIT_KUBE_CONFIG_ENTRY_H
#define SUBMIT_KUBE_CONFIG_ENTRY_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"

/* Everything is borrowed. */
struct kube_config_entry {
	const char *name;    /* of cluster and user */
	const char *context; /* of the context, which becomes the current one */
	const char *server, *ca_base64;
	const json_t *exec; /* the user's credential plugin */
};

/* Changes `config`, a kubeconfig or an empty object: what has the same names is replaced, all else
 * stays. INVALID: it is no kubeconfig. */
bool kube_config_add(json_t *config, const struct kube_config_entry *entry, struct error **err);

#endif
