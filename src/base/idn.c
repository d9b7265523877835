// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One label goes in, one label comes out: whatever libidn2 makes of it is
// looked through again, because its mapping turns full-width dots and slashes
// into plain ones.
#include "config.h"

#include "base/idn.h"

#include <errno.h>
#include <idn2.h>
#include <stdbool.h>
#include <string.h>

#define LABEL_MAX   63 // octets of an A-label (RFC 1035 section 2.3.4)
// No more octets of UTF-8 can make an A-label: each costs at least a quarter
// of one there.
#define U_LABEL_MAX (4 * LABEL_MAX)

static bool
is_label(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return len > 0 && len <= LABEL_MAX && text[len] == '\0';
}

int
idn_label_to_ascii(const char *label, size_t len, char ret[64])
{
	char text[U_LABEL_MAX + 1];
	uint8_t *converted = NULL;
	int error = -EINVAL;

	if (len == 0 || len > U_LABEL_MAX || memchr(label, '\0', len))
		return -EINVAL;
	memcpy(text, label, len);
	text[len] = '\0';
	// By UTS 46 without its transitional rules: case and width are folded,
	// which IDNA2008 alone refuses, and what it allows stays as it is.
	if (idn2_lookup_u8((const uint8_t *)text, &converted,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return -EINVAL;
	if (is_label((const char *)converted)) {
		memcpy(ret, converted, strlen((const char *)converted) + 1);
		error = 0;
	}
	idn2_free(converted);
	return error;
}
