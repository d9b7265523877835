// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a DNS answer says, read a second time without a look at dns/packet.c:
// all records at once, and then the alias chain along them.
#pragma once

#include <arpa/nameser.h>

#include "policy/walk.h"

struct packet_model {
	enum walk_content content;
	bool failed;        // an rcode that is neither NOERROR nor NXDOMAIN
	unsigned n_aliases; // steps of the chain
	unsigned n_steps;   // its CNAME records; one may be told twice
	char canonical[WALK_NAME_MAX];
	bool has_ttl;
	uint32_t ttl_s;
	size_t n;
	const ns_rr *const *records; // of the type asked for
};

// name and type are those of msg's own question. False: not an answer to it,
// or not one that makes sense. Valid until the next call.
bool packet_model_read(
    ns_msg *msg, const char *name, ns_type type, struct packet_model *ret);
