// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Which page of the file takes a key: the two that FORMAT gives it, and of
// these the one that holds it, has room, or has the least to lose. Pages are
// looked at in the file, by the sequence that each begins with.
#include "config.h"

#include "cache_stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cache/page.h"
#include "cache/segment.h"

#define N_PAGES 3 // of a part of the least cache
#define KEY_LEN 4 // of all keys here

// All keys are of the first part, of which the first page comes second in the
// file, but for those of the tests of all parts.
static off_t
page_of(unsigned part, unsigned index, unsigned n_pages)
{
	return PAGE_OCTETS * (1 + (off_t)part * n_pages + index);
}

static uint64_t
word_at(const struct cache *cache, off_t at)
{
	uint64_t word;

	assert_int_equal(
	    pread(cache_fd(cache), &word, sizeof(word), at), sizeof(word));
	return word;
}

static uint64_t
mark_of(const struct cache *cache, unsigned part)
{
	return word_at(cache, SEGMENT_MARKS + 8 * (off_t)part);
}

static struct page_secrets
secrets_of(const struct cache *cache)
{
	struct segment_header header;

	assert_int_equal(
	    pread(cache_fd(cache), &header, sizeof(header), 0), sizeof(header));
	return header.secrets;
}

// The next key of the first part whose pages are these.
static uint32_t
next_key(
    const struct cache *cache, uint32_t after, unsigned first, unsigned second)
{
	const struct page_secrets secrets = secrets_of(cache);

	for (uint32_t key = after + 1;; key++) {
		uint64_t hash = siphash(secrets.index, &key, KEY_LEN);
		uint64_t is_first = (hash >> 22 & 0x1fffff) * N_PAGES >> 21;
		uint64_t is_second = (hash >> 43) * (N_PAGES - 1) >> 21;
		is_second += is_second >= is_first;
		if ((hash >> 16) % CACHE_PARTS == 0 && is_first == first &&
		    is_second == second)
			return key;
	}
}

// An entry of so many words, its head and its key among them.
static void
put_words(struct cache *cache, uint32_t key, size_t words)
{
	static const uint8_t data[CACHE_VALUE_MAX];
	const struct cache_value value = { .ends_ms = 1000,
		.worthless_ms = 2000,
		.data = data,
		.len = 8 * (words - PAGE_ENTRY_HEAD_WORDS) - KEY_LEN };

	assert_int_equal(
	    cache_put(cache, (const uint8_t *)&key, KEY_LEN, &value, 0), 0);
}

static bool
is_there(const struct cache *cache, uint32_t key)
{
	static uint8_t octets[CACHE_VALUE_MAX];
	size_t len;

	return cache_get(cache, (const uint8_t *)&key, KEY_LEN, octets, &len);
}

static uint64_t
count_entries(const struct cache *cache)
{
	struct cache_usage usage;

	cache_usage(cache, &usage);
	return usage.n_entries;
}

// ---- All pages

static void
put_number(struct cache *cache, uint32_t key)
{
	put_words(cache, key, 4);
	assert_true(is_there(cache, key));
}

// A file of the least size for four pages a part: none lies idle, and there is
// nothing beyond them.
static void
uses_every_page(void)
{
	const unsigned n_pages = 4;

	settings.size = page_of(CACHE_PARTS, 0, n_pages);
	struct cache *cache = open_to_write();
	for (uint32_t key = 0; key < 5000; key++)
		put_number(cache, key);
	assert_int_equal(count_entries(cache), 5000);
	for (unsigned part = 0; part < CACHE_PARTS; part++)
		for (unsigned i = 0; i < n_pages; i++)
			assert_true(
			    word_at(cache, page_of(part, i, n_pages)) > 0);
	cache_close(cache);
}

