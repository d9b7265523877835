// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// From a question to an answer: into the line, into the air, through the walk,
// into the cache and back to all who wait. What facts mean is policy/decide.c,
// how long they live is outcome.c; how a worker is reached is channel.c.
#include "config.h"

#include "resolver/flight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "resolver/arena.h"
#include "resolver/diary.h"
#include "resolver/kept.h"
#include "resolver/line.h"
#include "resolver/outcome.h"
#include "x509/x509.h"

#define MS_PER_S      UINT64_C(1000)
// Answers leave so much before the asker's own guard goes off.
#define MARGIN_PART   20 // of query_timeout
#define MARGIN_MIN_MS 10
#define MARGIN_MAX_MS 250
#define WHY_MAX       FACTS_REASON_MAX

// Where a node that lives inside a flight belongs.
#define FLIGHT_OF(pointer, member)                             \
	((struct flight *)(void *)((char *)(pointer)-offsetof( \
	    struct flight, member)))

struct flights {
	struct flights_settings with;
	struct entry_limits limits;
	uint64_t timeout_ms, margin_ms;
	struct dns *dns;           // for new flights; NULL: they wait
	char why_not[WHY_MAX + 1]; // not empty: nothing can be asked
	struct line line;
	struct idmap *map;
	struct diary diary;
	struct event *turn; // a place may come free
	LIST_HEAD(, flight) all;
	unsigned n_waiters;
	uint8_t scratch[ENTRY_ENCODED_MAX];
};

struct lookup {
	LIST_ENTRY(lookup) link;
	struct flight *flight;
	struct dns_lookup *handle;
	unsigned question;
};

// One who waits for one answer.
struct waiter {
	TAILQ_ENTRY(waiter) in_flight;
	LIST_ENTRY(waiter) of_asker;
	struct flight *flight;
	struct asker *asker;
	uint32_t ask_id;
	uint64_t since_ms, due_ms;
};

struct flight {
	struct flights *flights;
	LIST_ENTRY(flight) link;
	struct idmap_node node;
	struct line_place place;
	TAILQ_HEAD(waiters, waiter) waiters; // the one due first at the head
	struct event *timer;
	uint64_t since_ms;
	uint64_t ends_ms; // unless somebody waits
	bool noted;       // a provisional verdict is in the log
	// In the air:
	struct dns *dns;
	struct walk *walk;
	struct arena arena;
	LIST_HEAD(, lookup) lookups;
	uint8_t id[];
};

static uint64_t
now_ms(const struct flights *flights)
{
	return loop_now_ms(flights->with.loop);
}

static bool
in_air(const struct flight *flight)
{
	return flight->walk != NULL;
}

// The next moment at which the flight wants attention: somebody's deadline, or
// its own end if nobody waits.
static void
set_timer(struct flight *flight)
{
	const struct waiter *first = TAILQ_FIRST(&flight->waiters);
	uint64_t due_ms = first ? first->due_ms : flight->ends_ms;
	uint64_t now = now_ms(flight->flights);
	uint64_t wait_ms = due_ms > now ? due_ms - now : 0;
	struct timeval wait = {
		.tv_sec = (time_t)(wait_ms / MS_PER_S),
		.tv_usec = (suseconds_t)(wait_ms % MS_PER_S * 1000),
	};

	evtimer_add(flight->timer, &wait);
}

static void
waiter_free(struct waiter *waiter)
{
	struct flight *flight = waiter->flight;

	TAILQ_REMOVE(&flight->waiters, waiter, in_flight);
	LIST_REMOVE(waiter, of_asker);
	flight->flights->n_waiters--;
	free(waiter);
}

static void
flight_free(struct flight *flight)
{
	struct flights *flights = flight->flights;
	struct lookup *lookup;

	while ((lookup = LIST_FIRST(&flight->lookups))) {
		dns_cancel(lookup->handle);
		LIST_REMOVE(lookup, link);
	}
	while (!TAILQ_EMPTY(&flight->waiters))
		waiter_free(TAILQ_FIRST(&flight->waiters));
	line_leave(&flights->line, &flight->place);
	idmap_remove(flights->map, &flight->node);
	LIST_REMOVE(flight, link);
	event_free(flight->timer);
	arena_free(&flight->arena);
	free(flight);
}

// Answers those due by until_ms. A letter that could not be had for want of
// memory leaves them to their own guards.
static void
answer_due(struct flight *flight, uint64_t until_ms, struct letter *letter)
{
	struct waiter *waiter;

	while ((waiter = TAILQ_FIRST(&flight->waiters)) &&
	       waiter->due_ms <= until_ms) {
		if (letter)
			waiter->asker->answer(
			    waiter->asker, waiter->ask_id, letter);
		waiter_free(waiter);
	}
	letter_drop(letter);
}

