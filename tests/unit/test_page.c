// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One page, in plain memory: what goes when it is full, what a flipped bit or a
// writer that dies after any of its stores can do.
#include "config.h"

#include "cache/page.h"

#include "table.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEYS_MAX 40
#define N_TORN   12 // keys of the test of torn pages

static const struct page_secrets secrets = { .index = "index", .sum = "sum" };

static struct page_key
key_of(unsigned number)
{
	static uint8_t octets[KEYS_MAX][16];

	assert_true(number < KEYS_MAX);
	memset(octets[number], 'a' + (int)(number % 26), sizeof(octets[0]));
	octets[number][0] = (uint8_t)number;
	return page_key(&secrets, octets[number], sizeof(octets[0]));
}

// Values say whose they are and which version.
static void
put_at(struct page *page, unsigned number, uint8_t version, size_t len,
    const struct cache_value *worth, uint64_t now_ms)
{
	static uint8_t data[CACHE_VALUE_MAX];
	struct cache_value value = *worth;
	struct page_key key = key_of(number);

	memset(data, version, len);
	data[0] = (uint8_t)number;
	value.data = data;
	value.len = len;
	page_put(page, &secrets, &key, &value, now_ms);
}

static void
put(struct page *page, unsigned number, uint8_t version, size_t len)
{
	const struct cache_value worth = {
		.ends_ms = 1000, .worthless_ms = 2000, .strict = true
	};

	put_at(page, number, version, len, &worth, 0);
}

// The version of what is there, or 0; anything that was never put fails.
static uint8_t
version_of(const struct page *page, unsigned number)
{
	static uint8_t octets[CACHE_VALUE_MAX];
	struct page_key key = key_of(number);
	size_t len = 0;

	if (!page_get(page, &secrets, &key, octets, &len))
		return 0;
	assert_true(len >= 2);
	assert_int_equal(octets[0], number);
	assert_int_equal(memcmp(octets + 1, octets + 2, len - 2), 0);
	return octets[1];
}

static size_t
n_entries(const struct page *page)
{
	size_t octets, entries;

	page_usage(page, &octets, &entries);
	return entries;
}

// Whoever reads past the end of a page dies.
#define FENCE_OCTETS 65536

static struct page *
new_page(void)
{
	uint8_t *octets = mmap(NULL, PAGE_OCTETS + FENCE_OCTETS,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(octets != MAP_FAILED);
	assert_int_equal(
	    mprotect(octets + PAGE_OCTETS, FENCE_OCTETS, PROT_NONE), 0);
	return (struct page *)octets;
}

static void
free_page(struct page *page)
{
	assert_int_equal(munmap(page, PAGE_OCTETS + FENCE_OCTETS), 0);
}

static void
zeros_are_empty(void)
{
	struct page *page = new_page();

	assert_int_equal(version_of(page, 0), 0);
	assert_int_equal(n_entries(page), 0);
	assert_false(page_is_torn(page));
	free_page(page);
}

static void
replaces_and_drops(void)
{
	struct page *page = new_page();
	struct page_key key = key_of(1);

	put(page, 0, 1, 100);
	put(page, 1, 1, 100);
	put(page, 1, 2, 333);
	assert_int_equal(version_of(page, 1), 2);
	assert_int_equal(n_entries(page), 2);
	page_drop(page, &key);
	assert_int_equal(version_of(page, 1), 0);
	assert_int_equal(version_of(page, 0), 1);
	assert_int_equal(n_entries(page), 1);
	free_page(page);
}

// Ten entries of 1,590 octets fill a page.
static const struct cache_value worths[] = {
	{ .ends_ms = 500, .worthless_ms = 500, .strict = false },
	{ .ends_ms = 400, .worthless_ms = 900, .strict = true },
	{ .ends_ms = 2000, .worthless_ms = 9000, .strict = false }, // 2: second
	{ .ends_ms = 1500, .worthless_ms = 9000, .strict = false }, // 3: first
	{ .ends_ms = 5000, .worthless_ms = 9000, .strict = false }, // 4: third
	{ .ends_ms = 1200, .worthless_ms = 9000, .strict = true },  // 5: fifth
	{ .ends_ms = 1100, .worthless_ms = 9000, .strict = true },  // 6: fourth
	{ .ends_ms = 3000, .worthless_ms = 9000, .strict = true },
	{ .ends_ms = 3001, .worthless_ms = 9000, .strict = true },
	{ .ends_ms = 3002, .worthless_ms = 9000, .strict = true },
};
#define N_WORTHS (sizeof(worths) / sizeof(worths[0]))

static void
evicts_by_worth(void)
{
	static const unsigned order[] = { 3, 2, 4, 6, 5 };
	const struct cache_value best = {
		.ends_ms = 8000, .worthless_ms = 9000, .strict = true
	};
	struct page *page = new_page();
	unsigned next = N_WORTHS;

	for (unsigned i = 0; i < N_WORTHS; i++)
		put_at(page, i, 1, 1590, &worths[i], 0);
	assert_int_equal(n_entries(page), N_WORTHS);
	put_at(page, next++, 1, 1590, &best, 1000); // sweeps out two
	assert_int_equal(version_of(page, 0), 0);
	assert_int_equal(version_of(page, 1), 0);
	put_at(page, next++, 1, 1590, &best, 1000);
	assert_int_equal(n_entries(page), N_WORTHS);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		assert_int_equal(version_of(page, order[i]), 1);
		put_at(page, next++, 1, 1590, &best, 1000);
		assert_int_equal(version_of(page, order[i]), 0);
		assert_int_equal(n_entries(page), N_WORTHS);
	}
	for (unsigned i = 7; i < next; i++)
		assert_int_equal(version_of(page, i), 1);
	free_page(page);
}

