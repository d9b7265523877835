// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A sorted set of digests of one width, each once; the least of them if there
// are more than it has room for. Pure: memory comes from the owner, is zeroed,
// and is never given back singly.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// So many sets can be merged: one a host.
#define DIGESTS_SETS_MAX 64

struct digests {
	uint8_t *data;
	unsigned n, n_max;
	unsigned width; // octets of one
};

struct digests_memory {
	void *(*get)(void *arg, size_t size); // NULL: there is none
	void *arg;
};

// Empties the set where it must grow. False if memory ran out.
bool digests_reserve(const struct digests_memory *memory,
    struct digests *digests, unsigned width, size_t n);

void digests_add(struct digests *digests, const uint8_t *digest);

// The union of sets of one width, n_max at most. False if memory ran out.
bool digests_merge(const struct digests_memory *memory,
    const struct digests *const sets[], unsigned n_sets, size_t n_max,
    struct digests *ret);
