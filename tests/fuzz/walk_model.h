// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What the answers to the questions of a walk must come to: RFC 7672 section
// 2.2 written a second time, without a look at walk.c. It aborts when the facts
// of a walk say something else, above all something weaker: a host that is
// secure by an answer that was not, a lookup in error that counts as a denial.
#pragma once

#include "policy/walk.h"

#define MODEL_TEXT_MAX    300
#define MODEL_RECORDS_MAX 80

// A TLSA RRset.
struct model_tlsa {
	bool some, usable, kills_smtp, sha256, sha512;
};

// A question, and its first answer.
struct model_answer {
	bool given;
	const char *name; // the walk's own
	enum walk_security security;
	enum walk_content content;
	bool aliased, has_canonical, has_ttl;
	uint32_t ttl_s;
	char canonical[MODEL_TEXT_MAX]; // lower case, without its last dot
	struct model_tlsa tlsa;
};

struct model_target {
	uint16_t preference;
	char name[NEXTHOP_NAME_MAX + 1];
};

enum model_lookup {
	MODEL_A,
	MODEL_AAAA,
	MODEL_CNAME,
	MODEL_TARGET,
	MODEL_ORIGINAL,
	MODEL_LOOKUPS,
};

struct model {
	const struct nexthop *nexthop;
	tlsa_full_check *full;
	bool lacks_memory; // the owner sets it: all that it met may be in error
	enum facts_mx mx;
	unsigned n_targets;
	struct model_target targets[MODEL_RECORDS_MAX];
	// NULL: not asked.
	struct model_answer *of_mx, *of[FACTS_HOSTS_MAX][MODEL_LOOKUPS];
	struct model_answer *by_id[WALK_QUESTIONS_MAX];
	unsigned n_answers;
	struct model_answer answers[WALK_QUESTIONS_MAX];
};

// nexthop and full as in walk_begin; borrowed.
void model_begin(struct model *model, const struct nexthop *nexthop,
    tlsa_full_check *full);
// What walk_next said, and what walk_answer is told.
void model_ask(struct model *model, const struct walk_question *question);
void model_answer(
    struct model *model, unsigned id, const struct walk_reply *reply);
// What walk_facts said, with its min_ttl_s.
void model_check(const struct model *model, const struct walk *walk,
    const struct facts *facts, uint32_t ttl_s, uint32_t min_ttl_s);