// Ten entries whose ends are a millisecond apart, the earliest in the middle;
// times are those of a machine that has just been started, runs for years, and
// has come to the end of what a page can hold.
static void
evicts_what_ends_a_millisecond_sooner(void)
{
	static const uint64_t begins[] = { 0, (uint64_t)1 << 36,
		((uint64_t)1 << 48) - 12 };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		struct page *page = new_page();
		struct cache_value worth = { .worthless_ms = UINT64_MAX };

		for (unsigned key = 0; key < 10; key++) {
			worth.ends_ms = begins[i] + (key + 5) % 10;
			put_at(page, key, 1, 1590, &worth, begins[i]);
		}
		for (unsigned round = 0; round < 9; round++) {
			unsigned least = (round + 5) % 10;

			worth.ends_ms = UINT64_MAX;
			assert_int_equal(version_of(page, least), 1);
			put_at(page, 10 + round, 1, 1590, &worth, begins[i]);
			assert_int_equal(version_of(page, least), 0);
			assert_int_equal(n_entries(page), 10);
		}
		free_page(page);
	}
}

// The moment from which an entry is of no use is told to the millisecond, and
// whatever has room is left alone but for that.
static void
sweeps_out_the_worthless(void)
{
	static const uint64_t moments[] = { 1, 70000, (uint64_t)1 << 36,
		((uint64_t)1 << 48) - 1 };

	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		struct page *page = new_page();
		const struct cache_value worth = {
			.ends_ms = 1, .worthless_ms = moments[i], .strict = true
		};

		put_at(page, 0, 1, 100, &worth, 0);
		put_at(page, 1, 1, 100, &worth, moments[i] - 1);
		assert_int_equal(n_entries(page), 2);
		put_at(page, 2, 1, 100, &worth, moments[i]);
		assert_int_equal(n_entries(page), 1);
		assert_int_equal(version_of(page, 2), 1);
		free_page(page);
	}
}

static void
tells_its_price(void)
{
	const struct cache_value weak = { .ends_ms = 70, .worthless_ms = 9000 };
	const struct cache_value strict = {
		.ends_ms = 60, .worthless_ms = 9000, .strict = true
	};
	struct page *page = new_page();
	size_t octets, entries;

	put_at(page, 0, 1, 6000, &strict, 0);
	put_at(page, 1, 1, 5000, &weak, 0);
	page_usage(page, &octets, &entries);
	assert_int_equal(
	    octets, page_entry_octets(16, 6000) + page_entry_octets(16, 5000));
	// All but the head and half a pair of slots.
	size_t left = PAGE_OCTETS - 16 - 4 - octets;
	assert_int_equal(page_price(page, left, 0), 0);
	assert_true(
	    page_price(page, left + 1, 0) == page_worth(70, 9000, false, 0));
	assert_true(page_price(page, left + page_entry_octets(16, 5000), 0) ==
		    page_worth(70, 9000, false, 0));
	assert_true(page_price(page, left + page_entry_octets(16, 5000) + 1,
			0) == page_worth(60, 9000, true, 0));
	assert_int_equal(page_price(page, left + 1, 9000), 0); // worthless
	assert_int_equal(n_entries(page), 2);
	free_page(page);
}

