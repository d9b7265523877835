// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Packets between workers and resolvers. Promises that ask_decode takes what
// ask_encode writes and nothing else; refuses to look into the data, which is
// checked by those who know it (nexthop_from_id, entry_decode).
//
//	offset  octets
//	     0       1  kind
//	     1       3  zero
//	     4       4  id, little-endian
//	     8       8  deadline_ms, little-endian; zero but for QUESTION
//	    16     ...  data, to the end of the packet
#include "config.h"

#include "wire/ask.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

// A kind and a port before a name of at least one octet.
#define ID_MIN 4

static bool
fits(enum ask_kind kind, size_t len)
{
	switch (kind) {
	case ASK_QUESTION:
	case ASK_HINT:
		return len >= ID_MIN && len <= NEXTHOP_ID_MAX;
	case ASK_ANSWER:
		return len > 0 && len <= ENTRY_ENCODED_MAX;
	case ASK_REFUSED:
		return len > 0 && len <= ASK_TEXT_MAX;
	case ASK_NOTHING:
		break;
	}
	return false;
}

size_t
ask_encode(const struct ask *ask, uint8_t *ret, size_t size)
{
	uint32_t id = htole32(ask->id);
	uint64_t deadline_ms =
	    htole64(ask->kind == ASK_QUESTION ? ask->deadline_ms : 0);

	assert(fits(ask->kind, ask->len) && size >= ASK_HEAD + ask->len);
	memset(ret, 0, ASK_HEAD);
	ret[0] = (uint8_t)ask->kind;
	memcpy(ret + 4, &id, sizeof(id));
	memcpy(ret + 8, &deadline_ms, sizeof(deadline_ms));
	memcpy(ret + ASK_HEAD, ask->data, ask->len);
	return ASK_HEAD + ask->len;
}

int
ask_decode(const uint8_t *packet, size_t len, struct ask *ret)
{
	uint32_t id;
	uint64_t deadline_ms;

	if (len < ASK_HEAD || (packet[1] | packet[2] | packet[3]) != 0)
		return -EINVAL;
	enum ask_kind kind = packet[0];
	if (!fits(kind, len - ASK_HEAD))
		return -EINVAL;
	memcpy(&id, packet + 4, sizeof(id));
	memcpy(&deadline_ms, packet + 8, sizeof(deadline_ms));
	if (kind != ASK_QUESTION && deadline_ms != 0)
		return -EINVAL;
	*ret = (struct ask){
		.kind = kind,
		.id = le32toh(id),
		.deadline_ms = le64toh(deadline_ms),
		.len = len - ASK_HEAD,
		.data = packet + ASK_HEAD,
	};
	return 0;
}
