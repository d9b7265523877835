// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The block that rules live in: how large it is, and that keys are spread well
// over it. A bad hash gives the same answers as a good one, only slower, so
// that nothing but this would see it.
#include "config.h"

#include "policy/rules_block.h"

#include "table.h"

#include "rules_text.h"

#include <stdio.h>

static struct rules *
build(const char *text)
{
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules;

	if (rules_text_build(text, strlen(text), &rules, error) != 0)
		fail_msg("%s", error);
	return rules;
}

// ---- Its size

struct size_row {
	const char *sentence;
	uint32_t n_rules, n_slots, n_words;
};

static const struct size_row size_rows[] = {
	{ "no rules have one slot, which stays free", 0, 1, 1 },
	{ "one rule has four slots, for three would be needed", 1, 4, 1 },
	{ "three rules have eight slots", 3, 8, 1 },
	{ "four rules have more than twice as many slots, and sixteen bits of "
	  "the filter each",
	    4, 16, 2 },
	{ "seven rules have two words of the filter", 7, 16, 2 },
	{ "eight rules have four, for three would be needed", 8, 32, 4 },
	{ "a thousand rules", 1000, 2048, 256 },
	{ "a thousand and twenty-four rules", 1024, 4096, 512 },
};

static void
size(void **state)
{
	const struct size_row *row = *state;
	struct rules plan;

	size_t len = rules_lay_out(row->n_rules, &plan);
	assert_int_equal(plan.slot_mask + 1, row->n_slots);
	assert_int_equal(plan.word_mask + 1, row->n_words);
	assert_int_equal(len, sizeof(struct rules) +
				  row->n_slots * sizeof(struct rules_slot) +
				  row->n_words * sizeof(uint64_t) +
				  row->n_rules * sizeof(struct rules_record));
}

static void
a_block_ends_with_its_texts(void **state)
{
	(void)state;
	struct rules *rules = build("a.example may # why\n* none\n");
	struct rules plan;

	assert_int_equal(rules_size(rules),
	    rules_lay_out(2, &plan) + sizeof("a.example") + sizeof("may") +
		sizeof("why") + sizeof("*") + sizeof("none") + sizeof(""));
	free(rules);
}

static size_t
memory_of(const char *text)
{
	const struct rules_text from = { "rules", text, strlen(text) };

	return rules_memory(&from);
}

static void
a_text_without_rules_needs_no_room_for_any(void **state)
{
	(void)state;
	struct rules plan;

	assert_int_equal(memory_of(""), rules_lay_out(0, &plan));
}

// A-labels may be longer than the U-labels that they stand for.
static void
only_high_octets_need_more_memory(void **state)
{
	(void)state;
	size_t plain = memory_of("aaaa may\n");

	assert_int_equal(memory_of("aa\177a may\n"), plain);
	assert_int_equal(memory_of("aaa\200 may\n"), plain + 254);
	assert_int_equal(memory_of("\377aaa may\n"), plain + 254);
}

// ---- How keys are spread

static const struct rules_slot *
slots_of(const struct rules *rules)
{
	return (const void *)((const char *)rules + rules->slots_at);
}

static int
compare_tags(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static unsigned
count_tags(const struct rules *rules)
{
	static uint32_t tags[4096];
	unsigned n = 0, n_different = 0;

	for (uint32_t i = 0; i <= rules->slot_mask; i++)
		if (slots_of(rules)[i].record != 0)
			tags[n++] = slots_of(rules)[i].tag;
	qsort(tags, n, sizeof(tags[0]), compare_tags);
	for (unsigned i = 0; i < n; i++)
		n_different += i == 0 || tags[i] != tags[i - 1];
	return n_different;
}

// Keys of one length that differ in a single octet, for every length and every
// place in it: their tags are 32 bits, so that two alike would be no chance.
static void
every_octet_of_a_key_counts(void **state)
{
	(void)state;
	char text[2 * 64 + 16];

	for (unsigned len = 1; len <= 40; len++) {
		char key[41] = "";

		memset(key, 'm', len);
		for (unsigned i = 0; i < len; i++) {
			char *at = text;

			for (char octet = 'a'; octet <= 'b'; octet++) {
				key[i] = octet;
				at += sprintf(at, "%s may\n", key);
			}
			key[i] = 'm';
			struct rules *rules = build(text);
			assert_int_equal(count_tags(rules), 2);
			free(rules);
		}
	}
}

static void
the_length_of_a_key_counts(void **state)
{
	(void)state;
	char text[4096], *at = text;

	for (int len = 1; len <= 60; len++) {
		memset(at, 'a', (size_t)len);
		at += len;
		at += sprintf(at, " may\n");
	}
	struct rules *rules = build(text);
	assert_int_equal(count_tags(rules), 60);
	free(rules);
}

#define MANY 1000

struct spread_row {
	const char *sentence;
	const char *before, *behind; // the number of a rule's key
};

static const struct spread_row spread_rows[] = {
	{ "keys that end in a number are spread", "mail.example", "" },
	{ "keys that begin with a number are spread", "",
	    ".some.long.name.example" },
	{ "keys with a number in the middle are spread", "some.long.name",
	    ".some.long.name.example" },
	{ "short keys are spread", "", "" },
	{ "parents are spread", ".example", "" },
	{ "hosts in brackets are spread", "[mx", ".example]:587" },
};

static struct rules *
build_many(const struct spread_row *row)
{
	static char text[MANY * 64];
	char *at = text;

	for (unsigned i = 0; i < MANY; i++)
		at += sprintf(
		    at, "%s%u%s may\n", row->before, 10000 + i, row->behind);
	return build(text);
}

// The longest row of slots in use: as far as a look may have to go.
static unsigned
longest_run(const struct rules *rules)
{
	unsigned run = 0, longest = 0;

	for (uint32_t i = 0; i <= 2 * rules->slot_mask; i++) {
		bool used = slots_of(rules)[i & rules->slot_mask].record != 0;

		run = used ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

struct bits {
	unsigned n, most; // in all words, in one
};

static struct bits
filter_bits(const struct rules *rules)
{
	const uint64_t *words =
	    (const void *)((const char *)rules + rules->filter_at);
	struct bits ret = { 0, 0 };

	for (uint32_t i = 0; i <= rules->word_mask; i++) {
		unsigned n = (unsigned)__builtin_popcountll(words[i]);

		ret.n += n;
		ret.most = n > ret.most ? n : ret.most;
	}
	return ret;
}

// By chance the longest run of a thousand in 2048 slots has some 30, and 256
// words of which each has three bits of four keys some 2,700 of them, 30 in
// one word at most.
static void
spread(void **state)
{
	const struct spread_row *row = *state;
	struct rules *rules = build_many(row);

	assert_int_equal(rules_count(rules), MANY);
	assert_in_range(longest_run(rules), 1, 80);
	struct bits bits = filter_bits(rules);
	assert_in_range(bits.n, 2400, 2900);
	assert_in_range(bits.most, 1, 45);
	free(rules);
}

int
main(void)
{
	TABLE_ADD(size_rows, size);
	table_add(
	    "a block ends with its texts", a_block_ends_with_its_texts, NULL);
	table_add("a text without rules needs no room for any",
	    a_text_without_rules_needs_no_room_for_any, NULL);
	table_add("only high octets need more memory",
	    only_high_octets_need_more_memory, NULL);
	table_add(
	    "every octet of a key counts", every_octet_of_a_key_counts, NULL);
	table_add(
	    "the length of a key counts", the_length_of_a_key_counts, NULL);
	TABLE_ADD(spread_rows, spread);
	return table_run("rules_block");
}
