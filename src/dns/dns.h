// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Validated DNS: the one file that includes unbound.h. Questions go out
// together, answers come back parsed, never before dns_ask has returned, and
// from the event loop that the context was made on.
#pragma once

#include "policy/walk.h"

struct event_base;
struct dns;
struct dns_lookup;

#define DNS_ERROR_MAX 512

struct dns_settings {
	const char *trust_anchor_file; // NULL: the built-in keys, and Debian's
				       // root.key where it is
	const char *root_hints_file;   // NULL: libunbound's
	const char *resolver_config;   // NULL: none
	const char *forward;	       // white-space separated ADDRESS[@PORT],
				       // NULL: full recursion
	unsigned concurrency;	       // domains at once
	bool keep_wire;		       // replies show the answer's octets
};

// Called once a lookup, unless cancelled. reply is borrowed.
typedef void dns_done(void *arg, const struct walk_reply *reply);

// A new context. 0 or a negative errno, and an error that says which file or
// setting and how to mend it.
int dns_open(struct event_base *base, const struct dns_settings *settings,
    struct dns **ret, char ret_error[DNS_ERROR_MAX]);

// Without a context that will be used: what dns_open would say (danemapd -t),
// refusing a resolver_config that weakens validation. Each domain-insecure of
// it is reported through say.
int dns_check(const struct dns_settings *settings,
    void (*say)(const char *text), char ret_error[DNS_ERROR_MAX]);

// What the trust rests on: hashed into the cache's context. Writes the octets
// of all anchors and of resolver_config one after another into a fresh buffer
// that the caller frees.
int dns_context(const struct dns_settings *settings, uint8_t **ret,
    size_t *ret_len, char ret_error[DNS_ERROR_MAX]);

// name in presentation form. 0 or a negative errno (-EINVAL: a name that has no
// wire form); then done is not called.
int dns_ask(struct dns *dns, const char *name, enum walk_type type,
    dns_done *done, void *arg, struct dns_lookup **ret);

// done will not be called; what libunbound has under way goes on for its
// cache's sake.
void dns_cancel(struct dns_lookup *lookup);

// Asks for the root's DNSKEY and says whether it validates: NULL, or why not
// and how to mend it (with `forward`: that the forwarder strips DNSSEC).
typedef void dns_primed(void *arg, const char *why_not);
int dns_prime(struct dns *dns, dns_primed *primed, void *arg);

// Lookups under way (those cancelled included).
unsigned dns_pending(const struct dns *dns);

// Ends the context with all its lookups; their done is not called. Not from
// within a done.
void dns_close(struct dns *dns);

// "libunbound 1.17.1"
const char *dns_version(void);
