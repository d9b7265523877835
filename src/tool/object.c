// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A story as JSON: one object, one line. Values that do not apply are left
// out. The only file that includes jansson. Each builder takes what it is
// given; a failed one is NULL, which jansson's *_new calls pass on as failure.
#include "config.h"

#include "tool/render.h"

#include "base/escape.h"
#include "policy/rules_day.h"
#include "tool/words.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int
set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value);
}

// Text from outside may be no UTF-8: then it is shown escaped.
static json_t *
text(const char *octets)
{
	json_t *string = json_string(octets);
	char quoted[4096];

	if (string != NULL)
		return string;
	escape_text(ESCAPE_ALL, octets, strlen(octets), quoted, sizeof(quoted));
	return json_string(quoted);
}

static int
set_text(json_t *object, const char *name, const char *value)
{
	return value != NULL ? set(object, name, text(value)) : 0;
}

static int
set_tlsa(json_t *object, const struct story_record *record)
{
	enum tlsa_use use;
	struct tlsa tlsa;
	int r = 0;

	if (words_tlsa(record, &tlsa, &use)) {
		char *hex = malloc(2 * tlsa.len + 1);
		if (hex == NULL)
			return -1;
		words_hex(tlsa.data, tlsa.len, hex);
		r |= set(object, "usage", json_integer(tlsa.usage));
		r |= set(object, "selector", json_integer(tlsa.selector));
		r |= set(object, "matching", json_integer(tlsa.matching));
		r |= set_text(object, "usage_name", words_usage(tlsa.usage));
		r |= set_text(
		    object, "selector_name", words_selector(tlsa.selector));
		r |= set_text(
		    object, "matching_name", words_matching(tlsa.matching));
		r |= set_text(object, "data", hex);
		r |= set(
		    object, "kills_smtp", json_boolean(tlsa_kills_smtp(&tlsa)));
		free(hex);
	}
	r |= set(object, "usable", json_boolean(use == TLSA_USABLE));
	if (use != TLSA_USABLE)
		r |= set_text(object, "why", tlsa_use_text(use));
	return r;
}

// Gives the object away if all went well.
static json_t *
done(json_t *object, int r)
{
	if (r == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *
record_object(const struct story_record *record)
{
	char address[WORDS_ADDRESS_MAX];
	json_t *object = json_object();
	int r = set_text(object, "owner", record->owner);

	r |= set_text(object, "type", words_type(record->type));
	r |= set(object, "ttl_s", json_integer(record->ttl_s));
	r |= set_text(object, "name", record->name);
	if (record->type == WALK_MX)
		r |= set(object, "preference",
		    json_integer(words_preference(record)));
	else if (record->type == WALK_A || record->type == WALK_AAAA)
		r |=
		    set_text(object, "address", words_address(record, address));
	else if (record->type == WALK_TLSA)
		r |= set_tlsa(object, record);
	return done(object, r);
}

static json_t *
answer_object(const struct story_answer *answer)
{
	json_t *object = json_object(), *records = json_array();
	bool failed = !answer->answered || answer->security < WALK_INSECURE;
	int r = set_text(object, "type", words_type(answer->type));

	r |= set_text(object, "name", answer->name);
	r |= set_text(object, "security", words_security(answer));
	r |= set(object, "counts", json_boolean(answer->counts));
	if (failed && answer->answered)
		r |= set_text(object, "cause", answer->cause);
	if (!failed)
		r |=
		    set_text(object, "content", words_content(answer->content));
	if (!failed && answer->has_ttl)
		r |= set(object, "ttl_s", json_integer(answer->ttl_s));
	for (unsigned i = 0; i < answer->n_records; i++)
		r |= json_array_append_new(
		    records, record_object(&answer->records[i]));
	r |= set(object, "records", records);
	return done(object, r);
}

static json_t *
host_object(const struct story *story, unsigned index)
{
	const struct story_host *host = &story->hosts[index];
	json_t *object = json_object(), *answers = json_array();
	int r = set_text(object, "name", host->name);

	if (story->nexthop.kind == NEXTHOP_DOMAIN)
		r |= set(object, "preference", json_integer(host->preference));
	r |= set_text(object, "state", words_host(host->state));
	r |= set_text(object, "why", host->why);
	for (unsigned i = 0; i < story->n_answers; i++)
		if (story->answers[i].type != WALK_MX &&
		    story->answers[i].host == index)
			r |= json_array_append_new(
			    answers, answer_object(&story->answers[i]));
	r |= set(object, "answers", answers);
	return done(object, r);
}

static int
set_resolved(json_t *object, const struct story *story)
{
	json_t *hosts = json_array();
	int r = 0;

	if (story->n_answers > 0 && story->answers[0].type == WALK_MX)
		r |= set(object, "mx", answer_object(&story->answers[0]));
	for (unsigned i = 0; i < story->n_hosts; i++)
		r |= json_array_append_new(hosts, host_object(story, i));
	r |= set(object, "hosts", hosts);
	r |= set_text(object, "verdict", decide_text(story->verdict));
	r |= set_text(object, "reason", story->reason);
	r |= set(object, "kept_s", json_integer(story->kept_s));
	return r;
}

static json_t *
rule_object(const struct story *story)
{
	const struct rules_rule *rule = &story->rule;
	char day[RULES_DAY_LEN + 1];
	json_t *object = json_object();
	int r = set_text(object, "file", story->policy_file);

	r |= set(object, "line", json_integer(rule->line));
	r |= set_text(object, "key", rule->key);
	r |= set_text(object, "rule", rule->answer);
	if (rule->has_until)
		r |= set_text(
		    object, "until", rules_day_text(rule->until_day, day));
	if (*rule->why != '\0')
		r |= set_text(object, "why", rule->why);
	return done(object, r);
}

static json_t *
story_object(const struct story *story)
{
	const struct nexthop *nexthop = &story->nexthop;
	json_t *object = json_object(), *replies = json_object();
	int r = set_text(object, "key", story->key);

	r |= set_text(object, "kind", words_kind(nexthop->kind));
	if (nexthop->name_len > 0)
		r |= set_text(object, "name", nexthop->name);
	if (story_needs_dns(story))
		r |= set(object, "port", json_integer(nexthop->port));
	if (story->has_rule)
		r |= set(object, "rule", rule_object(story));
	if (story->resolved)
		r |= set_resolved(object, story);
	else if (story->why_not[0] != '\0')
		r |= set_text(object, "not_asked", story->why_not);
	for (unsigned i = 0; i < STORY_MAPS; i++)
		r |= set_text(
		    replies, story->replies[i].map, story->replies[i].text);
	r |= set(object, "answers", replies);
	return done(object, r);
}

int
render_object(const struct story *story, FILE *out)
{
	json_t *object = story_object(story);
	int r = object != NULL
		    ? json_dumpf(object, out, JSON_COMPACT | JSON_ENSURE_ASCII)
		    : -1;

	json_decref(object);
	fputc('\n', out);
	return r == 0 ? 0 : -ENOMEM;
}
