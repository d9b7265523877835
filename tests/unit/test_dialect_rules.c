// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What Postfix hears where a rule stands, in each map: fixed answers, floors,
// and levels with DANE that Postfix must be kept from. The rules are read by
// the reader of policy files; the letters of the hosts are in hosts.h.

#include "config.h"

#include "policy/dialect.h"

#include "table.h"

#include "hosts.h"
#include "rules_text.h"

#include <stdio.h>
#include <string.h>

#define DEFER   "OK defer-dnssec-lookup-failed"
#define NO_TLSA "OK defer-no-tlsa"
#define CAUSE   "MX: bogus: signature expired"
#define FATAL                                                       \
	"TEMP a TLSA record without data would make Postfix panic " \
	"(empty_tlsa = protect)"

// How the domain's MX lookup ended, and the settings in force.
enum {
	FAILED = FACTS_MX_FAILED,
	NOBODY = FACTS_MX_NOBODY,
	INSECURE = FACTS_MX_INSECURE,
	SECURE = FACTS_MX_SECURE,
	MX_MASK = 3,
	INSECURE_MAY = 4,
	EMPTY_IGNORE = 8,
	PARTIAL = 16,
	REPLY_ENCRYPT = 32,
	REPLY_NONE = 64,
	REPLY_NOTFOUND = 128,
	STALE = 256,
};

static const uint8_t sha256[32] = { 0x00, 0x01, 0x0a, 0xff };

#define ZEROS_4  ":00:00:00:00"
#define ZEROS_28 ZEROS_4 ZEROS_4 ZEROS_4 ZEROS_4 ZEROS_4 ZEROS_4 ZEROS_4
#define MATCH    "OK fingerprint match=00:01:0A:FF" ZEROS_28

struct row {
	const char *sentence;
	const char *key, *rule;
	unsigned with;
	const char *hosts; // NULL: DNS is not asked
	const char *dane, *fingerprint;
};

#define DOMAIN "a.example"
#define PORT   "a.example:587"
#define HOST   "[a.example]"

