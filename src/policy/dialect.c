// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The words that Postfix hears. Promises that every reply is one that each
// Postfix the map is meant for takes, 2.10 included, which does not survive an
// error; knows nothing of netstrings, policy files or why facts are as they
// are.

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
// So many octets as hex: two digits and a colon or bar each, the bar behind the
// last one written and then left out.
#define HEX_LEN(n_octets)    (3 * (size_t)(n_octets))

_Static_assert(FINGERPRINT_HEAD_LEN + HEX_LEN(SHA256_LEN * FACTS_SHA256_MAX) >
		   DIALECT_REPLY_MAX,
    "a list that may have been cut does not fit");
_Static_assert(FINGERPRINT_HEAD_LEN + HEX_LEN(SHA512_LEN * FACTS_SHA512_MAX) >
		   DIALECT_REPLY_MAX,
    "a list that may have been cut does not fit");

// What is to be said, before it is put into words.
enum answer {
	ANSWER_DEFER = 0,
	ANSWER_FATAL, // any level with DANE would make smtp(8) panic
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

// For a domain without DANE. What the administrator wrote in brackets or with
// a port has its level in main.cf, and that must not be lowered.
static enum answer
no_dane(const struct nexthop *nexthop, const struct dialect_settings *settings)
{
	if (!nexthop->bare)
		return ANSWER_NOTFOUND;
	switch (settings->no_dane_reply) {
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

// At `dane` Postfix delivers to a host without TLSA records in clear text, so
// where `encrypt` is the least that is wanted, that level will not do.
static enum answer
at_least_encrypt(const struct facts *facts, const struct decide_count *count)
{
	return facts->mx == FACTS_MX_SECURE && count->n_dane > 0
		   ? ANSWER_DANE_ONLY
		   : ANSWER_ENCRYPT;
}

static enum answer
strict_answer(const struct facts *facts, enum decide_verdict verdict,
    const struct dialect_settings *settings)
{
	struct decide_count count;
	decide_count(facts, &count);
	if (count.kills_smtp && !settings->empty_tlsa_ignore)
		return count.n_dane > 0 ? ANSWER_FATAL : ANSWER_ENCRYPT;
	if (verdict == DECIDE_DANE_ONLY)
		return ANSWER_DANE_ONLY;
	if (settings->no_dane_reply == DIALECT_NONE_ENCRYPT)
		return at_least_encrypt(facts, &count);
	return ANSWER_DANE;
}

static enum answer
dane_answer(const struct nexthop *nexthop, const struct facts *facts,
    const struct dialect_settings *settings)
{
	enum decide_verdict verdict = decide(facts, settings->insecure_may);
	switch (verdict) {
	case DECIDE_NONE:
		return no_dane(nexthop, settings);
	case DECIDE_DANE:
	case DECIDE_DANE_ONLY:
		return strict_answer(facts, verdict, settings);
	case DECIDE_DEFER:
		break;
	}
	return ANSWER_DEFER;
}

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
fingerprint_by_host(const struct nexthop *nexthop, const struct facts *facts,
    const struct dialect_settings *settings)
{
	struct prospect best, others;
	struct digests digests = chosen_digests(facts, settings);
	find_prospects(facts, digests.writable, &best, &others);
	if (best.any_nodane)
		return no_dane(nexthop, settings);
	if (best.any_writable)
		return ANSWER_FINGERPRINT;
	if (best.any_encrypted)
		return ANSWER_ENCRYPT;
	return others.any_writable ? ANSWER_FINGERPRINT : ANSWER_DEFER;
}

static enum answer
fingerprint_answer(const struct nexthop *nexthop, const struct facts *facts,
    const struct dialect_settings *settings)
{
	switch (decide(facts, settings->insecure_may)) {
	case DECIDE_NONE:
		return no_dane(nexthop, settings);
	case DECIDE_DANE_ONLY:
		return fingerprint_by_host(nexthop, facts, settings);
	case DECIDE_DANE: {
		struct decide_count count;
		decide_count(facts, &count);
		// All in error behind an unsigned MX: there `dane` leaves it
		// to Postfix, and this Postfix cannot.
		if (count.n_dane + count.n_unusable + count.n_nodane == 0)
			return no_dane(nexthop, settings);
		return fingerprint_by_host(nexthop, facts, settings);
	}
	case DECIDE_DEFER:
		break;
	}
	return ANSWER_DEFER;
}

// "AA:BB|CC:DD": matches of one_len octets each.
static char *
put_matches(char *at, const struct digests *digests)
{
	static const char hex[] = "0123456789ABCDEF";
	const uint8_t *octet = digests->octets;
	const uint8_t *end = octet + digests->len;
	while (octet < end) {
		const uint8_t *last = octet + digests->one_len - 1;
		for (; octet <= last; octet++) {
			*at++ = hex[*octet >> 4];
			*at++ = hex[*octet & 0x0f];
			*at++ = octet == last ? '|' : ':';
		}
	}
	return at - 1;
}

// Facts that promise matches and hold none are not to be believed.
static size_t
put_fingerprints(const struct facts *facts,
    const struct dialect_settings *settings, char *ret, size_t size)
{
	struct digests digests = chosen_digests(facts, settings);
	if (facts->partial || digests.len == 0)
		return put_defer(DIALECT_FINGERPRINT, "", 0, ret);
	size_t limit = size < DIALECT_REPLY_MAX ? size : DIALECT_REPLY_MAX;
	if (FINGERPRINT_HEAD_LEN + HEX_LEN(digests.len) > limit)
		return put_whole(ret, fixed_replies[ANSWER_ENCRYPT]);
	char *at = put(ret, FINGERPRINT_HEAD, FINGERPRINT_HEAD_LEN);
	return (size_t)(put_matches(at, &digests) - ret);
}

size_t
dialect_answer(enum dialect_map map, const struct nexthop *nexthop,
    const struct entry *entry, enum entry_use use,
    const struct dialect_settings *settings, char *ret, size_t size)
{
	if (use == ENTRY_MISS || use == ENTRY_DEFER)
		return put_defer(map, entry->defer_reason,
		    entry->has_defer ? entry->defer_len : 0, ret);

	const struct facts *facts = &entry->facts;
	enum answer answer = ANSWER_DEFER;
	if (map != DIALECT_FINGERPRINT)
		answer = dane_answer(nexthop, facts, settings);
	else if (use != ENTRY_STALE) // an old key must not outlive its record
		answer = fingerprint_answer(nexthop, facts, settings);

	if (answer == ANSWER_DEFER)
		return put_facts_defer(map, facts, ret);
	if (answer == ANSWER_FINGERPRINT)
		return put_fingerprints(facts, settings, ret, size);
	return put_whole(ret, fixed_replies[answer]);
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
