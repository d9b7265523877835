// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What workers and resolvers say to each other over a SOCK_SEQPACKET pair: one
// message a packet, fixed little-endian fields. Both sides check all that
// they read.
#pragma once

#include "policy/entry.h"
#include "policy/nexthop.h"

enum ask_kind {
	ASK_NOTHING = 0,
	ASK_QUESTION, // worker to resolver: an answer is wanted
	ASK_HINT,     // worker to resolver: this entry is in use; no answer
	ASK_ANSWER,   // resolver to worker: entry bytes
	ASK_REFUSED,  // resolver to worker: cannot be had, and why
};

struct ask {
	enum ask_kind kind;
	uint32_t id;          // the worker's own; comes back in the answer
	uint64_t deadline_ms; // CLOCK_BOOTTIME; QUESTION
	size_t len;           // of data, borrowed:
	const uint8_t *data;  // nexthop_id for QUESTION and HINT, entry bytes
			      // for ANSWER, text for REFUSED
};

#define ASK_HEAD     16
#define ASK_MAX      (ASK_HEAD + ENTRY_ENCODED_MAX)
// Of the text of REFUSED, which is never empty.
#define ASK_TEXT_MAX 255

// Returns the length of the packet; size must hold ASK_HEAD + ask->len, and the
// data must fit their kind: anything else is a mistake of the caller's.
size_t ask_encode(const struct ask *ask, uint8_t *ret, size_t size);
// 0 or -EINVAL. Checks kind and the length of data per kind, not its content.
int ask_decode(const uint8_t *packet, size_t len, struct ask *ret);
