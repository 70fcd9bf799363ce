/* SPDX-License-Identifier: Apache-2.0 */
/* The database servers of tests/servers/databases.sh as backends of metadata stores. */
#include "tests/fakes/metadata_servers.h"

#include "tests/test.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/text.h"
#include "stacks/secret.h"

struct server {
	const char *flavor, *prefix; /* of the variables that databases.sh gives */
};
static const struct server servers[] = { { "postgres", "STEPOP_TEST_POSTGRES" },
	                                 { "mysql", "STEPOP_TEST_MYSQL" } };
static const struct server *server;

const char *metadata_server_setting(const char *name)
{
	scoped(text) char *variable = text_printf("%s_%s", server->prefix, name);

	return getenv(variable);
}

bool metadata_server_is(const char *flavor)
{
	return !strcmp(server->flavor, flavor);
}

static json_t *get_user(struct secret_store *store, const char *name, struct error **err)
{
	static const struct {
		const char *name, *user, *password;
	} users[] = {
		{ "owner", "USER", "PASSWORD" },
		{ "limited", "LIMITED_USER", "LIMITED_PASSWORD" },
		{ "admin", "ADMIN_USER", "ADMIN_PASSWORD" },
	};
	size_t i;

	(void)store;
	if (!strcmp(name, "wrong"))
		return json_pack("{s:s, s:s}", "user", metadata_server_setting("USER"), "password",
		                 "k3rfuffle");
	for (i = 0; i < ARRAY_SIZE(users); i++)
		if (!strcmp(users[i].name, name))
			return json_pack("{s:s, s:s}", "user",
			                 metadata_server_setting(users[i].user), "password",
			                 metadata_server_setting(users[i].password));
	return error_set(err, ERROR_NOT_FOUND, "there is no secret '%s'", name);
}

static const struct secret_flavor users_flavor = { .get = get_user };
static struct secret_store users = { &users_flavor };

json_t *metadata_server_options(const char *database, const char *user)
{
	/* The administrator of MySQL has no other way in. */
	bool by_socket = !strcmp(user, "admin");
	json_t *options = json_pack("{s:s, s:s, s:s, s:s}", "host",
	                            metadata_server_setting(by_socket ? "SOCKET" : "HOST"),
	                            "database", database, "ssl_ca", metadata_server_setting("CA"),
	                            "authentication_secret", user);
	int64_t port = 0;

	assert_true(text_to_int64(metadata_server_setting("PORT"), 1, 65535, &port));
	json_object_set_new(options, "port", json_integer(port));
	return options;
}

static void execute_as(struct metadata_fixture *fixture, const char *database, const char *user,
                       const char *sql)
{
	json_t *own = fixture->component.options;

	fixture->component.options = metadata_server_options(database, user);
	metadata_suite_execute(fixture, sql);
	json_decref(fixture->component.options);
	fixture->component.options = own;
}

void metadata_server_administrate(struct metadata_fixture *fixture, const char *sql)
{
	execute_as(fixture, metadata_server_setting("DATABASE"), "admin", sql);
}

void metadata_server_use_socket(struct metadata_fixture *fixture)
{
	json_object_set_new(fixture->component.options, "host",
	                    json_string(metadata_server_setting("SOCKET")));
}

static void make_database(struct metadata_fixture *fixture)
{
	scoped(text) char *digits = digest_random_hex(12);
	scoped(text) char *name = text_printf("stepop_%s", digits);
	scoped(text) char *sql = text_printf("CREATE DATABASE %s", name);

	fixture->secrets = &users;
	execute_as(fixture, metadata_server_setting("DATABASE"), "owner", sql);
	fixture->component.options = metadata_server_options(name, "owner");
}

static void drop_database(struct metadata_fixture *fixture)
{
	scoped(text) char *sql = text_printf("DROP DATABASE IF EXISTS %s",
	                                     component_text(&fixture->component, "database", NULL));

	execute_as(fixture, metadata_server_setting("DATABASE"), "owner", sql);
}

int metadata_servers_run(int (*run)(const struct metadata_backend *backend))
{
	int failed = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(servers); i++) {
		const struct metadata_backend backend = { servers[i].flavor, make_database,
			                                  drop_database, false };

		server = &servers[i];
		if (!metadata_server_setting("HOST")) {
			printf("SKIPPED: no %s; tests/servers/databases.sh starts one\n",
			       server->flavor);
			continue;
		}
		metadata_suite_choose(&backend);
		failed += run(&backend);
	}
	return failed;
}

pid_t metadata_server_control_later(const char *verb, int64_t pause_ms)
{
	pid_t child = fork();

	if (child)
		return child;
	poll(NULL, 0, (int)pause_ms);
	execl("tests/servers/databases.sh", "databases.sh", verb, getenv("STEPOP_TEST_DATABASES"),
	      server->flavor, NULL);
	_exit(127);
}

void metadata_server_control(const char *verb)
{
	pid_t child = metadata_server_control_later(verb, 0);
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}
