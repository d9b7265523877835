// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// From top to bottom: what is noted of questions and answers, what they make
// of one host, and what facts and verdict are held to.
#include "config.h"

#include "walk_model.h"

#include "input.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/decide.h"

void
model_begin(
    struct model *model, const struct nexthop *nexthop, tlsa_full_check *full)
{
	// The answers are many, and are cleared when they are needed.
	memset(model, 0, offsetof(struct model, answers));
	model->nexthop = nexthop;
	model->full = full;
	if (nexthop->kind != NEXTHOP_HOST)
		return;
	model->mx = FACTS_MX_SECURE;
	model->n_targets = 1;
	model->targets[0].preference = 0;
	memcpy(model->targets[0].name, nexthop->name, nexthop->name_len + 1u);
}

// ---- Questions and answers

static bool
is_good(const struct model_answer *answer)
{
	return answer != NULL && answer->given &&
	       (answer->security == WALK_SECURE ||
		   answer->security == WALK_INSECURE) &&
	       answer->content <= WALK_DATA;
}

static bool
is_data(const struct model_answer *answer)
{
	return is_good(answer) && answer->content == WALK_DATA;
}

static bool
is_secure_data(const struct model_answer *answer)
{
	return is_data(answer) && answer->security == WALK_SECURE;
}

// Where the MX is not signed, nobody is asked for TLSA before his address (or
// his alias) is known to be.
static void
require_tlsa_in_time(const struct model *model, unsigned host)
{
	REQUIRE(model->mx == FACTS_MX_SECURE ||
		is_secure_data(model->of[host][MODEL_A]) ||
		is_secure_data(model->of[host][MODEL_AAAA]) ||
		is_secure_data(model->of[host][MODEL_CNAME]));
}

static enum model_lookup
tlsa_lookup(const struct model *model, const struct walk_question *question)
{
	const struct model_answer *a = model->of[question->host][MODEL_A];
	char prefix[16];
	int len =
	    snprintf(prefix, sizeof(prefix), "_%u._tcp.", model->nexthop->port);

	require_tlsa_in_time(model, question->host);
	REQUIRE(a != NULL);
	REQUIRE(strncmp(question->name, prefix, (size_t)len) == 0);
	return strcmp(question->name + len, a->name) == 0 ? MODEL_ORIGINAL
							  : MODEL_TARGET;
}

static enum model_lookup
lookup_of(const struct model *model, const struct walk_question *question)
{
	switch (question->type) {
	case WALK_A:
		return MODEL_A;
	case WALK_AAAA:
		return MODEL_AAAA;
	case WALK_CNAME:
		return MODEL_CNAME;
	case WALK_TLSA:
		return tlsa_lookup(model, question);
	case WALK_MX:
		break;
	}
	abort();
}

void
model_ask(struct model *model, const struct walk_question *question)
{
	struct model_answer *answer = &model->answers[model->n_answers++];
	struct model_answer **place = &model->of_mx;

	REQUIRE(question->id < WALK_QUESTIONS_MAX);
	REQUIRE(model->by_id[question->id] == NULL);
	REQUIRE(strlen(question->name) <= WALK_NAME_MAX);
	if (question->type != WALK_MX) {
		REQUIRE(question->host < FACTS_HOSTS_MAX);
		place = &model->of[question->host][lookup_of(model, question)];
	}
	REQUIRE(*place == NULL);
	answer->given = false;
	answer->name = question->name;
	*place = model->by_id[question->id] = answer;
}

static void
add_target(struct model *model, uint16_t preference, const char *name)
{
	struct model_target target = { .preference = preference };
	size_t len = strlen(name);
	unsigned i = 0;

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > NEXTHOP_NAME_MAX)
		return;
	memcpy(target.name, name, len);
	if (!dname_is_ipv4(target.name) && !nexthop_valid_hostname(target.name))
		return;
	while (i < model->n_targets &&
	       strcasecmp(model->targets[i].name, target.name) != 0)
		i++;
	if (i == model->n_targets)
		model->n_targets++;
	else if (model->targets[i].preference <= preference)
		return;
	model->targets[i] = target;
}

static bool
is_null_mx(const struct walk_reply *reply)
{
	return reply->n_mx == 1 && reply->mx[0].preference == 0 &&
	       strcmp(reply->mx[0].name, ".") == 0;
}

