// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One next-hop, resolved here and now as the daemon would, with all that was
// said on the way. What decides is the daemon's own code: walk, decide, outcome
// and dialect; the rest of a story is for people, and nothing follows from it.
#pragma once

#include "base/conf.h"
#include "dns/dns.h"
#include "policy/decide.h"
#include "policy/dialect.h"
#include "policy/entry.h"
#include "policy/rules.h"
#include "policy/walk.h"
#include "resolver/arena.h"

// One record on the way to an answer.
struct story_record {
	const char *owner;
	enum walk_type type;
	uint32_t ttl_s;
	const char *name; // CNAME, MX: whom it points to; else NULL
	const uint8_t *rdata;
	size_t len;
};

// One question and what came of it.
struct story_answer {
	unsigned id; // of the walk
	enum walk_type type;
	unsigned host; // as in the facts; 0 for MX
	char name[WALK_NAME_MAX + 1];
	bool answered; // before query_timeout
	bool counts;   // the facts rest on it
	enum walk_security security;
	enum walk_content content;
	bool has_ttl;
	uint32_t ttl_s;
	char cause[WALK_CAUSE_MAX + 1]; // of failed and bogus
	unsigned n_records;
	struct story_record *records; // in arena
	struct arena arena;
};

struct story_host {
	const char *name;
	uint16_t preference;
	enum facts_state state;
	const char *why; // a few words
};

struct story_reply {
	const char *map; // "dane", "fingerprint"
	char *text;      // NUL-terminated
};

#define STORY_MAPS 2

struct story {
	const char *key; // as given
	struct nexthop nexthop;
	const char *policy_file; // empty: there is none
	bool has_rule;
	struct rules_rule rule;      // the one that applies
	bool resolved;               // DNS was asked; else only replies counts
	char why_not[DNS_ERROR_MAX]; // it should have been asked: why not
	unsigned n_answers;
	// MX first, then host by host, in the order in which they count.
	struct story_answer answers[WALK_QUESTIONS_MAX];
	unsigned n_hosts;
	struct story_host hosts[FACTS_HOSTS_MAX]; // best preferred first
	enum decide_verdict verdict;
	char reason[FACTS_REASON_MAX + 1];
	uint32_t kept_s; // how long the daemon would keep it
	struct story_reply replies[STORY_MAPS];
	bool deferred, not_found; // the dane map's reply is TEMP, NOTFOUND
	struct arena arena;
	struct walk walk;
};

// What stands before the first question.
struct story_world {
	const struct conf *conf;
	const struct rules *rules; // NULL: there is no policy file
	int32_t today;             // in days since 1970-01-01 UTC
};

// A DNS context on the daemon's settings, shared by all stories of a command.
struct scene;

// 0 or a negative errno with an error. What world points to must outlive the
// scene.
int scene_open(const struct story_world *world, struct scene **ret,
    char ret_error[DNS_ERROR_MAX]);
void scene_close(struct scene *scene);

// Takes query_timeout at most, and once for the first that needs DNS the time
// to see whether the root validates. key must outlive ret. 0 or -ENOMEM.
int story_find(struct scene *scene, const char *key, struct story **ret);
void story_free(struct story *story);

// What story_find is made of. A story at its beginning: if story_needs_dns,
// the questions of its walk are asked, or why_not is set.
int story_new(
    const char *key, const struct story_world *world, struct story **ret);
bool story_needs_dns(const struct story *story);
// Where a question of the walk is noted, and where its answer goes.
struct story_answer *story_ask(
    struct story *story, const struct walk_question *question);
void story_answer(struct story *story, struct story_answer *answer,
    const struct walk_reply *reply);
// What follows once the walk is over: hosts, verdict, replies. 0 or -ENOMEM.
int story_end(
    struct story *story, const struct story_world *world, uint64_t now_ms);
