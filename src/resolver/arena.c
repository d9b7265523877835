// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Chunks that grow with the need: most domains fit into the first one. What is
// larger than a chunk gets one of its own.
#include "config.h"

#include "resolver/arena.h"

#include <stdlib.h>

#define CHUNK_SIZE 4096

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	max_align_t data[];
};

static struct arena_chunk *
chunk_add(struct arena *arena, size_t need)
{
	size_t size = CHUNK_SIZE - sizeof(struct arena_chunk);

	if (size < need)
		size = need;
	if (size > ARENA_MAX - arena->n_octets)
		size = need; // the last of it, to the octet
	if (size > ARENA_MAX - arena->n_octets)
		return NULL;

	struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->n_octets += size;
	return chunk;
}

void *
arena_get(struct arena *arena, size_t size)
{
	const size_t align = sizeof(max_align_t);

	if (size > ARENA_MAX - align)
		return NULL;
	size = (size + align - 1) / align * align;

	struct arena_chunk *chunk = arena->chunks;

	if (!chunk || chunk->size - chunk->used < size)
		chunk = chunk_add(arena, size);
	if (!chunk)
		return NULL;

	void *ret = (char *)chunk->data + chunk->used;

	chunk->used += size;
	return ret;
}

void
arena_free(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
	arena->n_octets = 0;
}
