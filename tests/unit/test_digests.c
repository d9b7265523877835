// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Sets of digests: sorted, each once, never more than there is room for. The
// digests have two octets here, written as two letters.
#include "config.h"

#include "policy/digests.h"

#include "table.h"

#include <string.h>

#define WIDTH    2
#define SETS_MAX 4
#define TEXT_MAX 64

// ---- Memory: so many pieces of it, and how many octets were asked for

struct arena {
	unsigned n_left, n;
	size_t octets;
	void *pieces[16];
};

static void *
arena_get(void *arg, size_t size)
{
	struct arena *arena = arg;

	if (arena->n_left == 0)
		return NULL;
	arena->n_left--;
	arena->octets += size;
	return arena->pieces[arena->n++] = calloc(1, size);
}

static void
arena_free(struct arena *arena)
{
	while (arena->n > 0)
		free(arena->pieces[--arena->n]);
}

// ---- Sets as text: "aa bb cc"

static void
add_all(struct digests *digests, const char *text)
{
	for (; *text != '\0'; text += WIDTH + (text[WIDTH] == ' '))
		digests_add(digests, (const uint8_t *)text);
}

static const char *
text_of(const struct digests *digests, char ret[TEXT_MAX])
{
	char *at = ret;

	for (unsigned i = 0; i < digests->n; i++) {
		memcpy(at, digests->data + i * WIDTH, WIDTH);
		at += WIDTH;
		*at++ = ' ';
	}
	*at = '\0';
	if (at > ret)
		at[-1] = '\0';
	return ret;
}

// ---- One set

struct add_row {
	const char *sentence;
	size_t room;
	const char *added;
	const char *found;
};

static const struct add_row add_rows[] = {
	{ "an empty set has nothing", 3, "", "" },
	{ "a set of one", 1, "bb", "bb" },
	{ "a set is sorted", 4, "cc aa dd bb", "aa bb cc dd" },
	{ "the last octet sorts too", 3, "ac ab aa", "aa ab ac" },
	{ "each stands once", 3, "bb aa bb aa", "aa bb" },
	{ "the last and greatest stands once", 3, "aa bb bb", "aa bb" },
	{ "without room nothing is kept", 0, "aa", "" },
	{ "a full set does not take what is greater", 2, "aa bb cc", "aa bb" },
	{ "a full set gives its greatest for what is less", 2, "bb cc aa",
	    "aa bb" },
	{ "a full set of one gives it for what is less", 1, "bb aa", "aa" },
	{ "a full set takes what it has no second time", 2, "aa bb aa",
	    "aa bb" },
};

static void
added(void **state)
{
	const struct add_row *row = *state;
	struct arena arena = { .n_left = 1 };
	const struct digests_memory memory = { arena_get, &arena };
	struct digests digests = { 0 };
	char text[TEXT_MAX];

	assert_true(digests_reserve(&memory, &digests, WIDTH, row->room));
	add_all(&digests, row->added);
	assert_string_equal(text_of(&digests, text), row->found);
	arena_free(&arena);
}

// Memory is zeroed: what was never added must not be found there.
static void
zeros_are_a_digest(void **state)
{
	(void)state;
	static const uint8_t zeros[WIDTH];
	struct arena arena = { .n_left = 1 };
	const struct digests_memory memory = { arena_get, &arena };
	struct digests digests = { 0 };

	assert_true(digests_reserve(&memory, &digests, WIDTH, 2));
	digests_add(&digests, zeros);
	assert_int_equal(digests.n, 1);
	digests_add(&digests, zeros);
	assert_int_equal(digests.n, 1);
	arena_free(&arena);
}

static void
a_set_grows_only_if_it_must(void **state)
{
	(void)state;
	struct arena arena = { .n_left = 2 };
	const struct digests_memory memory = { arena_get, &arena };
	struct digests digests = { 0 };

	assert_true(digests_reserve(&memory, &digests, WIDTH, 3));
	assert_int_equal(arena.octets, 3 * WIDTH);
	add_all(&digests, "aa");
	assert_true(digests_reserve(&memory, &digests, WIDTH, 2));
	assert_true(digests_reserve(&memory, &digests, WIDTH, 3));
	assert_int_equal(arena.n, 1);
	assert_int_equal(digests.n, 1);
	assert_true(digests_reserve(&memory, &digests, WIDTH, 4));
	assert_int_equal(arena.octets, 7 * WIDTH);
	assert_int_equal(digests.n, 0);
	assert_int_equal(digests.n_max, 4);
	assert_false(digests_reserve(&memory, &digests, WIDTH, 5));
	assert_int_equal(digests.n_max, 0);
	arena_free(&arena);
}