static void
answer_mx(struct model *model, const struct walk_reply *reply)
{
	if (!is_good(model->of_mx) ||
	    (reply->content == WALK_DATA && reply->n_mx == 0))
		return;
	model->mx = reply->security == WALK_SECURE ? FACTS_MX_SECURE
						   : FACTS_MX_INSECURE;
	if (reply->content == WALK_NXDOMAIN ||
	    (reply->content == WALK_DATA && is_null_mx(reply)))
		model->mx = FACTS_MX_NOBODY;
	else if (reply->content == WALK_NODATA)
		add_target(model, 0, model->nexthop->name);
	else
		for (size_t i = 0; i < reply->n_mx; i++)
			add_target(
			    model, reply->mx[i].preference, reply->mx[i].name);
}

static void
add_record(const struct model *model, const struct walk_rdata *rdata,
    struct model_tlsa *tlsa)
{
	static const size_t lengths[] = { 0, 32, 64 };
	struct tlsa_digests digests;
	bool usable;

	if (rdata->len < 3)
		return;
	const uint8_t usage = rdata->data[0], selector = rdata->data[1];
	const uint8_t matching = rdata->data[2], *data = rdata->data + 3;
	const size_t len = rdata->len - 3;

	if (usage != 2 && usage != 3)
		return;
	tlsa->kills_smtp |= len == 0 && matching != 255;
	if (selector > 1 || matching > 2)
		return;
	usable = matching == 0 ? model->full(selector, data, len, &digests)
			       : len == lengths[matching];
	tlsa->usable |= usable;
	tlsa->sha256 |= usable && usage == 3 && matching != 2;
	tlsa->sha512 |= usable && usage == 3 && matching != 1;
}

static void
fold_canonical(struct model_answer *answer, const char *canonical)
{
	size_t len = 0;

	answer->has_canonical = canonical != NULL;
	for (; canonical != NULL && canonical[len] != '\0'; len++)
		answer->canonical[len] = dname_fold(canonical[len]);
	if (len > 0 && answer->canonical[len - 1] == '.')
		len--;
	answer->canonical[len] = '\0';
}

void
model_answer(struct model *model, unsigned id, const struct walk_reply *reply)
{
	struct model_answer *answer =
	    id < WALK_QUESTIONS_MAX ? model->by_id[id] : NULL;

	if (answer == NULL || answer->given)
		return;
	answer->given = true;
	answer->security = reply->security;
	answer->content = reply->content;
	answer->aliased = reply->aliased;
	answer->has_ttl = reply->has_ttl;
	answer->ttl_s = reply->ttl_s;
	fold_canonical(answer, reply->canonical);
	answer->tlsa = (struct model_tlsa){ .some = reply->n_tlsa > 0 };
	for (size_t i = 0; i < reply->n_tlsa; i++)
		add_record(model, &reply->tlsa[i], &answer->tlsa);
	if (answer == model->of_mx)
		answer_mx(model, reply);
}

// ---- One host

// What the answers about a host make of it.
struct opinion {
	enum facts_state state;
	bool has_address;
	bool doubtful; // by an odd name; then ERROR is right too
	struct model_tlsa tlsa;
	uint32_t ttl_s; // the most that there may be; of ERROR it is unused
	// What it is taken by: what stands in for a TTL, and the lookups whose
	// targets are not kept where that may be, for want of memory or because
	// they are no names.
	uint32_t min_ttl_s;
	bool lacks_memory;
	unsigned lost;
};

// Whether the answer can be built upon; then its time to live counts.
static bool
consult(const struct model_answer *answer, struct opinion *opinion)
{
	if (!is_good(answer))
		return false;
	uint32_t ttl_s = answer->has_ttl ? answer->ttl_s : opinion->min_ttl_s;
	if (ttl_s < opinion->ttl_s)
		opinion->ttl_s = ttl_s;
	return true;
}

// Letters, digits, '-', '_' and single dots, so that any reader takes it for a
// name, and short enough for that of TLSA records.
static bool
is_plain(const char *name)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	return strspn(name, set) == strlen(name) && strlen(name) <= 200 &&
	       name[0] != '.' && strstr(name, "..") == NULL;
}

