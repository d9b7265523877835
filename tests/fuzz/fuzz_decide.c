// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Any facts, any rule, any settings, and what Postfix hears of them. The reply
// must be the one that is worked out here once more, from the rules as the
// manual tells them and without a line of policy/; be of a form and length
// that Postfix takes; be the same after the facts went through a message; and
// a host whose lookups are blocked must never make it weaker.
//
// The octets: settings, rule, next-hop, use, counts of digests, hosts of four
// octets each, then the text of a reason.
//
// Under test: src/policy/decide.c src/policy/dialect.c
// Under test: src/policy/entry.c src/policy/facts.c
#include "config.h"

#include "input.h"

#include <stdbool.h>
#include <string.h>

#include "policy/dialect.h"

static uint8_t sha256[FACTS_SHA256_MAX * 32], sha512[FACTS_SHA512_MAX * 64];

// Everything that a reply depends on.
struct scene {
	enum dialect_map map;
	struct dialect_settings settings;
	struct nexthop nexthop;
	struct rules_rule rule;
	bool has_rule;
	struct entry entry;
	enum entry_use use;
	bool knows_facts; // of dialect_fixed
};

// --- from octets to a scene ---

static void
make_digests(void)
{
	static bool made;

	if (made)
		return;
	made = true;
	for (unsigned i = 0; i < FACTS_SHA256_MAX; i++) {
		memset(sha256 + 32 * i, 0xa5, 32);
		sha256[32 * i] = (uint8_t)(i >> 8);
		sha256[32 * i + 1] = (uint8_t)i;
	}
	for (unsigned i = 0; i < FACTS_SHA512_MAX; i++) {
		memset(sha512 + 64 * i, 0x5a, 64);
		sha512[64 * i] = (uint8_t)(i >> 8);
		sha512[64 * i + 1] = (uint8_t)i;
	}
}

static void
make_rule(struct input *input, struct scene *scene)
{
	static const char *const dane[] = { "dane", "dane ciphers=high" };
	static const char *const only[] = { "dane-only",
		"dane-only ciphers=high exclude=MD5" };
	static const char *const fixed[] = { "may", "none", "encrypt",
		"secure match=mx.example.org", "fingerprint match=AA:BB" };
	uint8_t octet = input_octet(input);
	unsigned variant = octet >> 4;

	scene->has_rule = (octet & 7) < 5;
	scene->rule = (struct rules_rule){ .kind = (octet & 7) % 5,
		.floor = variant % 4,
		.answer = "as it says",
		.key = "example.org" };
	if (scene->rule.kind == RULES_DANE)
		scene->rule.answer = dane[variant % 2];
	if (scene->rule.kind == RULES_DANE_ONLY)
		scene->rule.answer = only[variant % 2];
	if (scene->rule.kind == RULES_FIXED)
		scene->rule.answer = fixed[variant % 5];
}

static void
make_settings(struct input *input, struct scene *scene)
{
	uint8_t octet = input_octet(input);

	scene->settings = (struct dialect_settings){
		.no_dane_reply = octet & 3,
		.insecure_may = (octet & 4) != 0,
		.empty_tlsa_ignore = (octet & 8) != 0,
		.fingerprint_sha512 = (octet & 16) != 0,
	};
	scene->map = octet & 32 ? DIALECT_FINGERPRINT : DIALECT_DANE;
}

static void
make_nexthop(struct input *input, struct scene *scene)
{
	uint8_t octet = input_octet(input);

	scene->nexthop = (struct nexthop){
		.kind = octet % 6,
		.bare = (octet & 64) != 0,
		.port = 25,
		.name_len = 11,
		.name = "example.org",
	};
}

static void
make_hosts(struct input *input, struct facts *facts, unsigned n)
{
	uint16_t preference = 0;

	for (unsigned i = 0; i < n && input_left(input) > 0; i++) {
		uint8_t more = input_octet(input), octet = input_octet(input);

		preference = (uint16_t)(preference + more % 4);
		facts->hosts[facts->n_hosts++] = (struct facts_host){
			.preference = preference,
			.state = octet % 5,
			.flags = octet >> 4,
		};
	}
}