static void
worth_grows(void)
{
	const uint64_t latest = ((uint64_t)1 << 48) - 1;

	assert_true(page_worth(5, 10, true, 10) == 0);
	assert_true(page_worth(5, 10, true, 9) > 0);
	assert_true(page_worth(5, 10, false, 9) > 0);
	assert_true(page_worth(0, 10, false, 0) > 0);
	assert_true(page_worth(6, 10, false, 0) > page_worth(5, 10, false, 0));
	assert_true(page_worth(6, 10, true, 0) > page_worth(5, 10, true, 0));
	assert_true(
	    page_worth(0, 10, true, 0) > page_worth(UINT64_MAX, 10, false, 0));
	assert_true(page_worth(latest, 10, true, 0) >
		    page_worth(latest - 1, 10, true, 0));
	assert_true(page_worth(UINT64_MAX, 10, true, 0) ==
		    page_worth(latest, 10, true, 0));
}

static void
counts_octets(void)
{
	assert_int_equal(page_entry_octets(0, 0), 4 + 8 * 3);
	assert_int_equal(page_entry_octets(0, 1), 4 + 8 * 4);
	assert_int_equal(page_entry_octets(1, 7), 4 + 8 * 4);
	assert_int_equal(page_entry_octets(2, 7), 4 + 8 * 5);
	assert_int_equal(page_entry_octets(CACHE_KEY_MAX, CACHE_VALUE_MAX),
	    4 + 8 * PAGE_ENTRY_WORDS_MAX);
}

static void
makes_room_for_the_largest(void)
{
	struct page *page = new_page();

	for (unsigned i = 0; i < 20; i++)
		put(page, i, 1, 700);
	put(page, 30, 1, CACHE_VALUE_MAX);
	assert_int_equal(version_of(page, 30), 1);
	put(page, 31, 1, CACHE_VALUE_MAX);
	assert_int_equal(version_of(page, 30), 1);
	assert_int_equal(version_of(page, 31), 1);
	free_page(page);
}

static void
flip(struct page *page, size_t bit)
{
	page->words[bit / 64] ^= (uint64_t)1 << (bit % 64);
}

static void
survives_any_flipped_bit(void)
{
	struct page *page = new_page();
	unsigned n_missed = 0;

	for (unsigned i = 0; i < 12; i++)
		put(page, i, (uint8_t)(i + 1), 1200 + 7 * i);
	for (size_t bit = 0; bit < 8 * PAGE_OCTETS; bit++) {
		flip(page, bit);
		assert_int_equal(version_of(page, 30), 0);
		for (unsigned i = 0; i < 12; i++) {
			uint8_t version = version_of(page, i);
			assert_true(version == 0 || version == i + 1);
			n_missed += version == 0;
		}
		flip(page, bit);
	}
	assert_true(n_missed > 0);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(version_of(page, i), i + 1);
	free_page(page);
}

static void
writes_into_any_flipped_page(void)
{
	struct page *sound = new_page(), *page = new_page();
	struct page_key key = key_of(3);

	for (unsigned i = 0; i < 12; i++)
		put(sound, i, (uint8_t)(i + 1), 50 + 7 * i);
	for (size_t bit = 0; bit < 8 * PAGE_OCTETS; bit += 3) {
		memcpy(page, sound, sizeof(*page));
		flip(page, bit);
		put(page, 20, 21, 200);
		assert_int_equal(version_of(page, 20), 21);
		page_drop(page, &key);
		assert_int_equal(version_of(page, 3), 0);
		assert_int_equal(version_of(page, 20), 21);
	}
	free_page(page);
	free_page(sound);
}