static const struct row floor_rows[] = {
	// at-least may
	{ "at-least may: a domain without DANE gets may", DOMAIN,
	    "at-least may", SECURE, "10N", "OK may", "OK may" },
	{ "at-least may: dane-only is more", DOMAIN, "at-least may", SECURE,
	    "10D", "OK dane-only", MATCH },
	{ "at-least may: dane is more", DOMAIN, "at-least may", SECURE,
	    "10D 20N", "OK dane", MATCH },
	{ "at-least may: none becomes may", DOMAIN, "at-least may",
	    SECURE | REPLY_NONE, "10N", "OK may", "OK may" },
	{ "at-least may: encrypt stays", DOMAIN, "at-least may",
	    SECURE | REPLY_ENCRYPT, "10N", "OK encrypt", "OK encrypt" },
	{ "at-least may leaves NOTFOUND alone", DOMAIN, "at-least may",
	    SECURE | REPLY_NOTFOUND, "10N", "NOTFOUND ", "NOTFOUND " },
	{ "at-least may leaves a key with a port alone", PORT, "at-least may",
	    SECURE, "10N", "NOTFOUND ", "NOTFOUND " },
	{ "at-least may never changes a deferral", DOMAIN, "at-least may",
	    FAILED, "", "TEMP " CAUSE, DEFER },

	// at-least encrypt
	{ "at-least encrypt: a domain without DANE gets encrypt", DOMAIN,
	    "at-least encrypt", SECURE, "10N", "OK encrypt", "OK encrypt" },
	{ "at-least encrypt: so does one that does not exist", DOMAIN,
	    "at-least encrypt", NOBODY, "", "OK encrypt", "OK encrypt" },
	{ "at-least encrypt: none becomes encrypt", DOMAIN, "at-least encrypt",
	    SECURE | REPLY_NONE, "10N", "OK encrypt", "OK encrypt" },
	{ "at-least encrypt: NOTFOUND becomes encrypt", DOMAIN,
	    "at-least encrypt", SECURE | REPLY_NOTFOUND, "10N", "OK encrypt",
	    "OK encrypt" },
	{ "at-least encrypt: a key with a port gets encrypt", PORT,
	    "at-least encrypt", SECURE, "10N", "OK encrypt", "OK encrypt" },
	{ "at-least encrypt: a host in brackets gets encrypt", HOST,
	    "at-least encrypt", SECURE, "10N", "OK encrypt", "OK encrypt" },
	{ "at-least encrypt: dane-only is more", DOMAIN, "at-least encrypt",
	    SECURE, "10D", "OK dane-only", MATCH },
	{ "at-least encrypt: dane is not, so it is dane-only where a host has "
	  "DANE behind a signed MX",
	    DOMAIN, "at-least encrypt", SECURE, "10D 20N", "OK dane-only",
	    MATCH },
	{ "at-least encrypt: dane becomes encrypt behind an unsigned MX",
	    DOMAIN, "at-least encrypt", INSECURE, "10D", "OK encrypt", MATCH },
	{ "at-least encrypt: dane becomes encrypt where no host has DANE",
	    DOMAIN, "at-least encrypt", SECURE, "10U 20N", "OK encrypt",
	    "OK encrypt" },
	{ "at-least encrypt: a host without DANE beside one in error", DOMAIN,
	    "at-least encrypt", SECURE, "10N 20E", "OK encrypt", "OK encrypt" },
	{ "at-least encrypt: all in error behind an unsigned MX", DOMAIN,
	    "at-least encrypt", INSECURE, "10e", "OK encrypt", "OK encrypt" },
	{ "at-least encrypt: a better host without DANE", DOMAIN,
	    "at-least encrypt", SECURE, "10N 20D", "OK dane-only",
	    "OK encrypt" },
	{ "at-least encrypt: insecure_mx = may makes it encrypt", DOMAIN,
	    "at-least encrypt", INSECURE | INSECURE_MAY, "10D", "OK encrypt",
	    "OK encrypt" },
	{ "at-least encrypt never changes a deferral", DOMAIN,
	    "at-least encrypt", SECURE, "10E", "TEMP " CAUSE, DEFER },

	// at-least dane
	{ "at-least dane: a domain without DANE gets dane", DOMAIN,
	    "at-least dane", SECURE, "10N", "OK dane", "OK may" },
	{ "at-least dane: none becomes dane, and may for fingerprints", DOMAIN,
	    "at-least dane", SECURE | REPLY_NONE, "10N", "OK dane", "OK may" },
	{ "at-least dane: NOTFOUND becomes dane", DOMAIN, "at-least dane",
	    SECURE | REPLY_NOTFOUND, "10N", "OK dane", "NOTFOUND " },
	{ "at-least dane: a key with a port gets dane", PORT, "at-least dane",
	    SECURE, "10N", "OK dane", "NOTFOUND " },
	{ "at-least dane: insecure_mx = may does not lift it", DOMAIN,
	    "at-least dane", INSECURE | INSECURE_MAY, "10D", "OK dane",
	    "OK may" },
	{ "at-least dane: encrypt is more where there are no records", DOMAIN,
	    "at-least dane", SECURE | REPLY_ENCRYPT, "10N", "OK encrypt",
	    "OK encrypt" },
	{ "at-least dane: dane stays", DOMAIN, "at-least dane", SECURE,
	    "10D 20N", "OK dane", MATCH },
	{ "at-least dane: dane-only stays", DOMAIN, "at-least dane", SECURE,
	    "10D", "OK dane-only", MATCH },
	{ "at-least dane never changes a deferral", DOMAIN, "at-least dane",
	    SECURE, "10E", "TEMP " CAUSE, DEFER },

	// at-least dane-only
	{ "at-least dane-only: a domain without DANE waits", DOMAIN,
	    "at-least dane-only", SECURE, "10N", "OK dane-only", NO_TLSA },
	{ "at-least dane-only: so does one that does not exist", DOMAIN,
	    "at-least dane-only", NOBODY, "", "OK dane-only", NO_TLSA },
	{ "at-least dane-only: a key with a port waits", PORT,
	    "at-least dane-only", SECURE, "10N", "OK dane-only", NO_TLSA },
	{ "at-least dane-only: no_dane_reply does not matter", DOMAIN,
	    "at-least dane-only", SECURE | REPLY_NOTFOUND, "10N",
	    "OK dane-only", NO_TLSA },
	{ "at-least dane-only: dane becomes dane-only", DOMAIN,
	    "at-least dane-only", SECURE, "10D 20N", "OK dane-only", MATCH },
	{ "at-least dane-only: a better host without DANE does not weaken it",
	    DOMAIN, "at-least dane-only", SECURE, "10N 20D", "OK dane-only",
	    MATCH },
	{ "at-least dane-only: unusable records wait", DOMAIN,
	    "at-least dane-only", SECURE, "10U", "OK dane-only", NO_TLSA },
	{ "at-least dane-only: unwritable records wait", DOMAIN,
	    "at-least dane-only", SECURE, "10d", "OK dane-only", NO_TLSA },
	{ "at-least dane-only: an unsigned MX waits", DOMAIN,
	    "at-least dane-only", INSECURE, "10D", "OK dane-only", NO_TLSA },
	{ "at-least dane-only: insecure_mx = may does not lift it", DOMAIN,
	    "at-least dane-only", INSECURE | INSECURE_MAY, "10D",
	    "OK dane-only", NO_TLSA },
	{ "at-least dane-only: a host without DANE beside one in error", DOMAIN,
	    "at-least dane-only", SECURE, "10N 20E", "OK dane-only", DEFER },
	{ "at-least dane-only never changes a deferral", DOMAIN,
	    "at-least dane-only", SECURE, "10E", "TEMP " CAUSE, DEFER },
	{ "at-least dane-only: an old key does not outlive its record", DOMAIN,
	    "at-least dane-only", SECURE | STALE, "10D", "OK dane-only",
	    DEFER },
	{ "at-least dane-only: matches that are not at hand wait", DOMAIN,
	    "at-least dane-only", SECURE | PARTIAL, "10D", "OK dane-only",
	    DEFER },

	// the record that makes smtp(8) panic
	{ "a killer record under at-least may: encrypt", DOMAIN, "at-least may",
	    SECURE, "10U!", "OK encrypt", "OK encrypt" },
	{ "a killer record under at-least encrypt: encrypt", DOMAIN,
	    "at-least encrypt", SECURE, "10U! 20N", "OK encrypt",
	    "OK encrypt" },
	{ "a killer record beside DANE under at-least encrypt: TEMP", DOMAIN,
	    "at-least encrypt", SECURE, "10D 20U!", FATAL, MATCH },
	{ "a killer record under at-least dane: encrypt", DOMAIN,
	    "at-least dane", SECURE, "10U!", "OK encrypt", "OK encrypt" },
	{ "a killer record that insecure_mx = may hides, under at-least dane: "
	  "encrypt",
	    DOMAIN, "at-least dane", INSECURE | INSECURE_MAY, "10U!",
	    "OK encrypt", "OK may" },
	{ "a killer record beside DANE that insecure_mx = may hides, under "
	  "at-least dane: TEMP",
	    DOMAIN, "at-least dane", INSECURE | INSECURE_MAY, "10D 20U!", FATAL,
	    "OK may" },
	{ "a killer record under at-least dane-only: encrypt", DOMAIN,
	    "at-least dane-only", SECURE, "10U!", "OK encrypt", NO_TLSA },
	{ "a killer record beside DANE under at-least dane-only: TEMP", DOMAIN,
	    "at-least dane-only", SECURE, "10D 20U!", FATAL, MATCH },
	{ "empty_tlsa = ignore under at-least dane-only", DOMAIN,
	    "at-least dane-only", SECURE | EMPTY_IGNORE, "10U!", "OK dane-only",
	    NO_TLSA },
};

