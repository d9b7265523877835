// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The words that Postfix hears. Promises that every reply is one that each
// Postfix the map is meant for takes, 2.10 included, which does not survive an
// error; knows nothing of netstrings, of how rules are found or why facts
// are as they are.

#include "config.h"

#include "policy/dialect.h"

#include <string.h>

#define SHA256_LEN 32
#define SHA512_LEN 64

// smtp(8) logs that much of a reason.
#define REASON_MAX     200
#define MAP_NAME_SHOWN 40

#define FINGERPRINT_HEAD     "OK fingerprint match="
#define FINGERPRINT_HEAD_LEN (sizeof(FINGERPRINT_HEAD) - 1)
// So many octets as hex: two digits each, a colon or bar between.
#define HEX_LEN(n_octets)    (3 * (size_t)(n_octets)-1)

_Static_assert(FINGERPRINT_HEAD_LEN + HEX_LEN(SHA256_LEN * FACTS_SHA256_MAX) >
		   DIALECT_REPLY_MAX,
    "a list that may have been cut does not fit");
_Static_assert(FINGERPRINT_HEAD_LEN + HEX_LEN(SHA512_LEN * FACTS_SHA512_MAX) >
		   DIALECT_REPLY_MAX,
    "a list that may have been cut does not fit");

// What is to be said, before it is put into words.
enum answer {
	ANSWER_DEFER = 0,
	ANSWER_FATAL,   // any level with DANE would make smtp(8) panic
	ANSWER_NO_TLSA, // nothing but DANE will do, and there is none
	ANSWER_NOTFOUND,
	ANSWER_NONE,
	ANSWER_MAY,
	ANSWER_ENCRYPT,
	ANSWER_DANE,
	ANSWER_DANE_ONLY,
	ANSWER_FINGERPRINT,
};

// The answers that are the same for everybody. NOTFOUND ends in the space that
// socketmap_table(5) shows.
static const char *const fixed_replies[] = {
	[ANSWER_FATAL] = "TEMP a TLSA record without data would make Postfix "
			 "panic (empty_tlsa = protect)",
	[ANSWER_NO_TLSA] = "OK defer-no-tlsa",
	[ANSWER_NOTFOUND] = "NOTFOUND ",
	[ANSWER_NONE] = "OK none",
	[ANSWER_MAY] = "OK may",
	[ANSWER_ENCRYPT] = "OK encrypt",
	[ANSWER_DANE] = "OK dane",
	[ANSWER_DANE_ONLY] = "OK dane-only",
};

struct digests {
	const uint8_t *octets;
	size_t len;       // of all
	size_t one_len;   // of each
	uint8_t writable; // the flag of hosts that have theirs among them
};

static const struct {
	const char *name;
	enum dialect_map map;
} maps[] = {
	{ "dane", DIALECT_DANE },
	{ "fingerprint", DIALECT_FINGERPRINT },
	{ "query", DIALECT_DANE },
	{ "querywithtlsrpt", DIALECT_DANE },
	{ "postfix", DIALECT_DANE },
};

enum dialect_map
dialect_map(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if (strlen(maps[i].name) == len &&
		    strncasecmp(maps[i].name, name, len) == 0)
			return maps[i].map;
	return DIALECT_UNKNOWN;
}