static void
repair_keeps_the_sound(void)
{
	struct page *page = new_page();

	for (unsigned i = 0; i < 8; i++)
		put(page, i, 1, 100);
	uint64_t sequence = page->words[0];
	page->words[0] = sequence + 1;   // a writer died here
	page->words[6] = page->words[5]; // two slots twice
	page->words[1] += 2;
	flip(page, 64 * 5 + 63); // a tag: nobody finds that entry by it
	flip(page, 64 * (PAGE_WORDS - 2)); // in the value of the first entry
	assert_true(page_is_torn(page));
	assert_int_equal(version_of(page, 5), 0);
	page_repair(page, &secrets);
	assert_false(page_is_torn(page));
	assert_true(page->words[0] > sequence);
	assert_int_equal(version_of(page, 0), 0);
	for (unsigned i = 1; i < 8; i++)
		assert_int_equal(version_of(page, i), 1);
	assert_int_equal(n_entries(page), 7);
	free_page(page);
}

// What the page holds when its writer dies before the store of word `until`:
// stores go upwards.
static void
tear(struct page *ret, const struct page *before, const struct page *after,
    size_t until)
{
	for (size_t i = 1; i < PAGE_WORDS; i++)
		ret->words[i] = i < until ? after->words[i] : before->words[i];
	ret->words[0] = before->words[0] + 1;
}

// Each key has one of the two versions that it had, or is lost.
static void
check_repaired(
    struct page *torn, const struct page *before, const struct page *after)
{
	for (unsigned i = 0; i < N_TORN; i++)
		assert_int_equal(version_of(torn, i), 0);
	page_repair(torn, &secrets);
	for (unsigned i = 0; i < N_TORN; i++) {
		uint8_t version = version_of(torn, i);
		assert_true(version == 0 || version == version_of(before, i) ||
			    version == version_of(after, i));
	}
}

// Ten entries, of which two were dropped and one has come since; then a put.
static void
die_after_any_store(const unsigned dropped[2], unsigned put_last)
{
	struct page *before = new_page(), *after = new_page(),
		    *torn = new_page();

	for (unsigned i = 0; i < 10; i++)
		put(before, i, 5, 60 + 8 * (i % 3));
	for (unsigned i = 0; i < 2; i++) {
		struct page_key key = key_of(dropped[i]);
		page_drop(before, &key);
	}
	put(before, 10, 5, 60);
	memcpy(after, before, sizeof(*after));
	put(after, put_last, 6, 60 + 16);
	for (size_t until = 1; until < PAGE_WORDS; until++) {
		if (before->words[until] == after->words[until])
			continue; // is not stored
		tear(torn, before, after, until);
		check_repaired(torn, before, after);
	}
	tear(torn, before, after, PAGE_WORDS);
	page_repair(torn, &secrets);
	assert_int_equal(version_of(torn, put_last), 6);
	free_page(before);
	free_page(after);
	free_page(torn);
}

static void
survives_death_after_any_store(void)
{
	for (unsigned i = 0; i < 10; i++)
		for (unsigned last = 0; last < N_TORN; last++) {
			die_after_any_store(
			    (unsigned[]){ i, (i + 1) % 10 }, last);
			die_after_any_store(
			    (unsigned[]){ i, (i + 9) % 10 }, last);
		}
}

// One entry that many slots point at: more octets than a page has.
static void
bears_overlapping_entries(void)
{
	struct page *page = new_page();

	put(page, 0, 1, 1000);
	uint64_t slot = page->words[2] & UINT32_MAX;
	for (size_t i = 0; i < 250; i++)
		page->words[2 + i] = slot << 32 | slot;
	page->words[1] = 500;
	struct page_key other = key_of(2);
	page_drop(page, &other);
	assert_int_equal(version_of(page, 0), 1);
	put(page, 1, 2, CACHE_VALUE_MAX);
	assert_int_equal(version_of(page, 1), 2);
	page->words[0] |= 1;
	page_repair(page, &secrets);
	assert_int_equal(version_of(page, 1), 2);
	free_page(page);
}