static const struct row other_rows[] = {
	// dns
	{ "dns is as if no rule stood: DANE", DOMAIN, "dns", SECURE, "10D",
	    "OK dane-only", MATCH },
	{ "dns is as if no rule stood: none", DOMAIN, "dns", SECURE, "10N",
	    "OK may", "OK may" },
	{ "dns is as if no rule stood: NOTFOUND", PORT, "dns", SECURE, "10N",
	    "NOTFOUND ", "NOTFOUND " },
	{ "dns is as if no rule stood: deferred", DOMAIN, "dns", SECURE, "10E",
	    "TEMP " CAUSE, DEFER },

	// fixed answers need no DNS
	{ "none is given as it is", DOMAIN, "none", 0, NULL, "OK none",
	    "OK none" },
	{ "may is given as it is", DOMAIN, "may until=2026-12-31", 0, NULL,
	    "OK may", "OK may" },
	{ "encrypt is given with its attributes", PORT, "encrypt ciphers=high",
	    0, NULL, "OK encrypt ciphers=high", "OK encrypt ciphers=high" },
	{ "secure is given as it is", HOST, "secure match=b.example", 0, NULL,
	    "OK secure match=b.example", "OK secure match=b.example" },
	{ "verify is given as it is", DOMAIN, "verify", 0, NULL, "OK verify",
	    "OK verify" },
	{ "fingerprint is given as it is", DOMAIN,
	    "fingerprint match=00112233001122330011223300112233", 0, NULL,
	    "OK fingerprint match="
	    "00:11:22:33:00:11:22:33:00:11:22:33:00:11:22:33",
	    "OK fingerprint match="
	    "00:11:22:33:00:11:22:33:00:11:22:33:00:11:22:33" },
};

