// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Names in presentation form: octets told from characters, and compared as the
// DNS does. Knows nothing of what a name is for.
#include "config.h"

#include "policy/dname.h"

#include <stdint.h>

char
dname_fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Characters that one octet takes, 0 if there is none.
static size_t
octet_width(const char *at)
{
	if (at[0] != '\\')
		return 1;
	if (!is_digit(at[1]))
		return at[1] != '\0' ? 2 : 0;
	if (!is_digit(at[2]) || !is_digit(at[3]))
		return 0;
	int value = (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
	return value <= UINT8_MAX ? 4 : 0;
}

size_t
dname_measure(const char *text, size_t *ret_len)
{
	size_t octets = 0, len = 0;
	bool dotted = false;

	while (text[len] != '\0') {
		size_t width = octet_width(text + len);

		dotted = text[len] == '.';
		len += width;
		octets++;
		if (width == 0 || len > DNAME_TEXT_MAX)
			return 0;
	}
	*ret_len = len - dotted;
	return octets - dotted;
}

const char *
dname_parent(const char *text)
{
	while (*text != '\0' && *text != '.') {
		size_t width = octet_width(text);

		if (width == 0)
			return NULL;
		text += width;
	}
	return *text == '.' && text[1] != '\0' ? text + 1 : NULL;
}

int
dname_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	for (size_t i = 0; i < a_len && i < b_len; i++)
		if (dname_fold(a[i]) != dname_fold(b[i]))
			return dname_fold(a[i]) - dname_fold(b[i]);
	return (a_len > b_len) - (a_len < b_len);
}

bool
dname_is_ipv4(const char *text)
{
	for (int part = 1; part <= 4; part++) {
		unsigned value = 0, digits = 0;

		for (; is_digit(*text) && digits < 4; text++, digits++)
			value = value * 10 + (unsigned)(*text - '0');
		if (digits == 0 || digits > 3 || value > UINT8_MAX)
			return false;
		if (*text++ != (part < 4 ? '.' : '\0'))
			return false;
	}
	return true;
}
