/* SPDX-License-Identifier: Apache-2.0 */
/* XML as AWS's older services answer: S3 and STS. */
#ifndef CLOUD_XML_H
#define CLOUD_XML_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Calls `element` at the end of each element, with its path ("Error/Code") and the text that stands
 * right before its end. False when it is no well-formed document, has a document type, is nested
 * deeper than 8 or has a text of more than 16 KiB; some elements were told by then.
 */
bool xml_read(const char *body, size_t size,
              void (*element)(void *context, const char *path, const char *text), void *context);

#endif
