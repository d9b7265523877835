// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The way of one question, in query_begin. Promises that a cached answer costs
// no malloc, no system call and no line in the log, and that every question
// gets exactly one reply.
#include "config.h"

#include "worker/query.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/idn.h"
#include "base/log.h"
#include "base/services.h"
#include "policy/rules_day.h"
#include "wire/socketmap.h"
#include "worker/hint.h"

// Of the next-hop's name in a reason; longer ones are cut in the middle.
#define REASON_NAME_MAX 96
// How often the clock is asked for the day on which a rule ends.
#define TODAY_MS        1000
// How often a question that nobody waits for is asked again.
#define UNATTENDED_MS   5000

struct query_desk {
	struct query_desk_settings settings;
	const struct dialect_settings *dialect;
	struct entry_limits limits;
	struct errands *errands;
	size_t n_held;
	struct dlog_limit odd_limit, overflow_limit;
	struct hints hints;
	int32_t today; // as of today_ms
	uint64_t today_ms;
	unsigned n_unattended;
	struct query_line unattended;
	char scratch[DIALECT_REPLY_MAX];
};

static const struct nexthop_env env = {
	.label_to_ascii = idn_label_to_ascii,
	.service_port = services_port,
};

// --- small things ---

// Only this process writes its page: no need for a locked addition.
static void
count(_Atomic uint64_t *counter)
{
	uint64_t n = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, n + 1, memory_order_relaxed);
}

static const char *
map_text(enum dialect_map map)
{
	return map == DIALECT_FINGERPRINT ? "fingerprint" : "dane";
}

static void
log_reply(enum dialect_map map, const char *name, const char *reply, size_t len,
    const char *from)
{
	char quoted[512];

	if (!dlog_wants(LOG_DEBUG))
		return;
	dlog(LOG_DEBUG, "map=%s key=%s answer=%s from=%s", map_text(map), name,
	    dlog_quote(reply, len, quoted, sizeof(quoted)), from);
}

// The cause comes first, because the end may be cut in a log line.
static size_t
defer(struct query_desk *desk, enum dialect_map map,
    const struct nexthop *nexthop, const char *cause, char *ret)
{
	char reason[DIALECT_SHORT_MAX];
	const char *name = nexthop->name;
	int half = REASON_NAME_MAX / 2;

	if (nexthop->name_len <= REASON_NAME_MAX)
		snprintf(reason, sizeof(reason), "%s: %s", cause, name);
	else
		snprintf(reason, sizeof(reason), "%s: %.*s...%s", cause, half,
		    name, name + nexthop->name_len - half);
	count(&desk->settings.page->n_deferred);
	return dialect_defer(map, reason, ret);
}

// --- what is known already ---

static int32_t
today(struct query_desk *desk)
{
	uint64_t now_ms = loop_now_ms(desk->settings.loop);

	if (desk->today_ms == 0 || now_ms - desk->today_ms >= TODAY_MS) {
		desk->today = rules_day(time(NULL));
		desk->today_ms = now_ms;
	}
	return desk->today;
}

// What applies, in found, or NULL.
static const struct rules_rule *
find_rule(struct query_desk *desk, const struct nexthop *nexthop,
    struct rules_rule *found)
{
	const struct rules *rules = desk->settings.rules;

	if (rules == NULL || !rules_find(rules, nexthop, today(desk), found))
		return NULL;
	return found;
}

static bool
look(const struct query_desk *desk, const uint8_t *key, size_t key_len,
    uint8_t value[CACHE_VALUE_MAX], struct entry *ret)
{
	size_t len;

	return cache_get(desk->settings.cache, key, key_len, value, &len) &&
	       entry_decode(value, len, ret) == 0;
}

// Matches that were too many to keep are wanted in the fingerprint map alone,
// and not where it defers anyway.
static bool
lacks_matches(
    enum dialect_map map, const struct entry *entry, enum entry_use use)
{
	return map == DIALECT_FINGERPRINT &&
	       (use == ENTRY_FRESH || use == ENTRY_GRACE) &&
	       entry->facts.partial;
}

