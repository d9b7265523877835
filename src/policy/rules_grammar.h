// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What may stand behind a key: Postfix's levels and attributes as its TLS
// policy tables have them (postconf(5), smtp_tls_policy_maps), and our own
// at-least, dns and until=. Knows nothing of keys and files.
#pragma once

#include "policy/rules.h"
#include "policy/rules_words.h"

// Written out, no rule grows to twice its size.
#define RULES_ANSWER_MAX (2 * RULES_LINE_MAX)

struct rules_draft {
	enum rules_kind kind;
	enum rules_floor floor;
	bool has_until;
	int32_t until_day;
	size_t answer_len;
	char answer[RULES_ANSWER_MAX]; // not terminated
};

// Takes words to their end. Levels and names come out in lower case, values as
// they were written, but bare fingerprints with their colons. False: wrong.
bool rules_grammar_read(struct rules_words *words, struct rules_draft *ret,
    struct rules_fault *fault);
