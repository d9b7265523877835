// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a program does when the system refuses: names a call, which of its turns
// fails, and the errno. A test says REFUSABLE of each call, and is linked with
// -Wl,--wrap= for it. Calls that the C library makes for itself are not met.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define REFUSALS_MAX 3

struct refusal {
	const char *call; // NULL: none
	unsigned turn;    // from 1; 0: each
	int number;       // errno
	unsigned n_calls, n_refused;
};

static struct refusal refusals[REFUSALS_MAX];

static inline void
refuse(const char *call, unsigned turn, int number)
{
	size_t i = 0;

	while (refusals[i].call != NULL)
		i++;
	refusals[i] = (struct refusal){ call, turn, number, 0, 0 };
}

// False: one of them was never met.
static inline bool
refuse_no_more(void)
{
	bool all_met = true;

	for (size_t i = 0; i < REFUSALS_MAX; i++)
		if (refusals[i].call != NULL && refusals[i].n_refused == 0)
			all_met = false;
	memset(refusals, 0, sizeof(refusals));
	return all_met;
}

// Sets errno.
static inline bool
is_refused(const char *call)
{
	bool refused = false;

	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		struct refusal *one = &refusals[i];
		if (one->call == NULL || strcmp(one->call, call) != 0)
			continue;
		one->n_calls++;
		if (one->turn != 0 && one->turn != one->n_calls)
			continue;
		one->n_refused++;
		errno = one->number;
		refused = true;
	}
	return refused;
}

// What a refused read or write returns: without an error, nothing was done.
#define REFUSED_OCTETS (errno == 0 ? 0 : -1)

#define REFUSABLE(type, name, parameters, arguments, refused)       \
	type __real_##name parameters;                              \
	type __wrap_##name parameters;                              \
	type __wrap_##name parameters                               \
	{                                                           \
		return is_refused(#name) ? (refused)                \
					 : __real_##name arguments; \
	}
