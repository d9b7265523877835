// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The hosts that an MX RRset names, as Postfix would try them: targets that it
// refuses are dropped, duplicates count once at their best preference, and the
// FACTS_HOSTS_MAX best preferred are kept (RFC 5321 section 5.1). Pure.
#pragma once

#include "policy/facts.h"
#include "policy/walk.h"

// One target, borrowed from the reply.
struct mxset_target {
	uint16_t preference;
	const char *name; // presentation form, len characters
	size_t len;       // without a trailing dot
};

struct mxset {
	unsigned n;
	bool more; // there were more of them
	struct mxset_target list[FACTS_HOSTS_MAX];
};

// "0 ." alone: the domain takes no mail (RFC 7505).
bool mxset_is_null(const struct walk_reply *reply);

// Equal preferences are ordered by name, so that the order of the records in
// the set does not matter.
void mxset_read(const struct walk_reply *reply, struct mxset *ret);