// Without DNS in the dane map; in the fingerprint map from it.
static const struct row dane_rows[] = {
	{ "dane is given as it is; fingerprints follow the verdict", DOMAIN,
	    "dane", SECURE, "10D", "OK dane", MATCH },
	{ "dane without DANE: the verdict's may", DOMAIN, "dane", SECURE, "10N",
	    "OK dane", "OK may" },
	{ "dane without DANE: the verdict's NOTFOUND", PORT, "dane", SECURE,
	    "10N", "OK dane", "NOTFOUND " },
	{ "dane with unusable records: the verdict's encrypt", DOMAIN, "dane",
	    SECURE, "10U", "OK dane", "OK encrypt" },
	{ "dane while DNS is down: the verdict's deferral", DOMAIN, "dane",
	    FAILED, "", "OK dane", DEFER },
	{ "dane-only is given as it is; there are fingerprints", DOMAIN,
	    "dane-only", SECURE, "10D", "OK dane-only", MATCH },
	{ "dane-only without DANE waits", DOMAIN, "dane-only", SECURE, "10N",
	    "OK dane-only", NO_TLSA },
	{ "dane-only without DANE waits at a key with a port", PORT,
	    "dane-only", SECURE, "10N", "OK dane-only", NO_TLSA },
	{ "dane-only behind an unsigned MX waits", DOMAIN, "dane-only",
	    INSECURE, "10D", "OK dane-only", NO_TLSA },
	{ "dane-only past a better host without DANE", DOMAIN, "dane-only",
	    SECURE, "10N 20D", "OK dane-only", MATCH },
	{ "dane-only with unusable records waits", DOMAIN, "dane-only", SECURE,
	    "10U", "OK dane-only", NO_TLSA },
	{ "dane-only while DNS is down waits", DOMAIN, "dane-only", FAILED, "",
	    "OK dane-only", DEFER },
	{ "attributes go along", DOMAIN, "dane-only ciphers=high", SECURE,
	    "10D", "OK dane-only ciphers=high", MATCH " ciphers=high" },
	{ "attributes go along with what stands in for dane", DOMAIN,
	    "dane ciphers=high", SECURE, "10U", "OK dane ciphers=high",
	    "OK encrypt ciphers=high" },
	{ "attributes go along with may", DOMAIN, "dane ciphers=high", SECURE,
	    "10N", "OK dane ciphers=high", "OK may ciphers=high" },
	{ "attributes do not go along with none", DOMAIN, "dane ciphers=high",
	    SECURE | REPLY_NONE, "10N", "OK dane ciphers=high", "OK none" },
	{ "attributes do not go along with a deferral", DOMAIN,
	    "dane-only ciphers=high", SECURE | PARTIAL, "10D",
	    "OK dane-only ciphers=high", DEFER },

	{ "dane for a domain known for a killer record: encrypt", DOMAIN,
	    "dane exclude=MD5", SECURE, "10U!", "OK encrypt exclude=MD5",
	    "OK encrypt exclude=MD5" },
	{ "dane for a killer record beside DANE: TEMP", DOMAIN, "dane", SECURE,
	    "10D!", FATAL, MATCH },
	{ "dane-only for a killer record: encrypt", DOMAIN, "dane-only", SECURE,
	    "10U!", "OK encrypt", NO_TLSA },
	{ "dane-only for a killer record beside DANE: TEMP", DOMAIN,
	    "dane-only", SECURE, "10D 20U!", FATAL, MATCH },
	{ "dane for a killer record, empty_tlsa = ignore: dane", DOMAIN, "dane",
	    SECURE | EMPTY_IGNORE, "10U!", "OK dane", "OK encrypt" },
};

