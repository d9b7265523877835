// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// From question to answer: joined flights, deadlines, the line, old answers
// that go on, and what is kept. The DNS is one that says what a row wants.
#include "config.h"

#include "table.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ident.h"
#include "policy/decide.h"
#include "stage.h"

#define LONG_MS  1000 // query_timeout of the stage
#define SHORT_MS 150  // some 100 are left of it

#define SECURE(...)                                            \
	{                                                      \
		.security = WALK_SECURE, .content = WALK_DATA, \
		.has_ttl = true, .ttl_s = 300, __VA_ARGS__     \
	}

static const struct walk_mx one_mx[] = { { 10, "mx.example.org" } };
static const struct walk_mx two_mx[] = { { 10, "mx.example.org" },
	{ 20, "lost.example.org" } };

// 3 1 1 and a digest.
static const uint8_t ee_record[35] = { 3, 1, 1, 0x42 };
static const struct walk_rdata ee[] = { { ee_record, sizeof(ee_record) } };

static const struct fake_record dane_only[] = {
	{ "example.org", WALK_MX, SECURE(.n_mx = 1, .mx = one_mx) },
	{ "mx.example.org", WALK_A, SECURE(0) },
	{ "mx.example.org", WALK_AAAA, SECURE(0) },
	{ "_25._tcp.mx.example.org", WALK_TLSA,
	    SECURE(.n_tlsa = 1, .tlsa = ee) },
};

static const struct fake_record one_lost[] = {
	{ "example.org", WALK_MX, SECURE(.n_mx = 2, .mx = two_mx) },
	{ "mx.example.org", WALK_A, SECURE(0) },
	{ "mx.example.org", WALK_AAAA, SECURE(0) },
	{ "_25._tcp.mx.example.org", WALK_TLSA,
	    SECURE(.n_tlsa = 1, .tlsa = ee) },
};

static void
speak(const struct fake_record *records, size_t n_records)
{
	fake_dns.records = records;
	fake_dns.n_records = n_records;
}

#define SPEAK(records) speak(records, sizeof(records) / sizeof((records)[0]))

static enum decide_verdict
verdict(const struct entry *entry)
{
	return entry->has_answer ? decide(&entry->facts, false) : DECIDE_DEFER;
}

static enum entry_use
use(const struct entry *entry)
{
	struct entry_limits limits = { .stale_ms = 86400000,
		.retry_ms = LONG_MS };
	bool hint;

	return entry_judge(entry, stage_now_ms(), &limits, &hint);
}

static struct entry
old_entry(enum facts_state state, int64_t ends_in_ms)
{
	uint64_t ends_ms = stage_now_ms() + ends_in_ms;
	struct entry entry = {
		.has_answer = true,
		.made_ms = ends_ms - 1000,
		.ends_ms = ends_ms,
		.facts = { .mx = FACTS_MX_SECURE, .n_hosts = 1 },
	};

	entry.facts.hosts[0].state = (uint8_t)state;
	return entry;
}

static bool
reason_has(const struct entry *entry, const char *text)
{
	return memmem(entry->defer_reason, entry->defer_len, text,
		   strlen(text)) != NULL;
}

static bool
text_begins(const struct stage *stage, const char *text)
{
	return stage->last.len >= strlen(text) &&
	       memcmp(stage->last.data, text, strlen(text)) == 0;
}

static void
resolves(struct stage *stage)
{
	struct entry kept;

	SPEAK(dane_only);
	stage_ask(stage, "example.org", 7, LONG_MS);
	stage_answers(stage, 1);
	assert_int_equal(stage->last.ask_id, 7);
	assert_int_equal(stage->last.kind, ASK_ANSWER);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
	assert_int_equal(use(&stage->last.entry), ENTRY_FRESH);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_int_equal(verdict(&kept), DECIDE_DANE_ONLY);
	assert_int_equal(kept.ends_ms - kept.made_ms, 300 * 1000);
	assert_int_equal(stage->page->n_decisions, 1);
	assert_int_equal(stage->page->n_lookups, fake_dns.n_asked);
}

static void
asks_no_needless_aaaa(struct stage *stage)
{
	SPEAK(dane_only);
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_answers(stage, 1);
	stage_quiet(stage);
	assert_int_equal(fake_dns.n_asked, 3);
}

