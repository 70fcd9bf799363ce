/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/secret: the encrypted store, its keys, schemas and references. */
#include "tests/test.h"

#include <malloc.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "stacks/secret.h"
#include "tests/fakes/temporary_project.h"

#define STORE "secrets/vault.json"
static const char hex_key[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/* The same 32 bytes. */
static const char base64_key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static struct secret_store *open_store(struct temporary_project *temporary, const char *key_file)
{
	json_auto_t *options = json_pack("{s:s*}", "key_file", key_file);
	struct component component = { COMPONENT_SECRETS_MANAGER, (char *)"vault", (char *)"local",
		                       options };
	scoped(error) struct error *err = NULL;
	struct secret_store *store = secret_store_open(temporary->project, &component, NULL, &err);

	assert_ok(store, err);
	return store;
}

static bool put(struct secret_store *store, const char *name, const char *value, bool create_only,
                struct error **err)
{
	json_t *values = json_pack("{s:s}", "password", value);
	bool stored = secret_put(store, name, NULL, values, create_only, err);

	secret_values_free(values);
	return stored;
}

static void assert_password(struct secret_store *store, const char *name, const char *expected)
{
	scoped(error) struct error *err = NULL;
	json_t *values = secret_get(store, name, &err);

	assert_ok(values, err);
	assert_string_equal(json_string_value(json_object_get(values, "password")), expected);
	secret_values_free(values);
}

/* The only key file of the home; owned by the caller. */
static char *find_key_file(struct temporary_project *temporary)
{
	scoped(text) char *text = temporary_project_read(temporary, STORE);
	json_auto_t *box = json_loads(text, 0, NULL);
	const char *id = json_string_value(json_object_get(json_object_get(box, "key"), "id"));

	assert_non_null(id);
	return text_printf("%s/home/.config/stepop/keys/%s.key", temporary->folder, id);
}

static void test_secret_put__is_read_back_by_another_store(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(secret_store) struct secret_store *writer = open_store(temporary, NULL);
	scoped(secret_store) struct secret_store *reader = open_store(temporary, NULL);

	assert_ok(put(writer, "db", "correct horse\nbattery \xc3\xa4", true, &err), err);
	assert_ok(put(writer, "other", "staple", true, &err), err);

	assert_password(reader, "db", "correct horse\nbattery \xc3\xa4");
	assert_password(reader, "other", "staple");
}

static void test_secret_put__leaves_no_value_and_no_key_in_the_project(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);
	scoped(text) char *text = NULL, *path = temporary_project_path(temporary, STORE);
	scoped(text) char *key_path = NULL, *key = NULL;
	struct stat status;

	assert_ok(put(store, "database", "plaintext-value", true, &err), err);

	text = temporary_project_read(temporary, STORE);
	assert_null(strstr(text, "plaintext"));
	assert_null(strstr(text, "database"));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	key_path = find_key_file(temporary);
	key = file_read(key_path, 100, NULL, &err);
	assert_ok(key, err);
	key[64] = '\0';
	assert_null(strstr(text, key));
	assert_int_equal(stat(key_path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_secret_put__uses_a_nonce_once(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);
	scoped(text) char *first = NULL, *second = NULL;
	json_auto_t *a = NULL, *b = NULL;

	assert_ok(put(store, "db", "same", false, &err), err);
	first = temporary_project_read(temporary, STORE);
	assert_ok(put(store, "db", "same", false, &err), err);
	second = temporary_project_read(temporary, STORE);

	a = json_loads(first, 0, NULL);
	b = json_loads(second, 0, NULL);
	assert_false(json_equal(json_object_get(a, "nonce"), json_object_get(b, "nonce")));
	assert_false(json_equal(json_object_get(a, "data"), json_object_get(b, "data")));
	assert_true(json_equal(json_object_get(a, "key"), json_object_get(b, "key")));
}

static void test_secret_put__replaces_only_when_it_may(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *taken = NULL, *unfit = NULL;
	scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);

	assert_ok(put(store, "db", "one", true, &err), err);
	assert_false(put(store, "db", "two", true, &taken));
	assert_password(store, "db", "one");
	assert_ok(put(store, "db", "two", false, &err), err);
	assert_password(store, "db", "two");
	assert_false(put(store, "a.b", "x", true, &unfit));

	assert_int_equal(taken->kind, ERROR_CONFLICT);
	assert_int_equal(unfit->kind, ERROR_INVALID);
}

static void test_secret_remove__forgets_the_last_one_too(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *gone = NULL, *unknown = NULL;
	scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);
	json_auto_t *list = NULL;

	assert_ok(put(store, "database", "one", true, &err), err);
	assert_false(secret_remove(store, "databse", &unknown));
	assert_ok(secret_remove(store, "database", &err), err);
	assert_null(secret_get(store, "database", &gone));

	assert_error_contains(unknown, "did you mean 'database'?");
	assert_int_equal(gone->kind, ERROR_NOT_FOUND);
	list = secret_list(store, &err);
	assert_ok(list, err);
	assert_int_equal(json_array_size(list), 0);
}