// Keys that DNS is never asked for.
static const struct row unasked_rows[] = {
	{ "an address without a rule: NOTFOUND", "[192.0.2.1]", NULL, 0, NULL,
	    "NOTFOUND ", "NOTFOUND " },
	{ "a bare address without a rule: NOTFOUND, not no_dane_reply",
	    "192.0.2.1", NULL, REPLY_ENCRYPT, NULL, "NOTFOUND ", "NOTFOUND " },
	{ "an address with a fixed rule", "192.0.2.1", "secure match=b", 0,
	    NULL, "OK secure match=b", "OK secure match=b" },
	{ "an address with dns: NOTFOUND", "192.0.2.1", "dns", 0, NULL,
	    "NOTFOUND ", "NOTFOUND " },
	{ "an address with at-least may: NOTFOUND", "192.0.2.1", "at-least may",
	    0, NULL, "NOTFOUND ", "NOTFOUND " },
	{ "an address with at-least encrypt: encrypt", "[192.0.2.1]:587",
	    "at-least encrypt", 0, NULL, "OK encrypt", "OK encrypt" },
	{ "an address with at-least dane: dane", "192.0.2.1", "at-least dane",
	    0, NULL, "OK dane", "NOTFOUND " },
	{ "an address with at-least dane-only waits", "192.0.2.1",
	    "at-least dane-only", 0, NULL, "OK dane-only", NO_TLSA },
	{ "an address with dane-only waits", "192.0.2.1", "dane-only", 0, NULL,
	    "OK dane-only", NO_TLSA },
	{ "an address with dane: there is no verdict", "192.0.2.1", "dane", 0,
	    NULL, "OK dane", "NOTFOUND " },

	{ "a parent key without a rule: NOTFOUND", ".a.example", NULL,
	    REPLY_ENCRYPT, NULL, "NOTFOUND ", "NOTFOUND " },
	{ "a parent key with a fixed rule", ".a.example", "encrypt", 0, NULL,
	    "OK encrypt", "OK encrypt" },
	{ "a parent key with a floor: NOTFOUND", ".a.example",
	    "at-least dane-only", 0, NULL, "NOTFOUND ", "NOTFOUND " },
	{ "a parent key with dns: NOTFOUND", ".a.example", "dns", 0, NULL,
	    "NOTFOUND ", "NOTFOUND " },
	{ "a parent key with dane-only", ".a.example", "dane-only", 0, NULL,
	    "OK dane-only", NO_TLSA },
	{ "a parent key with dane", ".a.example", "dane", 0, NULL, "OK dane",
	    "NOTFOUND " },
	{ "a path: NOTFOUND", "/path", NULL, REPLY_ENCRYPT, NULL, "NOTFOUND ",
	    "NOTFOUND " },
};

static struct dialect_settings
settings_of(unsigned with)
{
	return (struct dialect_settings){
		.no_dane_reply = with & REPLY_ENCRYPT    ? DIALECT_NONE_ENCRYPT
				 : with & REPLY_NONE     ? DIALECT_NONE_NONE
				 : with & REPLY_NOTFOUND ? DIALECT_NONE_NOTFOUND
							 : DIALECT_NONE_MAY,
		.insecure_may = with & INSECURE_MAY,
		.empty_tlsa_ignore = with & EMPTY_IGNORE,
	};
}

static void
make_entry(unsigned with, const char *hosts, struct entry *ret)
{
	*ret = (struct entry){ .has_answer = true };
	ret->facts.mx = (enum facts_mx)(with & MX_MASK);
	ret->facts.partial = with & PARTIAL;
	ret->facts.reason = CAUSE;
	ret->facts.reason_len = sizeof(CAUSE) - 1;
	ret->facts.sha256 = sha256;
	ret->facts.n_sha256 = 1;
	hosts_read(hosts, &ret->facts);
}

// One question as a test asks it; rules is freed by whoever made it.
struct asking {
	struct rules *rules;
	struct nexthop nexthop;
	struct rules_rule rule;
	struct dialect_settings settings;
	struct dialect_question question;
};

