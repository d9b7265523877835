// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Requests taken apart at their first space.
#include "config.h"

#include "table.h"

#include <string.h>

#include "wire/socketmap.h"

struct row {
	const char *sentence;
	const char *payload;
	size_t len;      // 0: to the NUL
	const char *map; // NULL: refused
	size_t key_len;
	const char *key;
};

static const struct row rows[] = {
	{ "a map name and a key", "dane example.org", 0, "dane", 11,
	    "example.org" },
	{ "a key may hold spaces", "dane a b", 0, "dane", 3, "a b" },
	{ "a second space belongs to the key", "dane  x", 0, "dane", 2, " x" },
	{ "a key may be empty", "dane ", 0, "dane", 0, "" },
	{ "a map name may be empty", " key", 0, "", 3, "key" },
	{ "a key may hold NUL", "dane a\0b", 8, "dane", 3, "a\0b" },
	{ "a request without a space is refused", "dane", 0, NULL, 0, NULL },
	{ "an empty request is refused", "", 0, NULL, 0, NULL },
	{ "a tab is no space", "dane\tkey", 0, NULL, 0, NULL },
};

static void
check(void **state)
{
	const struct row *row = *state;
	size_t len = row->len != 0 ? row->len : strlen(row->payload);
	struct socketmap_request request = { .map = "untouched" };

	assert_int_equal(
	    socketmap_split(row->payload, len, &request), row->map != NULL);
	if (row->map == NULL) {
		assert_string_equal(request.map, "untouched");
		return;
	}
	assert_int_equal(request.map_len, strlen(row->map));
	assert_memory_equal(request.map, row->map, request.map_len);
	assert_int_equal(request.key_len, row->key_len);
	assert_memory_equal(request.key, row->key, row->key_len);
}

int
main(void)
{
	TABLE_ADD(rows, check);
	return table_run("socketmap");
}