// What this worker gives up has failed no less than a lookup in which the
// resolver did: an answer that outlives that goes on.
static size_t
reply_unserved(struct query_desk *desk, enum dialect_map map,
    const struct nexthop *nexthop, const char *cause, char *ret)
{
	uint8_t key[NEXTHOP_ID_MAX], value[CACHE_VALUE_MAX];
	uint64_t now_ms = loop_now_ms(desk->settings.loop);
	enum entry_use use = ENTRY_MISS;
	struct rules_rule rule;
	struct entry entry = { 0 };
	bool in_use;

	size_t key_len = nexthop_id(nexthop, key);
	if (look(desk, key, key_len, value, &entry))
		use = entry_judge(&entry, now_ms, &desk->limits, &in_use);
	if (use == ENTRY_MISS && entry.has_answer) {
		entry_fail(&entry, now_ms, now_ms, cause);
		use = entry_judge(&entry, now_ms, &desk->limits, &in_use);
	}
	if (use == ENTRY_MISS || use == ENTRY_DEFER ||
	    lacks_matches(map, &entry, use))
		return defer(desk, map, nexthop, cause, ret);
	struct dialect_question question = { map, nexthop,
		find_rule(desk, nexthop, &rule), desk->dialect };
	return dialect_answer(&question, &entry, use, ret, DIALECT_REPLY_MAX);
}

// --- asking a resolver ---

static unsigned
resolver_of(const struct query_desk *desk, const uint8_t *key, size_t len)
{
	return cache_part(desk->settings.cache, key, len) %
	       desk->settings.n_resolvers;
}

static enum query_fate
ask(struct query_desk *desk, enum dialect_map map,
    const struct nexthop *nexthop, struct query_result *result)
{
	struct query *query = calloc(1, sizeof(*query));
	if (query == NULL) {
		result->reply_len = reply_unserved(
		    desk, map, nexthop, "out of memory", result->reply);
		return QUERY_REPLIED;
	}
	query->map = map;
	query->nexthop = *nexthop;
	struct errand *errand = &query->errand;
	errand->key_len = nexthop_id(nexthop, errand->key);
	int error = errands_ask(desk->errands,
	    resolver_of(desk, errand->key, errand->key_len), errand);
	if (error != 0) {
		free(query);
		result->reply_len = reply_unserved(desk, map, nexthop,
		    error == -EACCES
			? "the resolver failed twice at this question"
			: "too many questions at once",
		    result->reply);
		return QUERY_REPLIED;
	}
	count(&desk->settings.page->n_asked);
	query->under_way = true;
	result->query = query;
	return QUERY_PENDING;
}

// Once for each life of an entry. A hint that cannot be sent is no hint: the
// next answer tries again.
static void
hint(struct query_desk *desk, const uint8_t *key, size_t len,
    const struct entry *entry)
{
	uint64_t mark;
	uint64_t *place = hints_place(&desk->hints, key, len, entry, &mark);

	if (*place != mark &&
	    errands_hint(desk->errands, resolver_of(desk, key, len), key, len))
		*place = mark;
}

// --- rules ---

static void
ask_unattended(struct query_desk *desk, const struct nexthop *nexthop)
{
	struct query *query = calloc(1, sizeof(*query));

	if (query == NULL)
		return;
	query->nexthop = *nexthop;
	query->unattended = true;
	struct errand *errand = &query->errand;
	errand->key_len = nexthop_id(nexthop, errand->key);
	if (errands_ask(desk->errands,
		resolver_of(desk, errand->key, errand->key_len), errand) != 0) {
		free(query);
		return;
	}
	count(&desk->settings.page->n_asked);
	query->under_way = true;
	TAILQ_INSERT_TAIL(&desk->unattended, query, in_line);
	desk->n_unattended++;
}

// A fixed answer waits for nothing; that the facts are wanted for the next one
// is remembered where hints are, so that it is asked now and then and not with
// every answer.
static void
want_facts(struct query_desk *desk, const struct nexthop *nexthop,
    const uint8_t *key, size_t len)
{
	struct entry moment = { .made_ms = loop_now_ms(desk->settings.loop) /
					   UNATTENDED_MS };
	uint64_t mark;
	uint64_t *place = hints_place(&desk->hints, key, len, &moment, &mark);

	if (*place == mark || desk->n_unattended >= QUERY_UNATTENDED_MAX)
		return;
	*place = mark;
	ask_unattended(desk, nexthop);
}

// Facts however old are better than none, and new ones are on their way.
static size_t
reply_guarded(
    struct query_desk *desk, const struct dialect_question *question, char *ret)
{
	uint8_t key[NEXTHOP_ID_MAX], value[CACHE_VALUE_MAX];
	enum entry_use use = ENTRY_MISS;
	struct entry entry = { 0 };
	bool in_use = false;

	size_t key_len = nexthop_id(question->nexthop, key);
	if (look(desk, key, key_len, value, &entry))
		use = entry_judge(&entry, loop_now_ms(desk->settings.loop),
		    &desk->limits, &in_use);
	else
		entry.has_answer = false;
	if (in_use)
		hint(desk, key, key_len, &entry);
	else if (use == ENTRY_MISS)
		want_facts(desk, question->nexthop, key, key_len);
	return dialect_fixed(
	    question, entry.has_answer ? &entry.facts : NULL, ret);
}