// Replies are written piece by piece behind each other.
static char *
put(char *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

static size_t
put_whole(char *ret, const char *text)
{
	return (size_t)(put(ret, text, strlen(text)) - ret);
}

// Peer text: one octet for one, so that lengths hold.
static char *
put_printable(char *at, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*at++ = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	return at;
}

// At most max octets of text. The first word is the name asked for: it is cut
// in its middle, because what tells the cause follows it.
static char *
put_cut(char *at, const char *text, size_t len, size_t max)
{
	static const char dots[] = "...";
	const size_t dots_len = sizeof(dots) - 1;
	if (len <= max)
		return put_printable(at, text, len);

	const char *space = memchr(text, ' ', len);
	size_t name_len = space == NULL ? len : (size_t)(space - text);
	size_t cut = len - max + dots_len;
	if (name_len <= cut)
		return put_printable(at, text, max);
	size_t head_len = (name_len - cut + 1) / 2;
	at = put_printable(at, text, head_len);
	at = put(at, dots, dots_len);
	return put_printable(at, text + head_len + cut, len - head_len - cut);
}

// A keyword with its space, and a reason for smtp(8)'s log.
static size_t
put_error(char *ret, const char *keyword, const char *reason, size_t len)
{
	char *at = put(ret, keyword, strlen(keyword));
	return (size_t)(put_cut(at, reason, len, REASON_MAX) - ret);
}

static size_t
put_defer(enum dialect_map map, const char *reason, size_t len, char *ret)
{
	if (map == DIALECT_FINGERPRINT)
		return put_whole(ret, "OK defer-dnssec-lookup-failed");
	if (len == 0)
		return put_whole(ret, "TEMP DNS lookup failed");
	return put_error(ret, "TEMP ", reason, len);
}

static size_t
put_facts_defer(enum dialect_map map, const struct facts *facts, char *ret)
{
	char reason[REASON_MAX + 1];
	decide_reason(facts, DECIDE_DEFER, reason, sizeof(reason));
	return put_defer(map, reason, strlen(reason), ret);
}

// --- rules ---

// The least that a rule demands of whatever DNS says.
enum least {
	LEAST_NOTHING = 0,
	LEAST_MAY,
	LEAST_ENCRYPT,
	LEAST_DANE,
	LEAST_DANE_ONLY,
};

// A fixed level with DANE.
static bool
is_dane_rule(const struct rules_rule *rule)
{
	return rule != NULL &&
	       (rule->kind == RULES_DANE || rule->kind == RULES_DANE_ONLY);
}

// A Postfix that is told fingerprints cannot be told `dane-only`: there that
// rule is a floor.
static enum least
least_of(const struct dialect_question *question)
{
	const struct rules_rule *rule = question->rule;

	if (rule == NULL)
		return LEAST_NOTHING;
	if (rule->kind == RULES_DANE_ONLY)
		return LEAST_DANE_ONLY;
	if (rule->kind != RULES_FLOOR)
		return LEAST_NOTHING;
	switch (rule->floor) {
	case RULES_AT_LEAST_MAY:
		return LEAST_MAY;
	case RULES_AT_LEAST_ENCRYPT:
		return LEAST_ENCRYPT;
	case RULES_AT_LEAST_DANE:
		return LEAST_DANE;
	case RULES_AT_LEAST_DANE_ONLY:
		break;
	}
	return LEAST_DANE_ONLY;
}

// For a domain without DANE and without a rule. What the administrator wrote
// in brackets or with a port has its level in main.cf, and that must not be
// lowered.
static enum answer
no_dane_reply(const struct dialect_question *question)
{
	const struct nexthop *nexthop = question->nexthop;

	if (!nexthop->bare || nexthop->kind == NEXTHOP_ADDRESS)
		return ANSWER_NOTFOUND;
	switch (question->settings->no_dane_reply) {
	case DIALECT_NONE_MAY:
		return ANSWER_MAY;
	case DIALECT_NONE_ENCRYPT:
		return ANSWER_ENCRYPT;
	case DIALECT_NONE_NONE:
		return ANSWER_NONE;
	case DIALECT_NONE_NOTFOUND:
		break;
	}
	return ANSWER_NOTFOUND;
}

// For a domain without DANE: a floor lifts what is below it.
static enum answer
no_dane(const struct dialect_question *question)
{
	enum answer reply = no_dane_reply(question);
	bool fingerprint = question->map == DIALECT_FINGERPRINT;
	bool encrypt =
	    question->settings->no_dane_reply == DIALECT_NONE_ENCRYPT;

	switch (least_of(question)) {
	case LEAST_NOTHING:
		return reply;
	case LEAST_ENCRYPT:
		return ANSWER_ENCRYPT;
	case LEAST_DANE_ONLY:
		return fingerprint ? ANSWER_NO_TLSA : ANSWER_DANE_ONLY;
	case LEAST_DANE:
		// Where a host has no records, `encrypt` is the more.
		if (!fingerprint)
			return encrypt ? ANSWER_ENCRYPT : ANSWER_DANE;
		break;
	case LEAST_MAY:
		break;
	}
	return reply == ANSWER_NONE ? ANSWER_MAY : reply;
}

// --- the dane map ---

// At `dane` Postfix delivers to a host without TLSA records in clear text, so
// where `encrypt` is the least that is wanted, that level will not do.
static enum answer
at_least_encrypt(const struct facts *facts, const struct decide_count *count)
{
	return facts->mx == FACTS_MX_SECURE && count->n_dane > 0
		   ? ANSWER_DANE_ONLY
		   : ANSWER_ENCRYPT;
}

static bool
wants_encryption(const struct dialect_question *question)
{
	return question->settings->no_dane_reply == DIALECT_NONE_ENCRYPT ||
	       least_of(question) == LEAST_ENCRYPT;
}

// Any level with DANE, whoever wants it, kept from Postfix where it would be
// its end. `encrypt` makes it look up no records, and is what unusable records
// ask for; where a host has usable ones it would be too little, and mail waits.
static enum answer
guard(const struct dialect_question *question, const struct facts *facts,
    enum answer answer)
{
	struct decide_count count;

	decide_count(facts, &count);
	if (!count.kills_smtp || question->settings->empty_tlsa_ignore)
		return answer;
	return count.n_dane > 0 ? ANSWER_FATAL : ANSWER_ENCRYPT;
}

static enum answer
strict_answer(const struct dialect_question *question,
    const struct facts *facts, enum decide_verdict verdict)
{
	struct decide_count count;

	decide_count(facts, &count);
	if (verdict == DECIDE_DANE_ONLY ||
	    least_of(question) == LEAST_DANE_ONLY)
		return ANSWER_DANE_ONLY;
	if (wants_encryption(question))
		return at_least_encrypt(facts, &count);
	return ANSWER_DANE;
}

static enum answer
dane_answer(const struct dialect_question *question, const struct facts *facts)
{
	enum decide_verdict verdict =
	    decide(facts, question->settings->insecure_may);

	switch (verdict) {
	case DECIDE_NONE: {
		enum answer answer = no_dane(question);
		if (answer != ANSWER_DANE && answer != ANSWER_DANE_ONLY)
			return answer;
		return guard(question, facts, answer);
	}
	case DECIDE_DANE:
	case DECIDE_DANE_ONLY:
		return guard(
		    question, facts, strict_answer(question, facts, verdict));
	case DECIDE_DEFER:
		break;
	}
	return ANSWER_DEFER;
}

// --- the fingerprint map ---

static struct digests
chosen_digests(
    const struct facts *facts, const struct dialect_settings *settings)
{
	if (settings->fingerprint_sha512)
		return (struct digests){ facts->sha512,
			(size_t)facts->n_sha512 * SHA512_LEN, SHA512_LEN,
			FACTS_SHA512 };
	return (struct digests){ facts->sha256,
		(size_t)facts->n_sha256 * SHA256_LEN, SHA256_LEN,
		FACTS_SHA256 };
}

// What the hosts of one preference, or of all, come to at a level that knows
// one list of fingerprints for the whole domain.
struct prospect {
	bool any_nodane, any_writable, any_encrypted;
};

static void
add_prospect(
    struct prospect *prospect, const struct facts_host *host, uint8_t writable)
{
	switch ((enum facts_state)host->state) {
	case FACTS_NODANE:
		prospect->any_nodane = true;
		break;
	case FACTS_DANE:
		if (host->flags & writable)
			prospect->any_writable = true;
		else
			prospect->any_encrypted = true;
		break;
	case FACTS_UNUSABLE:
		prospect->any_encrypted = true;
		break;
	case FACTS_ABSENT:
	case FACTS_ERROR:
		break;
	}
}

// The best preferred of the hosts that are not absent decide; the others count
// only where all of those are in error.
static void
find_prospects(const struct facts *facts, uint8_t writable,
    struct prospect *ret_best, struct prospect *ret_others)
{
	const struct facts_host *best = NULL;
	*ret_best = *ret_others = (struct prospect){ 0 };
	for (unsigned i = 0; i < facts->n_hosts; i++) {
		const struct facts_host *host = &facts->hosts[i];
		if (host->state == FACTS_ABSENT)
			continue;
		if (best == NULL)
			best = host;
		add_prospect(host->preference == best->preference ? ret_best
								  : ret_others,
		    host, writable);
	}
}

static enum answer
fingerprint_by_host(
    const struct dialect_question *question, const struct facts *facts)
{
	struct prospect best, others;
	struct digests digests = chosen_digests(facts, question->settings);

	find_prospects(facts, digests.writable, &best, &others);
	if (best.any_nodane)
		return no_dane(question);
	if (best.any_writable)
		return ANSWER_FINGERPRINT;
	if (best.any_encrypted)
		return ANSWER_ENCRYPT;
	return others.any_writable ? ANSWER_FINGERPRINT : ANSWER_DEFER;
}

// Nothing but DANE will do: hosts without it are not delivered to, whatever
// their preference, and neither is anybody behind an unsigned MX.
static enum answer
fingerprint_only(
    const struct dialect_question *question, const struct facts *facts)
{
	struct prospect best, others;
	struct digests digests = chosen_digests(facts, question->settings);
	struct decide_count count;

	if (facts->mx != FACTS_MX_SECURE)
		return ANSWER_NO_TLSA;
	find_prospects(facts, digests.writable, &best, &others);
	if (best.any_writable || others.any_writable)
		return ANSWER_FINGERPRINT;
	decide_count(facts, &count);
	return count.n_error > 0 ? ANSWER_DEFER : ANSWER_NO_TLSA;
}

static enum answer
fingerprint_answer(
    const struct dialect_question *question, const struct facts *facts)
{
	enum decide_verdict verdict =
	    decide(facts, question->settings->insecure_may);
	struct decide_count count;

	if (verdict == DECIDE_DEFER)
		return ANSWER_DEFER;
	if (verdict == DECIDE_NONE)
		return no_dane(question);
	if (least_of(question) == LEAST_DANE_ONLY)
		return fingerprint_only(question, facts);
	// All in error behind an unsigned MX: there `dane` leaves it to
	// Postfix, and this Postfix cannot.
	decide_count(facts, &count);
	if (verdict == DECIDE_DANE &&
	    count.n_dane + count.n_unusable + count.n_nodane == 0)
		return no_dane(question);
	return fingerprint_by_host(question, facts);
}

// "AA:BB|CC:DD": matches of one_len octets each.
static char *
put_matches(char *at, const struct digests *digests)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < digests->len; i++) {
		uint8_t octet = digests->octets[i];
		if (i > 0)
			*at++ = i % digests->one_len == 0 ? '|' : ':';
		*at++ = hex[octet >> 4];
		*at++ = hex[octet & 0x0f];
	}
	return at;
}

