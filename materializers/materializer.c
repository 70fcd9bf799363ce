/* SPDX-License-Identifier: Apache-2.0 */
/* Finds materializers by type, and calls them. */
#include "materializers/materializer.h"

#include "core/memory.h"
#include "core/text.h"
#include "materializers/built_in.h"

static const struct materializer *const built_in[] = {
	&materializer_spark_dataframe,
	&materializer_spark_model,
	&materializer_pandas_dataframe,
	&materializer_json,
	&materializer_text,
	&materializer_bytes,
	&materializer_file,
	&materializer_directory,
};
static const char *const types[] = {
	"spark.dataframe", "spark.model", "pandas.dataframe", "json", "text",
	"bytes",           "file",        "directory",        NULL
};
_Static_assert(ARRAY_SIZE(types) == ARRAY_SIZE(built_in) + 1, "a type for each");

const struct materializer *materializer_find(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
		if (text_equal(built_in[i]->type, type))
			return built_in[i];
	return NULL;
}

const char *const *materializer_types(void)
{
	return types;
}

json_t *materializer_describe(const struct materializer *materializer, struct artifact_store *store,
                              const char *uri, struct error **err)
{
	json_t *metadata = materializer->describe(store, uri, err);

	return metadata ? metadata : error_wrap(err, "describe the %s", materializer->type);
}

char *materializer_digest(const struct materializer *materializer, struct artifact_store *store,
                          const char *uri, struct error **err)
{
	char *digest = materializer->digest(store, uri, err);

	return digest ? digest : error_wrap(err, "digest the %s", materializer->type);
}

bool materializer_preview(const struct materializer *materializer, struct artifact_store *store,
                          const char *uri, FILE *out, struct error **err)
{
	return materializer->preview(store, uri, out, err) ||
	       error_wrap(err, "preview the %s", materializer->type);
}
