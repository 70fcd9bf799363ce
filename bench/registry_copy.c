/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a layer of so many MiB from the registry `plain` of tests/servers/registries.sh to `basic`
 * (TLS), whose environment is expected; prints seconds, MiB/s and how much memory that took.
 * usage: registry_copy MIB
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cloud/oci_registry.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double peak_mib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

static void require(bool done, struct error *err)
{
	if (done)
		return;
	fprintf(stderr, "registry_copy: ");
	error_render(err, stderr);
	fputc('\n', stderr);
	exit(1);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	if (!value) {
		fprintf(stderr, "registry_copy: %s is not set\n", name);
		exit(1);
	}
	return value;
}

static struct oci_registry *open_registry(struct http_client *http, bool is_plain)
{
	scoped(text) char *ca = file_read(variable("STEPOP_TEST_REGISTRY_CA"), 1 << 20, NULL, NULL);
	const struct oci_registry_options options = {
		.host = variable(is_plain ? "STEPOP_TEST_REGISTRY_PLAIN"
		                          : "STEPOP_TEST_REGISTRY_BASIC"),
		.user = is_plain ? NULL : variable("STEPOP_TEST_REGISTRY_USER"),
		.password = is_plain ? NULL : variable("STEPOP_TEST_REGISTRY_PASSWORD"),
		.anonymous = is_plain,
		.ca_pem = is_plain ? NULL : ca,
	};
	struct error *err = NULL;
	struct oci_registry *registry = oci_registry_new(http, &options, &err);

	require(registry, err);
	return registry;
}

/* Bytes that no registry has yet, in a file of no name. */
static FILE *make_file(size_t mib, char **digest)
{
	char path[] = "/tmp/stepop-bench-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w+");
	scoped(text) char *block = xcalloc((size_t)1 << 20, 1);
	struct error *err = NULL;
	scoped(text) char *hex = NULL;

	for (size_t i = 0; i < mib; i++) {
		scoped(text) char *random = digest_random_hex(64);

		for (size_t at = 0; at < (size_t)1 << 20; at += 64)
			memcpy(block + at, random, 64);
		fwrite(block, 1, (size_t)1 << 20, file);
	}
	fflush(file);
	hex = digest_file(path, &err);
	require(hex, err);
	unlink(path);
	*digest = text_printf("sha256:%s", hex);
	return file;
}

/* In a process of its own, whose memory is none of the copy's. */
static void push_source(size_t mib, char digest[72])
{
	int ends[2], status;

	if (pipe(ends))
		exit(1);
	if (!fork()) {
		struct loop *loop = loop_new();
		struct http_client *http = http_client_new(loop);
		const struct oci_place place = { open_registry(http, true), "bench/from" };
		struct error *err = NULL;
		char *name;
		FILE *file = make_file(mib, &name);
		const struct oci_blob blob = { .digest = name,
			                       .size_bytes = (int64_t)mib << 20,
			                       .fd = fileno(file) };

		require(oci_blob_push(&place, &blob, &err), err);
		dprintf(ends[1], "%s", name);
		_exit(0);
	}
	wait(&status);
	if (status || read(ends[0], digest, 71) != 71)
		exit(1);
	digest[71] = '\0';
}

int main(int argc, char **argv)
{
	int64_t mib = 0;
	char digest[72];
	struct loop *loop = loop_new();
	struct http_client *http = http_client_new(loop);
	struct oci_blob blob = { .digest = digest };
	struct oci_copy_outcome outcome;
	struct error *err = NULL;
	double start_s, took_s;

	memory_init();
	if (argc != 2 || !text_to_int64(argv[1], 1, 100000, &mib))
		return 2;
	push_source((size_t)mib, digest);
	blob.size_bytes = mib << 20;
	start_s = now_s();
	require(oci_blobs_copy(
			&(struct oci_copy_request){
				.from = { open_registry(http, true), "bench/from" },
				.to = { open_registry(http, false), "bench/to" },
				.blobs = &blob,
				.count = 1 },
			&outcome, &err),
	        err);
	took_s = now_s() - start_s;
	printf("%6lld MiB %8.2f s %8.0f MiB/s %6.1f MiB peak RSS\n", (long long)mib, took_s,
	       (double)mib / took_s, peak_mib());
	return 0;
}
