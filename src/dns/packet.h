// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A DNS answer in wire format to a walk_reply: follows the alias chain, takes
// the records of the type asked for, and the smallest TTL on the way. Hostile
// input: libc's ns_* functions read it. No unbound.h here.
#pragma once

#include "policy/walk.h"

struct packet; // owns what its reply points to

// The end of name, behind one of its dots, that owns a DNAME in the answer of
// this packet, whose signatures nobody has checked; NULL: none does. name: as
// libc writes it.
const char *packet_dname_above(
    const uint8_t *wire, size_t len, const char *name);

// 0; -EBADMSG for what does not parse or does not answer the question;
// -ENOMEM. security is the caller's. rcodes other than NOERROR and NXDOMAIN
// give WALK_FAILED with the rcode's name as cause.
int packet_parse(const uint8_t *wire, size_t len, const char *name,
    enum walk_type type, enum walk_security security, struct packet **ret);
const struct walk_reply *packet_reply(const struct packet *packet);

// For an answer that was validated: its TTL is no longer than its signatures
// permit (RFC 4035 s. 5.3.3). What they do not sign is the TTL that stands in
// the packet. now_s: seconds of the real time, as in an RRSIG. An expired one
// that was accepted nevertheless, as clocks differ, leaves a TTL of 0.
void packet_limit_ttl(
    struct packet *packet, const uint8_t *wire, size_t len, uint32_t now_s);

void packet_free(struct packet *packet);

// "SERVFAIL", or "RCODE 23"; returns ret or a constant.
#define PACKET_RCODE_MAX 16
const char *packet_rcode_text(int rcode, char ret[PACKET_RCODE_MAX]);

// One record of the way from the name asked for to the answer: an alias step
// (type WALK_CNAME, whatever was asked for), or an answer. All is borrowed.
struct packet_record {
	const char *owner;
	enum walk_type type;
	uint32_t ttl_s;
	const char *name; // CNAME, MX: whom it points to; else NULL
	const uint8_t *rdata;
	size_t len;
};

// Shows each record that packet_parse would follow or count, in order. For
// people; nothing is decided by it. 0 or -EBADMSG.
typedef void packet_visitor(void *arg, const struct packet_record *record);
int packet_visit(const uint8_t *wire, size_t len, const char *name,
    enum walk_type type, packet_visitor *visit, void *arg);
