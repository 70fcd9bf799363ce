/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_application under any input: what is read has a name, properties and warnings that
 * are sentences; reading twice gives the same. */
#include <stdint.h>

#include "core/text.h"
#include "submit/spark_app.h"
#include "submit/spark_application.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const json_t *a, const json_t *b)
{
	return a == b || json_equal(a, b);
}

static void read_one(const struct spark_application_file *file, size_t index)
{
	struct spark_app app = { 0 }, again = { 0 };
	json_t *warnings = json_array(), *same = json_array();
	struct error *err = NULL;
	bool is_read = spark_application_read(file, index, &app, warnings, &err);

	if (is_read != spark_application_read(file, index, &again, same, NULL))
		abort();
	if (!is_read && err->kind != ERROR_INVALID)
		abort();
	if (is_read && (!app.name || !*app.name || !app.main_resource))
		abort();
	/* A generated name is another one each time. */
	if (is_read && text_equal(app.name, again.name) &&
	    (!is_same(app.driver_template, again.driver_template) ||
	     !is_same(app.executor_template, again.executor_template) || !is_same(warnings, same)))
		abort();
	error_free(err);
	spark_app_release(&app);
	spark_app_release(&again);
	json_decref(warnings);
	json_decref(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error *err = NULL;
	struct spark_application_file *file =
		spark_application_file_parse("fuzz", (const char *)data, size, &err);
	size_t i;

	if (!file && err->kind != ERROR_INVALID)
		abort();
	for (i = 0; file && i < spark_application_count(file); i++)
		read_one(file, i);
	error_free(err);
	spark_application_file_free(file);
	return 0;
}
