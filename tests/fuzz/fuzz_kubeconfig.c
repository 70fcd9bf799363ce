/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is a kubeconfig file.
 * clang -g -O1 -D_GNU_SOURCE -I. -std=gnu17 -fsanitize=fuzzer,address,undefined THIS_FILE
 * submit/kube_{config,config_file,exec}.c
 * core/{clock,digest,document*,error,file,loop,memory,text}.c -ljansson -lyaml -lcrypto -o fuzz */
#include <stdint.h>

#include "submit/kube_config.h"
#include "submit/kube_config_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kube_config_options by_context, by_server = { .server = "https://c" };
	scoped(kube_files) struct kube_files *files = kube_files_new();

	if (!kube_files_add_text(files, "/nonexistent/config", (const char *)data, size, NULL))
		return 0;
	kube_config_free(kube_config_resolve(files, &by_context, NULL));
	kube_config_free(kube_config_resolve(files, &by_server, NULL));
	return 0;
}
