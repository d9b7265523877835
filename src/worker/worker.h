// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A worker: the process that talks to Postfix. Serves cached answers by
// itself, asks resolvers for the others, and never waits for one connection
// on behalf of another. No network beyond its sockets, no file to write.
#pragma once

#include "base/conf.h"
#include "base/status.h"
#include "cache/cache.h"
#include "policy/rules.h"

struct worker_settings {
	unsigned index;
	const struct conf *conf;
	struct cache *cache;       // attached, read-only
	const struct rules *rules; // NULL: none
	int parent;                // order.h channel
	const int *listeners;      // listening sockets, non-blocking
	unsigned n_listeners;
	unsigned n_resolvers;     // their descriptors arrive by ORDER_RESOLVER
	struct status_page *page; // its own
	const struct status_page *pages; // of all children, for the sum of
	unsigned n_pages;                // connections
	// Of the workers of this generation, by index, to share clients with;
	// may be none.
	const struct status_page *workers;
	unsigned n_workers;
};

// Runs until ORDER_FINISH is done with or the parent is gone. Returns the exit
// status of the process.
int worker_main(const struct worker_settings *settings);
