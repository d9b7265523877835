// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a lookup makes of an entry, for every sentence there is about it: how
// long an answer lives, what a failed lookup leaves standing, who goes first
// when the cache is full.
#include "config.h"

#include "table.h"

#include <string.h>

#include "resolver/outcome.h"

#define NOW_MS    UINT64_C(1000000000)
#define DAY_S     86400
#define ERROR_S   5
#define STALE_S   DAY_S
#define TIMEOUT_S 20

// What DNS said.
enum said {
	NOTHING = 0,
	DEFERRED,        // the MX lookup failed
	NO_DANE,         // one host, without
	NOBODY,          // null MX
	DANE_ONLY,       // one host, secure
	DANE_ONE_FAILED, // dane-only beside a host in error
	DANE_MORE,       // dane-only, and more hosts than are judged
	UNUSABLE,        // dane: TLS is mandatory
	INSECURE_FAILED, // insecure MX, a host in error without address
	SAID_END,
};

static const struct {
	enum facts_mx mx;
	bool more_hosts;
	uint8_t n_hosts;
	uint8_t states[2];
} said[SAID_END] = {
	[DEFERRED] = { .mx = FACTS_MX_FAILED },
	[NO_DANE] = { FACTS_MX_SECURE, false, 1, { FACTS_NODANE } },
	[NOBODY] = { .mx = FACTS_MX_NOBODY },
	[DANE_ONLY] = { FACTS_MX_SECURE, false, 1, { FACTS_DANE } },
	[DANE_ONE_FAILED] = { FACTS_MX_SECURE, false, 2,
	    { FACTS_DANE, FACTS_ERROR } },
	[DANE_MORE] = { FACTS_MX_SECURE, true, 1, { FACTS_DANE } },
	[UNUSABLE] = { FACTS_MX_SECURE, false, 1, { FACTS_UNUSABLE } },
	[INSECURE_FAILED] = { FACTS_MX_INSECURE, false, 1, { FACTS_ERROR } },
};

static const char cause[] = "example.org MX: timed out";

static struct facts
facts_of(enum said what)
{
	struct facts facts = {
		.mx = said[what].mx,
		.more_hosts = said[what].more_hosts,
		.n_hosts = said[what].n_hosts,
		.reason = cause,
		.reason_len = sizeof(cause) - 1,
	};

	for (unsigned i = 0; i < facts.n_hosts; i++)
		facts.hosts[i].state = said[what].states[i];
	return facts;
}

// Times are seconds from now.
struct old {
	enum said said;
	int ends_s;
	bool refreshing, has_defer;
};

static bool
make_old(const struct old *old, struct entry *ret)
{
	*ret = (struct entry){ 0 };
	if (old->said != NOTHING) {
		ret->has_answer = true;
		ret->refreshing = old->refreshing;
		ret->ends_ms = NOW_MS + (int64_t)old->ends_s * 1000;
		ret->made_ms = ret->ends_ms - 1000;
		ret->facts = facts_of(old->said);
	}
	if (old->has_defer) {
		ret->has_defer = true;
		ret->deferred_ms = NOW_MS - ERROR_S * 1000;
		ret->deferred_until_ms = NOW_MS;
		ret->defer_reason = "before";
		ret->defer_len = 6;
	}
	return ret->has_answer || ret->has_defer;
}

static struct conf
make_conf(bool insecure_may, uint32_t error_ttl_s)
{
	struct conf conf = {
		.cache_min_ttl_s = 10,
		.cache_max_ttl_s = DAY_S,
		.cache_error_ttl_s = error_ttl_s ? error_ttl_s : ERROR_S,
		.cache_stale_ttl_s = STALE_S,
		.query_timeout_s = TIMEOUT_S,
	};

	conf.dialect.insecure_may = insecure_may;
	return conf;
}

