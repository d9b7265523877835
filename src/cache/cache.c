// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The table: which page holds a key, and which page is to take a new one. A
// key has two pages in its part and lives in one of them; a lookup that finds
// it in the first touches no other. What a page does with an entry is page.h,
// where the pages come from segment.h.
#include "config.h"

#include "cache/cache.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/guard.h"
#include "cache/page.h"
#include "cache/segment.h"

// The first page is taken while it is filled to less than this, for the sake of
// lookups; beyond it the emptier of the two, so that all pages fill up alike
// and the file is nine tenths full before one entry pushes out another.
#define FIRST_PAGE_FILL (PAGE_OCTETS * 3 / 4)

// A hash from its low bit on: tag 16, part 6, first page 21, second page 21.
#define PART_SHIFT   16
#define FIRST_SHIFT  22
#define SECOND_SHIFT 43
#define PAGE_BITS    21

static_assert(CACHE_PARTS == 1 << (FIRST_SHIFT - PART_SHIFT),
    "the part has its bits of the hash");

struct cache {
	struct segment segment;
	uint64_t n_pages; // of a part
	bool owned[CACHE_PARTS];
};

struct place {
	unsigned part;
	struct page *first, *second;
};

// To be put.
struct entry {
	struct page_key key;
	const struct cache_value *value;
	uint64_t now_ms;
};

static struct page *
page_at(const struct cache *cache, unsigned part, uint64_t index)
{
	uint64_t number = 1 + part * cache->n_pages + index; // 0: the header

	return (struct page *)(cache->segment.base + number * PAGE_OCTETS);
}

// Which page of a part was the last that somebody began to write: the only one
// that a killed writer can have left torn, so that taking over looks at one
// page of the part and not at all of them.
static _Atomic uint64_t *
mark_of(const struct cache *cache, unsigned part)
{
	return (_Atomic uint64_t *)(cache->segment.base + SEGMENT_MARKS) + part;
}

static void
mark(const struct cache *cache, unsigned part, const struct page *page)
{
	uint64_t index = (uint64_t)(page - page_at(cache, part, 0));

	atomic_store_explicit(
	    mark_of(cache, part), index, memory_order_relaxed);
	// A killed process is like a signal handler: what it did, it did in
	// this order.
	atomic_thread_fence(memory_order_release);
}

static unsigned
part_of(uint64_t hash)
{
	return (unsigned)(hash >> PART_SHIFT) % CACHE_PARTS;
}

static struct place
place_of(const struct cache *cache, uint64_t hash)
{
	const uint64_t mask = ((uint64_t)1 << PAGE_BITS) - 1;
	uint64_t first_bits = hash >> FIRST_SHIFT & mask;
	uint64_t second_bits = hash >> SECOND_SHIFT & mask;
	unsigned part = part_of(hash);
	// Never the same page twice: the second is drawn from the others.
	uint64_t first = first_bits * cache->n_pages >> PAGE_BITS;
	uint64_t second = second_bits * (cache->n_pages - 1) >> PAGE_BITS;

	if (second >= first)
		second++;
	return (struct place){
		.part = part,
		.first = page_at(cache, part, first),
		.second = page_at(cache, part, second),
	};
}

int
cache_open(const struct cache_settings *settings, struct cache **ret,
    enum cache_opened *ret_opened, char ret_why[CACHE_ERROR_MAX],
    char ret_error[CACHE_ERROR_MAX])
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL) {
		snprintf(
		    ret_error, CACHE_ERROR_MAX, "no memory to open the cache");
		return -ENOMEM;
	}
	int r = segment_open(
	    settings, &cache->segment, ret_opened, ret_why, ret_error);
	if (r != 0) {
		free(cache);
		return r;
	}
	cache->n_pages = (settings->size / PAGE_OCTETS - 1) / CACHE_PARTS;
	*ret = cache;
	return 0;
}

int
cache_fd(const struct cache *cache)
{
	return cache->segment.fd;
}

int
cache_attach(struct cache *cache, bool writable)
{
	int r = segment_attach(&cache->segment, writable);

	for (unsigned i = 0; r == 0 && i < CACHE_PARTS; i++)
		cache->owned[i] = false;
	return r;
}

void
cache_close(struct cache *cache)
{
	segment_close(&cache->segment);
	free(cache);
}

bool
cache_is_dead(const struct cache *cache)
{
	return guard_is_dead(cache->segment.guard);
}

unsigned
cache_part(const struct cache *cache, const uint8_t *key, size_t len)
{
	return part_of(page_key(&cache->segment.secrets, key, len).hash);
}

bool
cache_get(const struct cache *cache, const uint8_t *key, size_t len,
    uint8_t ret[CACHE_VALUE_MAX], size_t *ret_len)
{
	const struct page_secrets *secrets = &cache->segment.secrets;

	if (len > CACHE_KEY_MAX || cache_is_dead(cache))
		return false;
	struct page_key wanted = page_key(secrets, key, len);
	struct place place = place_of(cache, wanted.hash);
	return page_get(place.first, secrets, &wanted, ret, ret_len) ||
	       page_get(place.second, secrets, &wanted, ret, ret_len);
}