// Entries of many sizes, each with so many slots that not all have room: the
// ones that are kept stop short of the slots.
static void
packs_what_overlaps_beside_its_slots(void)
{
	struct page_key mine = key_of(0), other = key_of(2);

	for (size_t len = 2; len < 2000; len += 1 + len / 9) {
		struct page *page = new_page();

		put(page, 0, 1, len);
		uint64_t slot = page->words[2] & UINT32_MAX;
		for (size_t i = 0; i < 290; i++)
			page->words[2 + i] = slot << 32 | slot;
		page->words[1] = PAGE_SLOTS_MAX;
		assert_true(page_holds(page, &mine) > 0);
		assert_int_equal(version_of(page, 0), 1);
		page_drop(page, &other);
		size_t count = page->words[1] & 0xffff;
		size_t octets = page->words[1] >> 16, pairs = (count + 1) / 2;
		size_t more =
		    8 * (count % 2 == 0) + (page_entry_octets(16, len) - 4);
		assert_true(16 + 8 * pairs + octets <= PAGE_OCTETS);
		assert_true(count == PAGE_SLOTS_MAX ||
			    16 + 8 * pairs + octets + more > PAGE_OCTETS);
		assert_int_equal(
		    octets, count * (page_entry_octets(16, len) - 4));
		for (size_t i = 0; i < count; i++)
			assert_true(
			    page->words[2 + i / 2] >> (32 * (i % 2)) != 0);
		assert_int_equal(version_of(page, 0), 1);
		free_page(page);
	}
}

static void
counts_up_to_what_a_page_holds(void)
{
	const uint64_t most = PAGE_OCTETS - 16; // without its head
	struct page *page = new_page();
	size_t octets, entries;

	page->words[1] = (most - 4) << 16 | 1;
	page_usage(page, &octets, &entries);
	assert_int_equal(octets, most);
	assert_int_equal(entries, 1);
	page->words[1] = (most - 3) << 16 | 1;
	page_usage(page, &octets, &entries);
	assert_int_equal(octets, 0);
	assert_int_equal(entries, 0);
	page->words[1] = (most - 12) << 16 | 3;
	page_usage(page, &octets, &entries);
	assert_int_equal(octets, most);
	assert_int_equal(entries, 3);
	free_page(page);
}

// Count and octets of entries, as no writer leaves them.
static void
bears_an_absurd_head(void)
{
	static const uint64_t heads[] = { UINT64_MAX, 0xffff,
		PAGE_SLOTS_MAX + 1, 0xffff0001 };
	struct page *page = new_page();
	struct page_key key = key_of(0);
	size_t octets, entries;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		put(page, 0, 1, 100);
		page->words[1] = heads[i];
		page_usage(page, &octets, &entries);
		assert_true(octets + 4 * entries <= PAGE_OCTETS);
		if ((heads[i] & 0xffff) > PAGE_SLOTS_MAX) {
			assert_int_equal(page_holds(page, &key), 0);
			assert_int_equal(version_of(page, 0), 0);
		}
		put(page, 1, 2, 200);
		assert_int_equal(version_of(page, 1), 2);
		if ((heads[i] & 0xffff) > PAGE_SLOTS_MAX)
			assert_int_equal(version_of(page, 0), 0);
		page_drop(page, &key);
		assert_int_equal(version_of(page, 1), 2);
		memset(page, 0, sizeof(*page));
	}
	free_page(page);
}

// A slot with the tag of a key leads to another one's entry, then nowhere.
static void
bears_slots_that_lie(void)
{
	struct page *page = new_page();
	struct page_key key = key_of(0), other = key_of(1);

	put(page, 1, 1, 100);
	uint64_t offset = page->words[2] & 0xffff;
	page->words[2] = (key.hash & 0xffff) << 16 | offset;
	assert_int_equal(page_holds(page, &key), 0);
	assert_int_equal(version_of(page, 0), 0);
	assert_int_equal(page_holds(page, &other), 0);
	for (offset = 0; offset <= 0xffff; offset += 8) {
		if (offset == PAGE_OCTETS - 8 * (3 + (16 + 100 + 7) / 8))
			continue; // where it is
		page->words[2] = (other.hash & 0xffff) << 16 | offset;
		assert_int_equal(page_holds(page, &other), 0);
		assert_int_equal(version_of(page, 1), 0);
	}
	free_page(page);
}