static const struct life_row {
	const char *sentence;
	enum said said;
	uint32_t ttl_s;
	bool open;
	uint32_t error_ttl_s; // 0: the default
	uint32_t lives_s;
} life_rows[] = {
	{ "an answer lives for the TTL of what it rests on", DANE_ONLY, 300,
	    .lives_s = 300 },
	{ "a TTL under cache_min_ttl is raised to it", DANE_ONLY, 3,
	    .lives_s = 10 },
	{ "a TTL of zero lives for cache_min_ttl", NO_DANE, 0, .lives_s = 10 },
	{ "a TTL over cache_max_ttl is lowered to it", NO_DANE, 1000000,
	    .lives_s = DAY_S },
	{ "the largest TTL there is does not wrap", NO_DANE, UINT32_MAX,
	    .lives_s = DAY_S },
	{ "nobody to deliver to is held as long as the denial", NOBODY, 900,
	    .lives_s = 900 },
	{ "with a host in error an answer lives for cache_error_ttl",
	    DANE_ONE_FAILED, 300, .lives_s = ERROR_S },
	{ "cache_error_ttl comes after the clamp: cache_min_ttl does not raise "
	  "it",
	    DANE_ONE_FAILED, 1, .lives_s = ERROR_S },
	{ "a cache_error_ttl over the TTL prolongs nothing", DANE_ONE_FAILED,
	    20, .error_ttl_s = 60, .lives_s = 20 },
	{ "hosts past the 64th shorten nothing", DANE_MORE, 300,
	    .lives_s = 300 },
	{ "what is known at the deadline lives for cache_error_ttl", DANE_ONLY,
	    300, .open = true, .lives_s = ERROR_S },
};

static void
run_life(void **state)
{
	const struct life_row *row = *state;
	struct conf conf = make_conf(false, row->error_ttl_s);
	struct facts facts = facts_of(row->said);
	struct outcome outcome = { &facts, row->ttl_s, row->open, NOW_MS };
	char reason[FACTS_REASON_MAX + 1];
	struct entry entry;

	assert_int_not_equal(
	    outcome_merge(NULL, &outcome, &conf, reason, &entry), DECIDE_DEFER);
	assert_true(entry.has_answer);
	assert_false(entry.has_defer);
	assert_int_equal(entry.made_ms, NOW_MS);
	assert_int_equal(entry.ends_ms - NOW_MS, row->lives_s * 1000u);
}

