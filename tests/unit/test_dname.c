// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Domain names as DNS libraries spell them: how long, in which order, and
// which of them Postfix takes for an address.
#include "config.h"

#include "policy/dname.h"

#include "table.h"

#include <string.h>

// ---- The fold

static void
only_ascii_letters_are_folded(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		char folded = (char)(i >= 'A' && i <= 'Z' ? i + 32 : i);

		assert_int_equal(dname_fold((char)i), folded);
	}
}

// ---- How long a name is

#define NO_NAME 9999

struct measure_row {
	const char *sentence;
	const char *text;
	size_t octets, len; // NO_NAME: it is none
};

static const struct measure_row measure_rows[] = {
	{ "nothing is a name of no octets", "", 0, 0 },
	{ "the root does not count", ".", 0, 0 },
	{ "characters are octets", "a.example", 9, 9 },
	{ "a dot at the end counts neither way", "a.example.", 9, 9 },
	{ "an escaped character is one octet", "a\\.b", 3, 4 },
	{ "an escaped dot at the end is no dot", "ab\\.", 3, 4 },
	{ "an escaped backslash is one octet", "a\\\\.b", 4, 5 },
	{ "an escaped colon is not taken for a digit", "\\:1", 2, 3 },
	{ "an escaped slash is not taken for a digit", "\\/1", 2, 3 },
	{ "an escaped number is one octet", "\\000b", 2, 5 },
	{ "255 is the highest number", "a\\255", 2, 5 },
	{ "an escaped number at the end", "\\009", 1, 4 },
	{ "nines are digits", "\\099\\199", 2, 8 },
	{ "256 is no octet", "\\256", NO_NAME, 0 },
	{ "260 is no octet", "\\260", NO_NAME, 0 },
	{ "300 is no octet", "\\300", NO_NAME, 0 },
	{ "an escape at the end is none", "a\\", NO_NAME, 0 },
	{ "a number of one digit is none", "\\1", NO_NAME, 0 },
	{ "a number of one digit before a letter is none", "\\1aa", NO_NAME,
	    0 },
	{ "a number of two digits is none", "\\12", NO_NAME, 0 },
	{ "a number of two digits before a letter is none", "\\12a", NO_NAME,
	    0 },
	{ "a number with a letter in it is none", "\\1a2", NO_NAME, 0 },
	{ "a colon is no digit of a number", "\\1:1", NO_NAME, 0 },
};

static void
measure(void **state)
{
	const struct measure_row *row = *state;
	// Nothing follows its NUL, for a sanitizer to see.
	char *text = strdup(row->text);
	size_t len = NO_NAME;

	assert_non_null(text);
	if (row->octets == NO_NAME) {
		assert_int_equal(dname_measure(text, &len), 0);
		assert_int_equal(len, NO_NAME);
	} else {
		assert_int_equal(dname_measure(text, &len), row->octets);
		assert_int_equal(len, row->len);
	}
	free(text);
}

static void
a_name_has_its_limit(void **state)
{
	(void)state;
	char text[DNAME_TEXT_MAX + 2];
	size_t len = 0;

	memset(text, 'a', sizeof(text));
	text[DNAME_TEXT_MAX] = '\0';
	assert_int_equal(dname_measure(text, &len), DNAME_TEXT_MAX);
	assert_int_equal(len, DNAME_TEXT_MAX);
	text[DNAME_TEXT_MAX] = 'a';
	text[DNAME_TEXT_MAX + 1] = '\0';
	assert_int_equal(dname_measure(text, &len), 0);
}

// ---- Their order

struct order_row {
	const char *sentence;
	const char *a, *b;
	size_t a_len, b_len;
	int order; // its sign
};