// --- answers ---

// The attributes that a rule has beside `dane` or `dane-only` go with whatever
// level with TLS stands in for it: " NAME=VALUE ...", or nothing.
static const char *
attributes_of(const struct dialect_question *question, size_t *ret_len)
{
	const char *rule = "", *blank;

	if (is_dane_rule(question->rule))
		rule = question->rule->answer;
	size_t len = strlen(rule);
	blank = memchr(rule, ' ', len);
	*ret_len = blank == NULL ? 0 : len - (size_t)(blank - rule);
	return blank == NULL ? "" : blank;
}

static size_t
put_attributes(const struct dialect_question *question, char *ret, size_t len)
{
	size_t more;
	const char *attributes = attributes_of(question, &more);

	return (size_t)(put(ret + len, attributes, more) - ret);
}

static size_t
put_answer(
    const struct dialect_question *question, enum answer answer, char *ret)
{
	size_t len = put_whole(ret, fixed_replies[answer]);

	if (answer == ANSWER_ENCRYPT || answer == ANSWER_MAY)
		return put_attributes(question, ret, len);
	return len;
}

// The length that the reply would have.
static size_t
fingerprints_len(
    const struct dialect_question *question, const struct digests *digests)
{
	size_t more;

	attributes_of(question, &more);
	return FINGERPRINT_HEAD_LEN + HEX_LEN(digests->len) + more;
}

