// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One page of the cache: a handful of entries behind a sequence number, drawn
// in src/cache/FORMAT. One process writes a page, any number read it at the
// same time, and neither trusts a bit of it: what is read is copied out first
// and checked in the copy. Knows nothing of files, parts or processes.
#pragma once

#include "cache/cache.h"
#include "cache/siphash.h"

#include <stdatomic.h>

#define PAGE_OCTETS 16384
#define PAGE_WORDS (PAGE_OCTETS / 8)
#define PAGE_HEAD_WORDS 2
#define PAGE_ENTRY_HEAD_WORDS 3
#define PAGE_ENTRY_WORDS_MAX                                                   \
	(PAGE_ENTRY_HEAD_WORDS + (CACHE_KEY_MAX + CACHE_VALUE_MAX + 7) / 8)
// Four octets of slot and the smallest entry each.
#define PAGE_SLOTS_MAX                                                         \
	((PAGE_OCTETS - 8 * PAGE_HEAD_WORDS) / (4 + 8 * PAGE_ENTRY_HEAD_WORDS))

// In the file. All zeros is an empty page.
struct page {
	_Atomic uint64_t words[PAGE_WORDS];
};

struct page_secrets {
	uint8_t index[SIPHASH_KEY_LEN]; // of the hash of a key
	uint8_t sum[SIPHASH_KEY_LEN];	// of an entry's checksum
};

struct page_key {
	const uint8_t *octets;
	size_t len;    // at most CACHE_KEY_MAX
	uint64_t hash; // its low 16 bits are the tag
};

struct page_key page_key(
    const struct page_secrets *secrets, const uint8_t *octets, size_t len);

// Reader. A consistent copy of the value, or false.
bool page_get(const struct page *page, const struct page_secrets *secrets,
    const struct page_key *key, uint8_t ret[CACHE_VALUE_MAX], size_t *ret_len);

// Octets of entries and slots, and number of entries; zeros for a page whose
// head makes no sense.
void page_usage(
    const struct page *page, size_t *ret_octets, size_t *ret_entries);

// Writer: work on a private copy, then page_write.
struct page_draft {
	uint64_t words[PAGE_WORDS];
};

// What an entry and its slot take.
size_t page_entry_octets(size_t key_len, size_t value_len);

// The entry of a key takes so many octets of this page; 0: it is not there.
size_t page_holds(const struct page *page, const struct page_key *key);

// A number that grows with the worth of an entry.
uint64_t page_worth(uint64_t ends_ms, uint64_t worthless_ms, bool strict,
    uint64_t now_ms);

// What would have to go to make room for so many octets: the worth of the most
// valuable one, or 0 if there is room.
uint64_t page_price(const struct page *page, size_t octets, uint64_t now_ms);

// Replaces what the page held for this key. Worthless entries are swept out,
// and the least valuable ones until there is room.
void page_put(struct page *page, const struct page_secrets *secrets,
    const struct page_key *key, const struct cache_value *value,
    uint64_t now_ms);
void page_drop(struct page *page, const struct page_key *key);

// A writer died in the middle of a page.
bool page_is_torn(const struct page *page);

// Keeps the entries whose checksums are right, each key once.
void page_repair(struct page *page, const struct page_secrets *secrets);
