/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics are stored "plain": little-endian numbers, decimals as big-endian two's complement. */
#include "materializers/parquet_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

enum { TEXT_SHOWN_MAX = 128, DECIMAL_BYTES_MAX = 16, SECONDS_PER_DAY = 86400 };

void parquet_value_release(struct parquet_value *value)
{
	free(value->text);
	*value = (struct parquet_value){ 0 };
}

struct parquet_value parquet_value_copy(const struct parquet_value *value)
{
	struct parquet_value copy = *value;

	if (value->text)
		copy.text = xstrndup(value->text, value->size);
	return copy;
}

static uint64_t little_endian(const char *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i > 0; i--)
		value = value << 8 | (unsigned char)bytes[i - 1];
	return value;
}

static __int128 big_endian(const char *bytes, size_t size)
{
	unsigned __int128 value = (signed char)bytes[0] < 0 ? ~(unsigned __int128)0 : 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | (unsigned char)bytes[i];
	return (__int128)value;
}

static bool read_real(const struct parquet_scalar *scalar, const char *bytes, size_t size,
                      struct parquet_value *value)
{
	float single;

	if (scalar->physical == PARQUET_FLOAT && size == sizeof(single)) {
		memcpy(&single, bytes, sizeof(single));
		value->real = (double)single;
	} else if (scalar->physical == PARQUET_DOUBLE && size == sizeof(value->real)) {
		memcpy(&value->real, bytes, sizeof(value->real));
	} else {
		return false;
	}
	return !isnan(value->real);
}

static bool read_integer(const struct parquet_scalar *scalar, const char *bytes, size_t size,
                         struct parquet_value *value)
{
	bool is_unsigned = scalar->meaning == PARQUET_UNSIGNED;
	uint64_t raw = size <= 8 ? little_endian(bytes, size) : 0;

	switch (scalar->physical) {
	case PARQUET_BOOLEAN:
		value->integer = raw & 1;
		return size == 1;
	case PARQUET_INT32:
		value->integer = is_unsigned ? (__int128)(uint32_t)raw : (__int128)(int32_t)raw;
		return size == 4;
	case PARQUET_INT64:
		value->integer = is_unsigned ? (__int128)raw : (__int128)(int64_t)raw;
		return size == 8;
	case PARQUET_BYTES:
	case PARQUET_FIXED:
		if (size == 0 || size > DECIMAL_BYTES_MAX)
			return false;
		value->integer = big_endian(bytes, size);
		return true;
	default:
		return false;
	}
}

static int64_t units_per_second(const struct parquet_scalar *scalar)
{
	return scalar->scale == 9 ? 1000000000 : scalar->scale == 6 ? 1000000 : 1000;
}

static bool is_of_day(const struct parquet_scalar *scalar, __int128 units)
{
	return units >= 0 && units < SECONDS_PER_DAY * units_per_second(scalar);
}

bool parquet_value_read(const struct parquet_scalar *scalar, const char *bytes, size_t size,
                        struct parquet_value *value)
{
	*value = (struct parquet_value){ 0 };
	switch (scalar->meaning) {
	case PARQUET_OPAQUE:
		return false;
	case PARQUET_TEXT:
		if (!text_is_utf8(bytes, size))
			return false;
		value->text = xstrndup(bytes, size);
		value->size = size;
		return true;
	case PARQUET_REAL:
		return read_real(scalar, bytes, size, value);
	case PARQUET_TIME:
		return read_integer(scalar, bytes, size, value) &&
		       is_of_day(scalar, value->integer);
	default:
		return read_integer(scalar, bytes, size, value);
	}
}