// ---- Their union

struct merge_row {
	const char *sentence;
	const char *sets[SETS_MAX]; // to the first NULL
	size_t room;
	const char *found;
};

static const struct merge_row merge_rows[] = {
	{ "no sets are an empty one", { NULL }, 5, "" },
	{ "empty sets are an empty one", { "", "" }, 5, "" },
	{ "one set is itself", { "aa bb" }, 5, "aa bb" },
	{ "sets are merged in order", { "bb dd", "aa cc" }, 5, "aa bb cc dd" },
	{ "a set behind an empty one counts", { "", "aa" }, 5, "aa" },
	{ "a set before an empty one counts", { "aa", "" }, 5, "aa" },
	{ "what stands in two sets stands once", { "aa bb", "bb cc", "bb" }, 5,
	    "aa bb cc" },
	{ "sets that are equal are one", { "aa bb", "aa bb" }, 5, "aa bb" },
	{ "only the least are kept", { "aa dd", "bb cc" }, 3, "aa bb cc" },
	{ "without room nothing is kept of them", { "aa", "bb" }, 0, "" },
};

static void
merged(void **state)
{
	const struct merge_row *row = *state;
	struct arena arena = { .n_left = SETS_MAX + 1 };
	const struct digests_memory memory = { arena_get, &arena };
	struct digests sets[SETS_MAX] = { 0 }, whole = { 0 };
	const struct digests *list[SETS_MAX];
	unsigned n = 0;
	char text[TEXT_MAX];

	for (; n < SETS_MAX && row->sets[n] != NULL; n++) {
		assert_true(digests_reserve(&memory, &sets[n], WIDTH, 5));
		add_all(&sets[n], row->sets[n]);
		list[n] = &sets[n];
	}
	assert_true(digests_merge(&memory, list, n, row->room, &whole));
	assert_string_equal(text_of(&whole, text), row->found);
	arena_free(&arena);
}

static void
a_union_takes_no_more_memory_than_it_needs(void **state)
{
	(void)state;
	struct arena arena = { .n_left = 3 };
	const struct digests_memory memory = { arena_get, &arena };
	struct digests sets[2] = { 0 }, whole = { 0 };
	const struct digests *const list[] = { &sets[0], &sets[1] };
	char text[TEXT_MAX];

	for (unsigned i = 0; i < 2; i++) {
		assert_true(digests_reserve(&memory, &sets[i], WIDTH, 2));
		add_all(&sets[i], i == 0 ? "aa bb" : "cc");
	}
	arena.octets = 0;
	assert_true(digests_merge(&memory, list, 2, 1000, &whole));
	assert_int_equal(arena.octets, 3 * WIDTH);
	// Once more, in the memory that it has.
	assert_true(digests_merge(&memory, list, 2, 1000, &whole));
	assert_string_equal(text_of(&whole, text), "aa bb cc");
	arena_free(&arena);
}

static void
a_union_without_memory_is_told(void **state)
{
	(void)state;
	struct arena arena = { .n_left = 1 };
	const struct digests_memory memory = { arena_get, &arena };
	struct digests set = { 0 }, whole = { 0 };
	const struct digests *const list[] = { &set };

	assert_true(digests_reserve(&memory, &set, WIDTH, 1));
	add_all(&set, "aa");
	assert_false(digests_merge(&memory, list, 1, 10, &whole));
	arena_free(&arena);
}

int
main(void)
{
	TABLE_ADD(add_rows, added);
	table_add("zeros are a digest", zeros_are_a_digest, NULL);
	table_add(
	    "a set grows only if it must", a_set_grows_only_if_it_must, NULL);
	TABLE_ADD(merge_rows, merged);
	table_add("a union takes no more memory than it needs",
	    a_union_takes_no_more_memory_than_it_needs, NULL);
	table_add("a union without memory is told",
	    a_union_without_memory_is_told, NULL);
	return table_run("digests");
}
