// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Entries in the cache: octets to struct entry and back.
#pragma once

#include <stdbool.h>

#include "base/conf.h"
#include "cache/cache.h"
#include "policy/entry.h"
#include "resolver/idmap.h"

struct kept {
	struct entry entry; // borrows from bytes
	size_t len;
	uint8_t bytes[CACHE_VALUE_MAX];
};

// False if there is none, or none that makes sense.
bool kept_read(const struct cache *cache, struct ident id, struct kept *ret);

// What is too large for the cache is kept without its matches, and marked so.
// 0 or what cache_put says: -EPERM as long as the part is another's.
int kept_write(struct cache *cache, struct ident id, const struct entry *entry,
    const struct conf *conf, uint64_t now_ms);
