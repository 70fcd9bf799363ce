/* SPDX-License-Identifier: Apache-2.0 */
/* A remote artifact store in memory, s3://bucket/prefix/, that counts what is put into it. */
#ifndef TESTS_FAKES_MEMORY_STORE_H
#define TESTS_FAKES_MEMORY_STORE_H

#include "stacks/artifact.h"

struct memory_store {
	struct artifact_store store;
	json_t *objects; /* URI -> text */
	size_t put_count;
	bool is_down;       /* every request is UNAVAILABLE */
	json_t *spark_conf; /* of artifact_access(); or NULL */
	json_t *secrets;    /* the same */
	bool own_identity;  /* the same */
};

void memory_store_init(struct memory_store *store);
void memory_store_release(struct memory_store *store);

#endif
