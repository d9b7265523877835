// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The memory of one flight: given out zeroed, never taken back singly, freed
// at once, and never more than a limit, whatever the DNS says.
#pragma once

#include <stddef.h>

// The matches of a reply of 100,000 octets take 70 KiB; the rest is names.
#define ARENA_MAX (256 * 1024)

struct arena_chunk;

struct arena { // zeroed: empty
	struct arena_chunk *chunks;
	size_t n_octets;
};

// NULL if there is no memory, or no more for this arena.
void *arena_get(struct arena *arena, size_t size);
void arena_free(struct arena *arena);
