// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a client may send: any octets, cut anywhere. A netstring must be judged
// alike whether it comes whole or octet by octet, and a request taken apart
// must lie within its payload.
//
// Under test: src/wire/netstring.c src/wire/socketmap.c
#include "config.h"

#include "input.h"

#include <stdint.h>
#include <stdlib.h>

#include "wire/netstring.h"
#include "wire/socketmap.h"

static void
check_request(const char *payload, size_t len)
{
	struct socketmap_request request;

	if (!socketmap_split(payload, len, &request))
		return;
	REQUIRE(request.map == payload);
	REQUIRE(request.map_len + 1 + request.key_len == len);
	REQUIRE(request.key == payload + request.map_len + 1);
}

// The first verdict on a growing prefix is the verdict on all of it.
static void
check_prefixes(const char *text, size_t size, enum netstring_state all)
{
	enum netstring_state state = NETSTRING_PARTIAL;
	const char *payload;
	size_t payload_len, used;

	for (size_t len = 0; len <= size && state == NETSTRING_PARTIAL; len++)
		state = netstring_read(text, len, SOCKETMAP_REQUEST_MAX,
		    &payload, &payload_len, &used);
	REQUIRE(state == all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *payload;
	size_t payload_len, used, at = 0;

	while (at < size) {
		enum netstring_state state =
		    netstring_read(text + at, size - at, SOCKETMAP_REQUEST_MAX,
			&payload, &payload_len, &used);
		if (size - at < 512)
			check_prefixes(text + at, size - at, state);
		if (state != NETSTRING_WHOLE)
			break;
		REQUIRE(payload_len <= SOCKETMAP_REQUEST_MAX);
		REQUIRE(used <= size - at && used > payload_len);
		check_request(payload, payload_len);
		at += used;
	}
	return 0;
}
