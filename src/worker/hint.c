// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A direct-mapped table of marks. Promises to cost one hash; refuses to know
// how a hint is sent.
#include "config.h"

#include "worker/hint.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int
hints_begin(struct hints *hints)
{
	hints_forget(hints);
	if (getrandom(hints->hash_key, sizeof(hints->hash_key), 0) !=
	    sizeof(hints->hash_key))
		return -errno;
	return 0;
}

uint64_t *
hints_place(struct hints *hints, const uint8_t *key, size_t len,
    const struct entry *entry, uint64_t *ret_mark)
{
	uint64_t hash = siphash(hints->hash_key, key, len);
	uint64_t life[] = { hash, entry->made_ms, entry->ends_ms,
		entry->deferred_ms };

	*ret_mark = siphash(hints->hash_key, life, sizeof(life));
	return &hints->marks[hash % HINTS_MAX];
}

void
hints_forget(struct hints *hints)
{
	memset(hints->marks, 0, sizeof(hints->marks));
}
