// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Escapes one octet at a time into a buffer with an end: an escape is written
// whole or not at all, so that a cut line never ends in half of one.
#include "config.h"

#include "base/escape.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define ESCAPED_MAX 4 // "\xHH"
#define CUT_MARK    "..."

static bool
is_plain(enum escape_what what, unsigned char octet)
{
	if (octet < 0x20 || octet == 0x7f)
		return false;
	if (what == ESCAPE_CONTROLS)
		return true;
	return octet < 0x7f && octet != '"' && octet != '\\';
}

static size_t
escape_octet(unsigned char octet, char ret[ESCAPED_MAX])
{
	static const char hex[] = "0123456789abcdef";
	static const char names[][2] = { { '\n', 'n' }, { '\t', 't' },
		{ '\r', 'r' }, { '"', '"' }, { '\\', '\\' } };

	ret[0] = '\\';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (octet != (unsigned char)names[i][0])
			continue;
		ret[1] = names[i][1];
		return 2;
	}
	ret[1] = 'x';
	ret[2] = hex[octet >> 4];
	ret[3] = hex[octet & 15];
	return 4;
}

size_t
escape_text(
    enum escape_what what, const char *text, size_t len, char *ret, size_t size)
{
	size_t n = 0, cut = 0; // cut: where the mark would go
	assert(size >= 2 * ESCAPED_MAX);

	for (size_t i = 0; i < len; i++) {
		unsigned char octet = (unsigned char)text[i];
		char piece[ESCAPED_MAX] = { (char)octet };
		size_t piece_len =
		    is_plain(what, octet) ? 1 : escape_octet(octet, piece);

		if (n + piece_len >= size) {
			memcpy(ret + cut, CUT_MARK, sizeof(CUT_MARK));
			return cut + strlen(CUT_MARK);
		}
		memcpy(ret + n, piece, piece_len);
		n += piece_len;
		if (n + sizeof(CUT_MARK) <= size)
			cut = n;
	}
	ret[n] = '\0';
	return n;
}
