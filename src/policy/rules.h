// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The policy file: what the administrator has settled for single next-hops.
// Pure: reads text, fills one flat block of memory that the caller gives (so
// that the parent can share it with all workers before it forks), and finds
// the one rule that applies. The grammar is Postfix's own, checked when read;
// danemap-policy(5) describes it.
#pragma once

#include "policy/nexthop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULES_ERROR_MAX 512
#define RULES_LINE_MAX \
	8192 // octets of one rule, its continuation lines included
#define RULES_TEXT_MAX (256u << 20) // octets of one file
#define RULES_MAX      4000000u     // rules of one file

enum rules_kind {
	RULES_FIXED = 0, // the answer, as written
	RULES_DANE,      // fixed `dane` or `dane-only`: given by the dane map
	RULES_DANE_ONLY, // as they are, by the fingerprint map from DNS
	RULES_FLOOR,     // at-least LEVEL
	RULES_DNS,       // decide by DNS as if no rule stood
};

// In rising order.
enum rules_floor {
	RULES_AT_LEAST_MAY = 0,
	RULES_AT_LEAST_ENCRYPT,
	RULES_AT_LEAST_DANE,
	RULES_AT_LEAST_DANE_ONLY,
};

struct rules; // flat, position-independent, immutable once built

// The texts are NUL-terminated and borrowed from struct rules.
struct rules_rule {
	enum rules_kind kind;
	enum rules_floor floor; // of RULES_FLOOR
	const char *key;        // folded, as compared
	const char *answer;     // level and attributes: what follows "OK ". Of
				// RULES_FLOOR and RULES_DNS the rule itself
	const char *why;        // the comment, or empty
	unsigned line;
	bool has_until;
	int32_t until_day; // last day it holds, in days since 1970-01-01 UTC
};

struct rules_text {
	const char *file; // its name, for errors
	const char *text;
	size_t len;
};

// Octets that rules_build may need for that text; 0 if it is longer than
// RULES_TEXT_MAX or has more rules than RULES_MAX.
size_t rules_memory(const struct rules_text *text);

// The whole file or nothing: 0, or -EINVAL with "FILE:LINE:COLUMN: what, and
// what was expected"; of a key that stands twice both lines are named. memory
// holds rules_memory() octets and is aligned for uint64_t.
int rules_build(const struct rules_text *text, const struct nexthop_env *env,
    void *memory, struct rules **ret, char ret_error[RULES_ERROR_MAX]);

// Octets from the beginning of the memory that are in use.
size_t rules_size(const struct rules *rules);

// The rule for a next-hop on a day: the whole key; for bare domains then
// `.parent` from the nearest up, then `*`. Expired rules are skipped. False:
// none applies.
bool rules_find(const struct rules *rules, const struct nexthop *nexthop,
    int32_t today, struct rules_rule *ret);

// All rules in the order of their lines; false past the end.
bool rules_at(const struct rules *rules, size_t index, struct rules_rule *ret);
size_t rules_count(const struct rules *rules);

bool rules_is_expired(const struct rules_rule *rule, int32_t today);
