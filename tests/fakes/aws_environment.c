/* SPDX-License-Identifier: Apache-2.0 */
/* Variables and files of AWS, for tests. */
#include "tests/fakes/aws_environment.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/text.h"
#include "tests/test.h"

extern char **environ;

static void forget_variables(void)
{
	for (size_t i = 0; environ[i];) {
		scoped(text) char *name = xstrndup(environ[i], strcspn(environ[i], "="));

		if (text_starts_with(name, "AWS_"))
			unsetenv(name);
		else
			i++;
	}
}

struct aws_environment *aws_environment_new(void)
{
	struct aws_environment *environment = xcalloc(1, sizeof(*environment));

	environment->folder = xstrdup("/tmp/stepop-aws-XXXXXX");
	assert_non_null(mkdtemp(environment->folder));
	environment->config = file_join(environment->folder, "config");
	environment->credentials = file_join(environment->folder, "credentials");
	environment->loop = loop_new();
	environment->http = http_client_new(environment->loop);
	forget_variables();
	setenv("AWS_CONFIG_FILE", environment->config, 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", environment->credentials, 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	return environment;
}

void aws_environment_free(struct aws_environment *environment)
{
	if (!environment)
		return;
	forget_variables();
	file_remove_tree(environment->folder, NULL);
	http_client_free(environment->http);
	loop_free(environment->loop);
	free(environment->folder);
	free(environment->config);
	free(environment->credentials);
	free(environment);
}

static void write_text(const char *path, const char *text)
{
	struct error *err = NULL;

	assert_ok(file_write(path, text, strlen(text), 0600, &err), err);
}

void aws_environment_config(const struct aws_environment *environment, const char *text)
{
	write_text(environment->config, text);
}

void aws_environment_credentials(const struct aws_environment *environment, const char *text)
{
	write_text(environment->credentials, text);
}

void aws_environment_set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

char *aws_environment_file(const struct aws_environment *environment, const char *name,
                           const char *text)
{
	char *path = file_join(environment->folder, name);

	write_text(path, text);
	return path;
}

struct aws_chain *aws_environment_chain(const struct aws_environment *environment,
                                        const struct aws_chain_options *options)
{
	static const struct aws_chain_options none;
	struct error *err = NULL;
	struct aws_chain *chain = aws_chain_new(environment->http, options ? options : &none, &err);

	assert_ok(chain, err);
	return chain;
}
