/* SPDX-License-Identifier: Apache-2.0 */
/* spark.dataframe: a folder data/ of Parquet files, whole once Spark has put _SUCCESS beside them.
 */
#include "materializers/artifact_files.h"
#include "materializers/built_in.h"
#include "materializers/parquet_files.h"

#define COMPLETE "data/_SUCCESS"

static json_t *describe_files(struct artifact_store *store, const char *uri,
                              struct artifact_files *files, struct error **err)
{
	json_t *metadata;

	/* S3A's committers write it as well; whoever turns it off
	 * (mapreduce.fileoutputcommitter.marksuccessfuljobs) cannot tell whole from half. */
	if (!artifact_files_find(files, COMPLETE))
		return error_set(err, ERROR_NOT_FOUND, "%s is incomplete: no " COMPLETE, uri);
	artifact_files_drop_hidden(files);
	metadata = artifact_files_metadata(files);
	if (parquet_files_describe(store, uri, files, metadata, err))
		return metadata;
	json_decref(metadata);
	return NULL;
}

static json_t *describe(struct artifact_store *store, const char *uri, struct error **err)
{
	struct artifact_files files = { 0 };
	json_t *metadata = NULL;

	if (artifact_files_read(store, uri, &files, err))
		metadata = describe_files(store, uri, &files, err);
	artifact_files_release(&files);
	return metadata;
}

static bool preview(struct artifact_store *store, const char *uri, FILE *out, struct error **err)
{
	json_auto_t *metadata = describe(store, uri, err);

	if (!metadata)
		return false;
	parquet_files_preview(metadata, out);
	return true;
}

const struct materializer materializer_spark_dataframe = {
	.abi = MATERIALIZER_ABI,
	.type = "spark.dataframe",
	.help = "Spark DataFrame as Parquet; shown are its columns with nulls, minima and maxima "
		"(from the files' footers: rows are not read)",
	.describe = describe,
	.digest = artifact_digest_of_data,
	.preview = preview,
};