// Facts that promise matches and hold none are not to be believed.
static size_t
put_fingerprints(const struct dialect_question *question,
    const struct facts *facts, char *ret, size_t size)
{
	struct digests digests = chosen_digests(facts, question->settings);
	size_t limit = size < DIALECT_REPLY_MAX ? size : DIALECT_REPLY_MAX;

	if (facts->partial || digests.len == 0)
		return put_defer(DIALECT_FINGERPRINT, "", 0, ret);
	if (fingerprints_len(question, &digests) > limit)
		return put_answer(question,
		    least_of(question) == LEAST_DANE_ONLY ? ANSWER_NO_TLSA
							  : ANSWER_ENCRYPT,
		    ret);
	char *at = put(ret, FINGERPRINT_HEAD, FINGERPRINT_HEAD_LEN);
	at = put_matches(at, &digests);
	return put_attributes(question, ret, (size_t)(at - ret));
}

static size_t
put_rule(const struct rules_rule *rule, char *ret)
{
	char *at = put(ret, "OK ", 3);
	return (size_t)(put(at, rule->answer, strlen(rule->answer)) - ret);
}

static bool
is_looked_up(const struct nexthop *nexthop)
{
	return nexthop->kind == NEXTHOP_DOMAIN || nexthop->kind == NEXTHOP_HOST;
}

