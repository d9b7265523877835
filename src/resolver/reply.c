// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Letters. Whether an entry may be used is entry_judge's to say, what a failure
// makes of it outcome_merge's.
#include "config.h"

#include "resolver/reply.h"

#include <string.h>

#include "resolver/kept.h"
#include "resolver/outcome.h"

struct letter *
reply_entry(const struct entry *entry)
{
	static uint8_t bytes[ENTRY_ENCODED_MAX];
	size_t len = entry_encode(entry, bytes, sizeof(bytes));

	return len > 0 ? letter_new(ASK_ANSWER, bytes, len) : NULL;
}

// Matches that the cache left out are what is asked for if somebody asks.
static bool
lacks_matches(const struct entry *entry, enum entry_use use)
{
	return (use == ENTRY_FRESH || use == ENTRY_GRACE) &&
	       entry->facts.partial;
}

struct letter *
reply_kept(const struct reply_env *env, struct ident id, uint64_t now_ms)
{
	struct kept kept;
	enum entry_use use;
	bool hint;

	if (!kept_read(env->cache, id, &kept))
		return NULL;
	use = entry_judge(&kept.entry, now_ms, &env->limits, &hint);
	if (use == ENTRY_MISS || lacks_matches(&kept.entry, use))
		return NULL;
	return letter_new(ASK_ANSWER, kept.bytes, kept.len);
}

struct letter *
reply_refusal(const struct reply_env *env, struct ident id, const char *why,
    uint64_t now_ms)
{
	struct facts facts = { .reason = why,
		.reason_len = (uint8_t)strnlen(why, FACTS_REASON_MAX) };
	struct outcome outcome = { .facts = &facts, .now_ms = now_ms };
	char reason[FACTS_REASON_MAX + 1];
	struct kept old;
	struct entry entry;
	bool hint;

	env->page->n_refused++;
	if (kept_read(env->cache, id, &old)) {
		outcome_merge(&old.entry, &outcome, env->conf, reason, &entry);
		if (entry_judge(&entry, now_ms, &env->limits, &hint) ==
		    ENTRY_STALE)
			return reply_entry(&entry);
	}
	return letter_new(ASK_REFUSED, why, facts.reason_len);
}
