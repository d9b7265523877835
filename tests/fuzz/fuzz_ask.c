// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a resolver that has been taken over may send to a worker: any packet.
// What is taken must come out the same when written again, and the entry in it
// must be safe to decode and judge.
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "wire/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use_answer(const struct ask *ask)
{
	static const struct entry_limits limits = { 86400000, 20000, false };
	struct entry entry;
	bool hint;

	if (entry_decode(ask->data, ask->len, &entry) == 0)
		entry_judge(&entry, 1000000, &limits, &hint);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[ASK_MAX];
	struct nexthop nexthop;
	struct ask ask;

	if (ask_decode(data, size, &ask) != 0)
		return 0;
	if (ask_encode(&ask, again, sizeof(again)) != size ||
	    memcmp(again, data, size) != 0)
		abort();
	if (ask.kind == ASK_ANSWER)
		use_answer(&ask);
	else if (ask.kind != ASK_REFUSED)
		nexthop_from_id(ask.data, ask.len, &nexthop);
	return 0;
}
