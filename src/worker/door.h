// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Where connections come in: accepts them one at a time, and lets the worker
// whose turn it is go first (turn.h); holds max_connections over all workers.
// Out of descriptors or memory, it waits a moment and those inside go on. Knows
// nothing of what connections do.
#pragma once

#include "base/loop.h"
#include "base/status.h"
#include "worker/conn.h"

#define DOOR_LISTENERS_MAX 64
#define DOOR_PAUSE_MS      100
// How long the worker whose turn it is may be expected to take a client.
#define DOOR_YIELD_MS      1
// At max_connections, who has been idle for longer makes room.
#define DOOR_IDLE_MS       10000

struct door_settings {
	struct loop *loop;
	const int *listeners; // borrowed
	unsigned n_listeners;
	unsigned max_connections;
	const struct status_page *pages; // of all children
	unsigned n_pages;
	// The workers that share the listeners, this one among them; none: it
	// is alone.
	const struct status_page *workers;
	unsigned n_workers, index;
	struct conns *conns;
};

struct door;

// 0, -ENOMEM, or -EINVAL for too many listeners. Open from the start.
int door_new(const struct door_settings *settings, struct door **ret);

// For good: what waits in the listeners' queues is another's.
void door_close(struct door *door);
void door_free(struct door *door);
