// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The cache: entries of next-hops in a file that is mapped by all processes
// and outlives them. Its bytes are drawn in src/cache/FORMAT.
//
// The table has CACHE_PARTS parts. A part has one writer at a time; readers
// take no lock: they copy out, check, and use the copy, and any doubt is a
// miss. The file is treated as hostile input throughout. Values are opaque
// bytes here, but for the few fields of struct cache_value that eviction needs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CACHE_PARTS 64
#define CACHE_KEY_MAX 256    // octets
#define CACHE_VALUE_MAX 6144 // octets; larger ones are refused (-E2BIG)
#define CACHE_CONTEXT_LEN 32
#define CACHE_SIZE_MIN (4u << 20)
#define CACHE_ERROR_MAX 256

struct cache;

// What an entry is worth, for eviction: those past their end go first (strict
// ones only past their end and the stale time), then those without DANE, then
// those nearest to their end.
struct cache_value {
	uint64_t ends_ms;      // CLOCK_BOOTTIME
	uint64_t worthless_ms; // from then on of no use at all
	bool strict;
	const uint8_t *data;
	size_t len;
};

struct cache_settings {
	const char *path;
	uint64_t size;			    // of the file, octets
	uint8_t context[CACHE_CONTEXT_LEN]; // trust anchors, resolver_config,
					    // version of the decision
	uid_t owner;			    // the file must be this user's
	gid_t group;
};

enum cache_opened { CACHE_KEPT = 0, CACHE_MADE, CACHE_REPLACED };

// Parent only. Takes the lock file (PATH.lock, an fcntl lock: it ends with this
// process), trying for a second; then keeps the file there is, or makes a new
// one, allocated in full and renamed into place, when it is missing or of
// another version, size, context, boot or owner, or damaged; ret_why says
// which in words that continue "the file there was" (empty unless replaced).
// -EBUSY: another daemon holds it. error always says what, where and how to
// mend it. The folder is not made here. A process may have several caches open
// at one path, the last one made being in place.
int cache_open(const struct cache_settings *settings, struct cache **ret,
    enum cache_opened *ret_opened, char ret_why[CACHE_ERROR_MAX],
    char ret_error[CACHE_ERROR_MAX]);

// The mapping's descriptor, to be inherited by children.
int cache_fd(const struct cache *cache);

// Child: drops the parent's mapping (shared by fork) for one of its own,
// read-only for workers. The cache descriptor and the lock's are closed.
int cache_attach(struct cache *cache, bool writable);

void cache_close(struct cache *cache);

// From 0 to CACHE_PARTS - 1.
unsigned cache_part(const struct cache *cache, const uint8_t *key, size_t len);

// A consistent copy of the value, or false. Never blocks, never writes.
bool cache_get(const struct cache *cache, const uint8_t *key, size_t len,
    uint8_t ret[CACHE_VALUE_MAX], size_t *ret_len);

// Writers: first own the part (repairs what a killed writer left), then put
// and drop in it. A put replaces what was there for the key, and for want of
// room the entries that are worth least go, never the new one. -EPERM in a part
// not owned, -E2BIG, -EIO once the cache is dead.
void cache_own(struct cache *cache, unsigned part);
int cache_put(struct cache *cache, const uint8_t *key, size_t len,
    const struct cache_value *value, uint64_t now_ms);
int cache_drop(struct cache *cache, const uint8_t *key, size_t len);

// Somebody cut the file under us: the SIGBUS handler that cache_attach and
// cache_open install has mapped zeros over it, every lookup is a miss, and the
// parent should make a new one.
bool cache_is_dead(const struct cache *cache);

struct cache_usage {
	uint64_t n_entries, n_octets, size;
};
// Counts from the page headers: some milliseconds, and a page fault for each
// page that this process has not touched yet.
void cache_usage(const struct cache *cache, struct cache_usage *ret);
