/* SPDX-License-Identifier: Apache-2.0 */
/* The materializers that come with the program; each is defined in a file of its own or its kind.
 */
#ifndef MATERIALIZERS_BUILT_IN_H
#define MATERIALIZERS_BUILT_IN_H

#include "materializers/materializer.h"

extern const struct materializer materializer_spark_dataframe, materializer_spark_model,
	materializer_pandas_dataframe, materializer_json, materializer_text, materializer_bytes,
	materializer_file, materializer_directory;

#endif
