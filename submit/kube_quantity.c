/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities: a decimal number and a suffix. */
#include "submit/kube_quantity.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

static const struct {
	const char *suffix;
	double factor;
} units[] = {
	{ "", 1 },        { "n", 1e-9 },    { "u", 1e-6 },    { "m", 1e-3 },
	{ "k", 1e3 },     { "M", 1e6 },     { "G", 1e9 },     { "T", 1e12 },
	{ "P", 1e15 },    { "E", 1e18 },    { "Ki", 1024.0 }, { "Mi", 1048576.0 },
	{ "Gi", 0x1p30 }, { "Ti", 0x1p40 }, { "Pi", 0x1p50 }, { "Ei", 0x1p60 },
};

/* strtod() takes more than the grammar: spaces, hexadecimal, infinity. */
static bool is_number(const char *text)
{
	text += *text == '+' || *text == '-';
	return (*text >= '0' && *text <= '9') || *text == '.';
}

bool kube_quantity_parse(const char *text, double *amount)
{
	double number;
	char *end;
	size_t i;

	if (!is_number(text) || strpbrk(text, "xX"))
		return false;
	number = strtod(text, &end);
	if (end == text)
		return false;
	/* "1E" is an exa, "1E3" a thousand. */
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].suffix) != 0)
			continue;
		*amount = number * units[i].factor;
		return isfinite(*amount);
	}
	return false;
}

char *kube_quantity_text(double amount, bool is_bytes)
{
	static const char *const names[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi" };
	size_t unit = 0;
	double whole;

	while (is_bytes && fabs(amount) >= 1024 && unit + 1 < ARRAY_SIZE(names)) {
		amount /= 1024;
		unit++;
	}
	whole = (double)(int64_t)(amount + 0.5);
	return text_printf("%.*f%s", fabs(amount - whole) < 0.005 ? 0 : 2, amount, names[unit]);
}
