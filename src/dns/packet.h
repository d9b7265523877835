// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A DNS answer in wire format to a walk_reply: follows the alias chain, takes
// the records of the type asked for, and the smallest TTL on the way. Hostile
// input: libc's ns_* functions read it. No unbound.h here.
#pragma once

#include "policy/walk.h"

struct packet; // owns what its reply points to

// 0; -EBADMSG for what does not parse or does not answer the question;
// -ENOMEM. security is the caller's. rcodes other than NOERROR and NXDOMAIN
// give WALK_FAILED with the rcode's name as cause.
int packet_parse(const uint8_t *wire, size_t len, const char *name,
    enum walk_type type, enum walk_security security, struct packet **ret);
const struct walk_reply *packet_reply(const struct packet *packet);
void packet_free(struct packet *packet);

// "SERVFAIL", or "RCODE 23"; returns ret or a constant.
#define PACKET_RCODE_MAX 16
const char *packet_rcode_text(int rcode, char ret[PACKET_RCODE_MAX]);