static const struct merge_row {
	const char *sentence;
	struct old old;
	enum said said;
	bool insecure_may;
	enum decide_verdict verdict;
	enum said answer; // of the new entry
	bool defers;
	int after_s; // the entry is judged so long after
	enum entry_use use;
} merge_rows[] = {
	{ "DEFER with nothing before it stands alone", { .said = NOTHING },
	    DEFERRED, false, DECIDE_DEFER, NOTHING, true, 0, ENTRY_DEFER },
	{ "DEFER is held for cache_error_ttl and no longer",
	    { .said = NOTHING }, DEFERRED, false, DECIDE_DEFER, NOTHING, true,
	    ERROR_S, ENTRY_MISS },
	{ "DEFER stands beside an answer that still lives, which is given",
	    { DANE_ONLY, .ends_s = 60 }, DEFERRED, false, DECIDE_DEFER,
	    DANE_ONLY, true, 0, ENTRY_FRESH },
	{ "DEFER beside NONE that still lives changes nothing",
	    { NO_DANE, .ends_s = 60 }, DEFERRED, false, DECIDE_DEFER, NO_DANE,
	    true, 0, ENTRY_FRESH },
	{ "dane-only goes on past its end when the lookup fails",
	    { DANE_ONLY, .ends_s = -1 }, DEFERRED, false, DECIDE_DEFER,
	    DANE_ONLY, true, 0, ENTRY_STALE },
	{ "records that are all unusable go on past their end too",
	    { UNUSABLE, .ends_s = -1 }, DEFERRED, false, DECIDE_DEFER, UNUSABLE,
	    true, 0, ENTRY_STALE },
	{ "a strict answer goes on to the last second of cache_stale_ttl",
	    { DANE_ONLY, .ends_s = -STALE_S + 1 }, DEFERRED, false,
	    DECIDE_DEFER, DANE_ONLY, true, 0, ENTRY_STALE },
	{ "a strict answer ends with cache_stale_ttl",
	    { DANE_ONLY, .ends_s = -STALE_S }, DEFERRED, false, DECIDE_DEFER,
	    DANE_ONLY, true, 0, ENTRY_DEFER },
	{ "a strict answer goes on while its retry is under way",
	    { DANE_ONLY, .ends_s = -1 }, DEFERRED, false, DECIDE_DEFER,
	    DANE_ONLY, true, ERROR_S + 2 * TIMEOUT_S - 1, ENTRY_STALE },
	{ "a strict answer that nobody retries ends",
	    { DANE_ONLY, .ends_s = -1 }, DEFERRED, false, DECIDE_DEFER,
	    DANE_ONLY, true, ERROR_S + 2 * TIMEOUT_S, ENTRY_MISS },
	{ "NONE does not go on past its end", { NO_DANE, .ends_s = -1 },
	    DEFERRED, false, DECIDE_DEFER, NO_DANE, true, 0, ENTRY_DEFER },
	{ "nobody to deliver to does not go on past its end",
	    { NOBODY, .ends_s = -1 }, DEFERRED, false, DECIDE_DEFER, NOBODY,
	    true, 0, ENTRY_DEFER },
	{ "a refresh that failed ends the grace of NONE",
	    { NO_DANE, .ends_s = 0, .refreshing = true }, DEFERRED, false,
	    DECIDE_DEFER, NO_DANE, true, 0, ENTRY_DEFER },
	{ "a second DEFER renews the first",
	    { .said = NOTHING, .has_defer = true }, DEFERRED, false,
	    DECIDE_DEFER, NOTHING, true, ERROR_S - 1, ENTRY_DEFER },
	{ "a second DEFER leaves the old answer as it was",
	    { DANE_ONLY, .ends_s = -60, .has_defer = true }, DEFERRED, false,
	    DECIDE_DEFER, DANE_ONLY, true, 0, ENTRY_STALE },
	{ "dane-only replaces a deferral",
	    { .said = NOTHING, .has_defer = true }, DANE_ONLY, false,
	    DECIDE_DANE_ONLY, DANE_ONLY, false, 0, ENTRY_FRESH },
	{ "NONE replaces dane-only, stale or not",
	    { DANE_ONLY, .ends_s = -60, .has_defer = true }, NO_DANE, false,
	    DECIDE_NONE, NO_DANE, false, 0, ENTRY_FRESH },
	{ "nobody to deliver to replaces dane-only",
	    { DANE_ONLY, .ends_s = 60 }, NOBODY, false, DECIDE_NONE, NOBODY,
	    false, 0, ENTRY_FRESH },
	{ "dane replaces NONE", { NO_DANE, .ends_s = -1 }, UNUSABLE, false,
	    DECIDE_DANE, UNUSABLE, false, 0, ENTRY_FRESH },
	{ "a new answer takes the old promise away",
	    { DANE_ONLY, .ends_s = 0, .refreshing = true }, DANE_ONLY, false,
	    DECIDE_DANE_ONLY, DANE_ONLY, false, 0, ENTRY_FRESH },
	{ "an unsigned MX whose hosts all fail defers", { .said = NOTHING },
	    INSECURE_FAILED, false, DECIDE_DEFER, NOTHING, true, 0,
	    ENTRY_DEFER },
	{ "an unsigned MX whose hosts all fail is NONE if insecure_mx = may",
	    { .said = NOTHING }, INSECURE_FAILED, true, DECIDE_NONE,
	    INSECURE_FAILED, false, 0, ENTRY_FRESH },
};

static void
check_answer(const struct entry *entry, const struct entry *old,
    const struct merge_row *row)
{
	struct facts expected = facts_of(row->answer);

	assert_int_equal(entry->has_answer, row->answer != NOTHING);
	assert_false(entry->refreshing);
	if (!entry->has_answer)
		return;
	assert_int_equal(entry->facts.mx, expected.mx);
	assert_int_equal(entry->facts.n_hosts, expected.n_hosts);
	assert_memory_equal(
	    entry->facts.hosts, expected.hosts, sizeof(expected.hosts));
	if (row->defers) {
		assert_int_equal(entry->made_ms, old->made_ms);
		assert_int_equal(entry->ends_ms, old->ends_ms);
	}
}