static void
make_question(const struct row *row, enum dialect_map map, struct asking *ret)
{
	char text[512], error[RULES_ERROR_MAX] = "";

	int len = row->rule == NULL ? 0
				    : snprintf(text, sizeof(text), "%s %s",
					  row->key, row->rule);
	if (rules_text_build(text, (size_t)len, &ret->rules, error) != 0)
		fail_msg("%s", error);
	nexthop_parse(
	    row->key, strlen(row->key), &rules_text_env, &ret->nexthop);
	ret->settings = settings_of(row->with);
	bool has_rule = rules_find(ret->rules, &ret->nexthop, 0, &ret->rule);
	ret->question = (struct dialect_question){ map, &ret->nexthop,
		has_rule ? &ret->rule : NULL, &ret->settings };
}

static void
assert_reply(const char *reply, size_t len, const char *expected)
{
	char found[1024];

	snprintf(found, sizeof(found), "%.*s", (int)len, reply);
	assert_string_equal(found, expected);
	assert_int_equal(len, strlen(expected)); // no NUL within
}

static void
expect(const struct row *row, enum dialect_map map, bool from_dns,
    const char *expected)
{
	static char reply[DIALECT_REPLY_MAX];
	struct asking asking;
	struct entry entry;
	size_t len;

	make_question(row, map, &asking);
	assert_int_equal(dialect_needs_dns(&asking.question), from_dns);
	if (row->hosts != NULL)
		make_entry(row->with, row->hosts, &entry);
	if (from_dns)
		len = dialect_answer(&asking.question, &entry,
		    row->with & STALE ? ENTRY_STALE : ENTRY_FRESH, reply,
		    sizeof(reply));
	else
		len = dialect_fixed(&asking.question,
		    row->hosts != NULL ? &entry.facts : NULL, reply);
	free(asking.rules);
	assert_reply(reply, len, expected);
}

static void
from_dns(void **state)
{
	const struct row *row = *state;
	expect(row, DIALECT_DANE, true, row->dane);
	expect(row, DIALECT_FINGERPRINT, true, row->fingerprint);
}

static void
by_rule_or_dns(void **state)
{
	const struct row *row = *state;
	bool needs_dns = row->hosts != NULL;
	expect(row, DIALECT_DANE, needs_dns, row->dane);
	expect(row, DIALECT_FINGERPRINT, needs_dns, row->fingerprint);
}

static void
dane_rule(void **state)
{
	const struct row *row = *state;
	expect(row, DIALECT_DANE, false, row->dane);
	expect(row, DIALECT_FINGERPRINT, true, row->fingerprint);
}

