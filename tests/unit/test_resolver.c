// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The whole process, over its channels: orders from the parent, questions from
// workers, what it says when the root does not validate, and how it ends.
#include "config.h"

#include "table.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake_dns.h"
#include "ident.h"
#include "play.h"

#define LONG_MS  1000
#define SHORT_MS 150

// All else is answered NXDOMAIN, or with silence where a row wants that.
static const struct fake_record known[] = {
	{ "known.example", WALK_MX,
	    { .security = WALK_SECURE,
		.content = WALK_NXDOMAIN,
		.has_ttl = true,
		.ttl_s = 300 } },
};

static bool
is_kept(const struct play *play, const char *name, struct entry *ret)
{
	static uint8_t value[CACHE_VALUE_MAX];
	uint8_t octets[NEXTHOP_ID_MAX];
	struct ident id = ident_of(name, octets);
	size_t len;

	return cache_get(play->cache, id.octets, id.len, value, &len) &&
	       entry_decode(value, len, ret) == 0;
}

static bool
text_begins(const struct play_answer *answer, const char *text)
{
	return answer->ask.len >= strlen(text) &&
	       memcmp(answer->ask.data, text, strlen(text)) == 0;
}

// What another process does, sooner or later.
static bool
eventually(bool (*done)(struct play *play), struct play *play)
{
	struct timespec nap = { .tv_nsec = 5000000 };
	uint64_t until_ms = clock_boot_ms() + PLAY_PATIENCE_MS;

	while (!done(play) && clock_boot_ms() < until_ms)
		nanosleep(&nap, NULL);
	return done(play);
}

static struct play_answer answer; // large

static void
says_when_it_is_anchored(struct play *play)
{
	play_expect(play, ORDER_ANCHORED);
	assert_int_equal(play->page->anchored, 1);
	assert_true(play->page->heartbeat_ms > 0);
}

static void
answers(struct play *play)
{
	play_ask(play, 0, ASK_QUESTION, "known.example", 41, LONG_MS);
	play_answer(play, 0, &answer);
	assert_int_equal(answer.ask.kind, ASK_ANSWER);
	assert_int_equal(answer.ask.id, 41);
	assert_true(answer.entry.has_answer);
	assert_int_equal(answer.entry.facts.mx, FACTS_MX_NOBODY);
}

static void
joins_the_questions_of_two_workers(struct play *play)
{
	play_ask(play, 0, ASK_QUESTION, "slow.example", 1, SHORT_MS);
	play_ask(play, 1, ASK_QUESTION, "slow.example", 2, SHORT_MS);
	play_answer(play, 0, &answer);
	assert_int_equal(answer.ask.id, 1);
	assert_true(answer.entry.has_defer);
	play_answer(play, 1, &answer);
	assert_int_equal(answer.ask.id, 2);
	assert_int_equal(play->page->n_lookups, 1);
}

static void
writes_what_it_owns(struct play *play)
{
	struct entry entry;

	play_ask(play, 0, ASK_QUESTION, "known.example", 1, LONG_MS);
	play_answer(play, 0, &answer);
	assert_false(is_kept(play, "known.example", &entry));
	play_order(play, ORDER_OWN);
	// Orders and questions come over different channels.
	for (uint32_t i = 0;
	     i < 1000 && !is_kept(play, "known.example", &entry); i++) {
		play_ask(play, 0, ASK_QUESTION, "known.example", i, LONG_MS);
		play_answer(play, 0, &answer);
	}
	assert_true(is_kept(play, "known.example", &entry));
}

static bool
knows_it(struct play *play)
{
	struct entry entry;

	play_ask(play, 0, ASK_QUESTION, "known.example", 1, LONG_MS);
	play_answer(play, 0, &answer);
	return is_kept(play, "known.example", &entry);
}

static bool
has_promised(struct play *play)
{
	struct entry entry;

	return is_kept(play, "known.example", &entry) && entry.refreshing;
}

static void
takes_hints(struct play *play)
{
	play_order(play, ORDER_OWN);
	assert_true(eventually(knows_it, play));
	play_ask(play, 0, ASK_HINT, "known.example", 0, 0);
	assert_true(eventually(has_promised, play));
}

static void
outlives_a_worker(struct play *play)
{
	play_ask(play, 0, ASK_QUESTION, "slow.example", 1, LONG_MS);
	play_worker(play, 0); // hangs up, and is another
	play_ask(play, 0, ASK_QUESTION, "known.example", 2, LONG_MS);
	play_answer(play, 0, &answer);
	assert_int_equal(answer.ask.id, 2);
	play_ask(play, 1, ASK_QUESTION, "known.example", 3, LONG_MS);
	play_answer(play, 1, &answer);
	assert_int_equal(answer.ask.id, 3);
}