static void
run_merge(void **state)
{
	const struct merge_row *row = *state;
	struct conf conf = make_conf(row->insecure_may, 0);
	struct entry_limits limits = entry_limits_of(conf.cache_stale_ttl_s,
	    conf.query_timeout_s, conf.dialect.insecure_may);
	struct facts facts = facts_of(row->said);
	struct outcome outcome = { &facts, 300, false, NOW_MS };
	char reason[FACTS_REASON_MAX + 1];
	struct entry old, entry;
	bool has_old = make_old(&row->old, &old);
	bool hint;

	assert_int_equal(outcome_merge(has_old ? &old : NULL, &outcome, &conf,
			     reason, &entry),
	    row->verdict);
	check_answer(&entry, &old, row);
	assert_int_equal(entry.has_defer, row->defers);
	if (row->defers) {
		assert_int_equal(entry.deferred_ms, NOW_MS);
		assert_int_equal(
		    entry.deferred_until_ms, NOW_MS + ERROR_S * 1000);
		assert_int_equal(entry.defer_len, strlen(reason));
		assert_true(entry.defer_len > 0);
		assert_ptr_equal(entry.defer_reason, reason);
	}
	assert_int_equal(
	    entry_judge(&entry, NOW_MS + row->after_s * 1000u, &limits, &hint),
	    row->use);
}

// Seconds from now.
static const struct worth_row {
	const char *sentence;
	struct old old;
	enum said said; // merged into old, unless NOTHING
	bool strict;
	int ends_s, worthless_s;
} worth_rows[] = {
	{ "NONE is worthless at its end", { NO_DANE, .ends_s = 60 }, NOTHING,
	    false, 60, 60 },
	{ "a promised refresh gives NONE its grace",
	    { NO_DANE, .ends_s = 60, .refreshing = true }, NOTHING, false, 60,
	    62 },
	{ "a strict answer is of use for cache_stale_ttl more",
	    { DANE_ONLY, .ends_s = 60 }, NOTHING, true, 60, 60 + STALE_S },
	{ "a deferral alone is of use while it stands", { .said = NOTHING },
	    DEFERRED, false, ERROR_S, ERROR_S },
	{ "a deferral outlives the NONE that it stands beside",
	    { NO_DANE, .ends_s = -10 }, DEFERRED, false, -10, ERROR_S },
	{ "a deferral does not shorten the strict answer beside it",
	    { DANE_ONLY, .ends_s = -10 }, DEFERRED, true, -10, STALE_S - 10 },
	{ "a deferral outlives even a strict answer at its very end",
	    { DANE_ONLY, .ends_s = -STALE_S }, DEFERRED, true, -STALE_S,
	    ERROR_S },
};

static void
run_worth(void **state)
{
	const struct worth_row *row = *state;
	struct conf conf = make_conf(false, 0);
	struct facts facts = facts_of(row->said);
	struct outcome outcome = { &facts, 300, false, NOW_MS };
	char reason[FACTS_REASON_MAX + 1];
	struct entry old, entry;
	struct cache_value worth;
	bool has_old = make_old(&row->old, &old);

	entry = old;
	if (row->said != NOTHING)
		outcome_merge(
		    has_old ? &old : NULL, &outcome, &conf, reason, &entry);
	outcome_worth(&entry, &conf, &worth);
	assert_int_equal(worth.strict, row->strict);
	assert_int_equal(worth.ends_ms, NOW_MS + (int64_t)row->ends_s * 1000);
	assert_int_equal(
	    worth.worthless_ms, NOW_MS + (int64_t)row->worthless_s * 1000);
}

int
main(void)
{
	TABLE_ADD(life_rows, run_life);
	TABLE_ADD(merge_rows, run_merge);
	TABLE_ADD(worth_rows, run_worth);
	return table_run("outcome");
}