static void
make_facts(struct input *input, struct facts *facts)
{
	uint8_t octet = input_octet(input);
	unsigned n_256 = input_number(input, 2), n_512 = input_number(input, 2);
	unsigned n_hosts = input_octet(input) % (FACTS_HOSTS_MAX + 1);

	*facts = (struct facts){
		.mx = octet & 3,
		.more_hosts = (octet & 4) != 0,
		.partial = (octet & 8) != 0,
		.n_sha256 = (uint16_t)(n_256 % (FACTS_SHA256_MAX + 1)),
		.n_sha512 = (uint16_t)(n_512 % (FACTS_SHA512_MAX + 1)),
		.sha256 = sha256,
		.sha512 = sha512,
	};
	if (facts->partial)
		facts->n_sha256 = facts->n_sha512 = 0;
	make_hosts(input, facts, n_hosts);
}

static void
make_entry(struct input *input, struct scene *scene)
{
	uint8_t octet = input_octet(input);
	struct entry *entry = &scene->entry;
	size_t len;

	*entry = (struct entry){ .has_answer = true, .ends_ms = 1000 };
	make_facts(input, &entry->facts);
	const char *text =
	    (const char *)input_take(input, FACTS_REASON_MAX, &len);
	entry->facts.reason = entry->defer_reason = text;
	entry->facts.reason_len = (uint8_t)len;
	entry->has_defer = (octet & 4) != 0;
	entry->defer_len = entry->has_defer ? (uint8_t)len : 0;
	scene->knows_facts = (octet & 8) != 0;
	scene->use = ENTRY_FRESH + (octet & 3);
}

// --- the same once more, as the manual tells it ---

struct tally {
	int dane, unusable, without, error, total;
	bool address, kills;
};

static struct tally
tally(const struct facts *facts)
{
	struct tally t = { .error = facts->more_hosts };

	for (unsigned i = 0; i < facts->n_hosts; i++) {
		const struct facts_host *host = &facts->hosts[i];

		t.dane += host->state == FACTS_DANE;
		t.unusable += host->state == FACTS_UNUSABLE;
		t.without += host->state == FACTS_NODANE;
		t.error += host->state == FACTS_ERROR;
		t.address |= host->state == FACTS_ERROR &&
			     (host->flags & FACTS_HAS_ADDRESS) != 0;
		t.kills |= host->state != FACTS_ABSENT &&
			   (host->flags & FACTS_KILLS_SMTP) != 0;
	}
	t.total = t.dane + t.unusable + t.without + t.error;
	return t;
}

static enum decide_verdict
verdict_of(const struct facts *facts, bool insecure_may)
{
	struct tally t = tally(facts);
	bool secure = facts->mx == FACTS_MX_SECURE;

	if (facts->mx == FACTS_MX_FAILED)
		return DECIDE_DEFER;
	if (facts->mx == FACTS_MX_NOBODY || t.total == 0 ||
	    (!secure && insecure_may) || t.without == t.total)
		return DECIDE_NONE;
	if (t.error == t.total)
		return !secure && t.address ? DECIDE_DANE : DECIDE_DEFER;
	if (secure && t.dane > 0 && t.dane + t.error == t.total)
		return DECIDE_DANE_ONLY;
	return DECIDE_DANE;
}

static bool
is_floor(const struct scene *scene, enum rules_floor floor)
{
	return scene->has_rule && scene->rule.kind == RULES_FLOOR &&
	       scene->rule.floor == floor;
}

// A floor of dane-only, and the fixed rule where it cannot be given as it is.
static bool
wants_dane_only(const struct scene *scene)
{
	return is_floor(scene, RULES_AT_LEAST_DANE_ONLY) ||
	       (scene->has_rule && scene->rule.kind == RULES_DANE_ONLY);
}

static const char *
plain_none(const struct scene *scene)
{
	static const char *const words[] = { "OK may", "OK encrypt", "OK none",
		"NOTFOUND " };

	if (!scene->nexthop.bare || scene->nexthop.kind == NEXTHOP_ADDRESS)
		return "NOTFOUND ";
	return words[scene->settings.no_dane_reply];
}

static const char *
none_of(const struct scene *scene)
{
	const char *plain = plain_none(scene);
	bool fingerprint = scene->map == DIALECT_FINGERPRINT;
	bool any_floor = is_floor(scene, RULES_AT_LEAST_MAY) ||
			 is_floor(scene, RULES_AT_LEAST_DANE);

	if (wants_dane_only(scene))
		return fingerprint ? "OK defer-no-tlsa" : "OK dane-only";
	if (is_floor(scene, RULES_AT_LEAST_ENCRYPT))
		return "OK encrypt";
	if (is_floor(scene, RULES_AT_LEAST_DANE) && !fingerprint)
		return scene->settings.no_dane_reply == DIALECT_NONE_ENCRYPT
			   ? "OK encrypt"
			   : "OK dane";
	return any_floor && strcmp(plain, "OK none") == 0 ? "OK may" : plain;
}

