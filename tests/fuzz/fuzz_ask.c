// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a resolver that has been taken over may send to a worker: any packet.
// What is taken must come out the same when written again, and so must the
// entry or next-hop in it; an entry is used no longer than it says.
//
// Under test: src/wire/ask.c src/policy/entry.c src/policy/facts.c
#include "config.h"

#include "input.h"

#include <stdlib.h>
#include <string.h>

#include "wire/ask.h"

static void
use_answer(const struct ask *ask)
{
	static const struct entry_limits limits = { 86400000, 20000, false };
	static const uint64_t now_ms = 1000000;
	static uint8_t again[ENTRY_ENCODED_MAX];
	struct entry entry;
	bool hint;

	if (entry_decode(ask->data, ask->len, &entry) != 0)
		return;
	REQUIRE(entry_encode(&entry, again, sizeof(again)) == ask->len);
	REQUIRE(memcmp(again, ask->data, ask->len) == 0);
	enum entry_use use = entry_judge(&entry, now_ms, &limits, &hint);
	REQUIRE((use == ENTRY_FRESH) ==
		(entry.has_answer && now_ms < entry.ends_ms));
	REQUIRE(use != ENTRY_DEFER || now_ms < entry.deferred_until_ms);
	// What says that there is no DANE does not outlive its end.
	REQUIRE(use != ENTRY_STALE ||
		(entry.facts.mx != FACTS_MX_NOBODY && entry.has_defer));
}

static void
use_id(const struct ask *ask)
{
	uint8_t again[NEXTHOP_ID_MAX];
	struct nexthop nexthop;

	if (nexthop_from_id(ask->data, ask->len, &nexthop) != 0)
		return;
	REQUIRE(nexthop_id(&nexthop, again) == ask->len);
	REQUIRE(memcmp(again, ask->data, ask->len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[ASK_MAX];
	struct ask ask;

	if (ask_decode(data, size, &ask) != 0)
		return 0;
	REQUIRE(ask_encode(&ask, again, sizeof(again)) == size);
	REQUIRE(memcmp(again, data, size) == 0);
	if (ask.kind == ASK_ANSWER)
		use_answer(&ask);
	else if (ask.kind != ASK_REFUSED)
		use_id(&ask);
	return 0;
}