static void test_secret_list__has_keys_and_no_values(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);
	json_auto_t *list = NULL, *expected = NULL;
	json_t *values =
		json_pack("{s:s, s:s}", "aws_access_key_id", "a", "aws_secret_access_key", "b");

	assert_ok(put(store, "zeta", "x", true, &err), err);
	assert_ok(secret_put(store, "alpha", "aws", values, true, &err), err);
	secret_values_free(values);

	list = secret_list(store, &err);
	expected = json_pack("[{s:s, s:s, s:[s, s]}, {s:s, s:n, s:[s]}]", "name", "alpha", "schema",
	                     "aws", "keys", "aws_access_key_id", "aws_secret_access_key", "name",
	                     "zeta", "schema", "keys", "password");
	assert_true(json_equal(list, expected));
}

/* Every field of the envelope, changed one at a time. */
static void test_secret_get__notices_that_the_file_was_changed(void **state)
{
	static const char *const fields[] = { "data", "nonce", "cipher", "added", "id" };
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL;
	scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);
	scoped(text) char *text = NULL, *id_path = NULL, *copy_path = NULL, *key = NULL;
	size_t i;

	assert_ok(put(store, "db", "one", true, &err), err);
	text = temporary_project_read(temporary, STORE);
	/* The same key under another id: only the envelope's authentication can tell. */
	id_path = find_key_file(temporary);
	copy_path = text_printf("%s/home/.config/stepop/keys/0000.key", temporary->folder);
	key = file_read(id_path, 100, NULL, &err);
	assert_ok(file_write_atomic(copy_path, key, strlen(key), 0600, &err), err);
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		json_auto_t *box = json_loads(text, 0, NULL);
		json_t *target = strcmp(fields[i], "id") ? box : json_object_get(box, "key");
		const char *old = json_string_value(json_object_get(target, fields[i]));
		scoped(text) char *changed = xstrdup(old ? old : "x"), *tampered = NULL;
		scoped(error) struct error *fault = NULL;
		scoped(secret_store) struct secret_store *reader = open_store(temporary, NULL);

		if (!strcmp(fields[i], "id"))
			strcpy(changed, "0000");
		else
			*changed = *changed == 'A' ? 'B' : 'A';
		json_object_set_new(target, fields[i], json_string(changed));
		tampered = json_dumps(box, 0);
		temporary_project_write(temporary, STORE, tampered);

		assert_null(secret_get(reader, "db", &fault));
		assert_int_equal(fault->kind, ERROR_AUTH);
		assert_error_contains(fault, "damaged or changed");
	}
	temporary_project_write(temporary, STORE, text);
	assert_password(store, "db", "one");
}

static void test_secret_get__tells_a_wrong_key(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *wrong = NULL, *missing = NULL;
	scoped(secret_store) struct secret_store *writer = open_store(temporary, NULL);
	scoped(secret_store) struct secret_store *reader = open_store(temporary, NULL);
	scoped(text) char *path = NULL;

	assert_ok(put(writer, "db", "one", true, &err), err);
	setenv("STEPOP_SECRETS_KEY", hex_key, 1);
	assert_null(secret_get(reader, "db", &wrong));
	unsetenv("STEPOP_SECRETS_KEY");
	path = find_key_file(temporary);
	assert_int_equal(remove(path), 0);
	assert_null(secret_get(reader, "db", &missing));

	assert_int_equal(wrong->kind, ERROR_AUTH);
	assert_error_contains(wrong, "is not the one");
	assert_int_equal(missing->kind, ERROR_AUTH);
	assert_error_contains(missing, "$STEPOP_SECRETS_KEY");
}

static void test_secret_get__refuses_a_key_file_that_others_can_read(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *open = NULL;
	scoped(secret_store) struct secret_store *writer = open_store(temporary, NULL);
	scoped(secret_store) struct secret_store *reader = open_store(temporary, NULL);
	scoped(text) char *path = NULL;

	assert_ok(put(writer, "db", "one", true, &err), err);
	path = find_key_file(temporary);
	assert_int_equal(chmod(path, 0640), 0);
	assert_null(secret_get(reader, "db", &open));

	assert_int_equal(open->kind, ERROR_AUTH);
	assert_error_contains(open, "can be read by others (mode 640)");
}

