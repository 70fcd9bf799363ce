/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a chunk's statistics can be relied upon: parquet.thrift's comments, as parquet-mr obeys
 * them. */
#include "materializers/parquet_statistics.h"

#include "core/memory.h"

void parquet_statistics_drop_bounds(struct parquet_statistics *statistics)
{
	parquet_value_release(&statistics->minimum);
	parquet_value_release(&statistics->maximum);
	statistics->has_bounds = false;
	statistics->bounds_unknown = true;
}

void parquet_statistics_release(struct parquet_statistics *statistics)
{
	parquet_value_release(&statistics->minimum);
	parquet_value_release(&statistics->maximum);
}

void parquet_chunk_read_statistics(struct thrift *in, const struct thrift_field *outer,
                                   struct parquet_chunk *chunk)
{
	struct thrift_field field;

	chunk->is_exact = true;
	if (outer->type != THRIFT_STRUCT) {
		thrift_skip(in, outer);
		return;
	}
	thrift_begin(in, &field);
	while (thrift_next(in, &field)) {
		switch (field.id) {
		case 1:
			chunk->old_maximum = thrift_binary(in, &field, &chunk->old_maximum_size);
			break;
		case 2:
			chunk->old_minimum = thrift_binary(in, &field, &chunk->old_minimum_size);
			break;
		case 3:
			chunk->nulls = thrift_integer(in, &field);
			chunk->has_nulls = true;
			break;
		case 5:
			chunk->maximum = thrift_binary(in, &field, &chunk->maximum_size);
			break;
		case 6:
			chunk->minimum = thrift_binary(in, &field, &chunk->minimum_size);
			break;
		case 7:
		case 8: /* is_max_value_exact, is_min_value_exact: false for a cut text */
			chunk->is_exact &= thrift_bool(in, &field);
			break;
		default:
			thrift_skip(in, &field);
		}
	}
}

void parquet_statistics_add_nulls(struct parquet_statistics *statistics,
                                  const struct parquet_chunk *chunk)
{
	if (chunk->values == 0)
		return;
	if (!chunk->has_nulls || chunk->nulls < 0 || chunk->nulls > chunk->values ||
	    __builtin_add_overflow(statistics->nulls, chunk->nulls, &statistics->nulls))
		statistics->nulls_unknown = true;
}

/* Consumes both values. */
static void widen(struct parquet_statistics *statistics, const struct parquet_scalar *scalar,
                  struct parquet_value *minimum, struct parquet_value *maximum)
{
	struct parquet_value dropped;

	if (!statistics->has_bounds) {
		statistics->minimum = *minimum;
		statistics->maximum = *maximum;
		statistics->has_bounds = true;
		return;
	}
	if (parquet_value_compare(scalar, minimum, &statistics->minimum) < 0) {
		dropped = statistics->minimum;
		statistics->minimum = *minimum;
		*minimum = dropped;
	}
	if (parquet_value_compare(scalar, maximum, &statistics->maximum) > 0) {
		dropped = statistics->maximum;
		statistics->maximum = *maximum;
		*maximum = dropped;
	}
	parquet_value_release(minimum);
	parquet_value_release(maximum);
}

/* The deprecated bounds were made by comparing as signed numbers, whatever the type was. */
static bool old_bounds_are_safe(const struct parquet_scalar *scalar)
{
	bool is_number = scalar->physical <= PARQUET_INT64 || scalar->physical == PARQUET_FLOAT ||
	                 scalar->physical == PARQUET_DOUBLE;

	return is_number && scalar->meaning != PARQUET_UNSIGNED;
}

static bool read_bounds(const struct parquet_scalar *scalar, const struct parquet_chunk *chunk,
                        struct parquet_value *minimum, struct parquet_value *maximum)
{
	bool is_old = !chunk->minimum && !chunk->maximum && old_bounds_are_safe(scalar);
	const char *low = is_old ? chunk->old_minimum : chunk->minimum;
	const char *high = is_old ? chunk->old_maximum : chunk->maximum;

	if (!low || !high || !chunk->is_exact)
		return false;
	if (!parquet_value_read(scalar, low, is_old ? chunk->old_minimum_size : chunk->minimum_size,
	                        minimum))
		return false;
	if (parquet_value_read(scalar, high, is_old ? chunk->old_maximum_size : chunk->maximum_size,
	                       maximum) &&
	    parquet_value_compare(scalar, minimum, maximum) <= 0)
		return true;
	parquet_value_release(minimum);
	parquet_value_release(maximum);
	return false;
}

void parquet_statistics_add_bounds(struct parquet_statistics *statistics,
                                   const struct parquet_scalar *scalar,
                                   const struct parquet_chunk *chunk)
{
	struct parquet_value minimum, maximum;

	if (statistics->bounds_unknown || chunk->values == 0 ||
	    (chunk->has_nulls && chunk->nulls == chunk->values))
		return;
	if (!read_bounds(scalar, chunk, &minimum, &maximum)) {
		parquet_statistics_drop_bounds(statistics);
		return;
	}
	statistics->is_ordered_by_type |= chunk->minimum != NULL;
	widen(statistics, scalar, &minimum, &maximum);
}

void parquet_statistics_merge(struct parquet_statistics *statistics,
                              const struct parquet_scalar *scalar,
                              const struct parquet_statistics *other)
{
	struct parquet_value minimum, maximum;

	statistics->nulls_unknown |= other->nulls_unknown;
	if (__builtin_add_overflow(statistics->nulls, other->nulls, &statistics->nulls))
		statistics->nulls_unknown = true;
	if (other->bounds_unknown)
		parquet_statistics_drop_bounds(statistics);
	if (statistics->bounds_unknown || !other->has_bounds)
		return;
	minimum = parquet_value_copy(&other->minimum);
	maximum = parquet_value_copy(&other->maximum);
	widen(statistics, scalar, &minimum, &maximum);
}
