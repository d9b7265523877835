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
	for (enum line_where where = 0; where < LINE_WHERES; where++)
		TAILQ_INIT(&line->places[where]);
}

static void
enter(struct line *line, struct line_place *place, enum line_where where)
{
	line_leave(line, place);
	place->where = where;
	TAILQ_INSERT_TAIL(&line->places[where], place, link);
	line->n[where]++;
}

int
line_join(struct line *line, struct line_place *place, enum line_where where)
{
	if (line->n[where] >= line->waiting_max)
		return -ENOSPC;
	enter(line, place, where);
	return 0;
}

struct line_place *
line_first(const struct line *line)
{
	struct line_place *ahead = TAILQ_FIRST(&line->places[LINE_AHEAD]);
	struct line_place *waiting = TAILQ_FIRST(&line->places[LINE_WAITING]);

	return ahead && !(waiting && line->ahead_was_last) ? ahead : waiting;
}

unsigned
line_length(const struct line *line)
{
	return line->n[LINE_AHEAD] + line->n[LINE_WAITING];
}

unsigned
line_flying(const struct line *line)
{
	return line->n[LINE_FAST] + line->n[LINE_SLOW];
}

static void
age(struct line *line, uint64_t now_ms)
{
	struct line_place *place;

	while ((place = TAILQ_FIRST(&line->places[LINE_FAST])) &&
	       now_ms >= place->since_ms + LINE_SLOW_MS)
		enter(line, place, LINE_SLOW);
}

static bool
has_place(const struct line *line)
{
	unsigned half = line->n_places / 2;
	unsigned n_slow = line->n[LINE_SLOW];
	unsigned held = n_slow < half ? n_slow : half;
	uint64_t flying_max = (uint64_t)line->n_places * LINE_FLYING_FACTOR;

	return line->n[LINE_FAST] + held < line->n_places &&
	       line_flying(line) < flying_max;
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
	place->since_ms = now_ms;
	line->ahead_was_last = place->where == LINE_AHEAD;
	enter(line, place, LINE_FAST);
	return place;
}

void
line_leave(struct line *line, struct line_place *place)
{
	if (place->where == LINE_NOWHERE)
		return;
	TAILQ_REMOVE(&line->places[place->where], place, link);
	line->n[place->where]--;
	place->where = LINE_NOWHERE;
}

uint64_t
line_turn_ms(const struct line *line)
{
	const struct line_place *place = TAILQ_FIRST(&line->places[LINE_FAST]);

	return place ? place->since_ms + LINE_SLOW_MS : 0;
}
