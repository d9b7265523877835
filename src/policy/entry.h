// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What is kept of one next-hop: the last answer with its end, and beside it,
// never over it, a deferral. The bytes of an entry are the same in the cache
// and in the resolver's answer to a worker; entry_judge is the only place that
// says whether they may still be used. Pure; all times are CLOCK_BOOTTIME
// milliseconds, so that setting the clock neither shortens nor prolongs trust.
#pragma once

#include "policy/facts.h"

// A refresh under way may keep an answer alive for so long past its end.
#define ENTRY_GRACE_MS 2000

struct entry {
	bool has_answer;
	bool refreshing;      // a resolver has promised to refresh it at its end
	uint64_t made_ms, ends_ms;
	struct facts facts;   // of the answer
	bool has_defer;
	uint64_t deferred_ms, deferred_until_ms;
	uint8_t defer_len;
	const char *defer_reason; // at most FACTS_REASON_MAX, borrowed
};

struct entry_limits {
	uint32_t stale_ms;   // cache_stale_ttl
	uint32_t retry_ms;   // how long after a deferral a retry may end
	bool insecure_may;   // insecure_mx = may
};

enum entry_use {
	ENTRY_MISS = 0, // ask the resolver
	ENTRY_FRESH,
	ENTRY_GRACE,	// past its end, while its refresh is under way
	ENTRY_STALE,	// strict, past its end, and the last lookup failed
	ENTRY_DEFER,	// the last lookup failed and nothing older may be used
};

#define ENTRY_ENCODED_MAX (64 + FACTS_ENCODED_MAX + FACTS_REASON_MAX)

// The number of octets written, or 0 if size is too small or the entry breaks
// its own rules (neither answer nor deferral, an end before its beginning).
size_t entry_encode(const struct entry *entry, uint8_t *ret, size_t size);
// Borrows from bytes. 0, or -EINVAL for what entry_encode would not have
// written; ret is then untouched.
int entry_decode(const uint8_t *bytes, size_t len, struct entry *ret);

// From parameters of the configuration.
struct entry_limits entry_limits_of(
    uint32_t cache_stale_ttl_s, uint32_t query_timeout_s, bool insecure_may);

// A lookup has failed: the deferral stands beside the answer until until_ms,
// and a refresh that was promised has been tried. Borrows reason.
void entry_fail(struct entry *entry, uint64_t now_ms, uint64_t until_ms,
    const char *reason);

// ret_hint: whoever serves this should tell the resolver that the entry is in
// use: the last tenth of its life has begun, or a stale answer is due for
// another try.
//
// - an answer before its end is FRESH, whatever deferral stands beside it;
// - for ENTRY_GRACE_MS past its end it is GRACE if a refresh was promised and
//   none has failed since;
// - a strict answer is STALE until ends_ms + stale_ms while a deferral made
//   after its end stands, and for retry_ms longer (hint: the retry is under
//   way behind it);
// - else a deferral that still stands is DEFER;
// - all else is a MISS.
enum entry_use entry_judge(const struct entry *entry, uint64_t now_ms,
    const struct entry_limits *limits, bool *ret_hint);