// Heads of entries that would go on behind the end.
static void
bears_entries_past_the_end(void)
{
	struct page_key key = key_of(0);
	struct page *page = new_page(), *written = new_page();

	page->words[1] = 1;
	for (size_t at = PAGE_WORDS - 6; at < PAGE_WORDS; at++) {
		page->words[2] = (key.hash & 0xffff) << 16 | 8 * at;
		if (at + 1 < PAGE_WORDS)
			page->words[at + 1] = key.len;
		if (at + 2 < PAGE_WORDS)
			page->words[at + 2] = 5000;
		assert_int_equal(page_holds(page, &key), 0);
		assert_int_equal(version_of(page, 0), 0);
		memcpy(written, page, sizeof(*written));
		put(written, 0, 1, 100);
		assert_int_equal(version_of(written, 0), 1);
		assert_int_equal(n_entries(written), 1);
	}
	free_page(page);
	free_page(written);
}

// Slots behind the last one, which no writer leaves but with zeros.
static void
bears_slots_behind_the_last(void)
{
	struct page *page = new_page();
	struct page_key key = key_of(0);

	put(page, 0, 1, 100);
	uint64_t slot = page->words[2];
	page->words[2] = slot << 32; // the second of one
	assert_int_equal(page_holds(page, &key), 0);
	assert_int_equal(version_of(page, 0), 0);
	page->words[1]++;
	assert_int_equal(version_of(page, 0), 1);
	page->words[2] = 0;
	page->words[3] = slot; // the third of two
	assert_int_equal(page_holds(page, &key), 0);
	assert_int_equal(version_of(page, 0), 0);
	page->words[1]++;
	assert_int_equal(version_of(page, 0), 1);
	free_page(page);
}

static struct page_key
next_key_of_tag(uint64_t tag, uint32_t *octets)
{
	struct page_key key;

	do {
		++*octets;
		key = page_key(&secrets, (uint8_t *)octets, sizeof(*octets));
	} while ((key.hash & 0xffff) != tag);
	return key;
}

static bool
gives(const struct page *page, const struct page_key *key, char value)
{
	uint8_t octets[CACHE_VALUE_MAX];
	size_t len;

	return page_get(page, &secrets, key, octets, &len) && len == 1 &&
	       octets[0] == value;
}

// Two keys of one tag behind so many others: in one pair of slots and in two.
static void
tells_keys_of_one_tag_apart(void)
{
	const uint64_t tag = key_of(0).hash & 0xffff;
	struct cache_value value = {
		.ends_ms = 1, .worthless_ms = 9, .len = 1
	};
	uint32_t octets[2] = { 0 };
	struct page_key keys[2];

	keys[0] = next_key_of_tag(tag, &octets[0]);
	octets[1] = octets[0];
	keys[1] = next_key_of_tag(tag, &octets[1]);
	for (unsigned n_before = 0; n_before < 4; n_before++) {
		struct page *page = new_page();

		for (unsigned i = 1; i <= n_before; i++)
			put(page, i, 1, 10);
		for (unsigned i = 0; i < 2; i++) {
			value.data = (const uint8_t *)(i == 0 ? "a" : "b");
			page_put(page, &secrets, &keys[i], &value, 0);
		}
		assert_true(gives(page, &keys[0], 'a'));
		assert_true(gives(page, &keys[1], 'b'));
		assert_int_equal(
		    page_holds(page, &keys[1]), page_entry_octets(4, 1));
		page_drop(page, &keys[0]);
		assert_false(gives(page, &keys[0], 'a'));
		assert_true(gives(page, &keys[1], 'b'));
		assert_int_equal(n_entries(page), n_before + 1);
		free_page(page);
	}
}

// The end of a page cannot be written for the first time without this.
static struct page *watched;
static uint64_t sequence_then;

static uint8_t *
last_quarter(struct page *page)
{
	return (uint8_t *)page + 3 * PAGE_OCTETS / 4;
}

static void
on_first_store(int number)
{
	(void)number;
	sequence_then = watched->words[0];
	mprotect(
	    last_quarter(watched), PAGE_OCTETS / 4, PROT_READ | PROT_WRITE);
}

static void
is_odd_while_written(void)
{
	struct sigaction action = { .sa_handler = on_first_store }, before;

	if (sysconf(_SC_PAGESIZE) > PAGE_OCTETS / 4)
		skip();
	watched = new_page();
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	for (unsigned i = 0; i < 3; i++) {
		sequence_then = 0;
		assert_int_equal(
		    mprotect(last_quarter(watched), PAGE_OCTETS / 4, PROT_READ),
		    0);
		put(watched, 0, (uint8_t)(i + 1), 100);
		assert_int_equal(sequence_then, 2 * i + 1);
		assert_int_equal(watched->words[0], 2 * i + 2);
		assert_int_equal(version_of(watched, 0), i + 1);
	}
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	free_page(watched);
}

