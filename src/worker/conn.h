// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The connections of a worker: reads requests, writes replies in the order of
// their requests, and keeps each client's slowness its own. Knows nothing of
// what requests mean, nor where connections come from.
//
// Memory of a connection: at most one read's worth of octets not yet answered,
// one round's worth of replies not yet taken, and CONN_LINE_MAX places in line.
// Whoever does not read his replies is not read from.
#pragma once

#include "base/conf.h"
#include "base/loop.h"
#include "base/status.h"
#include "wire/socketmap.h"
#include "worker/query.h"

// Read at once, leftover included: a longest request, and room to go on.
#define CONN_READ_MAX   16384
// Replies of one connection in one round, octets, and one reply more.
#define CONN_ROUND_MAX  65536
// Questions of one connection with resolvers, or replies behind them.
#define CONN_LINE_MAX   64
// At its end a worker waits so long for the first question of a client.
#define CONN_FIRST_MS   1000
// How long, and for how many octets, a client that was told off may go on
// sending before the connection is reset under it.
#define CONN_LINGER_MS  1000
#define CONN_LINGER_MAX (256u << 10)

struct conns;

struct conns_settings {
	struct loop *loop;
	const struct conf *conf;
	struct query_desk *desk;
	struct status_page *page;
};

// 0 or a negative errno.
int conns_new(const struct conns_settings *settings, struct conns **ret);
// Closes all.
void conns_free(struct conns *conns);

// For query_desk_settings.
void conns_answered(struct query *query);

// Takes a non-blocking socket in any case, with octets that were read from it
// and not answered (at most ORDER_LEFTOVER_MAX).
void conns_adopt(struct conns *conns, int fd, const char *leftover, size_t len);

unsigned conns_count(const struct conns *conns);

// Counts n_more connections more in the status page than there are, until the
// next connection comes or goes: a place is taken before it is filled.
void conns_reserve(const struct conns *conns, unsigned n_more);

// Closes the one that has been idle longest, if for longer than idle_ms.
bool conns_close_idle(struct conns *conns, uint64_t idle_ms);

// Call once a second: idle_timeout, and those that conns_finish waits for.
void conns_sweep(struct conns *conns);

// Closes those that owe no reply now, the others when they owe none any more.
// One that came within the last CONN_FIRST_MS may still ask its first question.
void conns_finish(struct conns *conns);

// Hands them over instead (order_bequeath), and falls back to conns_finish if
// the heir is gone. Takes the channel.
void conns_bequeath(struct conns *conns, int heir);