static const struct fake_record no_a[] = {
	{ "example.org", WALK_MX, SECURE(.n_mx = 1, .mx = one_mx) },
	{ "mx.example.org", WALK_AAAA, SECURE(0) },
	{ "_25._tcp.mx.example.org", WALK_TLSA,
	    SECURE(.n_tlsa = 1, .tlsa = ee) },
};

static void
asks_aaaa_beside_a_slow_a(struct stage *stage)
{
	SPEAK(no_a);
	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, SHORT_MS);
	stage_answers(stage, 1);
	assert_int_equal(fake_dns.n_asked, 4);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
}

static void
asks_aaaa_where_a_has_nothing(struct stage *stage)
{
	struct fake_record records[] = { dane_only[0], dane_only[1],
		dane_only[2], dane_only[3] };

	records[1].reply.content = WALK_NODATA;
	SPEAK(records);
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_answers(stage, 1);
	assert_int_equal(fake_dns.n_asked, 4);
}

static void
asks_no_mx_of_a_host(struct stage *stage)
{
	SPEAK(dane_only);
	fake_dns.silent = true; // to a question for MX
	stage_ask(stage, "[mx.example.org]", 1, LONG_MS);
	stage_answers(stage, 1);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
}

static void
joins(struct stage *stage)
{
	unsigned n_asked;

	SPEAK(dane_only);
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_answers(stage, 1);
	n_asked = fake_dns.n_asked;
	SPEAK(one_lost); // NXDOMAIN for the lost one: nothing is kept of it
	for (uint32_t i = 0; i < 100; i++)
		stage_ask(stage, "example.net", 2 + i, LONG_MS);
	stage_answers(stage, 101);
	assert_int_equal(fake_dns.n_asked, n_asked + 1);
	assert_int_equal(stage->page->n_decisions, 2);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(stage->order[1 + i], 2 + i);
}

static void
answers_from_the_cache(struct stage *stage)
{
	struct entry old = old_entry(FACTS_DANE, 60000);

	stage_keep(stage, "example.org", &old);
	stage_ask(stage, "example.org", 1, LONG_MS);
	assert_int_equal(stage->n_answers, 1);
	assert_int_equal(use(&stage->last.entry), ENTRY_FRESH);
	assert_int_equal(fake_dns.n_asked, 0);
}

static void
gives_out_nothing_that_has_ended(struct stage *stage)
{
	struct entry old = old_entry(FACTS_NODANE, 50);

	SPEAK(dane_only);
	stage_keep(stage, "example.org", &old);
	(void)loop_now_ms(stage->loop);
	usleep(60000); // a long round of the loop
	stage_ask(stage, "example.org", 1, LONG_MS);
	assert_int_equal(stage->n_answers, 0);
	stage_answers(stage, 1);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
}

static void
repeats_a_deferral(struct stage *stage)
{
	struct entry old = {
		.has_defer = true,
		.deferred_ms = stage_now_ms(),
		.deferred_until_ms = stage_now_ms() + 4000,
		.defer_reason = "lately",
		.defer_len = 6,
	};

	stage_keep(stage, "example.org", &old);
	stage_ask(stage, "example.org", 1, LONG_MS);
	assert_int_equal(stage->n_answers, 1);
	assert_int_equal(use(&stage->last.entry), ENTRY_DEFER);
	assert_int_equal(fake_dns.n_asked, 0);
}

static void
does_not_give_out_partial_entries(struct stage *stage)
{
	struct entry old = old_entry(FACTS_DANE, 60000);

	SPEAK(dane_only);
	old.facts.partial = true;
	stage_keep(stage, "example.org", &old);
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_answers(stage, 1);
	assert_int_equal(stage->last.entry.facts.n_sha256, 1);
	assert_false(stage->last.entry.facts.partial);
}

#define MANY 300

