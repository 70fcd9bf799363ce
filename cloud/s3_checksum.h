/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums that S3 keeps beside objects ("Checking object integrity"): what arrives is held
 * against them. */
#ifndef CLOUD_S3_CHECKSUM_H
#define CLOUD_S3_CHECKSUM_H

#include <stdbool.h>

#include "core/http.h"

/* Sent with a GET of a whole object, it asks for the checksum. */
#define S3_CHECKSUM_MODE "x-amz-checksum-mode: ENABLED"

/* False when the answer has a checksum (SHA-256, CRC64NVME, CRC32, CRC32C) of the whole body, and
 * the body another one. Those of parts ("…-3") say nothing of the whole. */
bool s3_checksum_fits(const struct http_response *response);

#endif
