// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Verdict to reply, in the words of whoever asks: the map name says which
// Postfix that is. Pure, and the only place where reply text is made.
#pragma once

#include "policy/decide.h"
#include "policy/entry.h"
#include "policy/nexthop.h"
#include "policy/rules.h"

// Postfix's socketmap_max_reply_size (socketmap_table(5)).
#define DIALECT_REPLY_MAX 100000
// The longest reply but fingerprints: it fits smtp(8)'s log line.
#define DIALECT_SHORT_MAX 256

enum dialect_map { DIALECT_UNKNOWN = 0, DIALECT_DANE, DIALECT_FINGERPRINT };

enum dialect_none { // no_dane_reply
	DIALECT_NONE_MAY = 0,
	DIALECT_NONE_ENCRYPT,
	DIALECT_NONE_NONE,
	DIALECT_NONE_NOTFOUND,
};

struct dialect_settings {
	enum dialect_none no_dane_reply;
	bool insecure_may;       // insecure_mx = may
	bool empty_tlsa_ignore;  // empty_tlsa = ignore
	bool fingerprint_sha512; // fingerprint_digest = sha512
};

// Case-insensitive; "query", "querywithtlsrpt" and "postfix" are the dane map.
enum dialect_map dialect_map(const char *name, size_t len);

// One question, and what the administrator says to it.
struct dialect_question {
	enum dialect_map map;
	const struct nexthop *nexthop;
	const struct rules_rule *rule; // the one that applies, or NULL
	const struct dialect_settings *settings;
};

// Whether an entry must be had before dialect_answer can tell; else
// dialect_fixed does.
bool dialect_needs_dns(const struct dialect_question *question);

// Whether dialect_fixed should be given the facts, where some are at hand: a
// fixed level with DANE is given without the DNS, but not to a domain that is
// known for a record that makes smtp(8) panic.
bool dialect_wants_facts(const struct dialect_question *question);

// All of these write one socketmap reply (no netstring) and return its length;
// ret must hold DIALECT_SHORT_MAX octets, for dialect_answer and dialect_fixed
// DIALECT_REPLY_MAX.

// facts: however old, or NULL.
size_t dialect_fixed(const struct dialect_question *question,
    const struct facts *facts, char *ret);

// From an entry that entry_judge calls FRESH, GRACE, STALE or DEFER.
size_t dialect_answer(const struct dialect_question *question,
    const struct entry *entry, enum entry_use use, char *ret, size_t size);

// Whether dialect_answer leaves fingerprints out of its reply, and is weaker
// for it, because they would make it longer than DIALECT_REPLY_MAX: the
// administrator wants to know.
bool dialect_overflows(const struct dialect_question *question,
    const struct entry *entry, enum entry_use use);

// Without an entry: the lookup cannot be had. TEMP in the dane map; in the
// fingerprint map an OK with a level that does not exist, because Postfix 2.10
// does not survive an error there.
size_t dialect_defer(enum dialect_map map, const char *reason, char *ret);

size_t dialect_notfound(char *ret);

// Names the maps there are.
size_t dialect_unknown_map(const char *name, size_t len, char *ret);

// PERM with a reason, for a request that cannot be understood.
size_t dialect_perm(const char *reason, char *ret);
