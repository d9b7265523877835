// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// From a question to an answer: through the walk, into the cache and back to
// all who wait. What facts mean is policy/decide.c, how long they live is
// outcome.c; who comes next is line.c.
#include "config.h"

#include "resolver/flight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "resolver/kept.h"
#include "resolver/outcome.h"
#include "x509/x509.h"

#define MS_PER_S UINT64_C(1000)

// Spare questions go out after a moment: long against an answer that is at
// hand, short against one from afar. It is counted in beats, each a round of
// the loop at least, because a busy loop has answers that it has not read yet.
#define SPARE_BEATS   3
#define SPARE_BEAT_MS 4

struct lookup {
	LIST_ENTRY(lookup) link;
	struct flight *flight;
	struct dns_lookup *handle;
	unsigned question;
};

static uint64_t
now_ms(const struct flights *flights)
{
	return loop_now_ms(flights->with.loop);
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

void
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
	if (flight->spare)
		event_free(flight->spare);
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
	event->keeps_answer = event->verdict == DECIDE_DEFER &&
			      event->had_answer &&
			      entry_judge(event->entry, event->now_ms,
				  &flights->reply.limits, &hint) != ENTRY_DEFER;
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

// How long it has been in the air, in the seconds that TTLs count in.
static uint32_t
age_s(const struct flight *flight)
{
	uint64_t age_ms = now_ms(flight->flights) - flight->place.since_ms;

	return (uint32_t)(age_ms / MS_PER_S);
}

// A TTL that counted from the start of the flight, as it is now.
static uint32_t
left_of(const struct flight *flight, uint32_t ttl_s)
{
	uint32_t age = age_s(flight);

	return ttl_s > age ? ttl_s - age : 0;
}

// Whether what it found may be kept for a moment only: lookups are open, or
// somebody set the clock that its TTLs were counted by, whether its context is
// being replaced for that already or nobody has noticed yet. Set back by a day,
// what libunbound had in its cache seems to live for a day longer.
static bool
is_provisional(const struct flight *flight)
{
	const struct flights *flights = flight->flights;

	return !walk_is_done(flight->walk) || flight->dns != flights->dns ||
	       clock_is_off(*flights->with.clock_offset_ms);
}

// The verdict as known now, for the cache and for those due by until_ms.
static void
conclude(struct flight *flight, uint64_t until_ms)
{
	struct flights *flights = flight->flights;
	const struct conf *conf = flights->with.conf;
	struct facts facts = { 0 };
	struct outcome outcome = { .facts = &facts,
		.open = is_provisional(flight),
		.now_ms = now_ms(flights) };
	char reason[FACTS_REASON_MAX + 1];
	struct kept kept;
	struct entry entry;
	const struct entry *old = NULL;

	// False: no memory, and the facts say so.
	walk_facts(flight->walk, conf->cache_min_ttl_s, &facts, &outcome.ttl_s);
	outcome.ttl_s = left_of(flight, outcome.ttl_s);
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
	answer_due(flight, until_ms, reply_entry(&entry));
}

void
flight_land(struct flight *flight)
{
	conclude(flight, UINT64_MAX);
	flight_free(flight);
}

static struct letter *
refusal(const struct flight *flight, const char *why)
{
	return reply_refusal(&flight->flights->reply, flight->node.id, why,
	    now_ms(flight->flights));
}

void
flight_refuse(struct flight *flight, const char *why)
{
	if (!TAILQ_EMPTY(&flight->waiters))
		answer_due(flight, UINT64_MAX, refusal(flight, why));
	flight_free(flight);
}

void
flight_leave(struct waiter *waiter)
{
	struct flight *flight = waiter->flight;

	waiter_free(waiter);
	if (!TAILQ_EMPTY(&flight->waiters))
		return;
	flight->ends_ms = now_ms(flight->flights) + flight->flights->timeout_ms;
	set_timer(flight);
}

static void flight_go_on(struct flight *flight);

// Answers may come half a minute apart, and each one's TTL runs from its own
// arrival: for the walk, which knows no time, all run from the start.
static void
on_answer(void *arg, const struct walk_reply *reply)
{
	struct lookup *lookup = arg;
	struct flight *flight = lookup->flight;
	struct walk_reply aged = *reply;

	LIST_REMOVE(lookup, link);
	aged.ttl_s += age_s(flight);
	walk_answer(flight->walk, lookup->question, &aged);
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

static void
ask_all(struct flight *flight,
    bool (*next)(struct walk *walk, struct walk_question *ret))
{
	struct walk_question question;

	while (next(flight->walk, &question)) {
		int r = ask_dns(flight, &question);

		if (r < 0) {
			struct walk_reply failed = {
				.cause = r == -EINVAL ? "not a domain name"
						      : strerror(-r)
			};
			walk_answer(flight->walk, question.id, &failed);
		}
	}
}

static void
await_beat(struct flight *flight)
{
	static const struct timeval beat = { .tv_usec = SPARE_BEAT_MS * 1000 };

	evtimer_add(flight->spare, &beat);
}

// Asks all that is needed now; lands if there is nothing left to learn.
static void
flight_go_on(struct flight *flight)
{
	ask_all(flight, walk_next);
	if (walk_is_done(flight->walk))
		flight_land(flight);
	else if (!evtimer_pending(flight->spare, NULL) &&
		 walk_has_spare(flight->walk))
		await_beat(flight);
}

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct flight *flight = arg;

	(void)fd;
	(void)what;
	if (++flight->n_beats < SPARE_BEATS) {
		await_beat(flight);
		return;
	}
	ask_all(flight, walk_spare);
	flight_go_on(flight);
}

static void *
flight_memory(void *arg, size_t size)
{
	return arena_get(arg, size);
}

void
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
	flight->spare =
	    evtimer_new(loop_base(flight->flights->with.loop), on_beat, flight);
	if (!flight->walk || !flight->spare ||
	    nexthop_from_id(id.octets, id.len, &nexthop) < 0) {
		flight_refuse(flight, "out of memory");
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

	if (flight->walk) {
		conclude(flight, now);
	} else {
		snprintf(why, sizeof(why), "waited in line for %us",
		    (unsigned)((now - first->since_ms + MS_PER_S / 2) /
			       MS_PER_S));
		answer_due(flight, now, refusal(flight, why));
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
		if (flight->walk)
			flight_land(flight);
		else
			flight_free(flight);
		return;
	}
	set_timer(flight);
}

// A new flight, in line. NULL, and why.
struct flight *
flight_new(struct flights *flights, struct ident id, enum line_where where,
    const char **ret_why)
{
	struct flight *flight = calloc(1, sizeof(*flight) + id.len);

	*ret_why = "out of memory";
	if (!flight)
		return NULL;
	flight->timer =
	    evtimer_new(loop_base(flights->with.loop), on_timer, flight);
	if (!flight->timer)
		goto out;
	if (line_join(&flights->line, &flight->place, where) < 0) {
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
	set_timer(flight);
	return flight;
out:
	if (flight->timer)
		event_free(flight->timer);
	free(flight);
	return NULL;
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

int
flight_join(struct flight *flight, const struct question *question)
{
	struct flights *flights = flight->flights;
	struct waiter *waiter, *before;

	if (flights->n_waiters >= FLIGHT_WAITERS_MAX)
		return -ENOSPC;
	waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return -ENOMEM;
	*waiter = (struct waiter){
		.flight = flight,
		.asker = question->asker,
		.ask_id = question->ask_id,
		.since_ms = now_ms(flights),
		.due_ms = due_ms(flights, question),
	};
	flights->n_waiters++;
	LIST_INSERT_HEAD(&question->asker->waiters, waiter, of_asker);
	// Deadlines arrive nearly in order: the place is near the end.
	before = TAILQ_LAST(&flight->waiters, waiters);
	while (before && before->due_ms > waiter->due_ms)
		before = TAILQ_PREV(before, waiters, in_flight);
	if (before) {
		TAILQ_INSERT_AFTER(&flight->waiters, before, waiter, in_flight);
		return 0;
	}
	TAILQ_INSERT_HEAD(&flight->waiters, waiter, in_flight);
	set_timer(flight);
	return 0;
}
