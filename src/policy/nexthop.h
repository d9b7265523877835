// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A next-hop as Postfix sends it, taken apart: what is to be looked up, and
// how the administrator wrote it. Pure: the two things that need a library or
// a file (IDNA, service names) are asked of the caller.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A name without its trailing dot has at most 253 octets (RFC 1035 s. 2.3.4).
#define NEXTHOP_NAME_MAX 253
#define NEXTHOP_DEFAULT_PORT 25

// kind, port (2), name: what names one next-hop in cache and messages.
#define NEXTHOP_ID_MAX (3 + NEXTHOP_NAME_MAX)

enum nexthop_kind {
	NEXTHOP_UNPARSABLE = 0, // answered NOTFOUND, nothing is looked up
	NEXTHOP_UNCONVERTIBLE,	// a U-label that IDNA2008 refuses: deferred
	NEXTHOP_ADDRESS,	// an IP address: no DANE possible
	NEXTHOP_PARENT,		// ".example.org": for the policy file only
	NEXTHOP_DOMAIN,		// look up MX
	NEXTHOP_HOST,		// in brackets: this host, no MX lookup
};

struct nexthop {
	enum nexthop_kind kind;
	bool bare;     // written with neither brackets nor port
	uint16_t port; // of the TLSA records; 25 unless written
	uint8_t name_len;
	// Lower case, A-labels, no trailing dot, NUL-terminated. For
	// NEXTHOP_ADDRESS as inet_ntop spells it, for NEXTHOP_PARENT with its dot.
	char name[NEXTHOP_NAME_MAX + 1];
};

// What nexthop_parse asks of the world. Both return 0 or a negative errno.
struct nexthop_env {
	// One U-label (len octets of UTF-8, not terminated) to its A-label:
	// lower case, at most 63 octets and a NUL.
	int (*label_to_ascii)(const char *label, size_t len, char ret[64]);
	// A TCP service name ("submission") to its port.
	int (*service_port)(const char *name, size_t len, uint16_t *ret_port);
};

// Never fails: what makes no sense is NEXTHOP_UNPARSABLE. key may hold any
// octets, NUL included.
void nexthop_parse(const char *key, size_t len, const struct nexthop_env *env,
    struct nexthop *ret);

// The identity of a next-hop of kind DOMAIN or HOST: equal octets, equal
// lookups. Returns its length.
size_t nexthop_id(const struct nexthop *nexthop, uint8_t ret[NEXTHOP_ID_MAX]);

// The reverse, for what arrives in messages or is read from the cache file:
// checks everything. 0, or -EINVAL. How the key was written is not part of the
// identity: bare is false.
int nexthop_from_id(const uint8_t *id, size_t len, struct nexthop *ret);

// Whether Postfix takes a name for a host (its valid_hostname): labels of
// letters, digits, '-' within and '_', 1 to 63 octets each, not digits alone.
bool nexthop_valid_hostname(const char *name);