static void
ignores_nonsense(struct play *play)
{
	assert_int_equal(send(play->workers[0], "nonsense", 8, 0), 8);
	answers(play);
}

#define BACKLOG 20000

static void
waits_for_a_slow_worker(struct play *play)
{
	uint32_t n_asked = 0, n_answered = 0;
	struct pollfd wait = { .fd = play->workers[0], .events = POLLOUT };

	// Until nothing moves any more in either direction.
	while (n_asked < BACKLOG && poll(&wait, 1, 100) == 1)
		play_ask(
		    play, 0, ASK_QUESTION, "known.example", n_asked++, LONG_MS);
	assert_true(n_asked < BACKLOG);
	while (n_answered < n_asked) {
		play_answer(play, 0, &answer);
		assert_int_equal(answer.ask.id, n_answered++);
	}
}

static void
finishes_what_is_in_flight(struct play *play)
{
	play_ask(play, 0, ASK_QUESTION, "slow.example", 1, SHORT_MS);
	play_order(play, ORDER_FINISH);
	play_answer(play, 0, &answer);
	assert_int_equal(answer.ask.id, 1);
	assert_int_equal(play_wait(play), 0);
}

static void
finishes_at_once(struct play *play)
{
	play_order(play, ORDER_FINISH);
	assert_int_equal(play_wait(play), 0);
}

static void
ends_with_its_parent(struct play *play)
{
	play_ask(play, 0, ASK_QUESTION, "slow.example", 1, LONG_MS);
	close(play->parent);
	play->parent = -1;
	assert_int_equal(play_wait(play), 0);
}

static void
refuses_without_a_root(struct play *play)
{
	play_ask(play, 0, ASK_QUESTION, "known.example", 1, LONG_MS);
	play_answer(play, 0, &answer);
	assert_int_equal(answer.ask.kind, ASK_REFUSED);
	assert_true(text_begins(
	    &answer, "root zone not validated: for the test's sake"));
	assert_int_equal(play->page->anchored, 0);
	assert_int_equal(play->page->n_lookups, 0);
}

static void
waits_for_the_root(struct play *play)
{
	play_ask(play, 0, ASK_QUESTION, "known.example", 1, SHORT_MS);
	play_answer(play, 0, &answer);
	assert_int_equal(answer.ask.kind, ASK_REFUSED);
	assert_true(text_begins(&answer, "waited in line for "));
	assert_int_equal(play->page->n_lookups, 0);
}

static const struct row {
	const char *sentence;
	void (*act)(struct play *play);
	struct fake_dns dns;
} rows[] = {
	{ "the parent hears that the root has validated",
	    says_when_it_is_anchored, { .silent = false } },
	{ "a question over a channel is answered over it", answers,
	    { .silent = false } },
	{ "the same question of two workers is looked up once",
	    joins_the_questions_of_two_workers, { .silent = true } },
	{ "nothing is written before the parts are its own",
	    writes_what_it_owns, { .silent = true } },
	{ "a hint is noted in the entry", takes_hints, { .silent = true } },
	{ "a worker that goes takes nobody along", outlives_a_worker,
	    { .silent = true } },
	{ "nonsense from a worker is ignored", ignores_nonsense,
	    { .silent = true } },
	{ "a worker that is slow to read loses no answer",
	    waits_for_a_slow_worker, { .silent = true } },
	{ "at its end what is in flight is answered first",
	    finishes_what_is_in_flight, { .silent = true } },
	{ "with nothing in flight it ends at once", finishes_at_once,
	    { .silent = true } },
	{ "without a parent it ends", ends_with_its_parent,
	    { .silent = true } },
	{ "while the root does not validate all questions are refused",
	    refuses_without_a_root, { .why_not = "for the test's sake" } },
	{ "while no DNS context can be had all questions are refused",
	    refuses_without_a_root, { .open_error = "for the test's sake" } },
	{ "until the first attempt at the root has ended questions wait",
	    waits_for_the_root, { .prime_silent = true } },
};

static void
run(void **state)
{
	const struct row *row = *state;
	struct play play;

	fake_dns = row->dns;
	fake_dns.records = known;
	fake_dns.n_records = 1;
	play_open(&play, NULL, NULL);
	row->act(&play);
	play_close(&play);
}

int
main(void)
{
	TABLE_ADD(rows, run);
	return table_run("resolver");
}
