/* SPDX-License-Identifier: Apache-2.0 */
/* Where the key of the local secrets manager comes from. */
#include "stacks/secret_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define SALT_SIZE 16
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SCRYPT_N (1 << 15)     /* 32 MiB, some 80 ms */
#define SCRYPT_N_MAX (1 << 18) /* a file from elsewhere may not take all memory */
#define CHECK_DIGITS 16
#define KEY_FILE_LIMIT 4096

void secret_key_release(struct secret_key *key)
{
	text_wipe((char *)key->bytes, sizeof(key->bytes));
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c | 0x20) : NULL;

	return found ? (int)(found - digits) : -1;
}

static bool decode_hex(const char *text, struct secret_key *key)
{
	size_t i;

	if (strlen(text) != (size_t)2 * SECRET_KEY_SIZE)
		return false;
	for (i = 0; i < SECRET_KEY_SIZE; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key->bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* 64 hex digits, or 32 bytes in base64; trailing white space is that of an editor or an echo. */
static bool decode(const char *text, struct secret_key *key)
{
	scoped(secret) char *word = xstrndup(text, strcspn(text, " \t\r\n"));
	bool fits;
	void *bytes;
	size_t size;

	if (text[strlen(word) + strspn(text + strlen(word), " \t\r\n")])
		return false;
	if (decode_hex(word, key))
		return true;
	bytes = base64_decode(word, &size);
	if (!bytes)
		return false;
	fits = size == SECRET_KEY_SIZE;
	if (fits)
		memcpy(key->bytes, bytes, size);
	text_wipe(bytes, size);
	free(bytes);
	return fits;
}

static bool from_environment(struct secret_key *key, struct error **err)
{
	if (decode(environment("STEPOP_SECRETS_KEY"), key))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "$STEPOP_SECRETS_KEY is no key: 64 hex digits or 32 bytes in base64 are "
	                 "expected, as from 'openssl rand -hex 32'");
}

static bool derive(const char *passphrase, const json_t *description, struct secret_key *key,
                   struct error **err)
{
	json_int_t n = json_integer_value(json_object_get(description, "scrypt_n"));
	const char *text = json_string_value(json_object_get(description, "salt"));
	size_t size = 0;
	scoped(text) char *salt = text ? base64_decode(text, &size) : NULL;

	if (!salt || size < SALT_SIZE || n < 2 || n > SCRYPT_N_MAX || (n & (n - 1)))
		return error_set(err, ERROR_AUTH, "its salt was damaged or changed");
	if (EVP_PBE_scrypt(passphrase, strlen(passphrase), (unsigned char *)salt, size, (uint64_t)n,
	                   SCRYPT_R, SCRYPT_P, (uint64_t)SCRYPT_N_MAX * 128 * SCRYPT_R * 2,
	                   key->bytes, sizeof(key->bytes)) != 1)
		return error_set(err, ERROR_INTERNAL, "scrypt failed");
	return true;
}

static char *default_path(const char *id, struct error **err)
{
	const char *configuration = environment("XDG_CONFIG_HOME"), *home = environment("HOME");

	if (configuration && *configuration == '/')
		return text_printf("%s/stepop/keys/%s.key", configuration, id);
	if (home)
		return text_printf("%s/.config/stepop/keys/%s.key", home, id);
	return error_set(err, ERROR_NOT_FOUND,
	                 "no place for the key: set $HOME or $STEPOP_SECRETS_KEY");
}

/* "~/…" is the shell's word, but not within --key_file=~/…, so that it is read here. */
static char *path_of(const char *key_file, const char *id, struct error **err)
{
	if (!key_file)
		return default_path(id, err);
	if (text_starts_with(key_file, "~/") && environment("HOME"))
		return text_printf("%s%s", environment("HOME"), key_file + 1);
	return xstrdup(key_file);
}

static bool check_private(int fd, const char *path, struct error **err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(err, ERROR_AUTH, "key file %s is no regular file", path);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return error_set(err, ERROR_AUTH, "key file %s belongs to another user", path);
	if (status.st_mode & 077)
		return error_set(err, ERROR_AUTH,
		                 "key file %s can be read by others (mode %03o); 'chmod 600 %s' "
		                 "mends that, a new key is better",
		                 path, (unsigned)status.st_mode & 0777, path);
	return true;
}

static char *read_small(int fd)
{
	char *text = xcalloc(KEY_FILE_LIMIT + 1, 1);
	size_t size = 0;
	ssize_t got;

	while ((got = read(fd, text + size, KEY_FILE_LIMIT - size)) > 0)
		size += (size_t)got;
	return text;
}

static bool from_file(const char *path, struct secret_key *key, struct error **err)
{
	scoped(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text;
	bool valid;

	if (fd < 0)
		return error_set(err, ERROR_AUTH,
		                 "its key file %s: %s; bring the file back, or set "
		                 "$STEPOP_SECRETS_KEY to what was in it",
		                 path, strerror(errno));
	if (!check_private(fd, path, err))
		return false;
	text = read_small(fd);
	valid = decode(text, key);
	text_wipe(text, KEY_FILE_LIMIT);
	free(text);
	if (!valid)
		return error_set(err, ERROR_AUTH, "key file %s holds no key: 64 hex digits", path);
	return true;
}

static bool write_file(const char *path, const struct secret_key *key, struct error **err)
{
	scoped(text) char *folder = file_folder(path);
	scoped(fd) int fd = -1;
	char text[2 * SECRET_KEY_SIZE + 1];
	size_t i;
	bool written;

	if (!file_make_folders(folder, 0700, err))
		return false;
	/* Never over a key that is there: it may be the only copy. */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, ERROR_INTERNAL, "make key file %s: %s", path,
		                 strerror(errno));
	for (i = 0; i < SECRET_KEY_SIZE; i++) {
		text[2 * i] = "0123456789abcdef"[key->bytes[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[key->bytes[i] & 15];
	}
	text[2 * SECRET_KEY_SIZE] = '\n';
	written = write(fd, text, sizeof(text)) == (ssize_t)sizeof(text) && fsync(fd) == 0;
	text_wipe(text, sizeof(text));
	if (!written)
		return error_set(err, ERROR_INTERNAL, "write key file %s: %s", path,
		                 strerror(errno));
	return true;
}

/* Tells a wrong key from a damaged file, and nothing about the key. */
static char *check_of(const struct secret_key *key)
{
	static const char purpose[] = "stepop secret key check";
	unsigned char bytes[sizeof(purpose) + SECRET_KEY_SIZE];
	char *digest;

	memcpy(bytes, purpose, sizeof(purpose));
	memcpy(bytes + sizeof(purpose), key->bytes, SECRET_KEY_SIZE);
	digest = digest_bytes(bytes, sizeof(bytes));
	text_wipe((char *)bytes, sizeof(bytes));
	digest[CHECK_DIGITS] = '\0';
	return digest;
}

static json_t *create_from_passphrase(const char *passphrase, struct secret_key *key,
                                      struct error **err)
{
	unsigned char salt[SALT_SIZE];
	scoped(text) char *text = NULL;
	json_auto_t *description = NULL;

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return error_set(err, ERROR_INTERNAL, "no random numbers");
	text = base64_encode(salt, sizeof(salt));
	description = json_pack("{s:s, s:i, s:s}", "source", "passphrase", "scrypt_n", SCRYPT_N,
	                        "salt", text);
	if (!derive(passphrase, description, key, err))
		return NULL;
	return take(description);
}

/* A key file that is there already is used: several projects may share one. */
static json_t *create_file(const char *key_file, struct secret_key *key, struct error **err)
{
	scoped(text) char *id = digest_random_hex(16);
	scoped(text) char *path = path_of(key_file, id, err);
	json_t *description = json_pack("{s:s, s:s}", "source", "file", "id", id);
	bool made;

	if (path && file_exists(path))
		made = from_file(path, key, err);
	else if (path && RAND_bytes(key->bytes, sizeof(key->bytes)) != 1)
		made = error_set(err, ERROR_INTERNAL, "no random numbers");
	else
		made = path && write_file(path, key, err);
	if (made)
		return description;
	json_decref(description);
	return NULL;
}

json_t *secret_key_create(const char *key_file, struct secret_key *key, struct error **err)
{
	const char *passphrase = environment("STEPOP_SECRETS_PASSPHRASE");
	json_t *description;

	if (environment("STEPOP_SECRETS_KEY")) {
		if (!from_environment(key, err))
			return NULL;
		description = json_pack("{s:s}", "source", "environment");
	} else if (passphrase) {
		description = create_from_passphrase(passphrase, key, err);
	} else {
		description = create_file(key_file, key, err);
	}
	if (description) {
		scoped(text) char *check = check_of(key);

		json_object_set_new(description, "check", json_string(check));
	}
	return description;
}

static bool find_passphrase(const json_t *description, struct secret_key *key, struct error **err)
{
	const char *passphrase = environment("STEPOP_SECRETS_PASSPHRASE");

	if (!passphrase)
		return error_set(err, ERROR_AUTH,
		                 "it is locked with a passphrase: set $STEPOP_SECRETS_PASSPHRASE");
	return derive(passphrase, description, key, err);
}

static bool find_file(const json_t *description, const char *key_file, struct secret_key *key,
                      struct error **err)
{
	const char *id = json_string_value(json_object_get(description, "id"));
	scoped(text) char *path = NULL;

	if (!id || strspn(id, "0123456789abcdef") != strlen(id))
		return error_set(err, ERROR_AUTH, "the name of its key was damaged or changed");
	path = path_of(key_file, id, err);
	return path && from_file(path, key, err);
}

static bool find(const json_t *description, const char *key_file, struct secret_key *key,
                 struct error **err)
{
	const char *source = json_string_value(json_object_get(description, "source"));

	if (text_equal(source, "passphrase"))
		return find_passphrase(description, key, err);
	if (environment("STEPOP_SECRETS_KEY"))
		return from_environment(key, err);
	if (text_equal(source, "file"))
		return find_file(description, key_file, key, err);
	if (text_equal(source, "environment"))
		return error_set(err, ERROR_AUTH,
		                 "it is locked with a key from outside: set $STEPOP_SECRETS_KEY");
	return error_set(err, ERROR_AUTH, "where its key comes from was damaged or changed");
}

bool secret_key_find(const json_t *description, const char *key_file, struct secret_key *key,
                     struct error **err)
{
	const char *check = json_string_value(json_object_get(description, "check"));
	struct secret_key found;
	scoped(text) char *found_check = NULL;

	if (!find(description, key_file, &found, err))
		return false;
	found_check = check_of(&found);
	if (!text_equal(check, found_check)) {
		secret_key_release(&found);
		return error_set(err, ERROR_AUTH,
		                 "the key at hand is not the one it is locked with");
	}
	*key = found;
	secret_key_release(&found);
	return true;
}
