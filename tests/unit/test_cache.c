// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The table over all its pages: put, get, replace, drop, fill, and writers that
// are killed. What happens within a page is test_page.c, with the file
// test_segment.c.
#include "config.h"

#include "cache_stage.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cache/page.h"
#include "cache/segment.h"

static void
gives_back(void)
{
	static uint8_t data[CACHE_VALUE_MAX + 1];
	static char key[CACHE_KEY_MAX + 2];
	struct cache *cache = open_to_write();

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	assert_true(misses(cache, "a"));
	for (size_t len = 0; len <= CACHE_VALUE_MAX; len += len / 3 + 1) {
		assert_int_equal(put(cache, "a", data, len), 0);
		assert_true(holds(cache, "a", data, len));
	}
	assert_int_equal(put(cache, "a", data, CACHE_VALUE_MAX), 0);
	assert_true(holds(cache, "a", data, CACHE_VALUE_MAX));
	for (size_t len = 1; len <= CACHE_KEY_MAX; len++) {
		memset(key, 'k', len);
		assert_int_equal(put(cache, key, key, len), 0);
		assert_true(holds(cache, key, key, len));
	}
	cache_close(cache);
}

static void
refuses_the_large(void)
{
	static uint8_t data[CACHE_VALUE_MAX + 1];
	char key[CACHE_KEY_MAX + 2];
	struct cache *cache = open_to_write();

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	assert_int_equal(put(cache, "a", "x", 1), 0);
	assert_int_equal(put(cache, "a", data, sizeof(data)), -E2BIG);
	assert_true(holds(cache, "a", "x", 1));
	assert_int_equal(put(cache, key, "x", 1), -E2BIG);
	assert_int_equal(
	    cache_drop(cache, (const uint8_t *)key, strlen(key)), -E2BIG);
	assert_true(misses(cache, key));
	cache_close(cache);
}

static void
replaces_and_drops(void)
{
	struct cache *cache = open_to_write();

	assert_int_equal(put(cache, "a", "one", 3), 0);
	assert_int_equal(put(cache, "b", "two", 3), 0);
	assert_int_equal(put(cache, "a", "three", 5), 0);
	assert_true(holds(cache, "a", "three", 5));
	assert_int_equal(cache_drop(cache, (const uint8_t *)"a", 1), 0);
	assert_int_equal(cache_drop(cache, (const uint8_t *)"a", 1), 0);
	assert_true(misses(cache, "a"));
	assert_true(holds(cache, "b", "two", 3));
	cache_close(cache);
}

static void
survives_reopening(void)
{
	struct cache *cache = open_to_write();

	assert_int_equal(put(cache, "a", "one", 3), 0);
	cache_close(cache);
	cache = open_cache(CACHE_KEPT);
	assert_true(holds(cache, "a", "one", 3));
	cache_close(cache);
}

static void
writes_only_what_it_owns(void)
{
	struct cache *cache = open_cache(CACHE_MADE);
	unsigned part = cache_part(cache, (const uint8_t *)"a", 1);

	assert_true(part < CACHE_PARTS);
	assert_int_equal(put(cache, "a", "x", 1), -EPERM);
	cache_own(cache, (part + 1) % CACHE_PARTS);
	assert_int_equal(put(cache, "a", "x", 1), -EPERM);
	cache_own(cache, part);
	assert_int_equal(put(cache, "a", "x", 1), 0);
	assert_int_equal(cache_attach(cache, false), 0);
	assert_true(holds(cache, "a", "x", 1));
	cache_own(cache, part);
	assert_int_equal(put(cache, "a", "y", 1), -EPERM);
	assert_int_equal(cache_drop(cache, (const uint8_t *)"a", 1), -EPERM);
	assert_true(holds(cache, "a", "x", 1));
	cache_close(cache);
}

static void
forgets_ownership_when_attached(void)
{
	struct cache *cache = open_to_write();

	assert_int_equal(put(cache, "a", "x", 1), 0);
	assert_int_equal(cache_attach(cache, true), 0);
	assert_int_equal(cache_fd(cache), -1);
	assert_int_equal(put(cache, "a", "y", 1), -EPERM);
	own_all(cache);
	assert_int_equal(put(cache, "a", "y", 1), 0);
	cache_close(cache);
}

