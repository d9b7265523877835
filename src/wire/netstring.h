// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Netstrings (cr.yp.to/proto/netstrings.txt), read from a buffer that may end
// anywhere and written around a payload. Knows nothing of what is inside.
#pragma once

#include <stddef.h>

// The longest decoration of a payload: "100000:" and ",".
#define NETSTRING_HEAD_MAX  7
#define NETSTRING_EXTRA_MAX (NETSTRING_HEAD_MAX + 1)

enum netstring_state {
	NETSTRING_PARTIAL = 0, // more octets are needed
	NETSTRING_WHOLE,
	NETSTRING_MALFORMED, // no length, a leading zero, no comma, no colon
	NETSTRING_TOO_LONG,  // says a length over max
};

// Looks at the start of buf. Only when WHOLE: the payload (borrowed) and the
// octets that the netstring takes. Judges as early as the octets allow: a
// length over max is TOO_LONG before its payload has arrived.
enum netstring_state netstring_read(const char *buf, size_t len, size_t max,
    const char **ret_payload, size_t *ret_payload_len, size_t *ret_used);

// "LEN:" for a payload of len octets, without NUL; returns its length. The
// caller ends the payload with NETSTRING_TAIL.
size_t netstring_head(size_t len, char ret[NETSTRING_HEAD_MAX]);
#define NETSTRING_TAIL ','
