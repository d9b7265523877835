// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a worker is told: letters made of entries, old and new.
#pragma once

#include "base/conf.h"
#include "base/status.h"
#include "cache/cache.h"
#include "policy/entry.h"
#include "resolver/idmap.h"
#include "resolver/letter.h"

struct reply_env {
	const struct conf *conf;
	struct cache *cache;
	struct status_page *page;
	struct entry_limits limits;
};

// All of these: NULL if memory ran out. The caller drops the letter.

struct letter *reply_entry(const struct entry *entry);

// What the cache has, if it may still be used and says all there is to say;
// else NULL too. Another generation, or a flight that has just landed, may have
// been faster than the question.
struct letter *reply_kept(
    const struct reply_env *env, struct ident id, uint64_t now_ms);

// Where no lookup can be had: a strict old answer goes on as it does when the
// lookup fails; else why not. Nothing is kept of that, for nothing was learnt.
struct letter *reply_refusal(const struct reply_env *env, struct ident id,
    const char *why, uint64_t now_ms);
