// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How a story comes together: the questions that the walk wants asked, a copy
// of each answer, and at the end what the daemon would have made of them. Does
// no I/O; scene.c asks.
#include "config.h"

#include "tool/story.h"

#include "base/idn.h"
#include "base/services.h"
#include "dns/packet.h"
#include "resolver/outcome.h"
#include "x509/x509.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_PER_S UINT64_C(1000)

static const struct {
	const char *name;
	enum dialect_map map;
} maps[STORY_MAPS] = {
	{ "dane", DIALECT_DANE },
	{ "fingerprint", DIALECT_FINGERPRINT },
};

static void *
memory(void *arg, size_t size)
{
	return arena_get(arg, size);
}

bool
story_needs_dns(const struct story *story)
{
	return story->nexthop.kind == NEXTHOP_DOMAIN ||
	       story->nexthop.kind == NEXTHOP_HOST;
}

int
story_new(const char *key, const struct story_world *world, struct story **ret)
{
	static const struct nexthop_env names = {
		.label_to_ascii = idn_label_to_ascii,
		.service_port = services_port,
	};

	struct story *story = calloc(1, sizeof(*story));
	if (story == NULL)
		return -ENOMEM;
	story->key = key;
	nexthop_parse(key, strlen(key), &names, &story->nexthop);
	story->policy_file = world->conf->policy_file;
	story->has_rule =
	    world->rules != NULL && rules_find(world->rules, &story->nexthop,
					world->today, &story->rule);
	if (story_needs_dns(story)) {
		struct walk_env env = {
			.get = memory,
			.arg = &story->arena,
			.full = x509_digest_full,
		};
		walk_begin(&story->walk, &story->nexthop, &env);
	}
	*ret = story;
	return 0;
}

void
story_free(struct story *story)
{
	if (story == NULL)
		return;
	for (unsigned i = 0; i < story->n_answers; i++)
		arena_free(&story->answers[i].arena);
	for (unsigned i = 0; i < STORY_MAPS; i++)
		free(story->replies[i].text);
	arena_free(&story->arena);
	free(story);
}

// ---- Questions and answers ----

struct story_answer *
story_ask(struct story *story, const struct walk_question *question)
{
	struct story_answer *answer = &story->answers[story->n_answers++];

	*answer = (struct story_answer){
		.id = question->id,
		.type = question->type,
		.host = question->host,
	};
	strncpy(answer->name, question->name, WALK_NAME_MAX);
	return answer;
}

static void
count_record(void *arg, const struct packet_record *record)
{
	size_t *n = arg;

	(void)record;
	++*n;
}

static const void *
copy(struct arena *arena, const void *octets, size_t len)
{
	void *mine = octets != NULL ? arena_get(arena, len + 1) : NULL;

	if (mine != NULL)
		memcpy(mine, octets, len);
	return mine;
}

static void
keep_record(void *arg, const struct packet_record *record)
{
	struct story_answer *answer = arg;
	struct arena *arena = &answer->arena;
	const char *owner = copy(arena, record->owner, strlen(record->owner));
	const uint8_t *rdata = copy(arena, record->rdata, record->len);
	const char *name = NULL;

	if (record->name != NULL)
		name = copy(arena, record->name, strlen(record->name));
	if (owner == NULL || rdata == NULL || (record->name && name == NULL))
		return;
	answer->records[answer->n_records++] = (struct story_record){
		.owner = owner,
		.type = record->type,
		.ttl_s = record->ttl_s,
		.name = name,
		.rdata = rdata,
		.len = record->len,
	};
}

