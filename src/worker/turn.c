// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What workers know of each other is a second old and may be wrong: it decides
// who is to be quicker, never whether a client is taken.
#include "config.h"

#include "worker/turn.h"

static bool
is_alive(const struct status_page *worker, uint64_t now_ms)
{
	uint64_t beat_ms =
	    atomic_load_explicit(&worker->heartbeat_ms, memory_order_relaxed);

	return beat_ms != 0 && now_ms < beat_ms + TURN_SILENT_MS;
}

static bool
has_time(const struct status_page *worker)
{
	return atomic_load_explicit(&worker->busy_permille,
		   memory_order_relaxed) <= TURN_BUSY_PERMILLE &&
	       atomic_load_explicit(&worker->n_in_flight,
		   memory_order_relaxed) <= TURN_IN_FLIGHT_MAX;
}

static uint32_t
clients_of(const struct status_page *worker)
{
	return atomic_load_explicit(
	    &worker->n_connections, memory_order_relaxed);
}

bool
turn_is_anothers(
    const struct status_page *workers, unsigned n, unsigned me, uint64_t now_ms)
{
	uint32_t mine = clients_of(&workers[me]), least = mine;

	for (unsigned i = 0; i < n; i++) {
		if (i != me && !is_alive(&workers[i], now_ms))
			continue;
		if (has_time(&workers[i]))
			return i != me;
		uint32_t theirs = clients_of(&workers[i]);
		if (theirs < least)
			least = theirs;
	}
	return mine - least > TURN_AHEAD + mine / 16;
}