// Whether the rule is an answer as it stands.
static bool
is_fixed(const struct dialect_question *question)
{
	const struct rules_rule *rule = question->rule;

	return rule != NULL && (rule->kind == RULES_FIXED ||
				   (is_dane_rule(rule) &&
				       question->map != DIALECT_FINGERPRINT));
}

bool
dialect_needs_dns(const struct dialect_question *question)
{
	return is_looked_up(question->nexthop) && !is_fixed(question);
}

bool
dialect_wants_facts(const struct dialect_question *question)
{
	return is_looked_up(question->nexthop) && is_fixed(question) &&
	       is_dane_rule(question->rule) &&
	       !question->settings->empty_tlsa_ignore;
}

// Postfix asks for a parent only after it found nothing for the domain itself:
// its fixed rule is all there is to say.
static enum answer
parent_answer(const struct dialect_question *question)
{
	const struct rules_rule *rule = question->rule;

	return rule != NULL && rule->kind == RULES_DANE_ONLY ? ANSWER_NO_TLSA
							     : ANSWER_NOTFOUND;
}

size_t
dialect_fixed(const struct dialect_question *question,
    const struct facts *facts, char *ret)
{
	enum answer answer = ANSWER_NOTFOUND;

	if (is_fixed(question)) {
		answer = ANSWER_DANE; // or what else the rule says
		if (is_dane_rule(question->rule) && facts != NULL)
			answer = guard(question, facts, answer);
		if (answer == ANSWER_DANE)
			return put_rule(question->rule, ret);
	} else if (question->nexthop->kind == NEXTHOP_PARENT) {
		answer = parent_answer(question);
	} else if (question->nexthop->kind == NEXTHOP_ADDRESS) {
		answer = no_dane(question);
	}
	return put_answer(question, answer, ret);
}

// In the fingerprint map an old key must not outlive its record.
static enum answer
answer_of(const struct dialect_question *question, const struct facts *facts,
    enum entry_use use)
{
	if (question->map != DIALECT_FINGERPRINT)
		return dane_answer(question, facts);
	if (use == ENTRY_STALE)
		return ANSWER_DEFER;
	return fingerprint_answer(question, facts);
}

size_t
dialect_answer(const struct dialect_question *question,
    const struct entry *entry, enum entry_use use, char *ret, size_t size)
{
	enum dialect_map map = question->map;

	if (use == ENTRY_MISS || use == ENTRY_DEFER)
		return put_defer(map, entry->defer_reason,
		    entry->has_defer ? entry->defer_len : 0, ret);

	const struct facts *facts = &entry->facts;
	enum answer answer = answer_of(question, facts, use);
	if (answer == ANSWER_DEFER)
		return put_facts_defer(map, facts, ret);
	if (answer == ANSWER_FINGERPRINT)
		return put_fingerprints(question, facts, ret, size);
	return put_answer(question, answer, ret);
}

bool
dialect_overflows(const struct dialect_question *question,
    const struct entry *entry, enum entry_use use)
{
	const struct facts *facts = &entry->facts;

	if (use == ENTRY_MISS || use == ENTRY_DEFER || facts->partial ||
	    answer_of(question, facts, use) != ANSWER_FINGERPRINT)
		return false;
	struct digests digests = chosen_digests(facts, question->settings);
	return fingerprints_len(question, &digests) > DIALECT_REPLY_MAX;
}

size_t
dialect_defer(enum dialect_map map, const char *reason, char *ret)
{
	return put_defer(map, reason, strlen(reason), ret);
}

size_t
dialect_notfound(char *ret)
{
	return put_whole(ret, fixed_replies[ANSWER_NOTFOUND]);
}

size_t
dialect_unknown_map(const char *name, size_t len, char *ret)
{
	static const char tail[] =
	    "\": there are dane (or query, querywithtlsrpt, postfix) "
	    "and fingerprint";
	char *at = ret + put_whole(ret, "PERM no map \"");
	at = put_cut(at, name, len, MAP_NAME_SHOWN);
	return (size_t)(put(at, tail, sizeof(tail) - 1) - ret);
}

size_t
dialect_perm(const char *reason, char *ret)
{
	return put_error(ret, "PERM ", reason, strlen(reason));
}
