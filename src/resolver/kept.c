// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The resolver's way to its own part of the cache. What it reads is treated as
// hostile (entry_decode checks it); what does not fit is cut where it says so
// itself.
#include "config.h"

#include "resolver/kept.h"

#include <errno.h>

#include "resolver/outcome.h"

bool
kept_read(const struct cache *cache, struct ident id, struct kept *ret)
{
	ret->entry = (struct entry){ 0 }; // without an answer: no facts
	return cache_get(cache, id.octets, id.len, ret->bytes, &ret->len) &&
	       entry_decode(ret->bytes, ret->len, &ret->entry) == 0;
}

int
kept_write(struct cache *cache, struct ident id, const struct entry *entry,
    const struct conf *conf, uint64_t now_ms)
{
	uint8_t bytes[CACHE_VALUE_MAX];
	size_t len = entry_encode(entry, bytes, sizeof(bytes));
	struct cache_value value;

	if (len == 0) {
		struct entry partial = *entry;

		partial.facts.partial = true;
		partial.facts.n_sha256 = partial.facts.n_sha512 = 0;
		len = entry_encode(&partial, bytes, sizeof(bytes));
	}
	if (len == 0)
		return -E2BIG;
	outcome_worth(entry, conf, &value);
	value.data = bytes;
	value.len = len;
	return cache_put(cache, id.octets, id.len, &value, now_ms);
}
