// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Parses by hand rather than by strtoull, which takes signs, blanks and other
// bases for granted.
#include "config.h"

#include "base/value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

// In ascending order.
const struct value_unit value_seconds[] = { { 's', 1 }, { 'm', 60 },
	{ 'h', 60 * 60 }, { 'd', 24 * 60 * 60 }, { 'w', 7 * 24 * 60 * 60 },
	{ 0 } };
const struct value_unit value_octets[] = { { 'K', 1u << 10 }, { 'M', 1u << 20 },
	{ 'G', 1u << 30 }, { 0 } };
const struct value_unit value_plain[] = { { 0 } };

static const struct value_unit *
find_unit(const struct value_unit *units, char letter)
{
	for (; units->letter; units++) {
		if (tolower((unsigned char)letter) == tolower(units->letter))
			return units;
	}
	return NULL;
}

int
value_parse(const char *text, const struct value_unit *units, uint64_t *ret)
{
	const struct value_unit *unit;
	uint64_t value = 0;
	int error = *text >= '0' && *text <= '9' ? 0 : -EINVAL;

	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *text - '0', &value))
			error = -ERANGE;
	}
	if (*text != '\0') {
		unit = find_unit(units, *text);
		if (!unit || text[1] != '\0')
			return -EINVAL;
		if (__builtin_mul_overflow(value, unit->factor, &value))
			error = -ERANGE;
	}
	if (!error)
		*ret = value;
	return error;
}

void
value_format(
    uint64_t value, const struct value_unit *units, char ret[VALUE_TEXT_MAX])
{
	struct value_unit best = { '\0', 1 };

	for (; units->letter && value > 0; units++) {
		if (value % units->factor == 0)
			best = *units;
	}
	// At most twenty digits and a letter.
	if (best.letter)
		snprintf(ret, VALUE_TEXT_MAX, "%" PRIu64 "%c",
		    value / best.factor, best.letter);
	else
		snprintf(ret, VALUE_TEXT_MAX, "%" PRIu64, value);
}
