// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The words of one rule, taken one by one from its lines, and its comments on
// the way. Knows no rule: what words mean is rules_grammar.h.
#pragma once

#include "policy/rules.h"

#include <stdarg.h>

#define RULES_WHAT_MAX 320

struct rules_word {
	const char *at;
	size_t len;
};

// Where a rule is wrong and why: `at` points into the text.
struct rules_fault {
	const char *at;
	char what[RULES_WHAT_MAX];
};

struct rules_words {
	const char *at, *end;
	const char *behind; // the last word: where one is missing
	// The comments: one blank between those of several lines.
	size_t why_len;
	char why[RULES_LINE_MAX]; // not terminated
};

enum rules_got { RULES_GOT_FAULT = 0, RULES_GOT_WORD, RULES_GOT_END };

// text holds one rule with the lines that continue it, at most RULES_LINE_MAX
// octets.
void rules_words_begin(struct rules_words *words, const char *text, size_t len);

// Up to white space or, with `commas`, a comma. What begins with `{` goes on to
// its `}`, both included. After RULES_GOT_END why is whole.
enum rules_got rules_words_next(struct rules_words *words, bool commas,
    struct rules_word *ret, struct rules_fault *fault);

// Case-insensitive.
bool rules_word_is(struct rules_word word, const char *text);

// Of white space at both ends.
struct rules_word rules_word_trim(struct rules_word word);

bool rules_is_blank(char octet);

// Fills in the fault and returns false, for `return rules_wrong(...)`.
bool rules_wrong(struct rules_fault *fault, const char *at, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

// A word in a message: "%.*s" with RULES_SHOWN(word).
#define RULES_SHOWN_MAX 64
#define RULES_SHOWN(word)                                                   \
	(int)((word).len < RULES_SHOWN_MAX ? (word).len : RULES_SHOWN_MAX), \
	    (word).at