static void
keeps_large_entries_without_matches(struct stage *stage)
{
	static uint8_t octets[MANY][35];
	struct walk_rdata many[MANY];
	struct fake_record records[4];
	struct entry kept;

	memcpy(records, dane_only, sizeof(records));
	for (unsigned i = 0; i < MANY; i++) {
		memcpy(octets[i], ee_record, sizeof(ee_record));
		octets[i][4] = (uint8_t)(i >> 8);
		octets[i][5] = (uint8_t)i;
		many[i] = (struct walk_rdata){ octets[i], sizeof(octets[i]) };
	}
	records[3].reply.n_tlsa = MANY;
	records[3].reply.tlsa = many;
	SPEAK(records);
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_answers(stage, 1);
	assert_int_equal(stage->last.entry.facts.n_sha256, MANY);
	assert_false(stage->last.entry.facts.partial);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_true(kept.facts.partial);
	assert_int_equal(kept.facts.n_sha256, 0);
	assert_int_equal(verdict(&kept), DECIDE_DANE_ONLY);
}

static void
defers_at_the_deadline_and_goes_on(struct stage *stage)
{
	struct entry kept;

	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, SHORT_MS);
	stage_answers(stage, 1);
	assert_int_equal(use(&stage->last.entry), ENTRY_DEFER);
	assert_true(reason_has(&stage->last.entry, "timed out"));
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_true(kept.has_defer);
	assert_false(kept.has_answer);
	SPEAK(dane_only);
	stage_quiet(stage);
	assert_int_equal(stage->n_answers, 1);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_int_equal(verdict(&kept), DECIDE_DANE_ONLY);
	assert_false(kept.has_defer);
}

static void
decides_at_the_deadline(struct stage *stage)
{
	struct entry kept;

	SPEAK(one_lost);
	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, SHORT_MS);
	stage_answers(stage, 1);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
	assert_int_equal(
	    stage->last.entry.ends_ms - stage->last.entry.made_ms, 5000);
	fake_dns.silent = false; // the lost one does not exist
	stage_quiet(stage);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_in_range(kept.ends_ms - kept.made_ms, 290 * 1000, 300 * 1000);
	assert_int_equal(stage->n_answers, 1);
}

static void
counts_ttls_from_their_answers(struct stage *stage)
{
	struct entry kept;

	SPEAK(one_lost);
	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_answers(stage, 1);
	stage_rest(stage, 300);
	fake_dns.silent = false; // the lost one does not exist
	stage_quiet(stage);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_in_range(kept.ends_ms - kept.made_ms, 290 * 1000, 299 * 1000);
}

static void
trusts_no_ttl_of_a_clock_that_was_set(struct stage *stage)
{
	struct entry kept;

	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_rest(stage, 20);
	assert_int_not_equal(fake_dns.n_open, 0);
	flights_go(stage->flights, NULL);
	SPEAK(dane_only);
	stage_answers(stage, 1);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_int_equal(kept.ends_ms - kept.made_ms, 5000);
}

static void
trusts_no_ttl_before_it_is_noticed(struct stage *stage)
{
	struct entry kept;

	SPEAK(dane_only);
	clock_was_set(&stage->clock_offset_ms);
	stage->clock_offset_ms += INT64_C(86400000); // set back by a day
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_answers(stage, 1);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_int_equal(kept.ends_ms - kept.made_ms, 5000);
}

static void
serves_each_at_its_own_deadline(struct stage *stage)
{
	fake_dns.silent = true;
	stage_ask(stage, "example.org", 3, LONG_MS);
	stage_ask(stage, "example.org", 1, SHORT_MS);
	stage_ask(stage, "example.org", 2, SHORT_MS + 100);
	stage_answers(stage, 2);
	assert_int_equal(stage->order[0], 1);
	assert_int_equal(stage->order[1], 2);
	SPEAK(dane_only);
	stage_answers(stage, 3);
	assert_int_equal(stage->order[2], 3);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
}

static void
is_joined_past_its_verdict(struct stage *stage)
{
	unsigned n_asked;

	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, SHORT_MS);
	stage_answers(stage, 1);
	n_asked = fake_dns.n_asked;
	stage_ask(stage, "example.org", 2, LONG_MS);
	assert_int_equal(stage->n_answers, 1);
	assert_int_equal(fake_dns.n_asked, n_asked);
	SPEAK(dane_only);
	stage_answers(stage, 2);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
}

