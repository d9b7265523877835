// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One child process: born with one channel to the parent, told by orders, and
// gone when its channel ends. Knows nothing of generations.
#pragma once

#include "base/conf.h"
#include "base/status.h"
#include "cache/cache.h"
#include "parent/listen.h"
#include "policy/rules.h"

#include <stdbool.h>

enum child_kind { CHILD_WORKER = 0, CHILD_RESOLVER, CHILD_CONTROL };

struct child {
	enum child_kind kind;
	unsigned index;
	pid_t pid;        // 0: not running
	int channel;      // order.h; -1: not running
	bool ready, left; // as said by orders
	uint64_t started_ms, restart_ms;
	unsigned backoff_ms;
	// The parent's own rounds are counted, not time: a machine that slept
	// must not look like a child that hangs.
	uint64_t last_beat_ms;
	unsigned silent_rounds;
	struct status_page *page;
	// Control: its last wish for a reload, and the last that the reload
	// under way has heeded.
	uint32_t wish, heeded;
};

// What all children of a generation are born with.
struct child_world {
	const struct conf *conf;
	struct cache *cache;
	const struct dns_source *source;
	const struct rules *rules; // NULL: none
	const struct listeners *listeners;
	unsigned n_workers, n_resolvers;
	struct status_page *pages;
	// Runs first in the child: closes what is the parent's alone.
	void (*leave_parent)(void *arg);
	void *arg;
};

// 0 or a negative errno.
int child_start(
    struct child *child, const struct child_world *world, uint64_t now_ms);

// After waitpid: says how it ended and when it may start again. expected: it
// had been told to finish.
void child_ended(
    struct child *child, int wait_status, bool expected, uint64_t now_ms);

// An order; a child that does not take it (it must be hanging) is ended.
void child_order(struct child *child, unsigned order_kind);
void child_order_fd(struct child *child, unsigned order_kind, unsigned index,
    unsigned count, int fd);

// Whether such an order is one of this child's: a worker or resolver that was
// broken into must not get the sockets and end the daemon.
bool child_may_say(const struct child *child, unsigned order_kind);

// "worker 1"
const char *child_name(const struct child *child, char ret[32]);