// The end of a secure alias is needed; without it the answer is none.
static bool
lacks_target(const struct model_answer *address, enum model_lookup lookup,
    const struct opinion *opinion)
{
	if (!is_secure_data(address) || !address->aliased)
		return false;
	if (!address->has_canonical || address->canonical[0] == '\0')
		return true;
	return (opinion->lost & 1u << lookup) != 0 &&
	       (opinion->lacks_memory || !is_plain(address->canonical));
}

static const struct model_answer *
address_of(struct model_answer *const of[MODEL_LOOKUPS], struct opinion *ret)
{
	const struct model_answer *a = of[MODEL_A], *aaaa = of[MODEL_AAAA];
	bool knows_a = !lacks_target(a, MODEL_A, ret) && consult(a, ret);

	if (knows_a && a->content == WALK_DATA)
		return a;
	if (knows_a && a->content == WALK_NXDOMAIN) {
		ret->state = FACTS_ABSENT;
		return NULL;
	}
	if (lacks_target(aaaa, MODEL_AAAA, ret) || !consult(aaaa, ret))
		return NULL;
	if (aaaa->content == WALK_DATA)
		return aaaa;
	if (knows_a && aaaa->content == WALK_NODATA)
		ret->state = FACTS_ABSENT;
	return NULL;
}

// Whether the search ends at these TLSA records.
static bool
judge_tlsa(const struct model_answer *tlsa, struct opinion *opinion)
{
	if (!consult(tlsa, opinion) ||
	    (is_secure_data(tlsa) && !tlsa->tlsa.some)) {
		opinion->state = FACTS_ERROR;
		return true;
	}
	if (!is_secure_data(tlsa))
		return false;
	opinion->tlsa = tlsa->tlsa;
	opinion->state = tlsa->tlsa.usable ? FACTS_DANE : FACTS_UNUSABLE;
	return true;
}

// At the end of the alias chain first, if it ends elsewhere.
static bool
judge_target(struct model_answer *const of[MODEL_LOOKUPS],
    const struct model_answer *address, const char *host,
    struct opinion *opinion)
{
	const struct model_answer *target = of[MODEL_TARGET];
	const char *name = address->canonical;

	if (!address->aliased || strcmp(name, host) == 0)
		return false;
	if (!is_plain(name)) {
		opinion->doubtful = true;
		return target != NULL && judge_tlsa(target, opinion);
	}
	REQUIRE(target == NULL ||
		strcmp(strstr(target->name, "_tcp.") + 5, name) == 0);
	return judge_tlsa(target, opinion);
}

static void
judge(const struct model *model, const char *host, unsigned index,
    struct opinion *ret)
{
	struct model_answer *const *of = model->of[index];
	const struct model_answer *address = address_of(of, ret), *cname;
	char name[MODEL_TEXT_MAX];

	if (dname_is_ipv4(host))
		ret->state = FACTS_NODANE;
	ret->has_address = address != NULL || dname_is_ipv4(host);
	if (address == NULL)
		return;
	if (address->security == WALK_SECURE) {
		if (judge_target(of, address, host, ret))
			return;
	} else if (address->aliased) {
		cname = of[MODEL_CNAME];
		if (!consult(cname, ret))
			return;
		if (!is_secure_data(cname)) {
			ret->state = FACTS_NODANE;
			return;
		}
	} else {
		ret->state = FACTS_NODANE;
		return;
	}
	snprintf(name, sizeof(name), "_%u._tcp.%s", model->nexthop->port, host);
	if (strlen(name) > NEXTHOP_NAME_MAX ||
	    !judge_tlsa(of[MODEL_ORIGINAL], ret))
		ret->state = FACTS_NODANE;
}

// ---- Facts and verdict

static bool
agrees(const struct facts_host *host, const struct opinion *opinion)
{
	bool judged =
	    host->state == FACTS_DANE || host->state == FACTS_UNUSABLE;
	bool kills = judged && opinion->tlsa.kills_smtp;
	bool sha256 = judged && opinion->tlsa.sha256;
	bool sha512 = judged && opinion->tlsa.sha512;

	return host->state == opinion->state &&
	       host->flags == ((opinion->has_address ? FACTS_HAS_ADDRESS : 0) |
				  (kills ? FACTS_KILLS_SMTP : 0) |
				  (sha256 ? FACTS_SHA256 : 0) |
				  (sha512 ? FACTS_SHA512 : 0));
}