#define FATAL "TEMP a TLSA record without data would make Postfix panic "

// A level where DANE is wanted, or what Postfix survives instead.
static const char *
survivable(
    const struct scene *scene, const struct facts *facts, const char *level)
{
	struct tally t = tally(facts);

	if (!t.kills || scene->settings.empty_tlsa_ignore)
		return level;
	return t.dane > 0 ? FATAL "(empty_tlsa = protect)" : "OK encrypt";
}

#define DEFERRED    "" // with a reason
#define FINGERPRINT "OK fingerprint"

static const char *
dane_reply(const struct scene *scene)
{
	const struct facts *facts = &scene->entry.facts;
	bool encrypt = is_floor(scene, RULES_AT_LEAST_ENCRYPT) ||
		       scene->settings.no_dane_reply == DIALECT_NONE_ENCRYPT;
	bool certain = facts->mx == FACTS_MX_SECURE && tally(facts).dane > 0;
	const char *level = "OK dane", *none = none_of(scene);

	if (scene->use == ENTRY_DEFER)
		return DEFERRED;
	switch (verdict_of(facts, scene->settings.insecure_may)) {
	case DECIDE_DEFER:
		return DEFERRED;
	case DECIDE_NONE:
		return strncmp(none, level, strlen(level)) == 0
			   ? survivable(scene, facts, none)
			   : none;
	case DECIDE_DANE_ONLY:
		level = "OK dane-only";
		break;
	case DECIDE_DANE:
		if (wants_dane_only(scene) || (encrypt && certain))
			level = "OK dane-only";
		else if (encrypt)
			level = "OK encrypt";
		break;
	}
	return survivable(scene, facts, level);
}

static bool
is_writable(const struct scene *scene, const struct facts_host *host)
{
	uint8_t flag =
	    scene->settings.fingerprint_sha512 ? FACTS_SHA512 : FACTS_SHA256;

	return host->state == FACTS_DANE && (host->flags & flag) != 0;
}

static bool
any_writable(const struct scene *scene)
{
	const struct facts *facts = &scene->entry.facts;

	for (unsigned i = 0; i < facts->n_hosts; i++)
		if (is_writable(scene, &facts->hosts[i]))
			return true;
	return false;
}

static unsigned
best_preference(const struct facts *facts)
{
	for (unsigned i = 0; i < facts->n_hosts; i++)
		if (facts->hosts[i].state != FACTS_ABSENT)
			return facts->hosts[i].preference;
	return UINT16_MAX + 1u;
}

static const char *
by_best_hosts(const struct scene *scene)
{
	const struct facts *facts = &scene->entry.facts;
	unsigned without = 0, writable = 0, encrypted = 0;

	for (unsigned i = 0; i < facts->n_hosts; i++) {
		const struct facts_host *host = &facts->hosts[i];

		if (host->preference != best_preference(facts))
			continue;
		without += host->state == FACTS_NODANE;
		writable += is_writable(scene, host);
		encrypted +=
		    host->state == FACTS_UNUSABLE || host->state == FACTS_DANE;
	}
	if (without > 0)
		return none_of(scene);
	if (writable > 0)
		return FINGERPRINT;
	if (encrypted > 0)
		return "OK encrypt";
	return any_writable(scene) ? FINGERPRINT : DEFERRED;
}

static const char *
fingerprint_reply(const struct scene *scene)
{
	const struct facts *facts = &scene->entry.facts;
	struct tally t = tally(facts);
	enum decide_verdict verdict =
	    verdict_of(facts, scene->settings.insecure_may);

	if (scene->use == ENTRY_DEFER || scene->use == ENTRY_STALE ||
	    verdict == DECIDE_DEFER)
		return DEFERRED;
	if (verdict == DECIDE_NONE)
		return none_of(scene);
	if (wants_dane_only(scene)) {
		if (facts->mx != FACTS_MX_SECURE)
			return "OK defer-no-tlsa";
		if (any_writable(scene))
			return FINGERPRINT;
		return t.error > 0 ? DEFERRED : "OK defer-no-tlsa";
	}
	return t.error == t.total ? none_of(scene) : by_best_hosts(scene);
}

// --- the reply held against it ---