static struct letter *
entry_letter(struct flights *flights, const struct entry *entry)
{
	size_t len =
	    entry_encode(entry, flights->scratch, sizeof(flights->scratch));

	return letter_new(ASK_ANSWER, flights->scratch, len);
}

// What to say where no lookup can be had: a strict old answer goes on as it
// does when the lookup fails; else why not. Nothing is kept of that, for
// nothing was learnt.
static struct letter *
refusal(struct flights *flights, struct ident id, const char *why)
{
	struct kept old;
	struct facts facts = { .reason = why,
		.reason_len = (uint8_t)strnlen(why, FACTS_REASON_MAX) };
	struct outcome outcome = { .facts = &facts, .now_ms = now_ms(flights) };
	char reason[FACTS_REASON_MAX + 1];
	struct entry entry;
	bool hint;

	flights->with.page->n_refused++;
	if (kept_read(flights->with.cache, id, &old)) {
		outcome_merge(
		    &old.entry, &outcome, flights->with.conf, reason, &entry);
		if (entry_judge(&entry, outcome.now_ms, &flights->limits,
			&hint) == ENTRY_STALE)
			return entry_letter(flights, &entry);
	}
	return letter_new(ASK_REFUSED, why, facts.reason_len);
}

static void
note(struct flight *flight, struct diary_event *event, bool open)
{
	struct flights *flights = flight->flights;
	bool hint;

	flights->with.page->n_decisions++;
	if (open && flight->noted)
		return;
	flight->noted = open;
	event->id = flight->node.id;
	event->took_ms = event->now_ms - flight->since_ms;
	event->keeps_answer =
	    event->verdict == DECIDE_DEFER && event->had_answer &&
	    entry_judge(event->entry, event->now_ms, &flights->limits, &hint) !=
		ENTRY_DEFER;
	diary_note(&flights->diary, event);
}

static void
keep(struct flight *flight, const struct entry *entry)
{
	static struct dlog_limit limit;
	const struct flights_settings *with = &flight->flights->with;
	int r = kept_write(with->cache, flight->node.id, entry, with->conf,
	    now_ms(flight->flights));

	// Until this process owns the part, it answers without keeping.
	if (r < 0 && r != -EPERM)
		dlog_limited(&limit, 60, LOG_WARNING,
		    "the cache refuses an entry: %s", strerror(-r));
}

// The verdict as known now, for the cache and for those due by until_ms.
static void
conclude(struct flight *flight, uint64_t until_ms)
{
	struct flights *flights = flight->flights;
	const struct conf *conf = flights->with.conf;
	struct facts facts = { 0 };
	struct outcome outcome = { .facts = &facts,
		.open = !walk_is_done(flight->walk),
		.now_ms = now_ms(flights) };
	char reason[FACTS_REASON_MAX + 1];
	struct kept kept;
	struct entry entry;
	const struct entry *old = NULL;

	// False: no memory, and the facts say so.
	walk_facts(flight->walk, conf->cache_min_ttl_s, &facts, &outcome.ttl_s);
	if (kept_read(flights->with.cache, flight->node.id, &kept))
		old = &kept.entry;

	struct diary_event event = {
		.entry = &entry,
		.had_answer = old && old->has_answer,
		.old_verdict = old ? outcome_verdict(old, conf) : DECIDE_DEFER,
		.verdict = outcome_merge(old, &outcome, conf, reason, &entry),
		.reason = reason,
		.now_ms = outcome.now_ms,
	};

	keep(flight, &entry);
	note(flight, &event, outcome.open);
	answer_due(flight, until_ms, entry_letter(flights, &entry));
}

static void
land(struct flight *flight)
{
	conclude(flight, UINT64_MAX);
	flight_free(flight);
}

static void flight_go_on(struct flight *flight);

static void
on_answer(void *arg, const struct walk_reply *reply)
{
	struct lookup *lookup = arg;
	struct flight *flight = lookup->flight;

	LIST_REMOVE(lookup, link);
	walk_answer(flight->walk, lookup->question, reply);
	flight_go_on(flight);
}

static int
ask_dns(struct flight *flight, const struct walk_question *question)
{
	struct lookup *lookup = arena_get(&flight->arena, sizeof(*lookup));
	int r;

	if (!lookup)
		return -ENOMEM;
	lookup->flight = flight;
	lookup->question = question->id;
	r = dns_ask(flight->dns, question->name, question->type, on_answer,
	    lookup, &lookup->handle);
	if (r < 0)
		return r;
	LIST_INSERT_HEAD(&flight->lookups, lookup, link);
	flight->flights->with.page->n_lookups++;
	return 0;
}