// Every write of a page is one of these three.

static void
repair_if_torn(const struct cache *cache, unsigned part, struct page *page)
{
	if (!page_is_torn(page))
		return;
	mark(cache, part, page);
	page_repair(page, &cache->segment.secrets);
}

static void
drop_from(const struct cache *cache, const struct place *place,
    struct page *page, const struct page_key *key)
{
	mark(cache, place->part, page);
	page_drop(page, key);
}

static void
put_into(const struct cache *cache, const struct place *place,
    struct page *page, const struct entry *entry)
{
	mark(cache, place->part, page);
	page_put(page, &cache->segment.secrets, &entry->key, entry->value,
	    entry->now_ms);
}

void
cache_own(struct cache *cache, unsigned part)
{
	if (part >= CACHE_PARTS || !cache->segment.writable)
		return;
	uint64_t index =
	    atomic_load_explicit(mark_of(cache, part), memory_order_relaxed);
	if (index < cache->n_pages)
		repair_if_torn(cache, part, page_at(cache, part, index));
	cache->owned[part] = true;
}

static bool
has_room(const struct page *page, size_t octets)
{
	size_t used, entries;

	page_usage(page, &used, &entries);
	return used + octets + 4 <= PAGE_OCTETS - 8 * PAGE_HEAD_WORDS;
}

static struct page *
choose_for_new(const struct place *place, size_t octets, uint64_t now_ms)
{
	size_t first, second, entries;

	page_usage(place->first, &first, &entries);
	if (first + octets <= FIRST_PAGE_FILL)
		return place->first;
	page_usage(place->second, &second, &entries);
	struct page *emptier = first <= second ? place->first : place->second;
	if (has_room(emptier, octets))
		return emptier;
	uint64_t first_price = page_price(place->first, octets, now_ms);
	uint64_t second_price = page_price(place->second, octets, now_ms);
	return first_price <= second_price ? place->first : place->second;
}

// A key stays in its page while it has room there. Otherwise it goes before it
// comes anew: between the two it is missed, but never seen twice.
static struct page *
choose(const struct cache *cache, const struct place *place,
    const struct entry *entry)
{
	struct page *both[] = { place->first, place->second };
	struct page *keeps = NULL;
	size_t octets = page_entry_octets(entry->key.len, entry->value->len);

	for (int i = 0; i < 2; i++) {
		size_t held = page_holds(both[i], &entry->key);
		if (held == 0)
			continue;
		if (keeps == NULL &&
		    (octets <= held || has_room(both[i], octets - held)))
			keeps = both[i];
		else
			drop_from(cache, place, both[i], &entry->key);
	}
	if (keeps != NULL)
		return keeps;
	return choose_for_new(place, octets, entry->now_ms);
}

// What both kinds of change begin with: the key's place, ready to be written.
static int
prepare(const struct cache *cache, const uint8_t *octets, size_t len,
    struct page_key *ret_key, struct place *ret_place)
{
	if (len > CACHE_KEY_MAX)
		return -E2BIG;
	*ret_key = page_key(&cache->segment.secrets, octets, len);
	*ret_place = place_of(cache, ret_key->hash);
	if (!cache->owned[ret_place->part])
		return -EPERM;
	if (cache_is_dead(cache))
		return -EIO;
	repair_if_torn(cache, ret_place->part, ret_place->first);
	repair_if_torn(cache, ret_place->part, ret_place->second);
	return 0;
}

int
cache_put(struct cache *cache, const uint8_t *key, size_t len,
    const struct cache_value *value, uint64_t now_ms)
{
	struct entry entry = { .value = value, .now_ms = now_ms };
	struct place place;

	if (value->len > CACHE_VALUE_MAX)
		return -E2BIG;
	int r = prepare(cache, key, len, &entry.key, &place);
	if (r == 0)
		put_into(cache, &place, choose(cache, &place, &entry), &entry);
	return r;
}

int
cache_drop(struct cache *cache, const uint8_t *key, size_t len)
{
	struct page_key gone;
	struct place place;
	int r = prepare(cache, key, len, &gone, &place);

	if (r != 0)
		return r;
	if (page_holds(place.first, &gone) > 0)
		drop_from(cache, &place, place.first, &gone);
	if (page_holds(place.second, &gone) > 0)
		drop_from(cache, &place, place.second, &gone);
	return 0;
}

void
cache_usage(const struct cache *cache, struct cache_usage *ret)
{
	struct cache_usage sum = { .size = cache->segment.size };
	size_t octets, entries;

	for (unsigned part = 0; part < CACHE_PARTS; part++)
		for (uint64_t i = 0; i < cache->n_pages; i++) {
			page_usage(page_at(cache, part, i), &octets, &entries);
			sum.n_octets += octets;
			sum.n_entries += entries;
		}
	*ret = sum;
}
