// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Old entry and new facts to new entry. No I/O, no clock: what came before and
// what is known now is all there is.
#include "config.h"

#include "resolver/outcome.h"

#include "policy/walk.h"

#define MS_PER_S UINT64_C(1000)

static uint32_t
clamp_ttl(const struct outcome *outcome, const struct conf *conf)
{
	uint32_t ttl_s = outcome->ttl_s;

	if (ttl_s < conf->cache_min_ttl_s)
		ttl_s = conf->cache_min_ttl_s;
	if (ttl_s > conf->cache_max_ttl_s)
		ttl_s = conf->cache_max_ttl_s;
	if (outcome->open || walk_has_error(outcome->facts))
		if (ttl_s > conf->cache_error_ttl_s)
			ttl_s = conf->cache_error_ttl_s;
	return ttl_s;
}

enum decide_verdict
outcome_merge(const struct entry *old, const struct outcome *outcome,
    const struct conf *conf, char reason[FACTS_REASON_MAX + 1],
    struct entry *ret)
{
	enum decide_verdict verdict =
	    decide(outcome->facts, conf->dialect.insecure_may);

	decide_reason(outcome->facts, verdict, reason, FACTS_REASON_MAX + 1);
	if (verdict == DECIDE_DEFER) {
		*ret = old ? *old : (struct entry){ 0 };
		entry_fail(ret, outcome->now_ms,
		    outcome->now_ms + conf->cache_error_ttl_s * MS_PER_S,
		    reason);
		return verdict;
	}
	*ret = (struct entry){
		.has_answer = true,
		.made_ms = outcome->now_ms,
		.ends_ms =
		    outcome->now_ms + clamp_ttl(outcome, conf) * MS_PER_S,
		.facts = *outcome->facts,
	};
	return verdict;
}

enum decide_verdict
outcome_verdict(const struct entry *entry, const struct conf *conf)
{
	if (!entry->has_answer)
		return DECIDE_DEFER;
	return decide(&entry->facts, conf->dialect.insecure_may);
}

void
outcome_worth(
    const struct entry *entry, const struct conf *conf, struct cache_value *ret)
{
	uint64_t ends_ms = entry->has_answer ? entry->ends_ms : 0;
	uint64_t worthless_ms = ends_ms;
	bool strict = decide_is_strict(outcome_verdict(entry, conf));

	if (strict)
		worthless_ms += conf->cache_stale_ttl_s * MS_PER_S;
	else if (entry->refreshing)
		worthless_ms += ENTRY_GRACE_MS;
	if (entry->has_defer && worthless_ms < entry->deferred_until_ms)
		worthless_ms = entry->deferred_until_ms;
	*ret = (struct cache_value){
		.ends_ms = entry->has_answer ? ends_ms : worthless_ms,
		.worthless_ms = worthless_ms,
		.strict = strict,
	};
}