// Asks all that can be asked now; lands if there is nothing left to learn.
static void
flight_go_on(struct flight *flight)
{
	struct walk_question question;

	while (walk_next(flight->walk, &question)) {
		int r = ask_dns(flight, &question);

		if (r < 0) {
			struct walk_reply failed = {
				.cause = r == -EINVAL ? "not a domain name"
						      : strerror(-r)
			};
			walk_answer(flight->walk, question.id, &failed);
		}
	}
	if (walk_is_done(flight->walk))
		land(flight);
}

static void *
flight_memory(void *arg, size_t size)
{
	return arena_get(arg, size);
}

static void
flight_start(struct flight *flight)
{
	struct walk_env env = {
		.get = flight_memory,
		.arg = &flight->arena,
		.full = x509_digest_full,
	};
	struct ident id = flight->node.id;
	struct nexthop nexthop;

	flight->walk = arena_get(&flight->arena, sizeof(*flight->walk));
	if (!flight->walk || nexthop_from_id(id.octets, id.len, &nexthop) < 0) {
		answer_due(flight, UINT64_MAX,
		    refusal(flight->flights, id, "out of memory"));
		flight_free(flight);
		return;
	}
	flight->dns = flight->flights->dns;
	walk_begin(flight->walk, &nexthop, &env);
	flight_go_on(flight);
}

// Some have waited as long as they can. Those in the air get what is known;
// those in line never had a chance, and are told so.
static void
serve_due(struct flight *flight, uint64_t now)
{
	const struct waiter *first = TAILQ_FIRST(&flight->waiters);
	char why[64];

	if (in_air(flight)) {
		conclude(flight, now);
	} else {
		snprintf(why, sizeof(why), "waited in line for %us",
		    (unsigned)((now - first->since_ms + MS_PER_S / 2) /
			       MS_PER_S));
		answer_due(flight, now,
		    refusal(flight->flights, flight->node.id, why));
	}
	if (TAILQ_EMPTY(&flight->waiters))
		flight->ends_ms = now + flight->flights->timeout_ms;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct flight *flight = arg;
	uint64_t now = now_ms(flight->flights);
	const struct waiter *first = TAILQ_FIRST(&flight->waiters);

	(void)fd;
	(void)what;
	if (first && first->due_ms <= now) {
		serve_due(flight, now);
	} else if (!first && flight->ends_ms <= now) {
		if (in_air(flight))
			land(flight);
		else
			flight_free(flight);
		return;
	}
	set_timer(flight);
}

// A new flight, in line. NULL, and why.
static struct flight *
flight_new(struct flights *flights, struct ident id, const char **ret_why)
{
	struct flight *flight = calloc(1, sizeof(*flight) + id.len);

	*ret_why = "out of memory";
	if (!flight)
		return NULL;
	flight->timer =
	    evtimer_new(loop_base(flights->with.loop), on_timer, flight);
	if (!flight->timer)
		goto out;
	if (line_join(&flights->line, &flight->place) < 0) {
		*ret_why = "too many lookups waiting";
		goto out;
	}
	flight->flights = flights;
	flight->since_ms = now_ms(flights);
	flight->ends_ms = flight->since_ms + flights->timeout_ms;
	TAILQ_INIT(&flight->waiters);
	memcpy(flight->id, id.octets, id.len);
	flight->node.id = (struct ident){ flight->id, id.len };
	idmap_add(flights->map, &flight->node);
	LIST_INSERT_HEAD(&flights->all, flight, link);
	return flight;
out:
	if (flight->timer)
		event_free(flight->timer);
	free(flight);
	return NULL;
}

static struct flight *
flight_find(const struct flights *flights, struct ident id)
{
	struct idmap_node *node = idmap_find(flights->map, id);

	return node ? FLIGHT_OF(node, node) : NULL;
}

static void
turn_away(
    struct flights *flights, const struct question *question, const char *why)
{
	struct letter *letter = refusal(flights, question->id, why);

	if (letter)
		question->asker->answer(
		    question->asker, question->ask_id, letter);
	letter_drop(letter);
}

static uint64_t
due_ms(const struct flights *flights, const struct question *question)
{
	uint64_t latest_ms = now_ms(flights) + flights->timeout_ms;
	uint64_t deadline_ms = question->deadline_ms;

	if (deadline_ms > latest_ms)
		deadline_ms = latest_ms;
	return deadline_ms > flights->margin_ms
		   ? deadline_ms - flights->margin_ms
		   : 0;
}