// The least entry there is, which begins nearest to the end.
static void
takes_nothing_for_a_key(void)
{
	struct page *page = new_page();
	const struct cache_value nothing = { .ends_ms = 1, .worthless_ms = 9 };
	struct page_key key = page_key(&secrets, (const uint8_t *)"", 0);
	uint8_t octets[CACHE_VALUE_MAX];
	size_t len = 1;

	page_put(page, &secrets, &key, &nothing, 0);
	assert_int_equal(page_holds(page, &key), page_entry_octets(0, 0));
	assert_true(page_get(page, &secrets, &key, octets, &len));
	assert_int_equal(len, 0);
	put(page, 0, 1, 100);
	assert_true(page_get(page, &secrets, &key, octets, &len));
	page->words[0]++;
	page_repair(page, &secrets);
	assert_true(page_get(page, &secrets, &key, octets, &len));
	page_drop(page, &key);
	assert_false(page_get(page, &secrets, &key, octets, &len));
	assert_int_equal(n_entries(page), 1);
	free_page(page);
}

// What is left of an entry's last word must not tell of anything else.
static void
pads_with_zeros(void)
{
	static const uint8_t zeros[6];
	struct page *page = new_page();

	put(page, 0, 0xff, CACHE_VALUE_MAX);
	put(page, 1, 0xff, 2);
	size_t offset = page->words[2] >> 32 & 0xffff;
	const uint8_t *octets = (const uint8_t *)page + offset + 24 + 16;
	assert_int_equal(octets[1], 0xff);
	assert_memory_equal(octets + 2, zeros, sizeof(zeros));
	free_page(page);
}

static const struct {
	const char *sentence;
	void (*check)(void);
} rows[] = {
	{ "a page of zeros is empty", zeros_are_empty },
	{ "a put replaces, a drop removes, and neither touches others",
	    replaces_and_drops },
	{ "a full page gives up the worthless, then domains without DANE, then "
	  "what ends next",
	    evicts_by_worth },
	{ "what ends a millisecond sooner goes first, whenever that is",
	    evicts_what_ends_a_millisecond_sooner },
	{ "what is worthless goes at that moment and not before",
	    sweeps_out_the_worthless },
	{ "the price of room is the worth of what would go last",
	    tells_its_price },
	{ "worth grows with the end, and DANE outweighs any", worth_grows },
	{ "an entry takes its slot and whole words", counts_octets },
	{ "the sequence is odd while entries are written",
	    is_odd_while_written },
	{ "keys of one tag are told apart wherever their slots are",
	    tells_keys_of_one_tag_apart },
	{ "nothing may be kept of nothing", takes_nothing_for_a_key },
	{ "what is left of an entry's last word is zeros", pads_with_zeros },
	{ "the largest value finds room in a full page, and a second one "
	  "beside "
	  "it",
	    makes_room_for_the_largest },
	{ "a flipped bit anywhere in a page gives a miss or the right value",
	    survives_any_flipped_bit },
	{ "a page with a flipped bit anywhere can be written",
	    writes_into_any_flipped_page },
	{ "a repair keeps the sound entries and moves the sequence on",
	    repair_keeps_the_sound },
	{ "a writer that dies after any store loses entries but falsifies and "
	  "revives none",
	    survives_death_after_any_store },
	{ "entries that overlap cannot overflow a page",
	    bears_overlapping_entries },
	{ "entries that overlap are packed beside their slots",
	    packs_what_overlaps_beside_its_slots },
	{ "usage is told up to what a page holds",
	    counts_up_to_what_a_page_holds },
	{ "a page whose head makes no sense counts no more than a page holds, "
	  "and can be written",
	    bears_an_absurd_head },
	{ "an entry that would go on behind the page is none",
	    bears_entries_past_the_end },
	{ "slots behind the last one are none", bears_slots_behind_the_last },
	{ "a slot that leads elsewhere finds nothing", bears_slots_that_lie },
};

static void
run(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (*state == (const void *)&rows[i])
			rows[i].check();
}

int
main(void)
{
	TABLE_ADD(rows, run);
	return table_run("page");
}
