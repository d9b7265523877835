// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a resolver says to a worker: made once, and shared by all who wait for
// it, however many and however slow they are.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/ask.h"

struct letter {
	unsigned n_holders;
	enum ask_kind kind; // ASK_ANSWER: entry bytes; ASK_REFUSED: text
	size_t len;
	uint8_t data[];
};

// Copies data; the caller is its first holder. NULL if memory ran out.
struct letter *letter_new(enum ask_kind kind, const void *data, size_t len);
struct letter *letter_hold(struct letter *letter);
// The last one to drop it frees it. NULL is fine.
void letter_drop(struct letter *letter);
