// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Facts to verdict: the table of RFC 7672 section 2.2 as this daemon keeps
// it. Pure, and short enough to be read whole.
#pragma once

#include "policy/facts.h"

enum decide_verdict {
	DECIDE_DEFER = 0,
	DECIDE_NONE,	 // no DANE here
	DECIDE_DANE,	 // Postfix decides host by host
	DECIDE_DANE_ONLY,
};

// Hosts that are not absent, by state.
struct decide_count {
	unsigned n_dane, n_unusable, n_nodane, n_error;
	bool has_address;	// of any host in error
	bool kills_smtp;	// of any host that counts
};

void decide_count(const struct facts *facts, struct decide_count *ret);

// insecure_may: the parameter insecure_mx says "may".
enum decide_verdict decide(const struct facts *facts, bool insecure_may);

// NONE and DEFER are not; an old strict answer outlives a failed lookup.
bool decide_is_strict(enum decide_verdict verdict);

// Why, for people: always NUL-terminated, at most size - 1 octets. For DEFER
// it is the question and the cause, fit for Postfix's 200-octet log line.
void decide_reason(const struct facts *facts, enum decide_verdict verdict,
    char *ret, size_t size);

// "defer", "none", "dane", "dane-only".
const char *decide_text(enum decide_verdict verdict);

// Raised with every change of the rules: a cache that was filled under other
// rules starts empty.
#define DECIDE_VERSION 1
