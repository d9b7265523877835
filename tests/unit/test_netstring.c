// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Reading and writing netstrings, wherever the buffer ends.
#include "config.h"

#include "table.h"

#include <string.h>

#include "wire/netstring.h"

#define MAX 10000

struct read_row {
	const char *sentence;
	const char *octets;
	size_t len; // 0: to the NUL
	enum netstring_state state;
	const char *payload;
	size_t used;
};

static const struct read_row read_rows[] = {
	{ "a whole netstring gives its payload", "5:hello,", 0, NETSTRING_WHOLE,
	    "hello", 8 },
	{ "an empty payload is whole", "0:,", 0, NETSTRING_WHOLE, "", 3 },
	{ "what follows a netstring is left alone", "2:ab,3:c", 0,
	    NETSTRING_WHOLE, "ab", 5 },
	{ "a payload may hold commas and colons", "3:,:,,", 0, NETSTRING_WHOLE,
	    ",:,", 6 },
	{ "nothing is partial", "", 0, NETSTRING_PARTIAL, NULL, 0 },
	{ "a length without its colon is partial", "12", 0, NETSTRING_PARTIAL,
	    NULL, 0 },
	{ "a lone zero is partial", "0", 0, NETSTRING_PARTIAL, NULL, 0 },
	{ "a payload not all there is partial", "5:hell", 0, NETSTRING_PARTIAL,
	    NULL, 0 },
	{ "a payload without its comma is partial", "5:hello", 0,
	    NETSTRING_PARTIAL, NULL, 0 },
	{ "the longest length allowed is partial", "10000:", 0,
	    NETSTRING_PARTIAL, NULL, 0 },
	{ "another octet in the place of the comma is malformed", "5:hello;", 0,
	    NETSTRING_MALFORMED, NULL, 0 },
	{ "no length is malformed", ":,", 0, NETSTRING_MALFORMED, NULL, 0 },
	{ "a leading zero is malformed", "05:hello,", 0, NETSTRING_MALFORMED,
	    NULL, 0 },
	{ "two zeros are malformed", "00:,", 0, NETSTRING_MALFORMED, NULL, 0 },
	{ "a sign is malformed", "-1:a,", 0, NETSTRING_MALFORMED, NULL, 0 },
	{ "a plus sign is malformed", "+1:a,", 0, NETSTRING_MALFORMED, NULL,
	    0 },
	{ "white space before the length is malformed", " 1:a,", 0,
	    NETSTRING_MALFORMED, NULL, 0 },
	{ "white space after the length is malformed", "1 :a,", 0,
	    NETSTRING_MALFORMED, NULL, 0 },
	{ "hexadecimal is malformed", "a:0123456789,", 0, NETSTRING_MALFORMED,
	    NULL, 0 },
	{ "a NUL instead of the colon is malformed", "1\0a,", 4,
	    NETSTRING_MALFORMED, NULL, 0 },
	{ "a line of another protocol is malformed", "GET / HTTP/1.1\r\n", 0,
	    NETSTRING_MALFORMED, NULL, 0 },
	{ "one octet over the limit is too long before it arrives", "10001", 0,
	    NETSTRING_TOO_LONG, NULL, 0 },
	{ "a length past all numbers is too long",
	    "99999999999999999999999999999999", 0, NETSTRING_TOO_LONG, NULL,
	    0 },
	{ "a length that would wrap to a small one is too long",
	    "18446744073709551617:a,", 0, NETSTRING_TOO_LONG, NULL, 0 },
};

static enum netstring_state
read_copy(const char *octets, size_t len, const char **payload,
    size_t *payload_len, size_t *used)
{
	// Of exactly this size, for the sanitizer and valgrind to see a step
	// too far.
	static char *copy;

	free(copy);
	copy = malloc(len == 0 ? 1 : len);
	assert_non_null(copy);
	memcpy(copy, octets, len);
	return netstring_read(copy, len, MAX, payload, payload_len, used);
}

static void
check_read(void **state)
{
	const struct read_row *row = *state;
	size_t len = row->len != 0 ? row->len : strlen(row->octets);
	const char *payload = NULL;
	size_t payload_len = 0, used = 0;

	assert_int_equal(row->state,
	    read_copy(row->octets, len, &payload, &payload_len, &used));
	if (row->state != NETSTRING_WHOLE) {
		assert_null(payload);
		return;
	}
	assert_int_equal(payload_len, strlen(row->payload));
	assert_memory_equal(payload, row->payload, payload_len);
	assert_int_equal(used, row->used);
}

static void
check_every_cut(void **state)
{
	const char whole[] = "12:dane example,";
	const char *payload;
	size_t payload_len, used;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_int_equal(NETSTRING_PARTIAL,
		    read_copy(whole, len, &payload, &payload_len, &used));
	assert_int_equal(NETSTRING_WHOLE,
	    read_copy(whole, sizeof(whole) - 1, &payload, &payload_len, &used));
}

struct head_row {
	const char *sentence;
	size_t len;
	const char *head;
};

static const struct head_row head_rows[] = {
	{ "the head of an empty payload is 0:", 0, "0:" },
	{ "the head of nine octets has one digit", 9, "9:" },
	{ "the head of ten octets has two digits", 10, "10:" },
	{ "the head of 10000 octets has five digits", 10000, "10000:" },
	{ "the head of the longest reply fits", 100000, "100000:" },
	{ "the longest head fits", 999999, "999999:" },
};

static void
check_head(void **state)
{
	const struct head_row *row = *state;
	char head[NETSTRING_HEAD_MAX];

	size_t len = netstring_head(row->len, head);
	assert_int_equal(len, strlen(row->head));
	assert_memory_equal(head, row->head, len);
}

int
main(void)
{
	TABLE_ADD(read_rows, check_read);
	table_add("every cut of a netstring is partial", check_every_cut, NULL);
	TABLE_ADD(head_rows, check_head);
	return table_run("netstring");
}