static void
check_host(const struct model *model, const char *name, unsigned index,
    const struct facts_host *host, struct opinion *ret)
{
	const unsigned both = 1u << MODEL_A | 1u << MODEL_AAAA;
	const struct opinion blank = *ret;
	bool is_doubtful = false;

	for (unsigned lost = 0; lost <= both; lost++) {
		*ret = blank;
		ret->lost = lost;
		judge(model, name, index, ret);
		if (agrees(host, ret))
			return;
		is_doubtful |= ret->doubtful;
	}
	REQUIRE(host->state == FACTS_ERROR);
	REQUIRE(model->lacks_memory || is_doubtful);
}

static const struct model_target *
find_target(const struct model *model, const char *name)
{
	for (unsigned i = 0; i < model->n_targets; i++)
		if (strcasecmp(model->targets[i].name, name) == 0)
			return &model->targets[i];
	return NULL;
}

// The best preferred, each once.
static void
check_targets(const struct model *model, const struct walk *walk,
    const struct facts *facts)
{
	unsigned n_better = 0, n = facts->n_hosts;
	bool more = model->n_targets > FACTS_HOSTS_MAX;

	REQUIRE(facts->more_hosts == more);
	REQUIRE(n == (more ? FACTS_HOSTS_MAX : model->n_targets));
	for (unsigned i = 0; i < n; i++) {
		const char *name = walk_host_name(walk, i);
		const struct model_target *target = find_target(model, name);

		REQUIRE(target != NULL);
		REQUIRE(target->preference == facts->hosts[i].preference);
		for (unsigned j = 0; j < i; j++)
			REQUIRE(strcmp(name, walk_host_name(walk, j)) != 0);
	}
	for (unsigned i = 0; n > 0 && i < model->n_targets; i++)
		n_better += model->targets[i].preference <
			    facts->hosts[n - 1].preference;
	REQUIRE(n_better < FACTS_HOSTS_MAX);
}

// Hosts by their state; those that were not looked at are in error.
static void
check_verdict(const struct facts *facts)
{
	enum decide_verdict verdict = decide(facts, false);
	unsigned n[FACTS_NODANE + 1] = { [FACTS_ERROR] = facts->more_hosts };
	bool secure = facts->mx == FACTS_MX_SECURE;

	for (unsigned i = 0; i < facts->n_hosts; i++)
		n[facts->hosts[i].state]++;
	unsigned n_dane = n[FACTS_DANE], n_strict = n_dane + n[FACTS_UNUSABLE];
	bool only =
	    secure && n_dane > 0 && n[FACTS_UNUSABLE] + n[FACTS_NODANE] == 0;

	REQUIRE((verdict == DECIDE_DANE_ONLY) == only);
	REQUIRE(verdict != DECIDE_NONE || n_strict + n[FACTS_ERROR] == 0);
	REQUIRE(n_strict == 0 || decide_is_strict(verdict));
	REQUIRE(n[FACTS_NODANE] == 0 || verdict != DECIDE_DEFER);
	REQUIRE(!secure || decide(facts, true) == verdict);
}

void
model_check(const struct model *model, const struct walk *walk,
    const struct facts *facts, uint32_t ttl_s, uint32_t min_ttl_s)
{
	const struct opinion blank = { .state = FACTS_ERROR,
		.ttl_s = UINT32_MAX,
		.min_ttl_s = min_ttl_s,
		.lacks_memory = model->lacks_memory };
	struct opinion opinion = blank;

	if (facts->mx == FACTS_MX_FAILED && model->lacks_memory)
		return;
	REQUIRE(facts->mx == model->mx);
	if (facts->mx == FACTS_MX_FAILED)
		REQUIRE(decide(facts, true) == DECIDE_DEFER);
	if (facts->mx == FACTS_MX_FAILED || facts->mx == FACTS_MX_NOBODY) {
		REQUIRE(facts->n_hosts == 0);
		return;
	}
	check_targets(model, walk, facts);
	if (consult(model->of_mx, &opinion))
		REQUIRE(ttl_s <= opinion.ttl_s);
	for (unsigned i = 0; i < facts->n_hosts; i++) {
		opinion = blank;
		check_host(model, walk_host_name(walk, i), i, &facts->hosts[i],
		    &opinion);
		REQUIRE(facts->hosts[i].state == FACTS_ERROR ||
			ttl_s <= opinion.ttl_s);
	}
	check_verdict(facts);
}
