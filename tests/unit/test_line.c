// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Who may be resolved now and who waits, without DNS and without a clock.
#include "config.h"

#include "table.h"

#include <errno.h>

#include "resolver/line.h"

#define PLACES  8
#define WAITING 3

// How many of n in line get a place at now_ms.
static unsigned
start(struct line *line, struct line_place *places, unsigned n, uint64_t now_ms)
{
	unsigned n_started = 0;

	for (unsigned i = 0; i < n; i++)
		if (places[i].where == LINE_NOWHERE)
			line_join(line, &places[i], LINE_WAITING);
	while (n_started < n && line_next(line, now_ms))
		n_started++;
	return n_started;
}

static void
takes_all_places(struct line *line)
{
	struct line_place places[PLACES + 2] = { 0 };

	line->waiting_max = PLACES + 2;
	assert_int_equal(start(line, places, PLACES + 2, 0), PLACES);
	assert_int_equal(line->n[LINE_WAITING], 2);
	line_leave(line, &places[0]);
	assert_ptr_equal(line_next(line, 0), &places[PLACES]);
	assert_null(line_next(line, 0));
}

static void
keeps_the_order(struct line *line)
{
	struct line_place places[WAITING] = { 0 };

	for (unsigned i = 0; i < WAITING; i++)
		assert_int_equal(line_join(line, &places[i], LINE_WAITING), 0);
	for (unsigned i = 0; i < WAITING; i++)
		assert_ptr_equal(line_next(line, 0), &places[i]);
}

static void
gives_who_is_ahead_every_second_place(struct line *line)
{
	struct line_place places[6] = { 0 };

	line->waiting_max = 4;
	assert_int_equal(line_join(line, &places[1], LINE_WAITING), 0);
	assert_int_equal(line_join(line, &places[0], LINE_AHEAD), 0);
	assert_int_equal(line_join(line, &places[3], LINE_WAITING), 0);
	assert_int_equal(line_join(line, &places[2], LINE_AHEAD), 0);
	assert_int_equal(line_join(line, &places[4], LINE_AHEAD), 0);
	assert_int_equal(line_join(line, &places[5], LINE_AHEAD), 0);
	assert_int_equal(line_length(line), 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_ptr_equal(line_first(line), &places[i]);
		assert_ptr_equal(line_next(line, 0), &places[i]);
	}
	assert_null(line_first(line));
}

static void
lets_so_many_ahead(struct line *line)
{
	struct line_place waiting[WAITING] = { 0 };
	struct line_place ahead[WAITING + 1] = { 0 };

	for (unsigned i = 0; i < WAITING; i++)
		assert_int_equal(line_join(line, &waiting[i], LINE_WAITING), 0);
	for (unsigned i = 0; i < WAITING; i++)
		assert_int_equal(line_join(line, &ahead[i], LINE_AHEAD), 0);
	assert_int_equal(line_join(line, &ahead[WAITING], LINE_AHEAD), -ENOSPC);
	line_leave(line, &ahead[1]);
	assert_int_equal(line_join(line, &ahead[WAITING], LINE_AHEAD), 0);
	assert_int_equal(line_length(line), 2 * WAITING);
}

static void
is_no_longer_than_its_limit(struct line *line)
{
	struct line_place places[WAITING + 1] = { 0 };

	for (unsigned i = 0; i < WAITING; i++)
		assert_int_equal(line_join(line, &places[i], LINE_WAITING), 0);
	assert_int_equal(
	    line_join(line, &places[WAITING], LINE_WAITING), -ENOSPC);
	assert_int_equal(places[WAITING].where, LINE_NOWHERE);
	line_leave(line, &places[1]);
	assert_int_equal(line_join(line, &places[WAITING], LINE_WAITING), 0);
}

static void
slow_ones_hold_half(struct line *line)
{
	struct line_place places[2 * PLACES] = { 0 };

	line->waiting_max = 2 * PLACES;
	assert_int_equal(start(line, places, 2 * PLACES, 0), PLACES);
	assert_null(line_next(line, LINE_SLOW_MS - 1));
	assert_int_equal(line_turn_ms(line), LINE_SLOW_MS);
	for (unsigned i = 0; i < PLACES / 2; i++)
		assert_non_null(line_next(line, LINE_SLOW_MS));
	assert_null(line_next(line, LINE_SLOW_MS));
	assert_int_equal(line->n[LINE_SLOW], PLACES);
}

static void
slow_ones_have_a_bound(struct line *line)
{
	enum { BOUND = PLACES * LINE_FLYING_FACTOR };
	struct line_place places[BOUND + PLACES] = { 0 };
	unsigned n_started = 0;

	line->waiting_max = BOUND + PLACES;
	for (unsigned i = 0; i < BOUND; i++)
		n_started += start(
		    line, places, BOUND + PLACES, (uint64_t)i * LINE_SLOW_MS);
	assert_int_equal(n_started, BOUND);
	assert_int_equal(line_flying(line), BOUND);
}

static void
one_place_is_not_held_by_a_slow_one(struct line *line)
{
	struct line_place places[2] = { 0 };

	line->n_places = 1;
	assert_int_equal(start(line, places, 2, 0), 1);
	assert_null(line_next(line, LINE_SLOW_MS - 1));
	assert_ptr_equal(line_next(line, LINE_SLOW_MS), &places[1]);
}

static void
leaving_is_counted_once(struct line *line)
{
	struct line_place places[3] = { 0 };

	start(line, &places[0], 1, 0);
	start(line, &places[1], 1, LINE_SLOW_MS);
	line_join(line, &places[2], LINE_WAITING);
	assert_int_equal(line->n[LINE_SLOW], 1);
	for (unsigned i = 0; i < 3; i++) {
		line_leave(line, &places[i]);
		line_leave(line, &places[i]);
	}
	assert_int_equal(line_length(line) + line_flying(line), 0);
	assert_int_equal(line_turn_ms(line), 0);
}

static const struct row {
	const char *sentence;
	void (*act)(struct line *line);
} rows[] = {
	{ "as many start as there are places, the next when one lands",
	    takes_all_places },
	{ "who came first starts first", keeps_the_order },
	{ "who may go ahead gets every second place, in order too",
	    gives_who_is_ahead_every_second_place },
	{ "a full line lets as many ahead, and no more", lets_so_many_ahead },
	{ "past its limit the line takes no more",
	    is_no_longer_than_its_limit },
	{ "those in the air for two seconds hold half the places at most",
	    slow_ones_hold_half },
	{ "four times the places is the end, however slow they are",
	    slow_ones_have_a_bound },
	{ "a single place is not held by a slow one",
	    one_place_is_not_held_by_a_slow_one },
	{ "leaving the line, the fast and the slow is counted once each",
	    leaving_is_counted_once },
};

static void
run(void **state)
{
	const struct row *row = *state;
	struct line line;

	line_init(&line, PLACES, WAITING);
	row->act(&line);
}

int
main(void)
{
	TABLE_ADD(rows, run);
	return table_run("line");
}
