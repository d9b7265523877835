// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The DNS context, and whether the root validates in it: tried until it does,
// and made anew when somebody sets the clock. Without a root that validates
// nothing is ever asked, for libunbound without an anchor that holds takes
// all the world for insecure.
#pragma once

#include "base/loop.h"
#include "dns/dns.h"

// Longest time that one attempt at the root may take.
#define ANCHOR_ATTEMPT_MS   10000
// Between attempts: doubled each time.
#define ANCHOR_RETRY_MIN_MS 1000
#define ANCHOR_RETRY_MAX_MS 30000

struct anchor;

struct anchor_hooks {
	void (*held)(void *arg, struct dns *dns); // the root has validated
	void (*failed)(void *arg, const char *why_not); // and is tried again
	// About to be closed: whoever has lookups in it lets go of them now.
	void (*closing)(void *arg, struct dns *dns);
	void *arg;
};

// 0 or -ENOMEM. The first attempt is made by the loop; the source must outlive
// the anchor. retire_ms: how long a context that has
// been replaced may finish its lookups.
int anchor_new(struct loop *loop, const struct dns_source *source,
    uint64_t retire_ms, const struct anchor_hooks *hooks, struct anchor **ret);

// Forgets all records: a new context, and a new attempt at the root. Until
// held is called again there is no context for new lookups.
void anchor_renew(struct anchor *anchor);

// Closes all contexts without a word: nobody has lookups in them any more.
void anchor_free(struct anchor *anchor);
