// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Netstrings as their own text defines them, to the letter: no white space, no
// sign, no leading zero. Promises to read no octet past len and to judge as
// soon as the octets allow; refuses to know what a payload means.
#include "config.h"

#include "wire/netstring.h"

#include <assert.h>
#include <stdbool.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// The decimal number that buf begins with, and where it ends.
static enum netstring_state
read_length(
    const char *buf, size_t len, size_t max, size_t *ret_value, size_t *ret_end)
{
	size_t value = 0, i = 0;

	for (; i < len && is_digit(buf[i]); i++) {
		if (i > 0 && value == 0)
			return NETSTRING_MALFORMED;
		size_t digit = (size_t)(buf[i] - '0');
		if (value > max / 10 || value * 10 > max - digit)
			return NETSTRING_TOO_LONG;
		value = value * 10 + digit;
	}
	if (i == len)
		return NETSTRING_PARTIAL;
	if (i == 0 || buf[i] != ':')
		return NETSTRING_MALFORMED;
	*ret_value = value;
	*ret_end = i;
	return NETSTRING_WHOLE;
}

enum netstring_state
netstring_read(const char *buf, size_t len, size_t max,
    const char **ret_payload, size_t *ret_payload_len, size_t *ret_used)
{
	size_t payload_len = 0, colon = 0;

	enum netstring_state state =
	    read_length(buf, len, max, &payload_len, &colon);
	if (state != NETSTRING_WHOLE)
		return state;
	size_t start = colon + 1;
	if (len - start <= payload_len)
		return NETSTRING_PARTIAL;
	if (buf[start + payload_len] != NETSTRING_TAIL)
		return NETSTRING_MALFORMED;
	*ret_payload = buf + start;
	*ret_payload_len = payload_len;
	*ret_used = start + payload_len + 1;
	return NETSTRING_WHOLE;
}

// By hand: a printf here would cost as much as the rest of a cached answer.
size_t
netstring_head(size_t len, char ret[NETSTRING_HEAD_MAX])
{
	char digits[NETSTRING_HEAD_MAX];
	size_t n = 0;

	do {
		assert(n < NETSTRING_HEAD_MAX - 1);
		digits[n++] = (char)('0' + len % 10);
		len /= 10;
	} while (len > 0);
	for (size_t i = 0; i < n; i++)
		ret[i] = digits[n - 1 - i];
	ret[n] = ':';
	return n + 1;
}