static const struct order_row order_rows[] = {
	{ "names of no length are equal", "a", "b", 0, 0, 0 },
	{ "case does not matter", "MX.example", "mx.EXAMPLE", 10, 10, 0 },
	{ "the first difference decides", "ab", "ba", 2, 2, -1 },
	{ "the first octet may be the difference", "ax", "bx", 2, 2, -1 },
	{ "the last octet may be the difference", "xb", "xa", 2, 2, 1 },
	{ "capitals are sorted as small letters", "B", "a", 1, 1, 1 },
	{ "small letters are sorted as capitals", "a", "B", 1, 1, -1 },
	{ "the shorter of two that begin alike is less", "ab", "abc", 2, 3,
	    -1 },
	{ "the longer of two that begin alike is more", "abc", "ab", 3, 2, 1 },
	{ "what stands behind a name does not count", "abx", "aby", 2, 2, 0 },
	{ "a difference behind the shorter does not count", "abz", "abya", 2, 4,
	    -1 },
	{ "a difference behind the second does not count", "abya", "abz", 4, 2,
	    1 },
};

static int
sign(int number)
{
	return (number > 0) - (number < 0);
}

static void
order(void **state)
{
	const struct order_row *row = *state;

	assert_int_equal(
	    sign(dname_compare(row->a, row->a_len, row->b, row->b_len)),
	    row->order);
	assert_int_equal(
	    sign(dname_compare(row->b, row->b_len, row->a, row->a_len)),
	    -row->order);
}

// ---- Addresses

struct ipv4_row {
	const char *sentence;
	const char *text;
	bool is_address;
};

static const struct ipv4_row ipv4_rows[] = {
	{ "four numbers are an address", "192.0.2.1", true },
	{ "zeros are an address", "0.0.0.0", true },
	{ "255 is the highest number of an address", "255.255.255.255", true },
	{ "an address may have zeros in front", "192.000.002.009", true },
	{ "256 is no part of an address", "192.0.2.256", false },
	{ "999 is no part of an address", "192.0.999.1", false },
	{ "four digits are no part of an address", "192.0.2.0001", false },
	{ "five digits are no part of an address", "00001.0.2.1", false },
	{ "three numbers are no address", "192.0.2", false },
	{ "five numbers are no address", "192.0.2.1.1", false },
	{ "an empty part is no address", "192..2.1", false },
	{ "an empty first part is no address", ".0.2.1", false },
	{ "an empty last part is no address", "192.0.2.", false },
	{ "a dot at the end is no address", "192.0.2.1.", false },
	{ "a letter is no address", "192.0.2.a", false },
	{ "a letter behind is no address", "192.0.2.1a", false },
	{ "a colon is no digit", "192.0.2.:", false },
	{ "a slash is no digit", "192.0.2./", false },
	{ "nothing is no address", "", false },
};

static void
ipv4(void **state)
{
	const struct ipv4_row *row = *state;
	char *text = strdup(row->text);

	assert_non_null(text);
	assert_int_equal(dname_is_ipv4(text), row->is_address);
	free(text);
}

static const struct parent_row {
	const char *sentence, *text, *parent;
} parent_rows[] = {
	{ "the parent begins behind the first dot", "a.b.example",
	    "b.example" },
	{ "an escaped dot ends no label", "a\\.x.b.example", "b.example" },
	{ "nor does one written as a number", "a\\046x.b.example",
	    "b.example" },
	{ "a trailing dot stays", "a.example.", "example." },
	{ "the parent of one label is the root", "example", NULL },
	{ "and so it is with a trailing dot", "example.", NULL },
	{ "an escape that ends early has no parent", "a\\", NULL },
	{ "a number that is no octet has no parent", "a\\999.example", NULL },
	{ "nothing has no parent", "", NULL },
};

static void
parent(void **state)
{
	const struct parent_row *row = *state;
	char *text = strdup(row->text);

	assert_non_null(text);
	const char *found = dname_parent(text);
	if (row->parent == NULL) {
		assert_null(found);
	} else {
		assert_non_null(found);
		assert_string_equal(found, row->parent);
	}
	free(text);
}

int
main(void)
{
	table_add("only ASCII letters are folded",
	    only_ascii_letters_are_folded, NULL);
	TABLE_ADD(measure_rows, measure);
	table_add("a name has its limit", a_name_has_its_limit, NULL);
	TABLE_ADD(order_rows, order);
	TABLE_ADD(ipv4_rows, ipv4);
	TABLE_ADD(parent_rows, parent);
	return table_run("dname");
}
