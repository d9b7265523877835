// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One row of the configuration's table, and the way between its text and a
// member of the structure it fills. Knows the kinds of values there are, but
// no parameter by name.
#pragma once

#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARAMETER_REASON_MAX    320
#define PARAMETER_ADDRESSES_MAX 32

enum parameter_kind {
	PARAMETER_TEXT = 0,  // const char *
	PARAMETER_LIST,      // const char *: words, one blank between
	PARAMETER_ADDRESSES, // a list of ADDRESS[@PORT]
	PARAMETER_TIME,      // uint32_t, seconds
	PARAMETER_SIZE,      // uint64_t, octets
	PARAMETER_COUNT,     // unsigned
	PARAMETER_FLAG,      // bool, named by choices
	PARAMETER_CHOICE,    // an enumeration or int, named by choices
};

struct parameter_choice {
	const char *name; // NULL ends a list of choices
	int value;
};

struct parameter {
	const char *name;
	const char *fallback; // the default, in canonical form
	enum parameter_kind kind;
	bool required; // texts: may not be empty
	size_t offset; // of the member
	uint64_t min, max;
	const char *zero; // numbers: what 0 is called, if it has a name
	const struct parameter_choice *choices;
};

// Gives the member the value that text stands for; a text that was there is
// freed. Or -EINVAL or -ENOMEM, and a reason that says which values would do.
int parameter_set(const struct parameter *parameter, void *target,
    const char *text, char ret_reason[PARAMETER_REASON_MAX]);

// The member's value in canonical form: in buffer, or a text that lives as long
// as the target does.
const char *parameter_text(const struct parameter *parameter,
    const void *target, char buffer[VALUE_TEXT_MAX]);

bool parameter_is_default(
    const struct parameter *parameter, const void *target);

void parameter_free(const struct parameter *parameter, void *target);
