// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a lookup makes of an entry: the only place that says how long an answer
// lives, what a failed lookup leaves standing, and what an entry is worth to
// the cache. Pure; time is an argument.
#pragma once

#include "base/conf.h"
#include "cache/cache.h"
#include "policy/decide.h"
#include "policy/entry.h"

// How a lookup ended, or what is known of it now.
struct outcome {
	const struct facts *facts;
	uint32_t ttl_s; // from walk_facts
	bool open;      // not all that was asked has been answered
	uint64_t now_ms;
};

// A verdict other than DEFER replaces the old entry (NULL: there is none). It
// lives for its TTL between cache_min_ttl and cache_max_ttl, and then for
// cache_error_ttl at most if anything is in error. DEFER leaves the old answer
// as it is and stands beside it for cache_error_ttl.
//
// ret borrows from old, from the facts and from reason, which says why in
// every case. Returns the verdict.
enum decide_verdict outcome_merge(const struct entry *old,
    const struct outcome *outcome, const struct conf *conf,
    char reason[FACTS_REASON_MAX + 1], struct entry *ret);

// The verdict of an entry's answer; DEFER if it has none.
enum decide_verdict outcome_verdict(
    const struct entry *entry, const struct conf *conf);

// All but data and len.
void outcome_worth(const struct entry *entry, const struct conf *conf,
    struct cache_value *ret);