static void
counts_usage(void)
{
	struct cache *cache = open_to_write();
	struct cache_usage usage;
	char key[16];

	cache_usage(cache, &usage);
	assert_int_equal(usage.n_entries, 0);
	assert_int_equal(usage.n_octets, 0);
	assert_int_equal(usage.size, CACHE_SIZE_MIN);
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		assert_int_equal(put(cache, key, "0123456789abcdef", 16), 0);
	}
	assert_int_equal(cache_drop(cache, (const uint8_t *)"key 7", 5), 0);
	cache_usage(cache, &usage);
	assert_int_equal(usage.n_entries, 99);
	assert_int_equal(usage.n_octets, 99 * (4 + 24 + 24));
	cache_close(cache);
}

// As a million entries in 200 MB, which tests/unit/cache_million.c does.
static void
fills_to_the_brim(void)
{
	const unsigned n = (64u << 20) / 200;
	uint8_t data[130] = { 0 };
	struct cache_usage usage;
	char key[80];

	settings.size = 64u << 20;
	struct cache *cache = open_to_write();
	for (unsigned i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%u.%.*s", i, (int)(i % 55),
		    "a-name-of-many-labels.that.is.as.long.as.they.come."
		    "example");
		assert_int_equal(put(cache, key, data, 100 + i % 31), 0);
	}
	cache_usage(cache, &usage);
	assert_int_equal(usage.n_entries, n);
	cache_close(cache);
}

static void
full_is_no_error(void)
{
	static uint8_t data[1000];
	struct cache_usage usage;
	struct cache *cache = open_to_write();
	char key[16];

	for (int i = 0; i < 6000; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		assert_int_equal(put(cache, key, data, 1000), 0);
		assert_true(holds(cache, key, data, 1000));
	}
	cache_usage(cache, &usage);
	assert_true(usage.n_entries > 2700 && usage.n_entries < 6000);
	cache_close(cache);
}

// At two thirds full some have to leave their page when they grow.
static void
what_grows_moves(void)
{
	static uint8_t data[1300];
	struct cache *cache = open_to_write();
	char key[16];

	for (int len = 1000; len <= 1300; len += 300) {
		memset(data, len / 300, sizeof(data));
		for (int i = 0; i < 2000; i++) {
			snprintf(key, sizeof(key), "key %d", i);
			assert_int_equal(put(cache, key, data, len), 0);
			assert_true(holds(cache, key, data, len));
		}
	}
	cache_close(cache);
}

// The next key whose pages are these, in a part of three, as FORMAT says.
static uint32_t
next_key_of(const struct page_secrets *secrets, uint32_t key, unsigned first,
    unsigned second)
{
	for (;; key++) {
		uint64_t hash = siphash(secrets->index, &key, sizeof(key));
		uint64_t in_first = (hash >> 22 & 0x1fffff) * 3 >> 21;
		uint64_t in_second = (hash >> 43) * 2 >> 21;
		in_second += in_second >= in_first;
		if ((hash >> 16) % 64 == 0 && in_first == first &&
		    in_second == second)
			return key;
	}
}

// Returns the key put, for the next one to be searched after it.
static uint32_t
put_in(struct cache *cache, uint32_t after, unsigned first, bool strict)
{
	static const uint8_t data[1000];
	const struct cache_value value = { .ends_ms = strict ? 1000 : 5000,
		.worthless_ms = 9000,
		.strict = strict,
		.data = data,
		.len = sizeof(data) };
	struct segment_header header;

	assert_int_equal(
	    pread(cache_fd(cache), &header, sizeof(header), 0), sizeof(header));
	uint32_t key =
	    next_key_of(&header.secrets, after + 1, first, 1 - first);
	assert_int_equal(
	    cache_put(cache, (uint8_t *)&key, sizeof(key), &value, 0), 0);
	return key;
}

