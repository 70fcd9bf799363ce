/* SPDX-License-Identifier: Apache-2.0 */
/* Which API server, and who we are to it: kubeconfig files, exec plugins, the in-cluster account.
 */
#ifndef SUBMIT_KUBE_CONFIG_H
#define SUBMIT_KUBE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

struct kube_files;

/* One resolved context. Owned strings; NULL where nothing is set. */
struct kube_config {
	char *context;
	char *server;    /* "https://host:6443", without a slash at the end */
	char *namespace; /* of the context; "default" when it names none */
	char *ca_pem;
	bool insecure; /* insecure-skip-tls-verify */
	char *tls_server_name;
	char *proxy_url;
	char *certificate_pem, *key_pem;
	char *token;
	char *token_file; /* read again when it is older than a minute: projected tokens rotate */
	int64_t token_read_at_ms; /* when `token` was read from it; monotonic, 0: it was not */
	char *username, *password;
	struct kube_exec *exec; /* credential plugin, or NULL */
	char *source;           /* for messages: the files, or "in-cluster service account" */
	int64_t connect_timeout_ms, request_timeout_ms; /* of one try; 0: as the client has them */
};

struct kube_config_options {
	const char *kubeconfig; /* --kubeconfig: this file alone. NULL: $KUBECONFIG (merged, first
	                           wins), ~/.kube/config, in-cluster */
	const char *context;    /* --context; NULL: current-context */
	const char *server;     /* overrides the cluster's (Spark's k8s:// master without "k8s://");
	                           NULL: as configured */
	const char *namespace;  /* overrides the context's */

	/* Who to be instead of the context's user, by any one of them: */
	const char *token;
	const char *token_file;
	const char *certificate_file, *key_file; /* PEM, both or none */
	/* How the server is trusted instead: */
	const char *ca_file; /* PEM */
	bool insecure;
	int64_t connect_timeout_ms, request_timeout_ms; /* of one try; 0: as the client has them */
};

/*
 * Rules as client-go has them (tools/clientcmd): relative paths are relative to their file,
 * *-data wins over files, the first file that sets a value wins. With options->server set, a
 * cluster entry whose server equals it is preferred over the current context's; a context is
 * not needed then. Errors name file:line:column where there is one.
 */
struct kube_config *kube_config_load(const struct kube_config_options *options, struct error **err);
/* The same from files that were read already. */
struct kube_config *kube_config_resolve(const struct kube_files *files,
                                        const struct kube_config_options *options,
                                        struct error **err);
void kube_config_free(struct kube_config *config);
DEFINE_CLEANUP(kube_config);

/*
 * The bearer token to send now, or NULL when the config has none; owned by the caller
 * (secret_free). Runs the exec plugin when there is no credential or it expires within a minute
 * (client.authentication.k8s.io/v1 and v1beta1; its clientCertificateData replaces
 * certificate_pem and key_pem). `fresh` forces a new one, after a 401. AUTH when the plugin fails:
 * the message carries its stderr and installHint.
 */
bool kube_config_credential(struct kube_config *config, bool fresh, char **token,
                            struct error **err);

#endif