// The first entry of a part: one page is written, and marked.
static void
marks_what_it_writes(void)
{
	struct cache *cache = open_to_write();
	bool seen[CACHE_PARTS] = { false };

	for (uint32_t key = 0; key < 2000; key++) {
		unsigned part =
		    cache_part(cache, (const uint8_t *)&key, KEY_LEN);
		put_number(cache, key);
		if (seen[part])
			continue;
		seen[part] = true;
		uint64_t mark = mark_of(cache, part);
		assert_in_range(mark, 0, N_PAGES - 1);
		for (unsigned i = 0; i < N_PAGES; i++)
			assert_int_equal(
			    word_at(cache, page_of(part, i, N_PAGES)),
			    i == mark ? 2 : 0);
	}
	for (unsigned part = 0; part < CACHE_PARTS; part++)
		assert_true(seen[part]);
	cache_close(cache);
}

static void
fills_two_pages(unsigned first, unsigned second)
{
	struct cache *cache = open_to_write();
	uint32_t key = 0;

	for (int i = 0; i < 20; i++) {
		key = next_key(cache, key, first, second);
		put_words(cache, key, 150);
		assert_int_equal(mark_of(cache, 0), i < 10 ? first : second);
	}
	assert_int_equal(count_entries(cache), 20);
	cache_close(cache);
}

static void
gives_each_key_two_pages(void)
{
	for (unsigned first = 0; first < N_PAGES; first++)
		for (unsigned second = 0; second < N_PAGES; second++) {
			if (first == second)
				continue;
			fills_two_pages(first, second);
			assert_int_equal(remove(path), 0);
		}
}

static void
attached_owns_nothing(void)
{
	struct cache *cache = open_to_write();
	bool seen[CACHE_PARTS] = { false };
	unsigned n_seen = 0;

	assert_int_equal(cache_attach(cache, true), 0);
	for (uint32_t key = 0; n_seen < CACHE_PARTS; key++) {
		const uint8_t *octets = (const uint8_t *)&key;
		unsigned part = cache_part(cache, octets, KEY_LEN);

		assert_int_equal(cache_drop(cache, octets, KEY_LEN), -EPERM);
		n_seen += !seen[part];
		seen[part] = true;
	}
	cache_close(cache);
}

// ---- Where a new key goes

// Two entries, of 8 octets and so many words together.
static uint32_t
fill_first(struct cache *cache, size_t words)
{
	uint32_t key = next_key(cache, 0, 0, 1);

	put_words(cache, key, 700);
	key = next_key(cache, key, 0, 1);
	put_words(cache, key, words - 700);
	return key;
}

// Three quarters of a page: 12,288 octets.
static void
fills_the_first_page_first(void)
{
	struct cache *cache = open_to_write();
	uint32_t key = fill_first(cache, 1435);

	// 4 + 8 * 100 and 100 octets more would be one too many
	key = next_key(cache, key, 0, 1);
	put_words(cache, key, 100);
	assert_int_equal(mark_of(cache, 0), 1);
	key = next_key(cache, key, 0, 1);
	put_words(cache, key, 99);
	assert_int_equal(mark_of(cache, 0), 0);
	cache_close(cache);
}

static void
takes_the_emptier_then(void)
{
	struct cache *cache = open_to_write();
	uint32_t key = fill_first(cache, 1400);

	// as much into the second page, as somebody else's first one
	uint32_t other = next_key(cache, 0, 1, 2);
	put_words(cache, other, 700);
	other = next_key(cache, other, 1, 2);
	put_words(cache, other, 700);
	key = next_key(cache, key, 0, 1);
	put_words(cache, key, 200);
	assert_int_equal(mark_of(cache, 0), 0); // of equals the first
	key = next_key(cache, key, 0, 1);
	put_words(cache, key, 200);
	assert_int_equal(mark_of(cache, 0), 1);
	assert_int_equal(count_entries(cache), 6);
	cache_close(cache);
}

// Both are full of entries that are worth the same.
static void
of_equal_prices_takes_the_first(void)
{
	struct cache *cache = open_to_write();
	uint32_t key = 0;

	for (int i = 0; i < 4; i++) {
		key = next_key(cache, key, 0, 1);
		put_words(cache, key, 770);
	}
	assert_int_equal(count_entries(cache), 4);
	key = next_key(cache, key, 0, 1);
	put_words(cache, key, 770);
	assert_int_equal(mark_of(cache, 0), 0);
	assert_int_equal(count_entries(cache), 4);
	cache_close(cache);
}

