/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the client's configuration folder (log4j2.properties, hive-site.xml …) that travel to
 * the driver; for submit/driver_*.c only. */
#ifndef SUBMIT_DRIVER_CONF_FOLDER_H
#define SUBMIT_DRIVER_CONF_FOLDER_H

#include <jansson.h>

#include "core/error.h"

/*
 * File name -> text, owned by the caller; empty when there is no such folder. As Spark's
 * KubernetesClientUtils.loadSparkConfDirFiles: plain files but templates, archives and Spark's own
 * properties, the smallest first as long as they are below `limit` together (names and contents in
 * UTF-16 units, as Java counts); what is no UTF-8 is left out.
 */
json_t *driver_conf_folder_read(const char *folder, size_t limit, struct error **err);

#endif
