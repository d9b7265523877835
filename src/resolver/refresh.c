// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Promises, each with a timer. The cache may have lost or replaced an entry by
// the time its promise is due: then there is nothing to keep.
#include "config.h"

#include "resolver/refresh.h"

#include <sys/queue.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "resolver/kept.h"

#define MS_PER_S      UINT64_C(1000)
// Timers count from the begin of a round of the loop and may be early by it.
#define TURN_SLACK_MS 50

struct refresh {
	struct refresh_settings with;
	struct idmap *map;
	LIST_HEAD(, promise) promises;
};

struct promise {
	struct refresh *refresh;
	LIST_ENTRY(promise) link;
	struct idmap_node node;
	struct event *timer;
	uint64_t ends_ms; // of the entry that it was made for
	uint8_t id[];
};

#define PROMISE_OF(pointer)                                     \
	((struct promise *)(void *)((char *)(pointer)-offsetof( \
	    struct promise, node)))

static void
promise_free(struct promise *promise)
{
	idmap_remove(promise->refresh->map, &promise->node);
	LIST_REMOVE(promise, link);
	event_free(promise->timer);
	free(promise);
}

// libunbound counts in seconds of the wall clock, and gives a record out until
// its last one is over: asked in between it would repeat what it knows, with a
// TTL of zero. The grace of two seconds has room for that.
static uint64_t
to_turn_of_second_ms(uint64_t wait_ms)
{
	struct timespec wall;
	uint64_t past_ms;

	clock_gettime(CLOCK_REALTIME, &wall);
	past_ms = ((uint64_t)wall.tv_nsec / 1000000 + wait_ms) % MS_PER_S;
	return wait_ms + (MS_PER_S - past_ms) + TURN_SLACK_MS;
}

static void
set_timer(struct promise *promise)
{
	uint64_t now_ms = loop_now_ms(promise->refresh->with.loop);
	uint64_t wait_ms =
	    promise->ends_ms > now_ms ? promise->ends_ms - now_ms : 0;

	wait_ms = to_turn_of_second_ms(wait_ms);

	struct timeval wait = {
		.tv_sec = (time_t)(wait_ms / MS_PER_S),
		.tv_usec = (suseconds_t)(wait_ms % MS_PER_S * 1000),
	};

	evtimer_add(promise->timer, &wait);
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	struct promise *promise = arg;
	const struct refresh_settings *with = &promise->refresh->with;
	struct kept kept;

	(void)fd;
	(void)what;
	if (kept_read(with->cache, promise->node.id, &kept) &&
	    kept.entry.has_answer && kept.entry.ends_ms == promise->ends_ms)
		flights_renew(with->flights, promise->node.id, LINE_AHEAD);
	promise_free(promise);
}

// One that stands already is from now on for the entry as it is: another lookup
// may have replaced the one that it was made for.
static void
promise_make(struct refresh *refresh, struct ident id, uint64_t ends_ms)
{
	struct idmap_node *node = idmap_find(refresh->map, id);
	struct promise *promise;

	if (node) {
		promise = PROMISE_OF(node);
		promise->ends_ms = ends_ms;
		set_timer(promise);
		return;
	}
	if (idmap_count(refresh->map) >= refresh->with.promises_max)
		return;
	promise = calloc(1, sizeof(*promise) + id.len);
	if (!promise)
		return;
	promise->timer =
	    evtimer_new(loop_base(refresh->with.loop), on_end, promise);
	if (!promise->timer) {
		free(promise);
		return;
	}
	promise->refresh = refresh;
	promise->ends_ms = ends_ms;
	memcpy(promise->id, id.octets, id.len);
	promise->node.id = (struct ident){ promise->id, id.len };
	idmap_add(refresh->map, &promise->node);
	LIST_INSERT_HEAD(&refresh->promises, promise, link);
	set_timer(promise);
}

// An entry past its end. One that a failure has made stale goes on for long:
// it is tried again in the order of all others, for thousands whose servers are
// silent may be so.
static void
renew(struct refresh *refresh, struct ident id, const struct entry *entry,
    uint64_t now_ms)
{
	struct flights *flights = refresh->with.flights;

	if (!entry->has_defer)
		flights_renew(flights, id, LINE_AHEAD);
	else if (entry->deferred_until_ms <= now_ms)
		flights_renew(flights, id, LINE_WAITING);
}

void
refresh_hint(struct refresh *refresh, struct ident id)
{
	const struct refresh_settings *with = &refresh->with;
	// The loop's time may be older than that of who hints.
	uint64_t now_ms = clock_boot_ms();
	struct kept kept;
	struct entry *entry = &kept.entry;

	if (!kept_read(with->cache, id, &kept) || !entry->has_answer)
		return;
	if (entry->ends_ms <= now_ms) {
		renew(refresh, id, entry, now_ms);
		return;
	}
	promise_make(refresh, id, entry->ends_ms);
	// Not noted in a part that is not ours yet: then the entry ends without
	// grace, and its refresh finds who waits.
	if (idmap_find(refresh->map, id) && !entry->refreshing) {
		entry->refreshing = true;
		kept_write(with->cache, id, entry, with->conf, now_ms);
	}
}

unsigned
refresh_promised(const struct refresh *refresh)
{
	return idmap_count(refresh->map);
}

int
refresh_new(const struct refresh_settings *settings, struct refresh **ret)
{
	struct refresh *refresh = calloc(1, sizeof(*refresh));
	int r;

	if (!refresh)
		return -ENOMEM;
	r = idmap_new(&refresh->map);
	if (r < 0) {
		free(refresh);
		return r;
	}
	refresh->with = *settings;
	LIST_INIT(&refresh->promises);
	*ret = refresh;
	return 0;
}

void
refresh_free(struct refresh *refresh)
{
	if (!refresh)
		return;
	while (!LIST_EMPTY(&refresh->promises))
		promise_free(LIST_FIRST(&refresh->promises));
	idmap_free(refresh->map);
	free(refresh);
}
