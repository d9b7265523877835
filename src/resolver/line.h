// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Who may be resolved now, and who waits: query_concurrency places, and a line
// in order of arrival, with another one ahead of it. Those in the air for long
// may hold half the places at most, so that a thousand dead servers do not keep
// all others waiting. Knows nothing of DNS; time is an argument.
#pragma once

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_SLOW_MS       2000
// All in the air together, slow ones included: so many times the places.
#define LINE_FLYING_FACTOR 4

// Who waits goes ahead of the others if what it asks for is in use now, and
// would be missed soon. While there are others, they get every second place.
enum line_where {
	LINE_NOWHERE = 0,
	LINE_AHEAD,
	LINE_WAITING,
	LINE_FAST,
	LINE_SLOW,
	LINE_WHERES
};

// Lives inside whatever waits.
struct line_place {
	TAILQ_ENTRY(line_place) link;
	enum line_where where;
	uint64_t since_ms; // in the air
};

TAILQ_HEAD(line_places, line_place);

struct line {
	unsigned n_places, waiting_max;
	bool ahead_was_last; // to get a place
	unsigned n[LINE_WHERES];
	struct line_places places[LINE_WHERES];
};

void line_init(struct line *line, unsigned n_places, unsigned waiting_max);

// Behind all others who are LINE_WAITING, or LINE_AHEAD. -ENOSPC if waiting_max
// of them are.
int line_join(
    struct line *line, struct line_place *place, enum line_where where);

// Who is next, place or not. NULL: nobody waits.
struct line_place *line_first(const struct line *line);
unsigned line_length(const struct line *line);
// In the air.
unsigned line_flying(const struct line *line);

// If there is a place for it, the first in line, now in the air; else NULL.
struct line_place *line_next(struct line *line, uint64_t now_ms);

// Out of the line or out of the air.
void line_leave(struct line *line, struct line_place *place);

// When the next one in the air becomes slow, which may free a place though
// nobody lands; 0: never.
uint64_t line_turn_ms(const struct line *line);
