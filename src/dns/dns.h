// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Validated DNS: the one file that includes unbound.h. Questions go out
// together, answers come back parsed, never before dns_ask has returned, and
// from the event loop that the context was made on.
#pragma once

#include "policy/walk.h"

struct event_base;
struct dns;
struct dns_source;
struct dns_lookup;

#define DNS_ERROR_MAX 512

struct dns_settings {
	const char *trust_anchor_file; // NULL: the built-in keys, and Debian's
				       // root.key where it is
	const char *root_hints_file;   // NULL: libunbound's
	const char *resolver_config;   // NULL: none
	const char *forward;           // white-space separated ADDRESS[@PORT],
				       // NULL: full recursion
	unsigned concurrency;          // domains at once
	bool keep_wire;                // replies show the answer's octets
};

// Called once a lookup, unless cancelled. reply is borrowed.
typedef void dns_done(void *arg, const struct walk_reply *reply);

// The octets of all files that the settings name, as they are at this moment,
// looked through for what libunbound would take and must not get. Whatever
// happens to the files later, contexts made from it are alike. 0 or a negative
// errno, and an error that says which file or setting and how to mend it.
// settings are borrowed until dns_source_free.
int dns_source_read(const struct dns_settings *settings,
    struct dns_source **ret, char ret_error[DNS_ERROR_MAX]);
void dns_source_free(struct dns_source *source);

// What the trust rests on: hashed into the cache's context. All anchors and
// resolver_config one after another, in a fresh buffer that the caller frees.
// 0 or -ENOMEM.
int dns_source_octets(
    const struct dns_source *source, uint8_t **ret, size_t *ret_len);

// What resolver_config names that libunbound will want to read (the zone file
// of an auth-zone, certificates), ended by NULL.
const char *const *dns_source_files(const struct dns_source *source);

// A new context. Opens no file but what resolver_config names in its turn, and
// memory files by way of /proc/self/fd. 0 or a negative errno and an error.
int dns_open(struct event_base *base, const struct dns_source *source,
    struct dns **ret, char ret_error[DNS_ERROR_MAX]);

// Without a context that will be used: what dns_open would say (danemapd -t),
// refusing a resolver_config that weakens validation. Each domain-insecure of
// it is reported through say. libunbound may end the process over a bad file.
int dns_check(const struct dns_source *source, void (*say)(const char *text),
    char ret_error[DNS_ERROR_MAX]);

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
