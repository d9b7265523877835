// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How the rule for a next-hop is searched, step by step, for people who want to
// know why it is that one. The daemon takes rules_find, whose answer this is.
#pragma once

#include "policy/rules.h"

// The whole key, a step for each label less one, and `*`.
#define SEARCH_STEPS_MAX (NEXTHOP_NAME_MAX / 2 + 3)
#define SEARCH_KEY_MAX   (NEXTHOP_NAME_MAX + 10) // brackets, a port, NUL

struct search_step {
	char key[SEARCH_KEY_MAX];
	bool has_rule, expired;
	bool applies; // the first that has a rule in force
	bool hidden;  // has one too, but comes later
	struct rules_rule rule;
};

struct search {
	unsigned n;
	struct search_step steps[SEARCH_STEPS_MAX];
};

// No steps for what is no next-hop. True if a rule applies.
bool search_rules(const struct rules *rules, const struct nexthop *nexthop,
    int32_t today, struct search *ret);
