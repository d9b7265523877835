// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One line in the log for each new decision, and a louder one for each answer
// that has changed; no more in a second than a journal takes without losing
// what others write.
#pragma once

#include "policy/decide.h"
#include "policy/entry.h"
#include "policy/nexthop.h"
#include "resolver/idmap.h"

#define DIARY_LINES_PER_S 200 // of either kind

struct diary_budget {
	unsigned n_lines, n_left_out;
};

struct diary { // zeroed: empty
	struct diary_budget decisions, changes;
};

struct diary_event {
	struct ident id;
	const struct entry *entry; // as it is now
	bool had_answer;
	bool keeps_answer; // DEFER, and the old answer goes on
	enum decide_verdict old_verdict, verdict; // of the lookups
	const char *reason;
	uint64_t now_ms, took_ms;
};

void diary_note(struct diary *diary, const struct diary_event *event);
// Once a second: says how many lines were left out.
void diary_tick(struct diary *diary);

// A next-hop as Postfix writes it: "example.org", "[mx.example.org]:587".
#define DIARY_NAME_MAX (NEXTHOP_NAME_MAX + sizeof("[]:65535"))
const char *diary_name(struct ident id, char ret[DIARY_NAME_MAX]);