static void test_secret_get__takes_the_key_from_the_environment(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *unset = NULL, *malformed = NULL;
	scoped(secret_store) struct secret_store *writer = open_store(temporary, NULL);
	scoped(secret_store) struct secret_store *reader = open_store(temporary, NULL);
	scoped(text) char *keys = file_join(temporary->folder, "home/.config");

	setenv("STEPOP_SECRETS_KEY", hex_key, 1);
	assert_ok(put(writer, "db", "one", true, &err), err);
	unsetenv("STEPOP_SECRETS_KEY");
	assert_null(secret_get(reader, "db", &unset));
	setenv("STEPOP_SECRETS_KEY", "0123", 1);
	assert_null(secret_get(reader, "db", &malformed));
	setenv("STEPOP_SECRETS_KEY", base64_key, 1);
	assert_password(reader, "db", "one");

	assert_int_equal(unset->kind, ERROR_AUTH);
	assert_error_contains(unset, "set $STEPOP_SECRETS_KEY");
	assert_error_contains(malformed, "openssl rand -hex 32");
	assert_false(file_exists(keys));
}

static void test_secret_get__takes_a_passphrase(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *unset = NULL, *wrong = NULL;
	scoped(secret_store) struct secret_store *writer = open_store(temporary, NULL);
	scoped(secret_store) struct secret_store *reader = open_store(temporary, NULL);

	setenv("STEPOP_SECRETS_PASSPHRASE", "open sesame", 1);
	assert_ok(put(writer, "db", "one", true, &err), err);
	assert_password(reader, "db", "one");
	unsetenv("STEPOP_SECRETS_PASSPHRASE");
	secret_store_free(reader);
	reader = open_store(temporary, NULL);
	assert_null(secret_get(reader, "db", &unset));
	setenv("STEPOP_SECRETS_PASSPHRASE", "open barley", 1);
	assert_null(secret_get(reader, "db", &wrong));

	assert_error_contains(unset, "set $STEPOP_SECRETS_PASSPHRASE");
	assert_error_contains(wrong, "is not the one");
	assert_int_equal(wrong->kind, ERROR_AUTH);
}

static void test_secret_store_open__keeps_the_key_where_it_is_told(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *within = NULL;
	scoped(secret_store) struct secret_store *store =
		open_store(temporary, "~/elsewhere/my.key");
	scoped(text) char *path = file_join(temporary->folder, "home/elsewhere/my.key");
	scoped(text) char *inside = temporary_project_path(temporary, "my.key");
	json_auto_t *options = json_pack("{s:s}", "key_file", inside);
	struct component component = { COMPONENT_SECRETS_MANAGER, (char *)"vault", (char *)"local",
		                       options };

	assert_ok(put(store, "db", "one", true, &err), err);
	assert_password(store, "db", "one");
	assert_true(file_exists(path));
	assert_null(secret_store_open(temporary->project, &component, NULL, &within));
	assert_error_contains(within, "lies in the project folder");
}

/* Each child puts its own secrets; none may be lost. */
static void test_secret_put__loses_nothing_to_writers_at_the_same_time(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);
	scoped(error) struct error *err = NULL;
	json_auto_t *list = NULL;
	int child, i, status;
	pid_t children[4];

	for (child = 0; child < 4; child++) {
		children[child] = fork();
		if (children[child])
			continue;
		for (i = 0; i < 5; i++) {
			scoped(text) char *name = text_printf("s%d-%d", child, i);

			if (!put(store, name, name, true, NULL))
				_exit(1);
		}
		_exit(0);
	}
	for (child = 0; child < 4; child++) {
		assert_int_equal(waitpid(children[child], &status, 0), children[child]);
		assert_int_equal(status, 0);
	}

	list = secret_list(store, &err);
	assert_ok(list, err);
	assert_int_equal(json_array_size(list), 20);
}

static void test_secret_get__refuses_what_is_no_file_of_secrets(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{", "vault.json:1:" },
		{ "{}", "no file of secrets" },
		{ "[1]", "no file of secrets" },
		{ "{\"kind\": \"stepop secrets\", \"format\": 2, \"key\": {}}", "a later stepop" },
		{ "{\"kind\": \"stepop secrets\", \"format\": 1, \"key\": {}}", "damaged" },
		{ "{\"kind\": \"stepop secrets\", \"format\": 1, \"key\": {\"source\": \"file\", "
		  "\"id\": \"../x\"}}",
		  "damaged" },
	};
	struct temporary_project *temporary = *state;
	scoped(text) char *folder = temporary_project_path(temporary, "secrets");
	size_t i;

	assert_true(file_make_folders(folder, 0700, NULL));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);

		temporary_project_write(temporary, STORE, cases[i].text);
		assert_null(secret_get(store, "db", &err));
		assert_error_contains(err, cases[i].message);
	}
}

