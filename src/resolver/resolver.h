// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A resolver: the process that talks to the DNS, and the only writer of its
// parts of the cache. A domain always goes to the same one, so that equal
// questions in flight are one.
#pragma once

#include "base/conf.h"
#include "base/status.h"
#include "cache/cache.h"
#include "dns/dns.h"

struct resolver_settings {
	unsigned index, count; // owns the parts p with p % count == index
	const struct conf *conf;
	struct cache *cache; // attached, writable
	// What the cache was opened under (trust.h); must outlive the process.
	const struct dns_source *source;
	int parent; // order.h channel
	struct status_page *page;
};

// As worker_main.
int resolver_main(const struct resolver_settings *settings);

#define RESOLVER_LINE_MAX    50000  // domains waiting for a place
#define RESOLVER_REFRESH_MAX 100000 // refreshes promised