static size_t
reply_without_dns(
    struct query_desk *desk, const struct dialect_question *question, char *ret)
{
	const char *name = question->nexthop->name;
	size_t len = dialect_wants_facts(question)
			 ? reply_guarded(desk, question, ret)
			 : dialect_fixed(question, NULL, ret);

	log_reply(question->map, name, ret, len, "policy");
	return len;
}

// --- the way of one question ---

enum query_fate
query_begin(struct query_desk *desk, const char *payload, size_t len,
    struct query_result *result)
{
	struct status_page *page = desk->settings.page;
	struct socketmap_request request;
	struct nexthop nexthop;
	struct rules_rule rule;
	uint8_t key[NEXTHOP_ID_MAX], value[CACHE_VALUE_MAX];
	struct entry entry;
	bool in_use;

	if (!socketmap_split(payload, len, &request))
		return QUERY_MALFORMED;
	count(&page->n_requests);
	enum dialect_map map = dialect_map(request.map, request.map_len);
	if (map == DIALECT_UNKNOWN) {
		result->reply_len = dialect_unknown_map(
		    request.map, request.map_len, result->reply);
		return QUERY_REPLIED;
	}

	nexthop_parse(request.key, request.key_len, &env, &nexthop);
	if (nexthop.kind == NEXTHOP_UNCONVERTIBLE) {
		count(&page->n_deferred);
		result->reply_len = dialect_defer(
		    map, "not a domain name by IDNA2008", result->reply);
		return QUERY_REPLIED;
	}
	struct dialect_question question = { map, &nexthop,
		find_rule(desk, &nexthop, &rule), desk->dialect };
	if (!dialect_needs_dns(&question)) {
		result->reply_len =
		    reply_without_dns(desk, &question, result->reply);
		return QUERY_REPLIED;
	}

	size_t key_len = nexthop_id(&nexthop, key);
	if (!look(desk, key, key_len, value, &entry))
		return ask(desk, map, &nexthop, result);
	enum entry_use use = entry_judge(
	    &entry, loop_now_ms(desk->settings.loop), &desk->limits, &in_use);
	if (use == ENTRY_MISS || lacks_matches(map, &entry, use))
		return ask(desk, map, &nexthop, result);
	if (in_use)
		hint(desk, key, key_len, &entry);
	count(&page->n_cached);
	if (use == ENTRY_DEFER)
		count(&page->n_deferred);
	result->reply_len = dialect_answer(
	    &question, &entry, use, result->reply, DIALECT_REPLY_MAX);
	log_reply(map, nexthop.name, result->reply, result->reply_len, "cache");
	return QUERY_REPLIED;
}

// --- the way back ---

// An answer that was made for this question counts, even if its TTL ran out on
// the way here: whoever asked has waited for nothing newer. A deferral beside
// it is newer.
static enum entry_use
judge_answer(const struct query_desk *desk, const struct query *query,
    const struct entry *entry)
{
	bool in_use;
	enum entry_use use = entry_judge(
	    entry, loop_now_ms(desk->settings.loop), &desk->limits, &in_use);

	if (use != ENTRY_MISS)
		return use;
	return entry->has_answer && !entry->has_defer &&
		       entry->made_ms >= query->errand.asked_ms
		   ? ENTRY_FRESH
		   : ENTRY_DEFER;
}

// So many never come from the cache: it keeps such entries without matches.
static void
warn_of_overflow(struct query_desk *desk, const struct nexthop *nexthop)
{
	dlog_limited(&desk->overflow_limit, 60, LOG_WARNING,
	    "domain=%s has more fingerprints than the %d octets of a reply "
	    "hold: no certificate will be checked for it",
	    nexthop->name, DIALECT_REPLY_MAX);
}

static size_t
reply_from_entry(struct query_desk *desk, const struct query *query,
    const struct ask *answer, char *ret)
{
	struct entry entry;

	if (entry_decode(answer->data, answer->len, &entry) != 0) {
		dlog_limited(&desk->odd_limit, 60, LOG_WARNING,
		    "a resolver's answer for %s cannot be read",
		    query->nexthop.name);
		return reply_unserved(desk, query->map, &query->nexthop,
		    "the resolver's answer cannot be read", ret);
	}
	enum entry_use use = judge_answer(desk, query, &entry);
	if (use == ENTRY_DEFER && !entry.has_defer)
		return reply_unserved(desk, query->map, &query->nexthop,
		    "the answer ran out on its way", ret);
	if (use == ENTRY_DEFER)
		count(&desk->settings.page->n_deferred);
	struct rules_rule rule;
	struct dialect_question question = { query->map, &query->nexthop,
		find_rule(desk, &query->nexthop, &rule), desk->dialect };
	if (dialect_overflows(&question, &entry, use))
		warn_of_overflow(desk, &query->nexthop);
	return dialect_answer(&question, &entry, use, ret, DIALECT_REPLY_MAX);
}

