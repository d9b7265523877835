// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Any octets as the pages of one part of a cache, alone or laid over sound
// entries, read, taken over and written. The first octet says what is done. An
// entry that was there before is found as it was or not at all; a value that
// is put must come back, whatever the page held.
//
// Under test: src/cache/page.c src/cache/cache.c src/cache/siphash.c
// Longest input: 49153
#include "config.h"

#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "cache/cache.h"
#include "cache/page.h"
#include "cache/segment.h"

// The first octet, around the number of the page last written.
enum {
	STRICT = 1,
	DROP = 2,
	PATCHES = 4,
	OVER_SOUND = 8,
	MARK_SHIFT = 4,
	MARK_MASK = 7,
	FILL = 128,
};

static struct cache *cache;
static uint8_t *file;

// Keys of the first part, where the octets go. The first is put, the others
// are there before.
#define N_KEYS 12
static uint8_t keys[N_KEYS][4];
static const uint8_t *const key = keys[0];
static uint8_t sound[3 * PAGE_OCTETS]; // a part of the least cache

// In place of the C library's: with the same secrets in every run, what was
// found once is found again.
ssize_t
getrandom(void *ret, size_t len, unsigned flags)
{
	(void)flags;
	memset(ret, 'x', len);
	return (ssize_t)len;
}

static void
find_keys(void)
{
	size_t n = 0;

	for (uint32_t i = 0; n < N_KEYS; i++) {
		memcpy(keys[n], &i, sizeof(keys[n]));
		n += cache_part(cache, keys[n], sizeof(keys[n])) == 0;
	}
}

static void
fill_sound(void)
{
	cache_own(cache, 0);
	for (size_t i = 1; i < N_KEYS; i++) {
		const struct cache_value value = { .ends_ms = 100,
			.worthless_ms = 1000,
			.data = keys[i],
			.len = sizeof(keys[i]) };
		if (cache_put(cache, keys[i], sizeof(keys[i]), &value, 0) != 0)
			abort();
	}
	memcpy(sound, file + PAGE_OCTETS, sizeof(sound));
}

static void
check_sound(bool untouched)
{
	static uint8_t found[CACHE_VALUE_MAX];
	size_t len;

	for (size_t i = 1; i < N_KEYS; i++) {
		bool is_there =
		    cache_get(cache, keys[i], sizeof(keys[i]), found, &len);
		REQUIRE(is_there || !untouched);
		REQUIRE(!is_there || len == sizeof(keys[i]));
		REQUIRE(!is_there || memcmp(found, keys[i], len) == 0);
	}
}

// More than there is room for: the new one stays, whoever has to go.
static void
fill(void)
{
	static uint8_t octets[CACHE_VALUE_MAX], found[CACHE_VALUE_MAX];
	size_t len;

	for (size_t i = 1; i < N_KEYS; i++) {
		const struct cache_value value = { .ends_ms = 10 * i,
			.worthless_ms = 1000,
			.strict = i % 3 == 0,
			.data = memset(octets, (int)i, sizeof(octets)),
			.len = sizeof(octets) - i };

		REQUIRE(
		    cache_put(cache, keys[i], sizeof(keys[i]), &value, i) == 0);
		REQUIRE(
		    cache_get(cache, keys[i], sizeof(keys[i]), found, &len));
		REQUIRE(len == value.len && memcmp(found, octets, len) == 0);
	}
}

// Every octet is that of its number.
static void
check_filled(void)
{
	static uint8_t found[CACHE_VALUE_MAX];
	size_t len;

	for (size_t i = 1; i < N_KEYS; i++) {
		if (!cache_get(cache, keys[i], sizeof(keys[i]), found, &len))
			continue;
		REQUIRE(len == CACHE_VALUE_MAX - i);
		for (size_t at = 0; at < len; at++)
			REQUIRE(found[at] == i);
	}
}

static void
open_once(void)
{
	char path[64], why[CACHE_ERROR_MAX], error[CACHE_ERROR_MAX];
	struct cache_settings settings = { .path = path,
		.size = CACHE_SIZE_MIN,
		.owner = geteuid(),
		.group = getegid() };
	enum cache_opened opened;

	snprintf(path, sizeof(path), "/tmp/fuzz_cache.%ld", (long)getpid());
	if (cache_open(&settings, &cache, &opened, why, error) != 0)
		abort();
	unlink(path);
	strcat(path, ".lock");
	unlink(path);
	file = mmap(NULL, CACHE_SIZE_MIN, PROT_READ | PROT_WRITE, MAP_SHARED,
	    cache_fd(cache), 0);
	if (file == MAP_FAILED)
		abort();
	find_keys();
	fill_sound();
}

static void
read_back(const uint8_t *data, size_t size)
{
	static uint8_t found[CACHE_VALUE_MAX];
	size_t len = 0;

	if (!cache_get(cache, key, sizeof(keys[0]), found, &len) ||
	    len != size || memcmp(found, data, size) != 0)
		abort();
}

static void
put_and_drop(const uint8_t *data, size_t size, uint8_t how)
{
	static uint8_t found[CACHE_VALUE_MAX];
	const struct cache_value value = { .ends_ms = how,
		.worthless_ms = 1000,
		.strict = (how & STRICT) != 0,
		.data = data,
		.len = size < CACHE_VALUE_MAX ? size : CACHE_VALUE_MAX };
	size_t len;

	if (cache_put(cache, key, sizeof(keys[0]), &value, how) != 0)
		abort();
	read_back(data, value.len);
	if ((how & DROP) != 0 &&
	    (cache_drop(cache, key, sizeof(keys[0])) != 0 ||
		cache_get(cache, key, sizeof(keys[0]), found, &len)))
		abort();
}

// Patches are an offset, little-endian, and an octet: a short input reaches the
// end of a page, where entries begin.
static void
lay_over(const uint8_t *data, size_t size, uint8_t how)
{
	uint8_t *pages = file + PAGE_OCTETS;

	if ((how & OVER_SOUND) != 0)
		memcpy(pages, sound, sizeof(sound));
	else
		memset(pages, 0, sizeof(sound));
	if ((how & PATCHES) == 0)
		for (size_t i = 0; i < size; i++)
			pages[i] ^= data[i];
	else
		for (size_t i = 0; i + 3 <= size; i += 3)
			pages[(data[i] | data[i + 1] << 8) % sizeof(sound)] ^=
			    data[i + 2];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cache_usage usage;

	if (cache == NULL)
		open_once();
	if (size == 0)
		return 0;
	uint8_t how = *data++;
	size = size - 1 < sizeof(sound) ? size - 1 : sizeof(sound);
	lay_over(data, size, how);
	file[SEGMENT_MARKS] = how >> MARK_SHIFT & MARK_MASK;
	check_sound(size == 0 && (how & OVER_SOUND) != 0);
	cache_own(cache, 0);
	if ((how & FILL) != 0)
		fill();
	put_and_drop(data, size, how);
	if ((how & FILL) != 0)
		check_filled();
	else
		check_sound(false);
	cache_usage(cache, &usage);
	return 0;
}
