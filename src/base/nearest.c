// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One row of the table is enough: each cell needs its left, upper and upper
// left neighbours only.
#include "config.h"

#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
nearest_distance(const char *a, const char *b)
{
	size_t row[NEAREST_NAME_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > NEAREST_NAME_MAX || b_len > NEAREST_NAME_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t upper_left = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t upper = row[j];
			size_t replaced = upper_left + (a[i - 1] != b[j - 1]);

			row[j] = least(replaced, 1 + least(upper, row[j - 1]));
			upper_left = upper;
		}
	}
	return row[b_len];
}

bool
nearest_is_slip(const char *meant, size_t distance)
{
	return distance <= strlen(meant) / 3;
}
