/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: ~/.aws/config and ~/.aws/credentials, as the AWS CLI (botocore) reads them. */
#ifndef CLOUD_AWS_PROFILE_H
#define CLOUD_AWS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "core/memory.h"

struct aws_profiles;

enum aws_profile_file {
	AWS_CONFIG_FILE,      /* sections "default", "profile NAME", "services NAME" */
	AWS_CREDENTIALS_FILE, /* sections "NAME" */
};

struct aws_profiles *aws_profiles_new(void);
/* Wipes all values. */
void aws_profiles_free(struct aws_profiles *profiles);
DEFINE_CLEANUP(aws_profiles);

/*
 * Adds what a file says; what is said later stands, so the config file is added before the
 * credentials. INVALID names file and line, and nothing of what stands there: it may be a secret.
 */
bool aws_profiles_add(struct aws_profiles *profiles, enum aws_profile_file kind, const char *name,
                      const char *text, size_t size, struct error **err);

/* Both files, from AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE or the home folder. That there
 * is none is no fault. */
struct aws_profiles *aws_profiles_load(struct error **err);

bool aws_profiles_has(const struct aws_profiles *profiles, const char *profile);
/* Borrowed; NULL: not set, or empty. */
const char *aws_profiles_get(const struct aws_profiles *profiles, const char *profile,
                             const char *key);
/* The file that says so last; for messages. Borrowed; NULL with aws_profiles_get(). */
const char *aws_profiles_source(const struct aws_profiles *profiles, const char *profile,
                                const char *key);
/* "[services NAME]": `key` of the block `service`. Borrowed, or NULL. */
const char *aws_profiles_service(const struct aws_profiles *profiles, const char *name,
                                 const char *service, const char *key);
/* NOT_FOUND: names the files that were read, and the nearest profile, or all. Returns NULL. */
void *aws_profiles_missing(const struct aws_profiles *profiles, const char *profile,
                           struct error **err);

#endif
