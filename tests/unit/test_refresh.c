// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Entries in use are resolved anew at their end; those that are not, are left
// alone.
#include "config.h"

#include "table.h"

#include <string.h>

#include "ident.h"
#include "policy/decide.h"
#include "stage.h"

#define NAME "example.org"

static struct entry
make_entry(enum facts_state state, int64_t ends_in_ms)
{
	uint64_t ends_ms = stage_now_ms() + ends_in_ms;
	struct entry entry = {
		.has_answer = true,
		.made_ms = ends_ms - 10000,
		.ends_ms = ends_ms,
		.facts = { .mx = FACTS_MX_SECURE, .n_hosts = 1 },
	};

	entry.facts.hosts[0].state = (uint8_t)state;
	return entry;
}

static void
add_deferral(struct entry *entry, int64_t until_ms)
{
	entry->has_defer = true;
	entry->deferred_until_ms = stage_now_ms() + until_ms;
	entry->deferred_ms = entry->deferred_until_ms - 5000;
	entry->defer_reason = "lately";
	entry->defer_len = 6;
}

static void
hint(struct stage *stage, const char *name)
{
	uint8_t octets[NEXTHOP_ID_MAX];

	refresh_hint(stage->refresh, ident_of(name, octets));
}

static void
promises(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_DANE, 60000), kept;

	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	assert_int_equal(refresh_promised(stage->refresh), 1);
	assert_true(stage_kept(stage, NAME, &kept));
	assert_true(kept.refreshing);
	assert_int_equal(kept.ends_ms, entry.ends_ms);
	hint(stage, NAME);
	assert_int_equal(refresh_promised(stage->refresh), 1);
	assert_int_equal(fake_dns.n_asked, 0);
}

// What a resolver promised that is no more.
static void
takes_over_promises(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_DANE, 60000);

	entry.refreshing = true;
	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	assert_int_equal(refresh_promised(stage->refresh), 1);
}

static void
promises_no_more_than_its_limit(struct stage *stage)
{
	static const char *const names[] = { "a.example", "b.example",
		"c.example", "d.example", "e.example" };
	struct entry entry = make_entry(FACTS_DANE, 60000), kept;

	for (unsigned i = 0; i < 5; i++) {
		stage_keep(stage, names[i], &entry);
		hint(stage, names[i]);
	}
	assert_int_equal(refresh_promised(stage->refresh), 4);
	assert_true(stage_kept(stage, names[4], &kept));
	assert_false(kept.refreshing);
}

static bool
has_asked(struct stage *stage)
{
	(void)stage;
	return fake_dns.n_asked > 0;
}

static bool
has_kept_promises(struct stage *stage)
{
	return refresh_promised(stage->refresh) == 0;
}

static void
resolves_at_the_end(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_NODANE, 50), kept;

	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	stage_until(stage, has_asked);
	assert_true(stage_now_ms() >= entry.ends_ms);
	stage_quiet(stage);
	assert_int_equal(refresh_promised(stage->refresh), 0);
	assert_true(stage_kept(stage, NAME, &kept));
	assert_true(kept.made_ms >= entry.ends_ms);
	assert_false(kept.refreshing);
}

static void
leaves_the_unused_alone(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_NODANE, 50);

	stage_keep(stage, NAME, &entry);
	stage_rest(stage, 1300);
	assert_int_equal(fake_dns.n_asked, 0);
}

static void
forgets_what_was_replaced(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_NODANE, 50);

	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	entry.ends_ms += 60000;
	stage_keep(stage, NAME, &entry);
	stage_until(stage, has_kept_promises);
	stage_rest(stage, 20);
	assert_int_equal(fake_dns.n_asked, 0);
}

static void
follows_what_replaced_it(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_NODANE, 50), kept;

	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	entry.ends_ms += 2000;
	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	assert_int_equal(refresh_promised(stage->refresh), 1);
	stage_until(stage, has_asked);
	assert_true(stage_now_ms() >= entry.ends_ms);
	stage_quiet(stage);
	assert_true(stage_kept(stage, NAME, &kept));
	assert_true(kept.made_ms >= entry.ends_ms);
}

static void
forgets_what_is_gone(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_NODANE, 50);
	uint8_t octets[NEXTHOP_ID_MAX];
	struct ident id = ident_of(NAME, octets);

	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	assert_int_equal(cache_drop(stage->cache, id.octets, id.len), 0);
	stage_until(stage, has_kept_promises);
	stage_rest(stage, 20);
	assert_int_equal(fake_dns.n_asked, 0);
}

