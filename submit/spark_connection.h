/* SPDX-License-Identifier: Apache-2.0 */
/* How spark-submit's properties say to reach the API server. */
#ifndef SUBMIT_SPARK_CONNECTION_H
#define SUBMIT_SPARK_CONNECTION_H

#include <stdbool.h>

#include "core/error.h"
#include "submit/kube_config.h"
#include "submit/spark_app.h"

/*
 * Fills what is not set in `options` (what is, came from the command line, and stays) by the rules
 * of SparkKubernetesClientFactory: the master; spark.kubernetes.context; the namespace, which is
 * "default" where none is named, whatever the kubeconfig says;
 * spark.kubernetes.authenticate.submission.{oauthToken,oauthTokenFile,caCertFile,clientKeyFile,
 * clientCertFile}; spark.kubernetes.trust.certificates;
 * spark.kubernetes.submission.{connectionTimeout,requestTimeout} in ms. The texts are borrowed from
 * `app`. INVALID.
 */
bool spark_connection_options(const struct spark_app *app, struct kube_config_options *options,
                              struct error **err);

#endif