// Deadlines arrive nearly in order, so the place is found from the end.
static void
flight_join(struct flight *flight, const struct question *question)
{
	struct flights *flights = flight->flights;
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	struct waiter *before;

	if (!waiter || flights->n_waiters >= FLIGHT_WAITERS_MAX) {
		free(waiter);
		turn_away(flights, question, "too many questions waiting");
		return;
	}
	*waiter = (struct waiter){
		.flight = flight,
		.asker = question->asker,
		.ask_id = question->ask_id,
		.since_ms = now_ms(flights),
		.due_ms = due_ms(flights, question),
	};
	flights->n_waiters++;
	LIST_INSERT_HEAD(&question->asker->waiters, waiter, of_asker);
	TAILQ_FOREACH_REVERSE(before, &flight->waiters, waiters, in_flight)
	if (before->due_ms <= waiter->due_ms)
		break;
	if (before)
		TAILQ_INSERT_AFTER(&flight->waiters, before, waiter, in_flight);
	else
		TAILQ_INSERT_HEAD(&flight->waiters, waiter, in_flight);
	if (!before)
		set_timer(flight);
}

// Another generation, or a flight that has just landed, may have been faster.
// Matches that the cache left out are what is asked for if somebody asks.
static bool
answer_from_cache(struct flights *flights, const struct question *question)
{
	struct kept kept;
	bool hint;

	if (!kept_read(flights->with.cache, question->id, &kept))
		return false;

	enum entry_use use =
	    entry_judge(&kept.entry, now_ms(flights), &flights->limits, &hint);

	if (use == ENTRY_MISS)
		return false;
	if (kept.entry.facts.partial &&
	    (use == ENTRY_FRESH || use == ENTRY_GRACE))
		return false;

	struct letter *letter = letter_new(ASK_ANSWER, kept.bytes, kept.len);

	if (letter)
		question->asker->answer(
		    question->asker, question->ask_id, letter);
	letter_drop(letter);
	return letter != NULL;
}

void
flights_ask(struct flights *flights, const struct question *question)
{
	struct flight *flight = flight_find(flights, question->id);
	const char *why = flights->why_not;

	if (!flight && answer_from_cache(flights, question))
		return;
	if (!flight && why[0] == '\0')
		flight = flight_new(flights, question->id, &why);
	if (flight)
		flight_join(flight, question);
	else
		turn_away(flights, question, why);
}

int
flights_renew(struct flights *flights, struct ident id)
{
	struct flight *flight = flight_find(flights, id);
	const char *why;

	if (flight)
		return -EALREADY;
	if (flights->why_not[0] != '\0')
		return -EAGAIN;
	flight = flight_new(flights, id, &why);
	if (!flight)
		return -EAGAIN;
	set_timer(flight);
	return 0;
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
	while ((place = TAILQ_FIRST(&flights->line.waiting))) {
		struct flight *flight = FLIGHT_OF(place, place);

		if (!TAILQ_EMPTY(&flight->waiters))
			answer_due(flight, UINT64_MAX,
			    refusal(flights, flight->node.id, why));
		flight_free(flight);
	}
}

void
flights_land(struct flights *flights, const struct dns *dns)
{
	struct flight *flight = LIST_FIRST(&flights->all);

	while (flight) {
		struct flight *next = LIST_NEXT(flight, link);

		if (in_air(flight) && flight->dns == dns)
			land(flight);
		flight = next;
	}
}

void
flights_leave(struct flights *flights, struct asker *asker)
{
	struct waiter *waiter;

	while ((waiter = LIST_FIRST(&asker->waiters))) {
		struct flight *flight = waiter->flight;

		waiter_free(waiter);
		if (!TAILQ_EMPTY(&flight->waiters))
			continue;
		flight->ends_ms = now_ms(flights) + flights->timeout_ms;
		set_timer(flight);
	}
}

// Wakes the loop when the next flight becomes slow, if anybody wants its
// place.
static void
set_turn(struct flights *flights)
{
	uint64_t turn_ms = line_turn_ms(&flights->line);
	uint64_t now = now_ms(flights);

	if (flights->line.n_waiting == 0 || !flights->dns || turn_ms == 0)
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

	while (may_start(flights) &&
	       (place = line_next(&flights->line, now_ms(flights))))
		flight_start(FLIGHT_OF(place, place));
	set_turn(flights);
	page->n_in_line = flights->line.n_waiting;
	page->n_in_flight = flights->line.n_fast + flights->line.n_slow;
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
	flights->limits = outcome_limits(settings->conf);
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