static size_t
reply_from_refusal(struct query_desk *desk, const struct query *query,
    const struct ask *refusal, char *ret)
{
	char reason[ASK_TEXT_MAX + 1];

	memcpy(reason, refusal->data, refusal->len);
	reason[refusal->len] = '\0';
	count(&desk->settings.page->n_deferred);
	return dialect_defer(query->map, reason, ret);
}

static void
keep(
    struct query_desk *desk, struct query *query, const char *reply, size_t len)
{
	query->reply = malloc(len);
	if (query->reply == NULL)
		return;
	memcpy(query->reply, reply, len);
	query->reply_len = len;
	desk->n_held += len;
}

static void
on_done(void *arg, struct errand *errand, const struct ask *answer,
    const char *cause)
{
	struct query_desk *desk = arg;
	struct query *query =
	    (struct query *)(void *)((char *)errand -
				     offsetof(struct query, errand));
	char *reply = desk->scratch;
	size_t len;

	query->under_way = false;
	if (query->unattended) {
		query_free(desk, query);
		return;
	}
	if (answer == NULL)
		len = reply_unserved(
		    desk, query->map, &query->nexthop, cause, reply);
	else if (answer->kind == ASK_ANSWER)
		len = reply_from_entry(desk, query, answer, reply);
	else
		len = reply_from_refusal(desk, query, answer, reply);
	if (len > DIALECT_SHORT_MAX && desk->n_held + len > QUERY_HELD_MAX)
		len = defer(desk, query->map, &query->nexthop,
		    "too many answers wait for their turn", reply);
	log_reply(query->map, query->nexthop.name, reply, len, "resolver");
	keep(desk, query, reply, len);
	desk->settings.answered(query);
}

struct query *
query_hold(struct query_desk *desk, const char *reply, size_t len)
{
	struct query *query = calloc(1, sizeof(*query));

	if (query == NULL)
		return NULL;
	keep(desk, query, reply, len);
	if (query->reply == NULL) {
		free(query);
		return NULL;
	}
	return query;
}

void
query_free(struct query_desk *desk, struct query *query)
{
	if (query->under_way)
		errands_cancel(desk->errands, &query->errand);
	if (query->unattended) {
		TAILQ_REMOVE(&desk->unattended, query, in_line);
		desk->n_unattended--;
	}
	desk->n_held -= query->reply_len;
	free(query->reply);
	free(query);
}

// --- the desk ---

static int
open_errands(struct query_desk *desk)
{
	const struct query_desk_settings *settings = &desk->settings;

	return errands_new(
	    &(struct errands_settings){
		.loop = settings->loop,
		.page = settings->page,
		.n_resolvers = settings->n_resolvers,
		.timeout_s = settings->conf->query_timeout_s,
		.done = on_done,
		.arg = desk,
	    },
	    &desk->errands);
}

int
query_desk_new(
    const struct query_desk_settings *settings, struct query_desk **ret)
{
	const struct conf *conf = settings->conf;
	struct query_desk *desk = calloc(1, sizeof(*desk));

	if (desk == NULL)
		return -ENOMEM;
	TAILQ_INIT(&desk->unattended);
	desk->settings = *settings;
	desk->dialect = &conf->dialect;
	desk->limits = entry_limits_of(conf->cache_stale_ttl_s,
	    conf->query_timeout_s, conf->dialect.insecure_may);
	int error = hints_begin(&desk->hints);
	if (error == 0)
		error = open_errands(desk);
	if (error != 0) {
		free(desk);
		return error;
	}
	*ret = desk;
	return 0;
}

void
query_desk_free(struct query_desk *desk)
{
	struct query *query;

	if (desk == NULL)
		return;
	while ((query = TAILQ_FIRST(&desk->unattended)) != NULL)
		query_free(desk, query);
	errands_free(desk->errands);
	free(desk);
}

int
query_connect(struct query_desk *desk, unsigned resolver, int fd)
{
	hints_forget(&desk->hints);
	return errands_connect(desk->errands, resolver, fd);
}
