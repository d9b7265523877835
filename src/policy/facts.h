// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What DNS said of one next-hop, as the decision needs it and the cache keeps
// it: before policy rules, insecure_mx, no_dane_reply and the choice of a
// digest are applied, for those may change at a reload. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACTS_HOSTS_MAX 64    // hosts judged; those past it count as in error
#define FACTS_REASON_MAX 160  // octets, without NUL
// As many matches as a reply of 100,000 octets can hold, and one to know that
// it does not.
#define FACTS_SHA256_MAX 1042
#define FACTS_SHA512_MAX 521

// How the MX lookup ended. Zero is the doubt.
enum facts_mx {
	FACTS_MX_FAILED = 0, // bogus or failed: nothing is known
	FACTS_MX_NOBODY,     // NXDOMAIN or null MX (RFC 7505)
	FACTS_MX_INSECURE,
	FACTS_MX_SECURE,     // also for a host in brackets
};

enum facts_state {
	FACTS_ERROR = 0, // its lookups were bogus or failed
	FACTS_ABSENT,	 // has no address, surely
	FACTS_DANE,	 // secure TLSA, at least one usable
	FACTS_UNUSABLE,	 // secure TLSA, none usable
	FACTS_NODANE,	 // no secure TLSA, or an insecure host
};

enum {
	FACTS_HAS_ADDRESS = 1,	// an address is known
	FACTS_KILLS_SMTP = 2,	// holds a record that makes smtp(8) panic
	FACTS_SHA256 = 4,	// writable as sha256 fingerprints
	FACTS_SHA512 = 8,	// writable as sha512 fingerprints
};

struct facts_host {
	uint16_t preference; // of the MX record; lower is better
	uint8_t state;	     // enum facts_state
	uint8_t flags;
};

struct facts {
	enum facts_mx mx;
	bool more_hosts;   // there were more than FACTS_HOSTS_MAX
	bool partial;	   // the matches were left out (too large to keep)
	uint8_t n_hosts;
	struct facts_host hosts[FACTS_HOSTS_MAX]; // best preferred first
	// Matches of all DANE hosts: digests one after another, sorted, each
	// once. Borrowed from the walk or from the octets decoded.
	uint16_t n_sha256, n_sha512;
	const uint8_t *sha256, *sha512;
	// The first thing that went wrong, with its question and cause; else
	// empty. Borrowed too, not NUL-terminated.
	uint8_t reason_len;
	const char *reason;
};

// Bytes of a struct facts, the same in cache and in messages (drawn in
// src/cache/FORMAT). Returns their number, or 0 if size is too small or the
// facts break what is said above (limits, order). Partial facts are written without matches.
size_t facts_encode(const struct facts *facts, uint8_t *ret, size_t size);

// Borrows from bytes. 0, or -EINVAL for anything that facts_encode would not
// have written; ret is then untouched.
int facts_decode(const uint8_t *bytes, size_t len, struct facts *ret);

#define FACTS_ENCODED_MAX                                                      \
	(16 + 4 * FACTS_HOSTS_MAX + 32 * FACTS_SHA256_MAX +                    \
	    64 * FACTS_SHA512_MAX + FACTS_REASON_MAX)