// One page is filled with strict entries and another with lesser ones. Keys
// that have both of them, in either order, push out the lesser.
static void
lesser_page_gives_way(void)
{
	struct cache *cache = open_to_write();
	uint8_t found[CACHE_VALUE_MAX];
	uint32_t keys[25], lesser = 0, last = 0;
	size_t n = 0, len;

	while (n < 15) { // so many fit
		last = keys[n++] = put_in(cache, last, 0, true);
		lesser = put_in(cache, lesser, 1, false);
	}
	while (n < 25) {
		last = keys[n] = put_in(cache, last, n % 2, true);
		n++;
	}
	for (size_t i = 0; i < n; i++)
		assert_true(cache_get(
		    cache, (uint8_t *)&keys[i], sizeof(keys[i]), found, &len));
	cache_close(cache);
}

static uint64_t
count_entries(const struct cache *cache)
{
	struct cache_usage usage;

	cache_usage(cache, &usage);
	return usage.n_entries;
}

// Makes the second page of the first part a copy of its first one.
static void
double_page(const struct cache *cache)
{
	static uint8_t octets[PAGE_OCTETS];

	assert_int_equal(
	    pread(cache_fd(cache), octets, PAGE_OCTETS, PAGE_OCTETS),
	    PAGE_OCTETS);
	assert_int_equal(
	    pwrite(cache_fd(cache), octets, PAGE_OCTETS, 2 * PAGE_OCTETS),
	    PAGE_OCTETS);
}

// As only somebody who scribbles in the file can leave it.
static void
key_in_both_pages(void)
{
	struct cache *cache = open_to_write();
	uint32_t key = put_in(cache, 0, 0, true);

	double_page(cache);
	assert_int_equal(count_entries(cache), 2);
	assert_int_equal(put_in(cache, key - 1, 0, true), key);
	assert_int_equal(count_entries(cache), 1);
	double_page(cache);
	assert_int_equal(cache_drop(cache, (uint8_t *)&key, sizeof(key)), 0);
	assert_int_equal(count_entries(cache), 0);
	cache_close(cache);
}

static uint64_t
sequence_at(const struct cache *cache, off_t at)
{
	uint64_t sequence;

	assert_int_equal(pread(cache_fd(cache), &sequence, 8, at), 8);
	return sequence;
}

// The mark of the first part names a page that it does not have: the first of
// the next part, then one beyond the file. A part has three.
static void
mark_leads_elsewhere(void)
{
	static const uint64_t marks[] = { 3, (uint64_t)1 << 30 }, torn = 1;
	const off_t next = PAGE_OCTETS * (1 + 3);
	struct cache *cache = open_cache(CACHE_MADE);

	assert_int_equal(pwrite(cache_fd(cache), &torn, 8, next), 8);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    pwrite(cache_fd(cache), &marks[i], 8, SEGMENT_MARKS), 8);
		cache_own(cache, 0);
		assert_int_equal(sequence_at(cache, next), torn);
		put_in(cache, 0, 0, true);
	}
	cache_close(cache);
}

static void
owns_no_part_that_is_not(void)
{
	struct cache *cache = open_cache(CACHE_MADE);

	cache_own(cache, UINT32_MAX);
	cache_own(cache, CACHE_PARTS);
	for (unsigned i = 0; i < 100; i++) {
		char key[16];
		snprintf(key, sizeof(key), "%u", i);
		assert_int_equal(put(cache, key, "x", 1), -EPERM);
	}
	cache_close(cache);
}

// Killed writers. Values say key and version and are of one pattern, so that
// any mixture shows; the versions that were put are noted where the killer can
// read them.

#define ROUNDS    30
#define KEYS      600
#define N_READERS 2
#define LOST_MAX  12 // by one kill: what a page holds here, three on average

enum { THERE = 0, GOING, GONE }; // GONE: a drop has returned

struct notes {
	_Atomic uint32_t put_version[KEYS], state[KEYS];
	_Atomic uint32_t n_puts, stop;
};

static struct notes *notes;

