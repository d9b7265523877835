// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Numbers with a unit, as an administrator writes them: text to number and
// back. Pure; knows nothing of parameters and their limits.
#pragma once

#include <stdint.h>

// The longest text of a number, NUL included.
#define VALUE_TEXT_MAX 24

struct value_unit {
	char letter; // in either case; '\0' ends a list of units
	uint64_t factor;
};

extern const struct value_unit value_seconds[]; // s m h d w
extern const struct value_unit value_octets[];  // K M G
extern const struct value_unit value_plain[];   // none

// Decimal digits and at most one unit, nothing else; no unit means 1. -EINVAL,
// or -ERANGE if it does not fit.
int value_parse(
    const char *text, const struct value_unit *units, uint64_t *ret);

// The canonical form: the largest unit that leaves no rest.
void value_format(
    uint64_t value, const struct value_unit *units, char ret[VALUE_TEXT_MAX]);