// The attributes of a rule that another level stands in for.
static const char *
attributes_of(const struct scene *scene)
{
	bool dane = scene->has_rule && (scene->rule.kind == RULES_DANE ||
					   scene->rule.kind == RULES_DANE_ONLY);
	const char *blank = dane ? strchr(scene->rule.answer, ' ') : NULL;

	return blank == NULL ? "" : blank;
}

static bool
is_text(const char *reply, size_t len, const char *first, const char *second)
{
	size_t first_len = strlen(first);

	return len == first_len + strlen(second) &&
	       memcmp(reply, first, first_len) == 0 &&
	       memcmp(reply + first_len, second, strlen(second)) == 0;
}

static void
check_plain(const struct scene *scene, const char *reply, size_t len,
    const char *expected)
{
	bool takes = strcmp(expected, "OK encrypt") == 0 ||
		     strcmp(expected, "OK may") == 0;

	REQUIRE(
	    is_text(reply, len, expected, takes ? attributes_of(scene) : ""));
}

static void
check_deferred(const struct scene *scene, const char *reply, size_t len)
{
	const struct entry *entry = &scene->entry;
	size_t n = strnlen(entry->facts.reason, entry->facts.reason_len);

	if (scene->map == DIALECT_FINGERPRINT) {
		REQUIRE(
		    is_text(reply, len, "OK defer-dnssec-lookup-failed", ""));
		return;
	}
	REQUIRE(len > 5 && memcmp(reply, "TEMP ", 5) == 0);
	if (scene->use == ENTRY_DEFER)
		n = entry->defer_len;
	if (n == 0)
		return;
	REQUIRE(len == 5 + n);
	for (size_t i = 0; i < n; i++) {
		char c = entry->facts.reason[i];
		REQUIRE(reply[5 + i] == (c >= ' ' && c <= '~' ? c : '?'));
	}
}

static void
check_matches(const char *at, const uint8_t *octets, unsigned n, unsigned width)
{
	static const char digits[] = "0123456789ABCDEF";

	for (unsigned i = 0; i < n * width; i++, at += 3) {
		REQUIRE(at[0] == digits[octets[i] / 16]);
		REQUIRE(at[1] == digits[octets[i] % 16]);
		if (i + 1 < n * width)
			REQUIRE(at[2] == ((i + 1) % width == 0 ? '|' : ':'));
	}
}

// `encrypt` for a list that is too long, a deferral for one that is missing.
static void
check_fingerprint(const struct scene *scene, const char *reply, size_t len)
{
	static const char head[] = "OK fingerprint match=";
	const struct facts *facts = &scene->entry.facts;
	bool wide = scene->settings.fingerprint_sha512;
	unsigned n = wide ? facts->n_sha512 : facts->n_sha256;
	unsigned width = wide ? 64 : 32;
	const char *attributes = attributes_of(scene);
	size_t list_len = 3 * (size_t)n * width - 1;
	size_t want = sizeof(head) - 1 + list_len + strlen(attributes);

	if (n == 0) {
		REQUIRE(
		    is_text(reply, len, "OK defer-dnssec-lookup-failed", ""));
	} else if (want >= DIALECT_REPLY_MAX) {
		check_plain(scene, reply, len,
		    wants_dane_only(scene) ? "OK defer-no-tlsa" : "OK encrypt");
	} else {
		REQUIRE(len == want && memcmp(reply, head, 21) == 0);
		check_matches(reply + 21, wide ? sha512 : sha256, n, width);
		REQUIRE(is_text(reply + 21 + list_len, len - 21 - list_len,
		    attributes, ""));
	}
}

static void
check_form(enum dialect_map map, const char *reply, size_t len)
{
	bool ok = len > 3 && memcmp(reply, "OK ", 3) == 0;
	bool temp = len > 5 && memcmp(reply, "TEMP ", 5) == 0;
	bool notfound = is_text(reply, len, "NOTFOUND ", "");

	REQUIRE(ok || notfound || (temp && map == DIALECT_DANE));
	REQUIRE(len <= DIALECT_REPLY_MAX);
	REQUIRE(len <= DIALECT_SHORT_MAX ||
		memcmp(reply, "OK fingerprint ", 15) == 0);
	for (size_t i = 0; i < len; i++)
		REQUIRE(reply[i] >= ' ' && reply[i] <= '~');
}

