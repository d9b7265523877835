// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Remembers which entries a resolver has been told to be in use, so that a busy
// domain costs one hint a life and not one an answer. A small table: what it
// forgets is hinted again, which does no harm.
#pragma once

#include "cache/siphash.h"
#include "policy/entry.h"

#include <stdbool.h>

#define HINTS_MAX 4096

struct hints {
	uint8_t hash_key[SIPHASH_KEY_LEN];
	uint64_t marks[HINTS_MAX];
};

// 0 or a negative errno.
int hints_begin(struct hints *hints);

// The place of this entry, which changes with every answer and every deferral;
// ret_mark says what stands there once it has been hinted.
uint64_t *hints_place(struct hints *hints, const uint8_t *key, size_t len,
    const struct entry *entry, uint64_t *ret_mark);

// Promises are void: a resolver was lost.
void hints_forget(struct hints *hints);