// ---- Where a known key stays

// Three entries fill a page to its last octet with 2,044 words.
static void
stays_while_it_has_room(void)
{
	struct cache *cache = open_to_write();
	uint32_t key = fill_first(cache, 1400);

	key = next_key(cache, key, 0, 1);
	put_words(cache, key, 100);
	put_words(cache, key, 2044 - 1400);
	assert_int_equal(mark_of(cache, 0), 0);
	assert_int_equal(count_entries(cache), 3);
	put_words(cache, key, 2044 - 1400); // the same again
	assert_int_equal(mark_of(cache, 0), 0);
	assert_int_equal(count_entries(cache), 3);
	put_words(cache, key, 2045 - 1400);
	assert_int_equal(mark_of(cache, 0), 1);
	assert_int_equal(count_entries(cache), 3);
	cache_close(cache);
}

static void
stays_in_its_second_page(void)
{
	struct cache *cache = open_to_write();
	uint32_t key = fill_first(cache, 1400);

	key = next_key(cache, key, 0, 1);
	put_words(cache, key, 700);
	assert_int_equal(mark_of(cache, 0), 1);
	put_words(cache, key, 4); // for which the first has room as well
	assert_int_equal(mark_of(cache, 0), 1);
	assert_int_equal(count_entries(cache), 3);
	put_words(cache, key, 750);
	assert_int_equal(mark_of(cache, 0), 1);
	assert_int_equal(count_entries(cache), 3);
	cache_close(cache);
}

static void
drop_of_nothing_writes_nothing(void)
{
	struct cache *cache = open_to_write();
	uint32_t key = next_key(cache, 0, 0, 1);
	uint32_t other = next_key(cache, key, 0, 1);

	put_words(cache, key, 10);
	uint64_t before = word_at(cache, page_of(0, 0, N_PAGES));
	assert_int_equal(
	    cache_drop(cache, (const uint8_t *)&other, KEY_LEN), 0);
	assert_int_equal(word_at(cache, page_of(0, 0, N_PAGES)), before);
	assert_int_equal(word_at(cache, page_of(0, 1, N_PAGES)), 0);
	assert_int_equal(cache_drop(cache, (const uint8_t *)&key, KEY_LEN), 0);
	assert_int_equal(word_at(cache, page_of(0, 0, N_PAGES)), before + 2);
	assert_int_equal(word_at(cache, page_of(0, 1, N_PAGES)), 0);
	cache_close(cache);
}

static const struct {
	const char *sentence;
	void (*check)(void);
} rows[] = {
	{ "every page of the file is used, and none beyond it",
	    uses_every_page },
	{ "the page that is written is marked, for each part in its place",
	    marks_what_it_writes },
	{ "a key has the two pages of its part that FORMAT gives it",
	    gives_each_key_two_pages },
	{ "a child owns no part at first", attached_owns_nothing },
	{ "a new key goes to its first page while that is three quarters full",
	    fills_the_first_page_first },
	{ "beyond that it goes to the emptier, of equals the first",
	    takes_the_emptier_then },
	{ "of two full pages whose entries are worth the same the first gives "
	  "way",
	    of_equal_prices_takes_the_first },
	{ "a key stays in its page while that has room, to the last octet",
	    stays_while_it_has_room },
	{ "a key stays in its second page though the first has room",
	    stays_in_its_second_page },
	{ "a drop of what is not there writes nothing",
	    drop_of_nothing_writes_nothing },
};

static void
run(void **state)
{
	size_t row = 0;

	while (*state != (const void *)&rows[row])
		row++;
	new_folder();
	rows[row].check();
	remove_folder();
}

int
main(void)
{
	TABLE_ADD(rows, run);
	return table_run("cache_pages");
}