static size_t
make_value(uint32_t number, uint32_t version, uint8_t ret[CACHE_VALUE_MAX])
{
	size_t len = 16 + (number * 31 + version * 17) % 700;

	memcpy(ret, &number, 4);
	memcpy(ret + 4, &version, 4);
	for (size_t i = 8; i < len; i++)
		ret[i] = (uint8_t)(number + 3 * version + i);
	return len;
}

// The version found, 0 for none, UINT32_MAX for what nobody has put.
static uint32_t
find_version(const struct cache *cache, uint32_t number)
{
	uint8_t found[CACHE_VALUE_MAX], want[CACHE_VALUE_MAX];
	uint32_t version;
	size_t len;

	if (!cache_get(cache, (const uint8_t *)&number, 4, found, &len))
		return 0;
	if (len < 16)
		return UINT32_MAX;
	memcpy(&version, found + 4, 4);
	return len == make_value(number, version, want) &&
		       memcmp(found, want, len) == 0
		   ? version
		   : UINT32_MAX;
}

static int
put_next(struct cache *cache, uint32_t number)
{
	uint8_t data[CACHE_VALUE_MAX];
	uint32_t version = atomic_load(&notes->put_version[number]) + 1;
	const struct cache_value value = { .ends_ms = number,
		.worthless_ms = UINT64_MAX,
		.data = data,
		.len = make_value(number, version, data) };

	atomic_store(&notes->state[number], GOING);
	int r = cache_put(cache, (const uint8_t *)&number, 4, &value, 0);
	atomic_store(&notes->put_version[number], version);
	atomic_store(&notes->state[number], THERE);
	atomic_fetch_add(&notes->n_puts, 1);
	return r;
}

static int
drop_again(struct cache *cache, uint32_t number)
{
	atomic_store(&notes->state[number], GOING);
	int r = cache_drop(cache, (const uint8_t *)&number, 4);
	atomic_store(&notes->state[number], GONE);
	return r;
}

static void
write_until_killed(struct cache *cache, unsigned seed)
{
	int r = cache_attach(cache, true);

	alarm(60);
	own_all(cache);
	while (r == 0) {
		uint32_t number = (uint32_t)rand_r(&seed) % KEYS;
		r = rand_r(&seed) % 3 == 0 ? drop_again(cache, number)
					   : put_next(cache, number);
	}
	_exit(1);
}

// Status 0, or 1 when a value was wrong or older than one seen to be put.
static int
read_until_stopped(struct cache *cache)
{
	unsigned seed = (unsigned)getpid();

	if (cache_attach(cache, false) != 0)
		return 2;
	alarm(60);
	while (atomic_load(&notes->stop) == 0) {
		uint32_t number = (uint32_t)rand_r(&seed) % KEYS;
		uint32_t before = atomic_load(&notes->put_version[number]);
		uint32_t version = find_version(cache, number);
		if (version != 0 && (version < before || version == UINT32_MAX))
			return 1;
	}
	return 0;
}

static pid_t
start(struct cache *cache, bool writes, unsigned seed)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	if (writes)
		write_until_killed(cache, seed);
	_exit(read_until_stopped(cache));
}

// Ends after a minute at most: the writer's alarm, or this.
static void
wait_for_a_put(uint32_t n_puts_before)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < 60000; i++) {
		if (atomic_load(&notes->n_puts) != n_puts_before)
			return;
		nanosleep(&pause, NULL);
	}
}

