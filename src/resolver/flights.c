// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// All flights of a resolver: which there are, which may start, and what is said
// where there can be none. What happens within one is flight.c.
#include "config.h"

#include "resolver/flights.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "resolver/flight.h"
#include "resolver/outcome.h"

#define MS_PER_S      UINT64_C(1000)
// Answers leave so much before the asker's own guard goes off.
#define MARGIN_PART   20 // of query_timeout
#define MARGIN_MIN_MS 10
#define MARGIN_MAX_MS 250

static uint64_t
now_ms(const struct flights *flights)
{
	return loop_now_ms(flights->with.loop);
}

static struct flight *
flight_find(const struct flights *flights, struct ident id)
{
	struct idmap_node *node = idmap_find(flights->map, id);

	return node ? FLIGHT_OF(node, node) : NULL;
}

static void
tell(const struct question *question, struct letter *letter)
{
	if (letter)
		question->asker->answer(
		    question->asker, question->ask_id, letter);
	letter_drop(letter);
}

static void
turn_away(
    struct flights *flights, const struct question *question, const char *why)
{
	tell(question,
	    reply_refusal(&flights->reply, question->id, why, clock_boot_ms()));
}

// By the clock, not by the begin of this round of the loop: whoever asks has
// looked at the entry with a younger time, found that it had ended, and would
// get it again.
void
flights_ask(struct flights *flights, const struct question *question)
{
	struct flight *flight = flight_find(flights, question->id);
	const char *why = flights->why_not;
	struct letter *letter = NULL;

	if (!flight)
		letter =
		    reply_kept(&flights->reply, question->id, clock_boot_ms());
	if (letter) {
		tell(question, letter);
		return;
	}
	if (!flight && why[0] == '\0')
		flight = flight_new(flights, question->id, LINE_WAITING, &why);
	if (!flight)
		turn_away(flights, question, why);
	else if (flight_join(flight, question) < 0)
		turn_away(flights, question, "too many questions waiting");
}

int
flights_renew(struct flights *flights, struct ident id, enum line_where where)
{
	struct flight *flight = flight_find(flights, id);
	const char *why;

	if (flight)
		return -EALREADY;
	if (flights->why_not[0] != '\0')
		return -EAGAIN;
	return flight_new(flights, id, where, &why) ? 0 : -EAGAIN;
}

void
flights_go(struct flights *flights, struct dns *dns)
{
	flights->dns = dns;
	flights->why_not[0] = '\0';
}

void
flights_refuse(struct flights *flights, const char *why)
{
	struct line_place *place;

	flights->dns = NULL;
	snprintf(flights->why_not, sizeof(flights->why_not), "%s", why);
	while ((place = line_first(&flights->line)))
		flight_refuse(FLIGHT_OF(place, place), why);
}

void
flights_land(struct flights *flights, const struct dns *dns)
{
	struct flight *flight = LIST_FIRST(&flights->all);

	while (flight) {
		struct flight *next = LIST_NEXT(flight, link);

		if (flight->walk && flight->dns == dns)
			flight_land(flight);
		flight = next;
	}
}

void
flights_leave(struct asker *asker)
{
	struct waiter *waiter;

	while ((waiter = LIST_FIRST(&asker->waiters)))
		flight_leave(waiter);
}

// Wakes the loop when the next flight becomes slow, if anybody wants its
// place.
static void
set_turn(struct flights *flights)
{
	uint64_t turn_ms = line_turn_ms(&flights->line);
	uint64_t now = now_ms(flights);

	if (line_length(&flights->line) == 0 || turn_ms == 0)
		return;

	uint64_t wait_ms = turn_ms > now ? turn_ms - now : 0;
	struct timeval wait = {
		.tv_sec = (time_t)(wait_ms / MS_PER_S),
		.tv_usec = (suseconds_t)(wait_ms % MS_PER_S * 1000),
	};

	evtimer_add(flights->turn, &wait);
}

static bool
may_start(const struct flights *flights)
{
	uint64_t max =
	    (uint64_t)flights->line.n_places * FLIGHT_LOOKUPS_PER_PLACE;

	if (max < FLIGHT_LOOKUPS_MIN)
		max = FLIGHT_LOOKUPS_MIN;
	return flights->dns && dns_pending(flights->dns) < max;
}

void
flights_round(struct flights *flights)
{
	struct status_page *page = flights->with.page;
	struct line_place *place;

	while (may_start(flights)) {
		place = line_next(&flights->line, now_ms(flights));
		if (!place) {
			set_turn(flights);
			break;
		}
		flight_start(FLIGHT_OF(place, place));
	}
	page->n_in_line = line_length(&flights->line);
	page->n_in_flight = line_flying(&flights->line);
}

void
flights_tick(struct flights *flights)
{
	diary_tick(&flights->diary);
}

unsigned
flights_waiting(const struct flights *flights)
{
	return flights->n_waiters;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	// The round that this begins ends in flights_round.
	(void)fd;
	(void)what;
	(void)arg;
}

static uint64_t
margin_of(uint64_t timeout_ms)
{
	uint64_t margin_ms = timeout_ms / MARGIN_PART;

	if (margin_ms < MARGIN_MIN_MS)
		return MARGIN_MIN_MS;
	return margin_ms < MARGIN_MAX_MS ? margin_ms : MARGIN_MAX_MS;
}

int
flights_new(const struct flights_settings *settings, struct flights **ret)
{
	struct flights *flights = calloc(1, sizeof(*flights));
	int r = -ENOMEM;

	if (!flights)
		return r;
	flights->with = *settings;
	flights->reply = (struct reply_env){
		.conf = settings->conf,
		.cache = settings->cache,
		.page = settings->page,
		.limits = entry_limits_of(settings->conf->cache_stale_ttl_s,
		    settings->conf->query_timeout_s,
		    settings->conf->dialect.insecure_may),
	};
	flights->timeout_ms = settings->conf->query_timeout_s * MS_PER_S;
	flights->margin_ms = margin_of(flights->timeout_ms);
	line_init(&flights->line, settings->conf->query_concurrency,
	    settings->line_max);
	LIST_INIT(&flights->all);
	flights->turn =
	    evtimer_new(loop_base(settings->loop), on_turn, flights);
	if (!flights->turn)
		goto out;
	r = idmap_new(&flights->map);
	if (r < 0)
		goto out;
	*ret = flights;
	return 0;
out:
	if (flights->turn)
		event_free(flights->turn);
	free(flights);
	return r;
}

void
flights_free(struct flights *flights)
{
	if (!flights)
		return;
	while (!LIST_EMPTY(&flights->all))
		flight_free(LIST_FIRST(&flights->all));
	event_free(flights->turn);
	idmap_free(flights->map);
	free(flights);
}