static int
compare_octets(const struct story_record *a, const struct story_record *b)
{
	int order =
	    memcmp(a->rdata, b->rdata, a->len < b->len ? a->len : b->len);

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

// Servers shuffle; people compare. MX records begin with their preference.
static int
compare_records(const void *left, const void *right)
{
	const struct story_record *a = left, *b = right;
	int order = 0;

	if (a->type == WALK_MX && a->len >= 2 && b->len >= 2)
		order = memcmp(a->rdata, b->rdata, 2);
	if (order == 0 && a->name != NULL && b->name != NULL)
		order = strcasecmp(a->name, b->name);
	return order != 0 ? order : compare_octets(a, b);
}

// Alias steps stay in front, in the order of the way.
static void
sort_records(struct story_answer *answer)
{
	unsigned first = 0;

	while (first < answer->n_records &&
	       answer->records[first].type != answer->type)
		first++;
	if (first < answer->n_records)
		qsort(answer->records + first, answer->n_records - first,
		    sizeof(*answer->records), compare_records);
}

static void
keep_records(struct story_answer *answer, const struct walk_reply *reply)
{
	size_t n = 0;

	if (reply->wire == NULL ||
	    packet_visit(reply->wire, reply->wire_len, answer->name,
		answer->type, count_record, &n) != 0)
		return;
	answer->records =
	    arena_get(&answer->arena, (n + 1) * sizeof(*answer->records));
	if (answer->records == NULL)
		return;
	packet_visit(reply->wire, reply->wire_len, answer->name, answer->type,
	    keep_record, answer);
	sort_records(answer);
}

void
story_answer(struct story *story, struct story_answer *answer,
    const struct walk_reply *reply)
{
	answer->answered = true;
	answer->security = reply->security;
	answer->content = reply->content;
	answer->has_ttl = reply->has_ttl;
	answer->ttl_s = reply->ttl_s;
	if (reply->cause != NULL)
		strncpy(answer->cause, reply->cause, WALK_CAUSE_MAX);
	keep_records(answer, reply);
	walk_answer(&story->walk, answer->id, reply);
}

// ---- The end ----

// Why a host without DANE has none.
static const char *
why_no_dane(const struct story *story, unsigned host)
{
	bool asked = false;

	for (unsigned i = 0; i < story->n_answers; i++) {
		const struct story_answer *answer = &story->answers[i];

		if (answer->type == WALK_MX || answer->host != host)
			continue;
		asked = true;
		if (answer->type == WALK_TLSA && answer->counts)
			return "no signed TLSA records";
	}
	return asked ? "its addresses are not signed, so TLSA does not count"
		     : "an IPv4 address where a name should be";
}

static const char *
why_host(const struct story *story, unsigned host, enum facts_state state)
{
	switch (state) {
	case FACTS_DANE:
		return "usable TLSA records";
	case FACTS_UNUSABLE:
		return "TLSA records, none of them usable";
	case FACTS_ABSENT:
		return "has no address";
	case FACTS_NODANE:
		return why_no_dane(story, host);
	case FACTS_ERROR:
		break;
	}
	return "a lookup that counts has failed";
}

// By id, the walk's order of precedence: addresses, then the TLSA records of an
// alias's target, then those of the name itself.
static int
compare_answers(const void *left, const void *right)
{
	const struct story_answer *a = left, *b = right;

	return (a->id > b->id) - (a->id < b->id);
}

static void
end_hosts(struct story *story, const struct facts *facts)
{
	qsort(story->answers, story->n_answers, sizeof(story->answers[0]),
	    compare_answers);
	for (unsigned i = 0; i < story->n_answers; i++)
		story->answers[i].counts =
		    walk_counts(&story->walk, story->answers[i].id);
	for (unsigned i = 0; i < facts->n_hosts; i++) {
		enum facts_state state = facts->hosts[i].state;

		story->hosts[story->n_hosts++] = (struct story_host){
			.name = walk_host_name(&story->walk, i),
			.preference = facts->hosts[i].preference,
			.state = state,
			.why = why_host(story, i, state),
		};
	}
}

// entry: what DNS gave, or NULL. Returns the length of the reply.
static size_t
answer(const struct story *story, const struct dialect_question *question,
    const struct entry *entry, char *ret)
{
	bool answered = entry != NULL && entry->has_answer;

	if (story->nexthop.kind == NEXTHOP_UNCONVERTIBLE)
		return dialect_defer(
		    question->map, "not a domain name by IDNA2008", ret);
	if (!dialect_needs_dns(question))
		return dialect_fixed(
		    question, answered ? &entry->facts : NULL, ret);
	if (entry == NULL)
		return dialect_defer(question->map, story->why_not, ret);
	return dialect_answer(question, entry,
	    answered ? ENTRY_FRESH : ENTRY_DEFER, ret, DIALECT_REPLY_MAX);
}

static int
end_replies(struct story *story, const struct story_world *world,
    const struct entry *entry)
{
	struct dialect_question question = {
		.nexthop = &story->nexthop,
		.rule = story->has_rule ? &story->rule : NULL,
		.settings = &world->conf->dialect,
	};

	char *text = malloc(DIALECT_REPLY_MAX);
	if (text == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < STORY_MAPS; i++) {
		question.map = maps[i].map;
		story->replies[i].map = maps[i].name;
		story->replies[i].text =
		    strndup(text, answer(story, &question, entry, text));
	}
	free(text);
	if (story->replies[0].text == NULL || story->replies[1].text == NULL)
		return -ENOMEM;
	story->deferred = strncmp(story->replies[0].text, "TEMP", 4) == 0;
	story->not_found = strncmp(story->replies[0].text, "NOTFOUND", 8) == 0;
	return 0;
}

int
story_end(struct story *story, const struct story_world *world, uint64_t now_ms)
{
	const struct conf *conf = world->conf;
	struct facts facts;
	struct entry entry;
	struct outcome outcome = { .facts = &facts, .now_ms = now_ms };

	story->resolved = story_needs_dns(story) && story->why_not[0] == '\0';
	if (!story->resolved)
		return end_replies(story, world, NULL);
	outcome.open = !walk_is_done(&story->walk);
	// False: no memory, and the facts say so.
	walk_facts(&story->walk, conf->cache_min_ttl_s, &facts, &outcome.ttl_s);
	end_hosts(story, &facts);
	story->verdict =
	    outcome_merge(NULL, &outcome, conf, story->reason, &entry);
	uint64_t ends_ms =
	    entry.has_answer ? entry.ends_ms : entry.deferred_until_ms;
	story->kept_s = (uint32_t)((ends_ms - now_ms) / MS_PER_S);
	return end_replies(story, world, &entry);
}
