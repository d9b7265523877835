// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Which worker takes the next client, by what their status pages say.
#include "config.h"

#include "table.h"

#include "worker/turn.h"

#include <string.h>

#define N      3
#define NOW_MS 100000

// Workers with so many clients.
#define FREE(n)                                                          \
	{                                                                \
		NOW_MS - 1000, TURN_BUSY_PERMILLE, n, TURN_IN_FLIGHT_MAX \
	}
#define BUSY(n)                                             \
	{                                                   \
		NOW_MS - 1000, TURN_BUSY_PERMILLE + 1, n, 0 \
	}
#define ASKING(n)                                           \
	{                                                   \
		NOW_MS - 1000, 0, n, TURN_IN_FLIGHT_MAX + 1 \
	}
#define SLOW(n)                                      \
	{                                            \
		NOW_MS - TURN_SILENT_MS + 1, 0, n, 0 \
	}
#define STOPPED(n)                               \
	{                                        \
		NOW_MS - TURN_SILENT_MS, 0, n, 0 \
	}
#define STARTING(n)        \
	{                  \
		0, 0, n, 0 \
	}

static const struct row {
	const char *sentence;
	unsigned me;
	bool anothers;

	struct {
		uint64_t beat_ms;
		uint32_t busy_permille, n_connections, n_in_flight;
	} workers[N];
} rows[] = {
	{ "the first worker with time to spare takes the client", 0, false,
	    { FREE(900), FREE(0), FREE(0) } },
	{ "the second lets it go first, however many it has", 1, true,
	    { FREE(900), FREE(0), FREE(0) } },
	{ "and so does the last", 2, true, { FREE(900), BUSY(0), FREE(0) } },
	{ "a busy worker lets the next with time go first", 0, true,
	    { BUSY(0), FREE(9), FREE(0) } },
	{ "the first with time stands in for those that are busy", 1, false,
	    { BUSY(0), FREE(9), FREE(0) } },
	{ "one that waits for many lookups has no time", 0, true,
	    { ASKING(0), FREE(9), FREE(0) } },
	{ "one that does not beat is not waited for", 1, false,
	    { STOPPED(0), FREE(9), FREE(0) } },
	{ "one that has not begun is not waited for", 1, false,
	    { STARTING(0), FREE(9), FREE(0) } },
	{ "one that is just still beating is", 1, true,
	    { SLOW(0), FREE(9), FREE(0) } },
	{ "its own beat matters to nobody but others", 0, false,
	    { STARTING(0), FREE(9), FREE(0) } },
	{ "where nobody has time, a few more clients are no matter", 0, false,
	    { BUSY(16), ASKING(0), BUSY(20) } },
	{ "where nobody has time, who is ahead lets others go first", 0, true,
	    { BUSY(18), BUSY(0), BUSY(20) } },
	{ "a sixteenth of many is no matter either", 0, false,
	    { BUSY(1600), BUSY(1484), BUSY(1600) } },
	{ "more than that is", 0, true,
	    { BUSY(1600), BUSY(1483), BUSY(1600) } },
	{ "who has fewest never lets others go first", 1, false,
	    { BUSY(900), BUSY(0), BUSY(900) } },
	{ "the fewest of one that does not beat do not count", 0, false,
	    { BUSY(900), STOPPED(0), BUSY(900) } },
};

static void
check(void **state)
{
	const struct row *row = *state;
	struct status_page workers[N];

	memset(workers, 0, sizeof(workers));
	for (unsigned i = 0; i < N; i++) {
		workers[i].heartbeat_ms = row->workers[i].beat_ms;
		workers[i].busy_permille = row->workers[i].busy_permille;
		workers[i].n_connections = row->workers[i].n_connections;
		workers[i].n_in_flight = row->workers[i].n_in_flight;
	}
	assert_int_equal(
	    turn_is_anothers(workers, N, row->me, NOW_MS), row->anothers);
}

static void
alone(void **state)
{
	struct status_page worker;

	(void)state;
	memset(&worker, 0, sizeof(worker));
	worker.busy_permille = 1000;
	worker.n_connections = 4096;
	assert_false(turn_is_anothers(&worker, 1, 0, NOW_MS));
}

int
main(void)
{
	TABLE_ADD(rows, check);
	table_add("a worker that is alone takes all", alone, NULL);
	return table_run("turn");
}
