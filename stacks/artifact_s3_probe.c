/* SPDX-License-Identifier: Apache-2.0 */
/* Tries what runs need of a bucket, with an object that goes again. */
#include <string.h>

#include "cloud/aws_sts.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact_s3.h"

#define CONTENT "stepop stack check"

static bool probe_credentials(struct s3_store *store, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;
	const char *source;

	if (!aws_chain_get(store->chain, &err)) {
		probe_fault(report, "credentials", NULL, err);
		return false;
	}
	source = aws_chain_source(store->chain);
	probe_ok(report, "credentials", "from %s",
	         source && !store->has_given_keys ? source : "the secret");
	return true;
}

/* Other servers know their users only. */
static void probe_identity(struct s3_store *store, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;
	struct aws_caller caller = { 0 };

	if (store->has_endpoint)
		return;
	if (aws_sts_caller(store->chain, &caller, &err))
		probe_ok(report, "AWS identity", "%s of account %s", caller.arn, caller.account);
	else if (err->kind == ERROR_AUTH)
		probe_fault(report, "AWS identity", NULL, err);
	else
		probe_warning(report, "AWS identity", NULL, "STS does not say: %s", err->message);
	aws_caller_release(&caller);
}

/* One that may not be looked at may still be written to. */
static bool probe_bucket(struct s3_store *store, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;

	if (s3_head_bucket(store->client, store->bucket, &err)) {
		probe_ok(report, "bucket", "%s", store->bucket);
		return true;
	}
	probe_fault(report, "bucket", NULL, err);
	return err->kind == ERROR_AUTH;
}

static bool probe_write(struct artifact_store *base, const char *uri, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;

	if (artifact_put(base, uri, CONTENT, strlen(CONTENT), &err)) {
		probe_ok(report, "write", "%s", base->root);
		return true;
	}
	probe_fault(report, "write", "runs need s3:PutObject below that prefix", err);
	return false;
}

static void probe_read(struct artifact_store *base, const char *uri, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *text = artifact_get(base, uri, 0, 0, 1000, NULL, &err);

	if (text && strcmp(text, CONTENT) != 0)
		error_set(&err, ERROR_INVALID, "what comes back is not what was written");
	if (err)
		probe_fault(report, "read", "runs need s3:GetObject below that prefix", err);
	else
		probe_ok(report, "read", "what was written comes back");
}

static void probe_list(struct artifact_store *base, const char *folder, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;
	struct artifact_entry *entries = NULL;
	size_t count = 0;

	if (!artifact_list(base, folder, &entries, &count, &err)) {
		probe_fault(report, "list", "runs need s3:ListBucket with that prefix", err);
		return;
	}
	artifact_entries_free(entries, count);
	if (count == 1) {
		probe_ok(report, "list", "what was written is listed");
		return;
	}
	error_set(&err, ERROR_INVALID, "%zu objects are listed where one was written", count);
	probe_fault(report, "list", "a server that lists late, or not, will lose outputs", err);
}

static void probe_remove(struct s3_store *store, const char *uri, struct probe_report *report)
{
	const char *key = uri + strlen("s3://") + strlen(store->bucket) + 1;
	scoped(error) struct error *err = NULL;

	if (s3_delete(store->client, store->bucket, key, &err))
		probe_ok(report, "remove", "what was written is gone again");
	else
		probe_warning(report, "remove",
		              "remove it by hand; runs that fail leave files as well",
		              "%s stays: %s", uri, err->message);
}

/* Two checks at the same time must not meet: each has a folder of its own. */
void artifact_s3_probe(struct artifact_store *base, struct probe_report *report)
{
	struct s3_store *store = container_of(base, struct s3_store, store);
	scoped(text) char *random = digest_random_hex(8);
	scoped(text) char *folder = text_printf("%s.stepop-check-%s/", base->root, random);
	scoped(text) char *uri = text_printf("%strial", folder);

	if (!probe_credentials(store, report))
		return;
	probe_identity(store, report);
	if (!probe_bucket(store, report) || !probe_write(base, uri, report))
		return;
	probe_read(base, uri, report);
	probe_list(base, folder, report);
	probe_remove(store, uri, report);
}