static void
ends_when_nobody_waits(struct stage *stage)
{
	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, SHORT_MS);
	stage_answers(stage, 1);
	assert_int_equal(fake_dns.n_open, 1);
	stage_quiet(stage);
	assert_int_equal(fake_dns.n_open, 0);
	assert_int_equal(fake_dns.n_cancelled, 1);
}

static void
holds_deadlines_to_query_timeout(struct stage *stage)
{
	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, 3600 * 1000);
	stage_answers(stage, 1);
	assert_int_equal(use(&stage->last.entry), ENTRY_DEFER);
}

static void
answers_what_is_late_already(struct stage *stage)
{
	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, 0);
	stage_answers(stage, 1);
	assert_int_equal(use(&stage->last.entry), ENTRY_DEFER);
}

static void
lets_a_strict_answer_go_on(struct stage *stage)
{
	struct entry old = old_entry(FACTS_DANE, -1000);
	struct entry kept;

	fake_dns.silent = true;
	stage_keep(stage, "example.org", &old);
	stage_ask(stage, "example.org", 1, SHORT_MS);
	stage_answers(stage, 1);
	assert_int_equal(use(&stage->last.entry), ENTRY_STALE);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_int_equal(use(&kept), ENTRY_STALE);
	assert_int_equal(kept.ends_ms, old.ends_ms);
}

static void
does_not_let_none_go_on(struct stage *stage)
{
	struct entry old = old_entry(FACTS_NODANE, -1000);

	fake_dns.silent = true;
	stage_keep(stage, "example.org", &old);
	stage_ask(stage, "example.org", 1, SHORT_MS);
	stage_answers(stage, 1);
	assert_int_equal(use(&stage->last.entry), ENTRY_DEFER);
}

static void
replaces_a_strict_answer(struct stage *stage)
{
	struct entry old = old_entry(FACTS_DANE, -1000);
	struct entry kept;

	stage_keep(stage, "example.org", &old); // and the DNS says NXDOMAIN
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_answers(stage, 1);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_NONE);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_int_equal(verdict(&kept), DECIDE_NONE);
}

