// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A DNS for tests of the resolver, in the place of src/dns: says what a test
// tells it to, when it tells it to, and counts what it was asked. Answers come
// from the event loop, as dns.h promises.
#pragma once

#include "dns/dns.h"

struct fake_record {
	const char *name;
	enum walk_type type;
	struct walk_reply reply;
};

struct fake_dns {
	const struct fake_record *records; // answered at once
	size_t n_records;
	bool silent;            // to what is not among them; else NXDOMAIN
	const char *why_not;    // the root does not validate
	bool prime_silent;      // nor does it answer
	const char *open_error; // dns_open fails
	unsigned n_lingering;   // lookups that were cancelled, and still go on
	// Counted:
	unsigned n_opened, n_closed, n_asked, n_open, n_cancelled;
};

extern struct fake_dns fake_dns;

// Forgets everything; after each test, when all contexts are closed.
void fake_dns_reset(void);
