/* SPDX-License-Identifier: Apache-2.0 */
/* Plain scalars of YAML. */
#include "core/document_scalar.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/text.h"

#define DIGITS "0123456789"

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (text_equal(text, *words))
			return true;
	return false;
}

static bool is_null(const char *text)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

	return is_one_of(text, words);
}

static bool is_true(const char *text)
{
	static const char *const words[] = { "true", "True", "TRUE", NULL };

	return is_one_of(text, words);
}

static bool is_false(const char *text)
{
	static const char *const words[] = { "false", "False", "FALSE", NULL };

	return is_one_of(text, words);
}

static const char *skip_sign(const char *text)
{
	return *text == '-' || *text == '+' ? text + 1 : text;
}

static bool is_not_finite(const char *text)
{
	static const char *const infinities[] = { ".inf", ".Inf", ".INF", NULL };
	static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };

	return is_one_of(skip_sign(text), infinities) || is_one_of(text, nans);
}

/* The base of an integer: 0 when it is none. */
static int integer_base(const char *text)
{
	const char *digits = skip_sign(text);

	if (*digits && !digits[strspn(digits, DIGITS)])
		return 10;
	if (text[0] == '0' && text[1] == 'x' && text[2] &&
	    !text[2 + strspn(text + 2, DIGITS "abcdefABCDEF")])
		return 16;
	if (text[0] == '0' && text[1] == 'o' && text[2] && !text[2 + strspn(text + 2, "01234567")])
		return 8;
	return 0;
}

static json_t *resolve_integer(const char *text, int base, const char **fault)
{
	const char *digits = base == 10 ? skip_sign(text) : text;
	intmax_t number;

	if (base == 10 && digits[0] == '0' && digits[1]) {
		*fault = "a number with leading zeros can mean two things; quote it to make it "
			 "text, or leave the zeros out";
		return NULL;
	}
	errno = 0;
	number = strtoimax(base == 10 ? text : text + 2, NULL, base);
	if (errno) {
		*fault = "the number does not fit into 64 bits; quote it to make it text";
		return NULL;
	}
	return json_integer(number);
}

/* [-+]? ( \.[0-9]+ | [0-9]+(\.[0-9]*)? ) ([eE][-+]?[0-9]+)? */
static bool is_real(const char *text)
{
	size_t whole, fraction = 0;

	text = skip_sign(text);
	whole = strspn(text, DIGITS);
	text += whole;
	if (*text == '.') {
		fraction = strspn(text + 1, DIGITS);
		text += 1 + fraction;
	}
	if (!whole && !fraction)
		return false;
	if (*text == 'e' || *text == 'E') {
		text = skip_sign(text + 1);
		if (!*text)
			return false;
		text += strspn(text, DIGITS);
	}
	return !*text;
}

static json_t *resolve_real(const char *text, const char **fault)
{
	double number = strtod(text, NULL);

	if (!isfinite(number)) {
		*fault = "the number is too large; quote it to make it text";
		return NULL;
	}
	return json_real(number);
}

json_t *document_scalar_resolve(const char *text, const char **fault)
{
	int base = integer_base(text);

	if (is_null(text))
		return json_null();
	if (is_true(text) || is_false(text))
		return json_boolean(is_true(text));
	if (base)
		return resolve_integer(text, base, fault);
	if (is_real(text))
		return resolve_real(text, fault);
	if (is_not_finite(text)) {
		*fault = "infinity and not-a-number are not supported; quote them to make them "
			 "text";
		return NULL;
	}
	return json_string(text);
}

/* What some reader takes for something else than text. */
static bool is_reserved_word(const char *text)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no",
		                             "on",   "off",  "y",     "n",   NULL };
	const char *const *word;

	for (word = words; *word; word++)
		if (!strcasecmp(text, *word))
			return true;
	return false;
}

bool document_scalar_is_plain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char numeric[] = DIGITS "abcdefABCDEFxXoO_.:+-";
	const char *at;

	if (!*text || is_reserved_word(text) ||
	    !strchr(DIGITS "/", *text) == !strchr(letters, *text))
		return false;
	if (strchr(DIGITS, *text) && !text[strspn(text, numeric)])
		return false;
	for (at = text; *at; at++) {
		if (!strchr(letters, *at) && !strchr(DIGITS "-./:=+@%,$() ", *at))
			return false;
		if ((*at == ':' || *at == ' ') && (!at[1] || at[1] == ' '))
			return false;
	}
	return true;
}
