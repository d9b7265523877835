// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One domain that is being looked up, from the end of the line to its landing:
// its walk through the DNS, its lookups, and all who wait for its answer. Only
// flights.c includes this.
#pragma once

#include "resolver/arena.h"
#include "resolver/diary.h"
#include "resolver/flights.h"
#include "resolver/line.h"
#include "resolver/reply.h"

LIST_HEAD(flight_list, flight);

// What they share.
struct flights {
	struct flights_settings with;
	struct reply_env reply;
	uint64_t timeout_ms, margin_ms;
	struct dns *dns; // for those that start; NULL: they wait
	char why_not[FACTS_REASON_MAX + 1]; // not empty: nothing can be asked
	struct line line;
	struct idmap *map;
	struct diary diary;
	struct event *turn; // a place may come free
	struct flight_list all;
	unsigned n_waiters;
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

struct lookup; // private

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
	struct walk *walk; // NULL: in line
	struct arena arena;
	LIST_HEAD(, lookup) lookups;
	struct event *spare; // until spare questions go out
	unsigned n_beats;    // of that
	uint8_t id[];
};

// Where a node that lives inside a flight belongs.
#define FLIGHT_OF(pointer, member)                             \
	((struct flight *)(void *)((char *)(pointer)-offsetof( \
	    struct flight, member)))

// In line, LINE_WAITING or LINE_AHEAD, with nobody waiting: it ends after
// query_timeout. NULL, and why.
struct flight *flight_new(struct flights *flights, struct ident id,
    enum line_where where, const char **ret_why);

// 0, -ENOSPC if too many wait, or -ENOMEM.
int flight_join(struct flight *flight, const struct question *question);
// The waiter is forgotten; the flight goes on.
void flight_leave(struct waiter *waiter);

// From the line into the air. May land at once.
void flight_start(struct flight *flight);

// The verdict as known now, to all who wait and to the cache; then the end.
void flight_land(struct flight *flight);

// Why there is no answer, to all who wait; then the end.
void flight_refuse(struct flight *flight, const char *why);

// The end, without a word to anybody.
void flight_free(struct flight *flight);
