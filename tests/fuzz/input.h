// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What fuzzers share: how a promise is held, and octets that are read once.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what)                                                    \
	do {                                                             \
		if (!(what)) {                                           \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #what);                            \
			abort();                                         \
		}                                                        \
	} while (0)

struct input {
	const uint8_t *at, *end;
};

static inline size_t
input_left(const struct input *input)
{
	return (size_t)(input->end - input->at);
}

// Zeros past the end.
static inline uint8_t
input_octet(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

// Low octet first.
static inline uint32_t
input_number(struct input *input, unsigned n_octets)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < n_octets; i++)
		number |= (uint32_t)input_octet(input) << 8 * i;
	return number;
}

// At most want octets, as many as there are; borrowed.
static inline const uint8_t *
input_take(struct input *input, size_t want, size_t *ret_len)
{
	const uint8_t *at = input->at;

	*ret_len = want < input_left(input) ? want : input_left(input);
	input->at += *ret_len;
	return at;
}
