// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The domains that are being looked up. A flight is one of them: its walk
// through the DNS, its lookups, and all who wait for its answer; a question
// for a domain in flight joins it. What comes of a flight goes into the cache
// and to those who wait.
//
// A flight outlives the deadline of those who wait: they get the verdict as
// known then, and the next question finds it done. With nobody waiting it is
// ended after one more query_timeout.
#pragma once

#include <sys/queue.h>

#include "base/conf.h"
#include "base/loop.h"
#include "base/status.h"
#include "cache/cache.h"
#include "dns/dns.h"
#include "resolver/idmap.h"
#include "resolver/letter.h"
#include "resolver/line.h"

// Questions waiting for an answer, identical ones each counted.
#define FLIGHT_WAITERS_MAX       200000
// No flight starts while so many lookups are under way for each place, those
// that libunbound goes on with though nobody wants them any more included: one
// costs it 14 kB, and a domain may have FACTS_HOSTS_MAX hosts.
#define FLIGHT_LOOKUPS_PER_PLACE 64
#define FLIGHT_LOOKUPS_MIN       4096 // however few the places

struct flights;
struct waiter; // private

// Whoever asks questions: a worker's channel. Zeroed but for answer; must
// leave (flights_leave) before it goes.
struct asker {
	// May not call back into the flights. letter is borrowed; to keep it,
	// hold it.
	void (*answer)(
	    struct asker *asker, uint32_t ask_id, struct letter *letter);
	LIST_HEAD(, waiter) waiters;
};

struct flights_settings {
	const struct conf *conf;
	struct cache *cache;
	struct loop *loop;
	struct status_page *page;
	unsigned line_max; // domains waiting for a place, and as many ahead
	// By which the DNS that is asked counts TTLs (clock_was_set); borrowed.
	const int64_t *clock_offset_ms;
};

struct question {
	struct ident id; // nexthop_from_id takes it
	struct asker *asker;
	uint32_t ask_id;
	// The asker's own guard goes off then; query_timeout from now at most.
	uint64_t deadline_ms;
};

// 0 or a negative errno. Holds all questions in line until flights_go.
int flights_new(const struct flights_settings *settings, struct flights **ret);

// Answered at once from the cache if another was faster, else by the flight.
void flights_ask(struct flights *flights, const struct question *question);

// A flight nobody waits for, so that the cache is fresh: LINE_AHEAD where the
// old answer is in use and soon will not do, else LINE_WAITING. 0; -EALREADY if
// there is one, -EAGAIN if there can be none now.
int flights_renew(
    struct flights *flights, struct ident id, enum line_where where);

// New flights ask dns; NULL: they wait in line.
void flights_go(struct flights *flights, struct dns *dns);
// There is no DNS to ask, and why (copied): all in line and all to come are
// turned away with that until flights_go.
void flights_refuse(struct flights *flights, const char *why);
// dns is about to be closed: its flights land with what is known.
void flights_land(struct flights *flights, const struct dns *dns);

// All that asker waits for is forgotten.
void flights_leave(struct asker *asker);

// At the end of each round of the loop: starts those that have a place.
void flights_round(struct flights *flights);
// Each second.
void flights_tick(struct flights *flights);

unsigned flights_waiting(const struct flights *flights);
void flights_free(struct flights *flights);
