// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a peer can bring into the log: any octets. A value must stay one word of
// one line, readable back to the octets that it stands for or, marked, to their
// beginning; a field of the journal must end where it ends.
//
// The octets: the room there is, less 16; then the value.
//
// Under test: src/base/escape.c
#include "config.h"

#include "input.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/sink.h"

#define TEXT_MAX 4096

// One octet as it was before it was escaped; at is moved behind it.
static uint8_t
unescape(const char **at)
{
	static const char names[] = "n\nt\tr\r\"\"\\\\";
	char hex[3] = { 0 };

	REQUIRE(**at != '"');
	if (*(*at)++ != '\\')
		return (uint8_t)(*at)[-1];
	char name = *(*at)++;
	for (size_t i = 0; name != 'x' && i + 1 < sizeof(names); i += 2)
		if (names[i] == name)
			return (uint8_t)names[i + 1];
	REQUIRE(name == 'x' && isxdigit((unsigned char)(*at)[0]) &&
		isxdigit((unsigned char)(*at)[1]));
	memcpy(hex, *at, 2);
	*at += 2;
	return (uint8_t)strtoul(hex, NULL, 16);
}

// How many octets at the start of data the escaped text from `from` to `to`
// stands for; SIZE_MAX: it stands for others.
static size_t
stands_for(const char *from, const char *to, const uint8_t *data, size_t size)
{
	size_t n = 0;

	for (; from < to; n++)
		if (unescape(&from) != (n < size ? data[n] : 0) || n >= size)
			return SIZE_MAX;
	REQUIRE(from == to);
	return n;
}

static void
check_meaning(
    const char *from, const char *to, const uint8_t *data, size_t size)
{
	bool is_marked = to - from >= 3 && memcmp(to - 3, "...", 3) == 0;

	if (stands_for(from, to, data, size) == size)
		return;
	REQUIRE(is_marked);
	REQUIRE(stands_for(from, to - 3, data, size) < size);
}

static void
check_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		REQUIRE(text[i] >= ' ' && text[i] <= '~');
}

static void
check_quoted(const uint8_t *data, size_t size, size_t room)
{
	char quoted[16 + UINT8_MAX];

	memset(quoted, 0x7f, sizeof(quoted));
	REQUIRE(dlog_quote((const char *)data, size, quoted, room) == quoted);
	size_t len = strnlen(quoted, room);
	REQUIRE(len < room && len > 0);
	for (size_t i = room; i < sizeof(quoted); i++)
		REQUIRE(quoted[i] == 0x7f);
	check_printable(quoted, len);
	if (quoted[0] == '"') {
		REQUIRE(len >= 2 && quoted[len - 1] == '"');
		check_meaning(quoted + 1, quoted + len - 1, data, size);
	} else {
		REQUIRE(strpbrk(quoted, " =\"") == NULL);
		check_meaning(quoted, quoted + len, data, size);
	}
}

// Values of fields are strings.
static void
check_field(const uint8_t *data, size_t size, size_t room)
{
	char value[TEXT_MAX], field[16 + UINT8_MAX];

	memcpy(value, data, size);
	value[size] = '\0';
	size_t len = sink_field("NAME", value, field, room);
	if (len == 0) {
		REQUIRE(4 * strlen(value) + 7 > room);
		return;
	}
	REQUIRE(len < room && memcmp(field, "NAME=", 5) == 0);
	REQUIRE(memchr(field, '\n', len) == field + len - 1);
	for (size_t i = 0; i + 1 < len; i++)
		REQUIRE((unsigned char)field[i] >= ' ' && field[i] != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	size_t room = 16 + (size_t)input_octet(&input), len;

	const uint8_t *text = input_take(&input, TEXT_MAX - 1, &len);
	check_quoted(text, len, room);
	check_field(text, len, room);
	return 0;
}