static void
keeps_the_line_in_order(struct stage *stage)
{
	static const char *const names[] = { "a.example", "b.example",
		"c.example", "d.example" };

	fake_dns.silent = true;
	for (uint32_t i = 0; i < 4; i++)
		stage_ask(stage, names[i], i, LONG_MS);
	stage_rest(stage, 20);
	assert_int_equal(fake_dns.n_asked, 1);
	assert_int_equal(stage->page->n_in_flight, 1);
	assert_int_equal(stage->page->n_in_line, 3);
	fake_dns.silent = false;
	stage_answers(stage, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(stage->order[i], i);
	assert_int_equal(stage->page->n_refused, 0);
}

static void
renews_ahead_of_the_line(struct stage *stage)
{
	uint8_t octets[NEXTHOP_ID_MAX];
	struct ident busy = ident_of("busy.example", octets);

	fake_dns.silent = true;
	stage_ask(stage, "a.example", 1, LONG_MS);
	stage_ask(stage, "b.example", 2, LONG_MS);
	stage_ask(stage, "c.example", 3, LONG_MS);
	stage_rest(stage, 20);
	assert_int_equal(flights_renew(stage->flights, busy, LINE_AHEAD), 0);
	stage_ask(stage, "busy.example", 4, LONG_MS);
	fake_dns.silent = false;
	stage_answers(stage, 4);
	assert_int_equal(stage->order[0], 1); // in the air already
	assert_int_equal(stage->order[1], 4);
	assert_int_equal(stage->order[2], 2);
}

static void
waits_for_lookups_to_end(struct stage *stage)
{
	fake_dns.n_lingering = FLIGHT_LOOKUPS_MIN;
	stage_ask(stage, "a.example", 1, LONG_MS);
	stage_rest(stage, 20);
	assert_int_equal(fake_dns.n_asked, 0);
	fake_dns.n_lingering = 0;
	stage_answers(stage, 1);
	assert_int_equal(stage->last.kind, ASK_ANSWER);
}

static void
refuses_past_the_end_of_the_line(struct stage *stage)
{
	char name[32];

	fake_dns.silent = true;
	for (uint32_t i = 0; i < STAGE_LINE_MAX; i++) {
		snprintf(name, sizeof(name), "d%u.example", i);
		stage_ask(stage, name, i, LONG_MS);
	}
	assert_int_equal(stage->n_answers, 0);
	stage_ask(stage, "d3.example", 98, LONG_MS); // waits already
	assert_int_equal(stage->n_answers, 0);
	stage_ask(stage, "one-more.example", 99, LONG_MS);
	assert_int_equal(stage->n_answers, 1);
	assert_int_equal(stage->last.ask_id, 99);
	assert_int_equal(stage->last.kind, ASK_REFUSED);
	assert_true(text_begins(stage, "too many lookups waiting"));
	assert_int_equal(stage->page->n_refused, 1);
}

static void
says_who_waited_in_line(struct stage *stage)
{
	struct entry kept;

	fake_dns.silent = true;
	stage_ask(stage, "a.example", 1, LONG_MS);
	stage_ask(stage, "b.example", 2, SHORT_MS);
	stage_answers(stage, 1);
	assert_int_equal(stage->last.ask_id, 2);
	assert_int_equal(stage->last.kind, ASK_REFUSED);
	assert_true(text_begins(stage, "waited in line for "));
	assert_false(stage_kept(stage, "b.example", &kept));
	fake_dns.silent = false;
	stage_quiet(stage);
	assert_true(stage_kept(stage, "b.example", &kept));
}

static void
lets_a_strict_answer_go_on_in_line(struct stage *stage)
{
	struct entry old = old_entry(FACTS_DANE, -1000);

	fake_dns.silent = true;
	stage_keep(stage, "b.example", &old);
	stage_ask(stage, "a.example", 1, LONG_MS);
	stage_ask(stage, "b.example", 2, SHORT_MS);
	stage_answers(stage, 1);
	assert_int_equal(stage->last.kind, ASK_ANSWER);
	assert_int_equal(use(&stage->last.entry), ENTRY_STALE);
}

static void
drops_from_the_line_what_nobody_wants(struct stage *stage)
{
	flights_go(stage->flights, NULL);
	stage_ask(stage, "a.example", 1, SHORT_MS);
	stage_answers(stage, 1);
	stage_quiet(stage);
	assert_int_equal(fake_dns.n_asked, 0);
}

static void
holds_until_there_is_a_dns(struct stage *stage)
{
	flights_go(stage->flights, NULL);
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_rest(stage, 20);
	assert_int_equal(stage->n_answers, 0);
	assert_int_equal(fake_dns.n_asked, 0);
	flights_go(stage->flights, stage->dns);
	stage_answers(stage, 1);
	assert_int_equal(stage->last.kind, ASK_ANSWER);
}

static void
refuses_while_there_is_no_dns(struct stage *stage)
{
	struct entry old = old_entry(FACTS_DANE, -1000);

	flights_go(stage->flights, NULL);
	stage_ask(stage, "example.org", 1, LONG_MS);
	flights_refuse(stage->flights, "no root");
	assert_int_equal(stage->n_answers, 1);
	assert_int_equal(stage->last.kind, ASK_REFUSED);
	assert_true(text_begins(stage, "no root"));
	stage_ask(stage, "example.org", 2, LONG_MS);
	assert_int_equal(stage->n_answers, 2);
	assert_int_equal(stage->last.kind, ASK_REFUSED);
	stage_keep(stage, "strict.example", &old);
	stage_ask(stage, "strict.example", 3, LONG_MS);
	assert_int_equal(use(&stage->last.entry), ENTRY_STALE);
	flights_go(stage->flights, stage->dns);
	stage_ask(stage, "example.org", 4, LONG_MS);
	stage_answers(stage, 4);
	assert_int_equal(stage->last.kind, ASK_ANSWER);
}

static void
forgets_who_left(struct stage *stage)
{
	struct entry kept;

	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_rest(stage, 10);
	flights_leave(&stage->asker);
	assert_int_equal(flights_waiting(stage->flights), 0);
	SPEAK(dane_only);
	stage_quiet(stage);
	assert_int_equal(stage->n_answers, 0);
	assert_true(stage_kept(stage, "example.org", &kept));
	assert_int_equal(verdict(&kept), DECIDE_DANE_ONLY);
}

static void
lands_before_its_dns_is_closed(struct stage *stage)
{
	SPEAK(one_lost);
	fake_dns.silent = true;
	stage_ask(stage, "example.org", 1, LONG_MS);
	stage_rest(stage, 20);
	assert_int_not_equal(fake_dns.n_open, 0);
	flights_land(stage->flights, stage->dns);
	assert_int_equal(fake_dns.n_open, 0);
	assert_int_equal(stage->n_answers, 1);
	assert_int_equal(verdict(&stage->last.entry), DECIDE_DANE_ONLY);
}

static const struct stage_row rows[] = {
	{ "a question goes through the DNS into the cache and to the asker",
	    resolves },
	{ "an A at hand leaves no question for AAAA", asks_no_needless_aaaa },
	{ "beside an A that takes its time AAAA is asked for, and decides",
	    asks_aaaa_beside_a_slow_a },
	{ "an A that has nothing brings the question for AAAA",
	    asks_aaaa_where_a_has_nothing },
	{ "a host in brackets is looked up without MX", asks_no_mx_of_a_host },
	{ "a hundred identical questions are one flight", joins },
	{ "what another has put into the cache is given without a lookup",
	    answers_from_the_cache },
	{ "what has ended in this round of the loop is not given out",
	    gives_out_nothing_that_has_ended },
	{ "a deferral that still stands is repeated without a lookup",
	    repeats_a_deferral },
	{ "an entry without its matches is looked up for who wants them",
	    does_not_give_out_partial_entries },
	{ "an entry too large for the cache is kept without its matches",
	    keeps_large_entries_without_matches },
	{ "a silent DNS defers at the deadline, and the flight goes on",
	    defers_at_the_deadline_and_goes_on },
	{ "at the deadline what is known decides, for cache_error_ttl",
	    decides_at_the_deadline },
	{ "a TTL runs from its own answer, not from the last one",
	    counts_ttls_from_their_answers },
	{ "a lookup that outlives its context is kept for cache_error_ttl",
	    trusts_no_ttl_of_a_clock_that_was_set },
	{ "a lookup after the clock was set is kept for cache_error_ttl",
	    trusts_no_ttl_before_it_is_noticed },
	{ "each who waits is served at a deadline of his own",
	    serves_each_at_its_own_deadline },
	{ "a flight past its verdict is joined, not repeated",
	    is_joined_past_its_verdict },
	{ "a flight that nobody waits for ends, and its lookups with it",
	    ends_when_nobody_waits },
	{ "no deadline is later than query_timeout",
	    holds_deadlines_to_query_timeout },
	{ "a question that is late already is answered",
	    answers_what_is_late_already },
	{ "a strict old answer goes on when the lookup fails",
	    lets_a_strict_answer_go_on },
	{ "NONE does not go on when the lookup fails",
	    does_not_let_none_go_on },
	{ "any verdict but DEFER replaces a strict old answer",
	    replaces_a_strict_answer },
	{ "a domain in line that nobody waits for any more leaves it",
	    drops_from_the_line_what_nobody_wants },
	{ "until there is a DNS all wait in line", holds_until_there_is_a_dns },
	{ "without a root all are refused but for strict old answers",
	    refuses_while_there_is_no_dns },
	{ "who left gets no answer, and the flight goes on", forgets_who_left },
	{ "flights land with what is known before their context is closed",
	    lands_before_its_dns_is_closed },
};

// With a single place.
static const struct stage_row line_rows[] = {
	{ "with one place, questions are answered in order of arrival",
	    keeps_the_line_in_order },
	{ "what is soon to be missed is looked up ahead of them",
	    renews_ahead_of_the_line },
	{ "while too many lookups are under way none is begun",
	    waits_for_lookups_to_end },
	{ "past the end of the line a new domain is refused at once",
	    refuses_past_the_end_of_the_line },
	{ "who waits in line to his deadline is told so, and nothing is kept",
	    says_who_waited_in_line },
	{ "a strict old answer goes on for who waited in line",
	    lets_a_strict_answer_go_on_in_line },
};

int
main(void)
{
	TABLE_ADD(rows, stage_run);
	TABLE_ADD(line_rows, stage_run_line);
	return table_run("flight");
}
