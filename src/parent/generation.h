// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A generation: one configuration and the children that run on it. At a reload
// a new one takes over from the old: first the clients, then the parts of the
// cache.
#pragma once

#include "dns/dns.h"
#include "parent/child.h"

#include <stdbool.h>

// Half of the status pages each: at most two generations live.
#define GENERATION_CHILDREN_MAX  (STATUS_CHILDREN_MAX / 2)
#define GENERATION_RESOLVERS_MAX 16

struct parent;

struct generation {
	struct parent *parent;
	struct conf *conf;
	struct cache *cache; // may be shared with the other generation
	struct rules *rules; // of its policy file; NULL: none
	struct dns_settings dns_settings;   // of conf
	struct dns_source *source;          // read at its beginning
	uint8_t context[CACHE_CONTEXT_LEN]; // digest of that
	struct listeners listeners;
	unsigned n_workers, n_resolvers;
	unsigned n_children;    // with the control process, if there is one
	bool owns;              // its resolvers may write to the cache
	bool finishing;         // no child is started again
	bool moving;            // its clients are on their way to the next one
	uint64_t moving_end_ms; // then nobody is waited for
	bool resolvers_told;    // to finish
	uint64_t end_ms;        // then what is left is ended; 0: never
	struct child children[GENERATION_CHILDREN_MAX]; // workers first
	struct child_world world;
};

// Fills in children from conf; pages are those of its half.
void generation_plan(struct generation *gen, struct status_page *pages);

// Starts those that are due. Returns when the next one is, 0 for none.
uint64_t generation_start_due(struct generation *gen, uint64_t now_ms);

// The child with that pid, or NULL.
struct child *generation_find(struct generation *gen, pid_t pid);

// Those who answer Postfix do; the control process is waited for by nobody.
bool generation_is_ready(const struct generation *gen);
bool generation_is_gone(const struct generation *gen);
// It is finishing, and none of its resolvers can write any more.
bool generation_has_left_cache(const struct generation *gen);

// A reload begins, which heeds all that was wished so far; and how it ended,
// for those who wished it.
void generation_heed(struct generation *gen);
void generation_reloaded(struct generation *gen, bool in_force);

// Its resolvers own their parts from now on.
void generation_own(struct generation *gen);

// Hands the clients of old's workers to gen's: old is moving until
// generation_moved is called.
void generation_inherit(
    struct generation *gen, struct generation *old, uint64_t now_ms);
// No worker takes a new question any more; one that hangs is waited for for
// GENERATION_MOVE_MAX_MS.
#define GENERATION_MOVE_MAX_MS 2000
bool generation_has_moved(const struct generation *gen, uint64_t now_ms);
// Tells those who wished the reload.
void generation_moved(struct generation *gen);

// Workers finish their replies and end; then the resolvers.
void generation_finish(struct generation *gen, uint64_t now_ms);
// Call when a child has ended.
void generation_settle(struct generation *gen);
// Ends what is left past end_ms.
void generation_enforce(struct generation *gen, uint64_t now_ms);

// Once a second: ends children that are silent for too long; true if all that
// answer Postfix run and beat.
bool generation_watch(struct generation *gen);