static void
kill_a_writer(struct cache *cache, unsigned round)
{
	unsigned seed = round;
	struct timespec wait = { .tv_nsec = rand_r(&seed) % 20000000 };
	uint32_t n_puts = atomic_load(&notes->n_puts);
	int status;
	pid_t pid = start(cache, true, round);

	wait_for_a_put(n_puts);
	nanosleep(&wait, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

// What was put and not dropped and is not there now: lost with the page that
// the writer died in.
static unsigned
count_lost(const struct cache *cache)
{
	unsigned n_lost = 0;

	for (uint32_t number = 0; number < KEYS; number++) {
		uint32_t least = atomic_load(&notes->put_version[number]);
		uint32_t version = find_version(cache, number);
		uint32_t state = atomic_load(&notes->state[number]);
		assert_true(
		    version == 0 || version == least || version == least + 1);
		assert_true(state != GONE || version == 0);
		n_lost += state == THERE && least > 0 && version == 0;
	}
	return n_lost;
}

static bool
any_page_is_torn(const struct cache *cache)
{
	uint64_t sequence;

	for (off_t at = PAGE_OCTETS; at < CACHE_SIZE_MIN; at += PAGE_OCTETS) {
		assert_int_equal(pread(cache_fd(cache), &sequence, 8, at), 8);
		if (sequence % 2 == 1)
			return true;
	}
	return false;
}

static void
survives_killed_writers(void)
{
	struct cache *cache = open_cache(CACHE_MADE);
	pid_t readers[N_READERS];
	int status;

	notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(notes != MAP_FAILED);
	for (int i = 0; i < N_READERS; i++)
		readers[i] = start(cache, false, 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		kill_a_writer(cache, round);
		own_all(cache);
		assert_false(any_page_is_torn(cache));
		assert_true(count_lost(cache) <= LOST_MAX * (round + 1));
	}
	atomic_store(&notes->stop, 1);
	for (int i = 0; i < N_READERS; i++) {
		assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
		assert_int_equal(status, 0);
	}
	munmap(notes, sizeof(*notes));
	cache_close(cache);
}

// A writer that dies with the sequence odd, in every page in turn: only those
// that are marked are looked at when a part changes hands, the others when they
// are next written.
static void
next_owner_repairs(void)
{
	struct cache *cache = open_to_write();
	uint64_t sequence, torn = 0;
	char key[16];

	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		assert_int_equal(put(cache, key, "x", 1), 0);
	}
	for (off_t at = PAGE_OCTETS; at < CACHE_SIZE_MIN; at += PAGE_OCTETS) {
		assert_int_equal(pread(cache_fd(cache), &sequence, 8, at), 8);
		torn += sequence > 0;
		sequence += sequence > 0;
		assert_int_equal(pwrite(cache_fd(cache), &sequence, 8, at), 8);
	}
	assert_true(torn > CACHE_PARTS);
	assert_true(misses(cache, "key 499"));
	own_all(cache);
	assert_true(holds(cache, "key 499", "x", 1));
	for (int i = 0; i < 499; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		assert_int_equal(put(cache, key, "x", 1), 0);
		assert_true(holds(cache, key, "x", 1));
	}
	assert_false(any_page_is_torn(cache));
	cache_close(cache);
}

static const struct stage_row rows[] = {
	{ "what is put is given back, whatever its size", gives_back },
	{ "a value or key over the limit is refused and changes nothing",
	    refuses_the_large },
	{ "a put replaces and a drop removes", replaces_and_drops },
	{ "entries survive closing and opening", survives_reopening },
	{ "only an owned part is written, and never through a read-only map",
	    writes_only_what_it_owns },
	{ "a child owns nothing at first", forgets_ownership_when_attached },
	{ "usage is counted", counts_usage },
	{ "entries of 200 octets fill the file before any is evicted",
	    fills_to_the_brim },
	{ "a full cache takes every new entry", full_is_no_error },
	{ "what outgrows its page moves, and leaves nothing behind",
	    what_grows_moves },
	{ "of two full pages the one with the lesser entry gives it up",
	    lesser_page_gives_way },
	{ "a key in both its pages is put into one and dropped from both",
	    key_in_both_pages },
	{ "a mark that leads out of its part is not followed",
	    mark_leads_elsewhere },
	{ "a part that there is not cannot be owned",
	    owns_no_part_that_is_not },
	{ "writers killed at any moment leave no wrong value to readers or "
	  "heirs",
	    survives_killed_writers },
	{ "torn pages are repaired by the next owner and the next put",
	    next_owner_repairs },
};

int
main(void)
{
	TABLE_ADD(rows, run_in_folder);
	return table_run("cache");
}