static void
check_answer(const struct scene *scene, const char *reply, size_t len)
{
	const char *expected = scene->map == DIALECT_FINGERPRINT
				   ? fingerprint_reply(scene)
				   : dane_reply(scene);

	check_form(scene->map, reply, len);
	if (strcmp(expected, DEFERRED) == 0)
		check_deferred(scene, reply, len);
	else if (strcmp(expected, FINGERPRINT) == 0)
		check_fingerprint(scene, reply, len);
	else
		check_plain(scene, reply, len, expected);
}

// --- the same after a message, and under a blockade ---

static size_t
answer(const struct scene *scene, const struct entry *entry, char *ret)
{
	struct dialect_question question = { scene->map, &scene->nexthop,
		scene->has_rule ? &scene->rule : NULL, &scene->settings };

	REQUIRE(dialect_needs_dns(&question));
	return dialect_answer(
	    &question, entry, scene->use, ret, DIALECT_REPLY_MAX);
}

static void
check_posted(const struct scene *scene, const char *reply, size_t len)
{
	static uint8_t bytes[ENTRY_ENCODED_MAX];
	static char again[DIALECT_REPLY_MAX];
	struct entry posted;
	size_t n = entry_encode(&scene->entry, bytes, sizeof(bytes));

	REQUIRE(n > 0 && entry_decode(bytes, n, &posted) == 0);
	REQUIRE(answer(scene, &posted, again) == len);
	REQUIRE(memcmp(reply, again, len) == 0);
}

static void
check_blockade(const struct facts *facts, bool insecure_may)
{
	enum decide_verdict before = decide(facts, insecure_may);
	struct facts blocked = *facts;

	REQUIRE(before == verdict_of(facts, insecure_may));
	for (unsigned i = 0; i < facts->n_hosts; i++) {
		if (facts->hosts[i].state == FACTS_ABSENT)
			continue;
		blocked.hosts[i].state = FACTS_ERROR;
		enum decide_verdict after = decide(&blocked, insecure_may);
		REQUIRE(before == DECIDE_NONE || after != DECIDE_NONE);
		if (tally(&blocked).dane > 0 && facts->mx == FACTS_MX_SECURE)
			REQUIRE(
			    after == DECIDE_DANE_ONLY || after == DECIDE_DANE);
	}
}

// --- replies without the DNS ---

static const char *
fixed_reply(const struct scene *scene)
{
	bool fingerprint = scene->map == DIALECT_FINGERPRINT;

	if (scene->nexthop.kind == NEXTHOP_ADDRESS)
		return none_of(scene);
	if (scene->nexthop.kind == NEXTHOP_PARENT && fingerprint &&
	    scene->has_rule && scene->rule.kind == RULES_DANE_ONLY)
		return "OK defer-no-tlsa";
	return "NOTFOUND ";
}

static void
check_fixed(const struct scene *scene, const struct dialect_question *question)
{
	static char reply[DIALECT_REPLY_MAX];
	const struct facts *facts =
	    scene->knows_facts ? &scene->entry.facts : NULL;
	bool dane = scene->has_rule && (scene->rule.kind == RULES_DANE ||
					   scene->rule.kind == RULES_DANE_ONLY);
	bool fixed =
	    scene->has_rule && (scene->rule.kind == RULES_FIXED ||
				   (dane && scene->map == DIALECT_DANE));
	size_t len = dialect_fixed(question, facts, reply);

	check_form(scene->map, reply, len);
	const char *level = "OK dane";
	if (fixed && dane && facts != NULL)
		level = survivable(scene, facts, level);
	if (fixed && strcmp(level, "OK dane") == 0)
		REQUIRE(is_text(reply, len, "OK ", scene->rule.answer));
	else
		check_plain(
		    scene, reply, len, fixed ? level : fixed_reply(scene));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char reply[DIALECT_REPLY_MAX];
	struct input input = { data, data + size };
	struct scene scene;

	make_digests();
	make_settings(&input, &scene);
	make_rule(&input, &scene);
	make_nexthop(&input, &scene);
	make_entry(&input, &scene);
	check_blockade(&scene.entry.facts, scene.settings.insecure_may);
	struct dialect_question question = { scene.map, &scene.nexthop,
		scene.has_rule ? &scene.rule : NULL, &scene.settings };
	if (!dialect_needs_dns(&question)) {
		check_fixed(&scene, &question);
		return 0;
	}
	REQUIRE(scene.nexthop.kind == NEXTHOP_DOMAIN ||
		scene.nexthop.kind == NEXTHOP_HOST);
	size_t len = answer(&scene, &scene.entry, reply);
	check_answer(&scene, reply, len);
	check_posted(&scene, reply, len);
	return 0;
}