int parquet_value_compare(const struct parquet_scalar *scalar, const struct parquet_value *a,
                          const struct parquet_value *b)
{
	int order;

	if (scalar->meaning == PARQUET_REAL)
		return (a->real > b->real) - (a->real < b->real);
	if (scalar->meaning != PARQUET_TEXT)
		return (a->integer > b->integer) - (a->integer < b->integer);
	order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
	return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* 39 digits at most. */
static char *digits_of(unsigned __int128 value)
{
	char *digits = xcalloc(41, 1);
	size_t at = 40;

	do {
		digits[--at] = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value);
	memmove(digits, digits + at, 41 - at);
	return digits;
}

/* "-12.50": the scale is kept, as Spark shows decimals. */
static char *decimal_text(__int128 value, int scale)
{
	scoped(text) char *digits =
		digits_of(value < 0 ? -(unsigned __int128)value : (unsigned __int128)value);
	const char *sign = value < 0 ? "-" : "";
	int length = (int)strlen(digits);

	if (scale <= 0)
		return text_printf("%s%s", sign, digits);
	if (length <= scale) {
		scoped(text) char *padded = text_printf("%0*d%s", scale - length + 1, 0, digits);

		return text_printf("%s0.%s", sign, padded + 1);
	}
	return text_printf("%s%.*s.%s", sign, length - scale, digits, digits + length - scale);
}

static int64_t floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* Days since 1970-01-01 as a date of the proleptic Gregorian calendar. Years begin in March here,
 * so that the leap day is the last of its year. */
static char *date_text(int64_t days)
{
	enum { PER_ERA = 146097, TO_EPOCH = 719468 };
	int64_t era = floor_divide(days + TO_EPOCH, PER_ERA);
	int64_t of_era = days + TO_EPOCH - era * PER_ERA;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	int64_t day = of_year - (153 * month + 2) / 5 + 1;

	month = month < 10 ? month + 3 : month - 9;
	return text_printf("%04lld-%02d-%02d", (long long)(year + era * 400 + (month <= 2)),
	                   (int)month, (int)day);
}

/* "09:30:01.25": a fraction only where there is one. */
static char *time_text(const struct parquet_scalar *scalar, int64_t units)
{
	int64_t per_second = units_per_second(scalar), second = units / per_second;
	scoped(text) char *fraction =
		text_printf(".%0*lld", scalar->scale, (long long)(units % per_second));
	size_t length = strlen(fraction);

	while (length > 0 && (fraction[length - 1] == '0' || fraction[length - 1] == '.'))
		fraction[--length] = '\0';
	return text_printf("%02d:%02d:%02d%s", (int)(second / 3600), (int)(second / 60 % 60),
	                   (int)(second % 60), fraction);
}

static char *timestamp_text(const struct parquet_scalar *scalar, int64_t units)
{
	int64_t per_day = SECONDS_PER_DAY * units_per_second(scalar);
	int64_t day = floor_divide(units, per_day);
	scoped(text) char *date = date_text(day);
	scoped(text) char *time = time_text(scalar, units - day * per_day);

	return text_printf("%sT%s%s", date, time, scalar->is_instant ? "Z" : "");
}

/* The shortest decimal that is this float: 0.1, not 0.10000000149011612. */
static double widen(double value)
{
	for (int digits = 6; digits < 9; digits++) {
		scoped(text) char *text = text_printf("%.*g", digits, value);

		if (strtof(text, NULL) == (float)value)
			return strtod(text, NULL);
	}
	return value;
}

static json_t *real_json(const struct parquet_scalar *scalar, double value)
{
	if (isinf(value))
		return json_string(value > 0 ? "Infinity" : "-Infinity");
	if (value == 0)
		return json_real(0); /* a minimum of zero is written as -0 */
	return json_real(scalar->physical == PARQUET_FLOAT ? widen(value) : value);
}

static json_t *text_json(const struct parquet_value *value)
{
	size_t size = value->size;
	scoped(text) char *cut = NULL;

	if (size <= TEXT_SHOWN_MAX)
		return json_stringn(value->text, size);
	size = TEXT_SHOWN_MAX;
	while (size > 0 && ((unsigned char)value->text[size] & 0xc0) == 0x80)
		size--;
	cut = text_printf("%.*s…", (int)size, value->text);
	return json_string(cut);
}

static json_t *json_take_text(char *text)
{
	json_t *json = json_string(text);

	free(text);
	return json;
}

json_t *parquet_value_json(const struct parquet_scalar *scalar, const struct parquet_value *value)
{
	switch (scalar->meaning) {
	case PARQUET_TEXT:
		return text_json(value);
	case PARQUET_REAL:
		return real_json(scalar, value->real);
	case PARQUET_TRUTH:
		return json_boolean(value->integer != 0);
	case PARQUET_DECIMAL:
		return json_take_text(decimal_text(value->integer, scalar->scale));
	case PARQUET_DATE:
		return json_take_text(date_text((int64_t)value->integer));
	case PARQUET_TIME:
		return json_take_text(time_text(scalar, (int64_t)value->integer));
	case PARQUET_TIMESTAMP:
		return json_take_text(timestamp_text(scalar, (int64_t)value->integer));
	default:
		if (value->integer > INT64_MAX)
			return json_take_text(digits_of((unsigned __int128)value->integer));
		return json_integer((json_int_t)value->integer);
	}
}