static void test_secret_schema_check__says_all_faults_at_once(void **state)
{
	scoped(error) struct error *err = NULL, *schema = NULL, *empty = NULL;
	json_auto_t *values = json_pack("{s:s, s:s}", "aws_acces_key_id", "hush", "colour", "");
	json_auto_t *none = json_object();

	(void)state;
	assert_false(secret_schema_check("aws", values, &err));
	assert_false(secret_schema_check("posgres", values, &schema));
	assert_false(secret_schema_check(NULL, none, &empty));

	assert_error_contains(err, "--aws_acces_key_id: the schema has no such key; did you mean "
	                           "'--aws_access_key_id'?");
	assert_error_contains(err, "--colour: the value is empty");
	assert_error_contains(err, "--aws_access_key_id: is required by schema 'aws'");
	assert_error_contains(err, "--aws_secret_access_key: is required");
	assert_error_contains(schema, "did you mean 'postgres'?");
	assert_error_contains(empty, "at least one");
}

static void test_secret_resolve__puts_values_in_the_place_of_references(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(error) struct error *err = NULL, *key = NULL, *name = NULL, *none = NULL;
	scoped(secret_store) struct secret_store *store = open_store(temporary, NULL);
	scoped(secret) char *resolved = NULL, *plain = NULL;

	assert_ok(put(store, "db", "p{{w}}", true, &err), err);
	resolved = secret_resolve(store, "user:{{db.password}}@{{ db.password }}/{{APP_ID}}", &err);
	assert_ok(resolved, err);
	plain = secret_resolve(NULL, "nothing {{APP_ID}}", &err);
	assert_ok(plain, err);
	assert_null(secret_resolve(store, "{{db.pass}}", &key));
	assert_null(secret_resolve(store, "{{dp.password}}", &name));
	assert_null(secret_resolve(NULL, "{{db.password}}", &none));

	assert_string_equal(resolved, "user:p{{w}}@p{{w}}/{{APP_ID}}");
	assert_string_equal(plain, "nothing {{APP_ID}}");
	assert_int_equal(key->kind, ERROR_NOT_FOUND);
	assert_int_equal(name->kind, ERROR_NOT_FOUND);
	assert_int_equal(none->kind, ERROR_INVALID);
}

static size_t values_freed_unwiped;

static void watching_free(void *memory)
{
	if (memory && memmem(memory, malloc_usable_size(memory), "remember me", 11))
		values_freed_unwiped++;
	free(memory);
}

static void test_secret_values_free__wipes_the_values(void **state)
{
	json_t *values, *kept;
	json_malloc_t usual_malloc;
	json_free_t usual_free;

	(void)state;
	json_get_alloc_funcs(&usual_malloc, &usual_free);
	json_set_alloc_funcs(malloc, watching_free);
	values = json_pack("{s:{s:s}}", "values", "password", "remember me");
	secret_values_free(values);
	assert_int_equal(values_freed_unwiped, 0);

	values = json_pack("{s:s}", "password", "remember me");
	kept = json_incref(json_object_get(values, "password"));
	secret_values_free(values);
	assert_string_equal(json_string_value(kept), "remember me"); /* not ours alone */
	json_decref(kept);
	assert_int_equal(values_freed_unwiped, 1);
	json_set_alloc_funcs(usual_malloc, usual_free);
	secret_values_free(NULL);
}

#define with_project(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_project(test_secret_put__is_read_back_by_another_store),
		with_project(test_secret_put__leaves_no_value_and_no_key_in_the_project),
		with_project(test_secret_put__uses_a_nonce_once),
		with_project(test_secret_put__replaces_only_when_it_may),
		with_project(test_secret_remove__forgets_the_last_one_too),
		with_project(test_secret_list__has_keys_and_no_values),
		with_project(test_secret_get__notices_that_the_file_was_changed),
		with_project(test_secret_get__tells_a_wrong_key),
		with_project(test_secret_get__refuses_a_key_file_that_others_can_read),
		with_project(test_secret_get__takes_the_key_from_the_environment),
		with_project(test_secret_get__takes_a_passphrase),
		with_project(test_secret_store_open__keeps_the_key_where_it_is_told),
		with_project(test_secret_put__loses_nothing_to_writers_at_the_same_time),
		with_project(test_secret_get__refuses_what_is_no_file_of_secrets),
		cmocka_unit_test(test_secret_schema_check__says_all_faults_at_once),
		with_project(test_secret_resolve__puts_values_in_the_place_of_references),
		cmocka_unit_test(test_secret_values_free__wipes_the_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