// Facts are wanted exactly where they may keep Postfix from its end.
static void
facts_are_wanted_for_dane_rules_alone(void **state)
{
	(void)state;

	static const struct {
		const char *key, *rule;
		unsigned with;
		bool wanted;
	} rows[] = {
		{ DOMAIN, "dane", 0, true },
		{ PORT, "dane-only", 0, true },
		{ HOST, "dane-only", 0, true },
		{ DOMAIN, "dane-only", EMPTY_IGNORE, false },
		{ DOMAIN, "encrypt", 0, false },
		{ DOMAIN, "at-least dane", 0, false },
		{ ".a.example", "dane-only", 0, false },
		{ "[192.0.2.1]", "dane-only", 0, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = { .key = rows[i].key,
			.rule = rows[i].rule,
			.with = rows[i].with };
		struct asking asking;
		make_question(&row, DIALECT_DANE, &asking);
		assert_int_equal(
		    dialect_wants_facts(&asking.question), rows[i].wanted);
		asking.question.map = DIALECT_FINGERPRINT;
		assert_false(dialect_wants_facts(&asking.question));
		free(asking.rules);
	}
}

// Whatever the facts: not one host may be reached in clear, and nobody is
// deferred who would not be without the rule.
static void
at_least_encrypt_is_never_met_in_clear(void **state)
{
	(void)state;
	static const char letters[] = "DdslUNEeA";
	static const unsigned settings[] = { 0, INSECURE_MAY, EMPTY_IGNORE,
		PARTIAL, REPLY_ENCRYPT, REPLY_NONE, REPLY_NOTFOUND, STALE };
	static char reply[DIALECT_REPLY_MAX];
	static const char *const keys[] = { DOMAIN, PORT, HOST };

	for (unsigned i = 0; i < 9 * 9 * 8 * 4 * 3 * 2; i++) {
		char hosts[] = "10_ 20_";
		hosts[2] = letters[i % 9];
		hosts[6] = letters[i / 9 % 9];
		struct row row = { .key = keys[i / 2592 % 3],
			.rule = "at-least encrypt",
			.with = settings[i / 81 % 8] | i / 648 % 4 };
		enum dialect_map map =
		    i / 7776 ? DIALECT_FINGERPRINT : DIALECT_DANE;
		struct asking asking;
		struct entry entry;
		make_question(&row, map, &asking);
		make_entry(row.with, hosts, &entry);
		size_t len = dialect_answer(&asking.question, &entry,
		    row.with & STALE ? ENTRY_STALE : ENTRY_FRESH, reply,
		    sizeof(reply));
		reply[len] = '\0';
		bool fine = strcmp(reply, "OK encrypt") == 0 ||
			    strcmp(reply, "OK dane-only") == 0 ||
			    strcmp(reply, MATCH) == 0 ||
			    strcmp(reply, DEFER) == 0 ||
			    strncmp(reply, "TEMP ", 5) == 0;
		free(asking.rules);
		if (!fine)
			fail_msg("%s: %s", hosts, reply);
	}
}

// To a domain under the rule whose only host has so many matches.
static size_t
answer_with(const char *rule, uint16_t n, char reply[DIALECT_REPLY_MAX])
{
	static uint8_t octets[32 * FACTS_SHA256_MAX];
	struct row row = { .key = DOMAIN, .rule = rule };
	struct asking asking;
	struct entry entry;

	make_question(&row, DIALECT_FINGERPRINT, &asking);
	make_entry(SECURE, "10D", &entry);
	entry.facts.n_sha256 = n;
	entry.facts.sha256 = octets;
	size_t len = dialect_answer(
	    &asking.question, &entry, ENTRY_FRESH, reply, DIALECT_REPLY_MAX);
	free(asking.rules);
	return len;
}

// Matches that do not fit a reply, or not with the rule's attributes.
static void
too_many_matches_wait_under_dane_only(void **state)
{
	(void)state;
	static char reply[DIALECT_REPLY_MAX];

	static const struct {
		const char *rule, *reply;
		uint16_t n;
	} rows[] = {
		{ "dane-only", NO_TLSA, FACTS_SHA256_MAX },
		{ "dane", "OK encrypt", FACTS_SHA256_MAX },
		{ "dane "
		  "exclude=01234567890123456789012345678901234567890123456789",
		    "OK encrypt "
		    "exclude="
		    "01234567890123456789012345678901234567890123456789",
		    1041 },
		{ "dane-only "
		  "exclude=01234567890123456789012345678901234567890123456789",
		    NO_TLSA, 1041 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = answer_with(rows[i].rule, rows[i].n, reply);
		assert_reply(reply, len, rows[i].reply);
	}
}

// 1041 matches and " exclude=" leave room for 35 octets.
static void
a_reply_may_have_all_that_is_permitted(void **state)
{
	(void)state;
	static char reply[DIALECT_REPLY_MAX];

	for (int n = 35; n <= 36; n++) {
		char rule[64];
		snprintf(rule, sizeof(rule), "dane exclude=%0*d", n, 0);
		size_t len = answer_with(rule, 1041, reply);
		assert_int_equal(len, n == 35 ? 100000 : 19 + n);
		assert_memory_equal(reply,
		    n == 35 ? "OK fingerprint match=" : "OK encrypt exclude=0",
		    20);
	}
}

int
main(void)
{
	TABLE_ADD(floor_rows, from_dns);
	TABLE_ADD(other_rows, by_rule_or_dns);
	TABLE_ADD(dane_rows, dane_rule);
	TABLE_ADD(unasked_rows, by_rule_or_dns);
	table_add("facts are wanted for fixed levels with DANE alone",
	    facts_are_wanted_for_dane_rules_alone, NULL);
	table_add("at-least encrypt is never met by an answer in clear",
	    at_least_encrypt_is_never_met_in_clear, NULL);
	table_add("too many matches wait under dane-only",
	    too_many_matches_wait_under_dane_only, NULL);
	table_add("a reply may have the 100,000 octets that are permitted",
	    a_reply_may_have_all_that_is_permitted, NULL);
	return table_run("dialect_rules");
}
