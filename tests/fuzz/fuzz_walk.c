// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Drives a walk with whatever answers the octets spell: in any order, again,
// to questions never asked, of names and records that make no sense, and with
// memory that ends. Wants no crash, facts that keep their own promises and are
// what the answers come to (walk_model.h), and no more change once the walk
// says that it is done.
//
// Under test: src/policy/walk.c src/policy/mxset.c src/policy/tlsa.c
// Under test: src/policy/dname.c src/policy/digests.c src/policy/decide.c
#include "config.h"

#include "input.h"

#include "policy/walk.h"

#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "walk_model.h"

#define PIECES_MAX  4096
#define RECORDS_MAX MODEL_RECORDS_MAX
#define TEXT_MAX    MODEL_TEXT_MAX
#define MIN_TTL_S   10

static void *pieces[PIECES_MAX];
static unsigned n_pieces, n_allowed;
static struct model model;

static void *
get(void *arg, size_t size)
{
	(void)arg;
	if (n_pieces >= n_allowed) {
		model.lacks_memory = true;
		return NULL;
	}
	return pieces[n_pieces++] = calloc(1, size);
}

static bool
check_full(
    uint8_t selector, const uint8_t *der, size_t len, struct tlsa_digests *ret)
{
	if (len == 0 || (der[0] & 1) == selector)
		return false;
	memset(ret, der[0], sizeof(*ret));
	return true;
}

static const char *
text(struct input *input, char ret[TEXT_MAX])
{
	size_t want = input_octet(input), n = 0;

	while (n < want && input->at < input->end)
		ret[n++] = (char)input_octet(input);
	ret[n] = '\0';
	return ret;
}

// All that a reply may point to.
struct scenery {
	char canonical[TEXT_MAX], cause[TEXT_MAX];
	char names[RECORDS_MAX][TEXT_MAX];
	struct walk_mx mx[RECORDS_MAX];
	struct walk_rdata tlsa[RECORDS_MAX];
};

static void
make_records(struct input *input, struct scenery *scenery, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = input_octet(input) % 70;

		scenery->mx[i].preference = input_octet(input);
		// Short names are many, and often the same.
		scenery->mx[i].name = text(input, scenery->names[i]);
		size_t left = input_left(input);
		len = len < left ? len : left;
		scenery->tlsa[i] = (struct walk_rdata){ input->at, len };
		input->at += len;
	}
}

static void
answer(struct walk *walk, struct input *input, struct scenery *scenery)
{
	unsigned id = input_octet(input);
	uint8_t shape = input_octet(input), more = input_octet(input);
	struct walk_reply reply = {
		.security = (enum walk_security)(shape & 3),
		.content = (enum walk_content)(shape >> 2 & 3),
		.has_ttl = (shape & 16) != 0,
		.ttl_s = input_octet(input),
		.aliased = (shape & 32) != 0,
		.n_mx = more % RECORDS_MAX,
		.mx = scenery->mx,
		.n_tlsa = more % RECORDS_MAX,
		.tlsa = scenery->tlsa,
	};

	if ((shape & 64) != 0)
		reply.canonical = text(input, scenery->canonical);
	if ((shape & 128) != 0)
		reply.cause = text(input, scenery->cause);
	make_records(input, scenery, more % RECORDS_MAX);
	model_answer(&model, id, &reply);
	walk_answer(walk, id, &reply);
}

static void
check_digests(const uint8_t *digests, unsigned n, size_t width)
{
	for (unsigned i = 1; i < n; i++)
		REQUIRE(memcmp(digests + (i - 1) * width, digests + i * width,
			    width) < 0);
}

static void
check_facts(struct walk *walk, struct facts *ret)
{
	struct facts facts;
	uint32_t ttl_s;

	if (!walk_facts(walk, MIN_TTL_S, &facts, &ttl_s))
		REQUIRE(facts.mx == FACTS_MX_FAILED || facts.partial);
	REQUIRE(facts.n_hosts <= FACTS_HOSTS_MAX);
	REQUIRE(facts.reason_len <= FACTS_REASON_MAX);
	REQUIRE(facts.n_sha256 <= FACTS_SHA256_MAX);
	REQUIRE(facts.n_sha512 <= FACTS_SHA512_MAX);
	check_digests(facts.sha256, facts.n_sha256, TLSA_SHA256_LEN);
	check_digests(facts.sha512, facts.n_sha512, TLSA_SHA512_LEN);
	REQUIRE(facts.mx != FACTS_MX_FAILED || facts.n_hosts == 0);
	REQUIRE(!walk_has_error(&facts) || facts.reason_len > 0);
	for (unsigned i = 1; i < facts.n_hosts; i++)
		REQUIRE(
		    facts.hosts[i - 1].preference <= facts.hosts[i].preference);
	model_check(&model, walk, &facts, ttl_s, MIN_TTL_S);
	*ret = facts;
}

// What is said to people, in a buffer that may be too small.
static void
check_words(const struct facts *facts, const struct walk *walk, size_t size)
{
	char words[256];

	memset(words, 'x', sizeof(words));
	decide_reason(facts, decide(facts, false), words, size);
	REQUIRE(size == 0 || strnlen(words, size) < size);
	REQUIRE(size < 2 || words[0] != '\0');
	REQUIRE(words[size] == 'x');
	REQUIRE(walk_counts(walk, 0) && !walk_counts(walk, WALK_QUESTIONS_MAX));
}

static void
check_same(const struct facts *a, const struct facts *b)
{
	REQUIRE(a->mx == b->mx && a->n_hosts == b->n_hosts);
	for (unsigned i = 0; i < a->n_hosts; i++)
		REQUIRE(a->hosts[i].state == b->hosts[i].state &&
			a->hosts[i].flags == b->hosts[i].flags);
}

static void
ask_all(struct walk *walk, bool spare)
{
	struct walk_question question;

	while (walk_next(walk, &question))
		model_ask(&model, &question);
	while (spare && walk_spare(walk, &question))
		model_ask(&model, &question);
	REQUIRE(!spare || !walk_has_spare(walk));
}

static void
drive(struct walk *walk, struct input *input)
{
	static struct scenery scenery;
	struct facts before, now;
	bool was_done = false;

	while (input->at < input->end) {
		ask_all(walk, input_left(input) % 2 == 0);
		answer(walk, input, &scenery);
		check_facts(walk, &now);
		check_words(&now, walk, input_left(input) % 255);
		if (was_done && !model.lacks_memory)
			check_same(&before, &now);
		was_done = walk_is_done(walk);
		before = now;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	struct walk_env env = { .get = get, .full = check_full };
	struct nexthop nexthop = { .port = input_octet(&input),
		.name_len = 11,
		.name = "example.org" };
	struct walk walk;

	nexthop.kind = nexthop.port & 1 ? NEXTHOP_HOST : NEXTHOP_DOMAIN;
	n_allowed = input_octet(&input);
	if (n_allowed == UINT8_MAX)
		n_allowed = PIECES_MAX;
	model_begin(&model, &nexthop, check_full);
	walk_begin(&walk, &nexthop, &env);
	drive(&walk, &input);
	while (n_pieces > 0)
		free(pieces[--n_pieces]);
	return 0;
}
