// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A million next-hops in 200 MB: none may be evicted, and opening, taking over
// and looking up must be quick. Prints its measurements; too slow for "make
// check", which fills a smaller file in proportion.
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cache/cache.h"

#define SIZE      200000000
#define N_ENTRIES 1000000
#define N_HOT     1000
#define N_ROUNDS  200

static const char path[] = "/dev/shm/danemap-cache-million";
static unsigned n_wrong;

static double
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

// Names of 7 to 61 octets, as keys of the daemon.
static size_t
make_key(unsigned number, uint8_t ret[80])
{
	static const char labels[] =
	    "mail-relay.some-department.a-large-organisation.example";
	int len = snprintf((char *)ret + 3, 77, "%06u.%.*s", number,
	    (int)(number * 2654435761u % 55), labels);

	memcpy(ret, "\4\0\31", 3);
	return 3 + (size_t)len;
}

static struct cache *
open_cache(void)
{
	const struct cache_settings settings = { .path = path,
		.size = SIZE,
		.owner = geteuid(),
		.group = getegid() };
	char why[CACHE_ERROR_MAX], error[CACHE_ERROR_MAX];
	enum cache_opened opened;
	struct cache *cache;

	if (cache_open(&settings, &cache, &opened, why, error) != 0) {
		fprintf(stderr, "%s\n", error);
		exit(EXIT_FAILURE);
	}
	return cache;
}

static void
own_all(struct cache *cache)
{
	for (unsigned part = 0; part < CACHE_PARTS; part++)
		cache_own(cache, part);
}

static void
fill(struct cache *cache)
{
	uint8_t key[80], data[130] = { 0 };
	double began_us = now_us();

	for (unsigned i = 0; i < N_ENTRIES; i++) {
		const struct cache_value value = { .ends_ms = 1000,
			.worthless_ms = 2000,
			.data = data,
			.len = 100 + i % 31 };
		memcpy(data, &i, sizeof(i));
		n_wrong +=
		    cache_put(cache, key, make_key(i, key), &value, 0) != 0;
	}
	printf("put        %8.3f us each\n", (now_us() - began_us) / N_ENTRIES);
}

static void
look_up(const struct cache *cache, unsigned number)
{
	uint8_t key[80], data[CACHE_VALUE_MAX];
	size_t key_len = make_key(number, key), len;

	if (!cache_get(cache, key, key_len, data, &len) ||
	    memcmp(data, &number, sizeof(number)) != 0)
		n_wrong++;
}

static void
look_up_hot(const struct cache *cache)
{
	static uint8_t keys[N_HOT][80];
	static size_t lens[N_HOT];
	uint8_t data[CACHE_VALUE_MAX];
	double best_us = 1e9;
	size_t len;

	for (unsigned i = 0; i < N_HOT; i++)
		lens[i] = make_key(i * 997, keys[i]);
	for (int round = 0; round < N_ROUNDS; round++) {
		double began_us = now_us();
		for (unsigned i = 0; i < N_HOT; i++)
			n_wrong +=
			    !cache_get(cache, keys[i], lens[i], data, &len);
		double took_us = (now_us() - began_us) / N_HOT;
		best_us = took_us < best_us ? took_us : best_us;
	}
	printf("get hot    %8.3f us each\n", best_us);
}

static void
report_usage(const struct cache *cache)
{
	struct cache_usage usage;
	double began_us = now_us();

	cache_usage(cache, &usage);
	printf("usage      %8.3f ms: %ju entries, %ju of %ju octets\n",
	    (now_us() - began_us) / 1e3, (uintmax_t)usage.n_entries,
	    (uintmax_t)usage.n_octets, (uintmax_t)usage.size);
	if (usage.n_entries != N_ENTRIES)
		n_wrong++;
}

int
main(void)
{
	struct cache *cache = open_cache();

	own_all(cache);
	fill(cache);
	cache_close(cache);
	double began_us = now_us();
	cache = open_cache();
	double opened_us = now_us();
	own_all(cache);
	printf("open       %8.3f ms\nown        %8.3f ms\n",
	    (opened_us - began_us) / 1e3, (now_us() - opened_us) / 1e3);
	report_usage(cache);
	for (unsigned i = 0; i < N_ENTRIES; i++)
		look_up(cache, i);
	look_up_hot(cache);
	cache_close(cache);
	unlink(path);
	unlink("/dev/shm/danemap-cache-million.lock");
	printf("wrong      %4u\n", n_wrong);
	return n_wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