static void
ignores_the_unknown(struct stage *stage)
{
	hint(stage, NAME);
	stage_rest(stage, 20);
	assert_int_equal(refresh_promised(stage->refresh), 0);
	assert_int_equal(fake_dns.n_asked, 0);
}

static void
retries_the_stale(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_DANE, -6000), kept;

	add_deferral(&entry, -1);
	stage_keep(stage, NAME, &entry);
	fake_dns.silent = true;
	hint(stage, NAME);
	hint(stage, NAME);
	stage_rest(stage, 20);
	assert_int_equal(fake_dns.n_asked, 1);
	fake_dns.silent = false;
	stage_quiet(stage);
	assert_true(stage_kept(stage, NAME, &kept));
	assert_false(kept.has_defer);
	assert_int_equal(decide(&kept.facts, false), DECIDE_NONE);
}

static void
does_not_retry_while_a_deferral_stands(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_DANE, -6000);

	add_deferral(&entry, 4000);
	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	stage_rest(stage, 20);
	assert_int_equal(fake_dns.n_asked, 0);
}

static void
fails_beside_the_old_answer(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_DANE, 50), kept;

	fake_dns.silent = true;
	stage_keep(stage, NAME, &entry);
	hint(stage, NAME);
	stage_until(stage, has_asked);
	stage_quiet(stage);
	assert_int_equal(fake_dns.n_open, 0);
	assert_true(stage_kept(stage, NAME, &kept));
	assert_int_equal(kept.ends_ms, entry.ends_ms);
	assert_true(kept.has_defer);
	assert_int_equal(decide(&kept.facts, false), DECIDE_DANE_ONLY);
}

static void
is_joined_by_questions(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_NODANE, -6000);

	stage_keep(stage, NAME, &entry);
	fake_dns.silent = true;
	hint(stage, NAME);
	stage_ask(stage, NAME, 1, 1000);
	stage_rest(stage, 20);
	assert_int_equal(fake_dns.n_asked, 1);
	fake_dns.silent = false;
	stage_answers(stage, 1);
	assert_int_equal(stage->last.kind, ASK_ANSWER);
}

// Behind one in the air and one in line.
static void
hint_behind_two(struct stage *stage, const struct entry *entry)
{
	fake_dns.silent = true;
	stage_ask(stage, "a.example", 1, 1000);
	stage_ask(stage, "b.example", 2, 1000);
	stage_rest(stage, 20);
	stage_keep(stage, NAME, entry);
	hint(stage, NAME);
	stage_ask(stage, NAME, 3, 1000);
	fake_dns.silent = false;
	stage_answers(stage, 3);
}

static void
renews_what_has_ended_ahead_of_the_line(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_DANE, -6000);

	hint_behind_two(stage, &entry);
	assert_int_equal(stage->order[1], 3);
	assert_int_equal(stage->order[2], 2);
}

static void
retries_the_stale_in_its_turn(struct stage *stage)
{
	struct entry entry = make_entry(FACTS_DANE, -6000);

	add_deferral(&entry, -1);
	hint_behind_two(stage, &entry);
	assert_int_equal(stage->order[1], 2);
	assert_int_equal(stage->order[2], 3);
}

static const struct stage_row rows[] = {
	{ "a hint makes a promise, once, and notes it in the entry", promises },
	{ "a promise of a resolver that is gone is taken over",
	    takes_over_promises },
	{ "past their limit promises are forgotten and not noted",
	    promises_no_more_than_its_limit },
	{ "an entry in use is resolved anew once it has ended",
	    resolves_at_the_end },
	{ "an entry that nobody uses is left alone", leaves_the_unused_alone },
	{ "an entry replaced before its end is left alone",
	    forgets_what_was_replaced },
	{ "a hint at the entry that replaced another moves the promise",
	    follows_what_replaced_it },
	{ "an entry that the cache has lost is left alone",
	    forgets_what_is_gone },
	{ "a hint about nothing is ignored", ignores_the_unknown },
	{ "a stale answer is tried again at once, once", retries_the_stale },
	{ "a stale answer is not tried again while its deferral stands",
	    does_not_retry_while_a_deferral_stands },
	{ "a refresh that fails stands beside the old answer",
	    fails_beside_the_old_answer },
	{ "a question joins a refresh under way", is_joined_by_questions },
};

// With a single place.
static const struct stage_row line_rows[] = {
	{ "an entry in use that has ended is resolved ahead of the line",
	    renews_what_has_ended_ahead_of_the_line },
	{ "a stale answer is tried again in its turn",
	    retries_the_stale_in_its_turn },
};

int
main(void)
{
	TABLE_ADD(rows, stage_run);
	TABLE_ADD(line_rows, stage_run_line);
	return table_run("refresh");
}
