// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Queues in order of time: two that wait, one in the air, and one in the air
// for long. From the air to there they go at its head only, because all stay in
// it for the same time.
#include "config.h"

#include "resolver/line.h"

#include <errno.h>

void
line_init(struct line *line, unsigned n_places, unsigned waiting_max)
{
	*line = (struct line){
		.n_places = n_places,
		.waiting_max = waiting_max,
	};
	TAILQ_INIT(&line->ahead);
	TAILQ_INIT(&line->waiting);
	TAILQ_INIT(&line->fast);
	TAILQ_INIT(&line->slow);
}

int
line_join(struct line *line, struct line_place *place)
{
	if (line->n_waiting >= line->waiting_max)
		return -ENOSPC;
	place->where = LINE_WAITING;
	TAILQ_INSERT_TAIL(&line->waiting, place, link);
	line->n_waiting++;
	return 0;
}

int
line_join_ahead(struct line *line, struct line_place *place)
{
	if (line->n_ahead >= line->waiting_max)
		return -ENOSPC;
	place->where = LINE_AHEAD;
	TAILQ_INSERT_TAIL(&line->ahead, place, link);
	line->n_ahead++;
	return 0;
}

struct line_place *
line_first(const struct line *line)
{
	struct line_place *place = TAILQ_FIRST(&line->ahead);

	return place ? place : TAILQ_FIRST(&line->waiting);
}

unsigned
line_length(const struct line *line)
{
	return line->n_ahead + line->n_waiting;
}

static void
age(struct line *line, uint64_t now_ms)
{
	struct line_place *place;

	while ((place = TAILQ_FIRST(&line->fast)) &&
	       now_ms >= place->since_ms + LINE_SLOW_MS) {
		line_leave(line, place);
		place->where = LINE_SLOW;
		TAILQ_INSERT_TAIL(&line->slow, place, link);
		line->n_slow++;
	}
}

static bool
has_place(const struct line *line)
{
	unsigned half = line->n_places / 2;
	unsigned held = line->n_slow < half ? line->n_slow : half;
	uint64_t flying_max = (uint64_t)line->n_places * LINE_FLYING_FACTOR;

	return line->n_fast + held < line->n_places &&
	       line->n_fast + line->n_slow < flying_max;
}

struct line_place *
line_next(struct line *line, uint64_t now_ms)
{
	struct line_place *place = line_first(line);

	if (!place)
		return NULL;
	age(line, now_ms);
	if (!has_place(line))
		return NULL;
	line_leave(line, place);
	place->where = LINE_FAST;
	place->since_ms = now_ms;
	TAILQ_INSERT_TAIL(&line->fast, place, link);
	line->n_fast++;
	return place;
}

void
line_leave(struct line *line, struct line_place *place)
{
	switch (place->where) {
	case LINE_NOWHERE:
		return;
	case LINE_AHEAD:
		TAILQ_REMOVE(&line->ahead, place, link);
		line->n_ahead--;
		break;
	case LINE_WAITING:
		TAILQ_REMOVE(&line->waiting, place, link);
		line->n_waiting--;
		break;
	case LINE_FAST:
		TAILQ_REMOVE(&line->fast, place, link);
		line->n_fast--;
		break;
	case LINE_SLOW:
		TAILQ_REMOVE(&line->slow, place, link);
		line->n_slow--;
		break;
	}
	place->where = LINE_NOWHERE;
}

uint64_t
line_turn_ms(const struct line *line)
{
	const struct line_place *place = TAILQ_FIRST(&line->fast);

	return place ? place->since_ms + LINE_SLOW_MS : 0;
}
