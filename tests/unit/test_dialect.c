// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What Postfix hears, as a table of domains and replies for each map. The
// letters of the hosts are in hosts.h.

#include "config.h"

#include "policy/dialect.h"

#include "table.h"

#include "hosts.h"

#include <string.h>

#define DEFER_LEVEL "OK defer-dnssec-lookup-failed"
#define SIGNATURE   "_25._tcp.mx1.example.org TLSA: bogus: signature expired"

// How the domain's MX lookup ended, and the settings in force.
enum {
	FAILED = FACTS_MX_FAILED,
	NOBODY = FACTS_MX_NOBODY,
	INSECURE = FACTS_MX_INSECURE,
	SECURE = FACTS_MX_SECURE,
	MX_MASK = 3,
	INSECURE_MAY = 4,
	EMPTY_IGNORE = 8,
	SHA512 = 16,
	REPLY_ENCRYPT = 32,
	REPLY_NONE = 64,
	REPLY_NOTFOUND = 128,
	WITH_PORT = 256, // the key
	MORE = 512,      // hosts than 64
	PARTIAL = 1024,
	NO_MATCHES = 2048, // though the hosts' flags promise some
};

static char reply[DIALECT_REPLY_MAX];

static const uint8_t sha256[2][32] = {
	{ 0x00, 0x01, 0x0a, 0xff },
	{ 0xab, 0xcd, 0xef },
};
static const uint8_t sha512[1][64] = { { 0x51, 0x2f } };

#define ZEROS_4     ":00:00:00:00"
#define ZEROS_28    ZEROS_4 ZEROS_4 ZEROS_4 ZEROS_4 ZEROS_4 ZEROS_4 ZEROS_4
#define MATCH_1     "00:01:0A:FF" ZEROS_28
#define MATCH_2     "AB:CD:EF:00" ZEROS_28
#define MATCHES_256 "OK fingerprint match=" MATCH_1 "|" MATCH_2
#define MATCHES_512 "OK fingerprint match=51:2F:00:00" ZEROS_28 ZEROS_28 ZEROS_4

struct answer_row {
	const char *sentence;
	unsigned with;
	const char *hosts;
	const char *reply;
};

static const struct answer_row dane_rows[] = {
	// the verdicts
	{ "all hosts with DANE: dane-only", SECURE, "10D 20D", "OK dane-only" },
	{ "a host without DANE: dane", SECURE, "10D 20N", "OK dane" },
	{ "an unsigned MX: dane", INSECURE, "10D", "OK dane" },
	{ "unusable records: dane", SECURE, "10U", "OK dane" },
	{ "no DANE: may", SECURE, "10N", "OK may" },
	{ "no such domain: may", NOBODY, "", "OK may" },
	{ "a lookup that failed: TEMP with question and cause", SECURE, "10E",
	    "TEMP " SIGNATURE },
	{ "an MX lookup that failed: TEMP", FAILED, "", "TEMP " SIGNATURE },
	{ "a key with a port gets its verdict", SECURE | WITH_PORT, "10D",
	    "OK dane-only" },
	{ "a key with a port is deferred as others are", SECURE | WITH_PORT,
	    "10E", "TEMP " SIGNATURE },

	// no_dane_reply
	{ "no_dane_reply = encrypt", SECURE | REPLY_ENCRYPT, "10N",
	    "OK encrypt" },
	{ "no_dane_reply = none", SECURE | REPLY_NONE, "10N", "OK none" },
	{ "no_dane_reply = notfound", SECURE | REPLY_NOTFOUND, "10N",
	    "NOTFOUND " },
	{ "no DANE at a key with a port: NOTFOUND, for main.cf's level counts",
	    SECURE | WITH_PORT, "10N", "NOTFOUND " },
	{ "no_dane_reply = encrypt at a key with a port: NOTFOUND",
	    SECURE | WITH_PORT | REPLY_ENCRYPT, "10N", "NOTFOUND " },
	{ "no_dane_reply = none at a key with a port: NOTFOUND",
	    SECURE | WITH_PORT | REPLY_NONE, "10N", "NOTFOUND " },
	{ "under encrypt, dane becomes dane-only where the MX is signed and a "
	  "host has DANE",
	    SECURE | REPLY_ENCRYPT, "10D 20N", "OK dane-only" },
	{ "under encrypt, dane becomes encrypt where the MX is unsigned",
	    INSECURE | REPLY_ENCRYPT, "10D", "OK encrypt" },
	{ "under encrypt, dane becomes encrypt where no host has DANE",
	    SECURE | REPLY_ENCRYPT, "10U 20N", "OK encrypt" },
	{ "under encrypt, a guarded host in error gets encrypt",
	    SECURE | REPLY_ENCRYPT, "10N 20E", "OK encrypt" },
	{ "under encrypt, dane becomes dane-only at a key with a port too",
	    SECURE | REPLY_ENCRYPT | WITH_PORT, "10D 20N", "OK dane-only" },
	{ "under encrypt, dane becomes encrypt at a key with a port too",
	    INSECURE | REPLY_ENCRYPT | WITH_PORT, "10D", "OK encrypt" },
	{ "under encrypt, dane-only stays", SECURE | REPLY_ENCRYPT, "10D",
	    "OK dane-only" },
	{ "under encrypt, a deferral stays", SECURE | REPLY_ENCRYPT, "10E",
	    "TEMP " SIGNATURE },
	{ "under none, dane stays", SECURE | REPLY_NONE, "10D 20N", "OK dane" },
	{ "under notfound, dane stays", SECURE | REPLY_NOTFOUND, "10D 20N",
	    "OK dane" },

	// insecure_mx
	{ "insecure_mx = may: an unsigned MX gets may", INSECURE | INSECURE_MAY,
	    "10D", "OK may" },
	{ "insecure_mx = may: an unsigned MX gets no_dane_reply",
	    INSECURE | INSECURE_MAY | REPLY_ENCRYPT, "10D", "OK encrypt" },
	{ "insecure_mx = may: a key with a port gets NOTFOUND",
	    INSECURE | INSECURE_MAY | WITH_PORT, "10D", "NOTFOUND " },
	{ "insecure_mx = may: a signed MX is not concerned",
	    SECURE | INSECURE_MAY, "10D", "OK dane-only" },

	// empty_tlsa
	{ "a record that kills smtp, no DANE host: encrypt", SECURE, "10U!",
	    "OK encrypt" },
	{ "a record that kills smtp beside a host without DANE: encrypt",
	    SECURE, "10U! 20N", "OK encrypt" },
	{ "a record that kills smtp behind an unsigned MX: encrypt", INSECURE,
	    "10U!", "OK encrypt" },
	{ "a record that kills smtp beside a DANE host: TEMP", SECURE,
	    "10D 20U!",
	    "TEMP a TLSA record without data would make Postfix panic "
	    "(empty_tlsa = protect)" },
	{ "a record that kills smtp at a DANE host: TEMP", SECURE, "10D!",
	    "TEMP a TLSA record without data would make Postfix panic "
	    "(empty_tlsa = protect)" },
	{ "a record that kills smtp under encrypt: TEMP still",
	    SECURE | REPLY_ENCRYPT, "10D! 20N",
	    "TEMP a TLSA record without data would make Postfix panic "
	    "(empty_tlsa = protect)" },
	{ "empty_tlsa = ignore: the record is merely unusable",
	    SECURE | EMPTY_IGNORE, "10U!", "OK dane" },
	{ "empty_tlsa = ignore: a DANE host is a DANE host",
	    SECURE | EMPTY_IGNORE, "10D!", "OK dane-only" },
	{ "a record that kills smtp at a domain that gets may: may",
	    INSECURE | INSECURE_MAY, "10U!", "OK may" },

	// what does not concern this map
	{ "partial facts are whole here", SECURE | PARTIAL, "10D",
	    "OK dane-only" },
	{ "hosts past the 64th", SECURE | MORE, "10N", "OK dane" },
};

static const struct answer_row fingerprint_rows[] = {
	// the best preferred hosts decide
	{ "a DANE host: the matches, sorted", SECURE, "10D", MATCHES_256 },
	{ "fingerprint_digest = sha512: its matches", SECURE | SHA512, "10D",
	    MATCHES_512 },
	{ "a host that is writable as sha256 only", SECURE, "10s",
	    MATCHES_256 },
	{ "a host that is writable as sha512 only", SECURE | SHA512, "10l",
	    MATCHES_512 },
	{ "the other digest only: unwritable", SECURE, "10l", "OK encrypt" },
	{ "the other digest only under sha512: unwritable", SECURE | SHA512,
	    "10s", "OK encrypt" },
	{ "a DANE host behind an unsigned MX: the matches", INSECURE, "10D",
	    MATCHES_256 },
	{ "a key with a port: the matches", SECURE | WITH_PORT, "10D",
	    MATCHES_256 },
	{ "a better host without DANE: may", SECURE, "10N 20D", "OK may" },
	{ "a better host without DANE under encrypt: encrypt",
	    SECURE | REPLY_ENCRYPT, "10N 20D", "OK encrypt" },
	{ "a better host without DANE at a key with a port: NOTFOUND",
	    SECURE | WITH_PORT, "10N 20D", "NOTFOUND " },
	{ "one without DANE among the best: may", SECURE, "10D 10N", "OK may" },
	{ "one without DANE among the best, beside an error: may", SECURE,
	    "10E 10N 20D", "OK may" },
	{ "an absent host is not the best preferred", SECURE, "10A 20D",
	    MATCHES_256 },
	{ "the best of the hosts that are not absent without DANE: may", SECURE,
	    "10A 20N 30D", "OK may" },
	{ "the best of the hosts that are not absent unusable: encrypt", SECURE,
	    "10A 20U", "OK encrypt" },
	{ "a worse host without DANE: the matches", SECURE, "10D 20N",
	    MATCHES_256 },
	{ "a worse host with unusable records: the matches", SECURE, "10D 20U",
	    MATCHES_256 },
	{ "an error among the best: the matches", SECURE, "10E 10D",
	    MATCHES_256 },
	{ "an unwritable one among the best: the matches, stricter than DANE",
	    SECURE, "10D 10d", MATCHES_256 },
	{ "an unusable one among the best: the matches", SECURE, "10D 10U",
	    MATCHES_256 },
	{ "the best host unwritable: encrypt", SECURE, "10d", "OK encrypt" },
	{ "the best host unwritable, a worse one writable: encrypt", SECURE,
	    "10d 20D", "OK encrypt" },
	{ "the best host unusable: encrypt", SECURE, "10U", "OK encrypt" },
	{ "the best host unusable, a worse one without DANE: encrypt", SECURE,
	    "10U 20N", "OK encrypt" },
	{ "an unusable and a failing best host: encrypt", SECURE, "10E 10U",
	    "OK encrypt" },

	// the best preferred hosts are all in error
	{ "all best in error, another writable: the matches", SECURE, "10E 20D",
	    MATCHES_256 },
	{ "all best in error, another writable behind one without DANE: the "
	  "matches",
	    SECURE, "10e 10E 20N 30D", MATCHES_256 },
	{ "all best in error, another unwritable: deferred", SECURE, "10E 20d",
	    DEFER_LEVEL },
	{ "all best in error, another unusable: deferred", SECURE, "10E 20U",
	    DEFER_LEVEL },
	{ "all best in error, another without DANE: deferred", SECURE,
	    "10E 20N", DEFER_LEVEL },
	{ "all in error: deferred", SECURE, "10E 20e", DEFER_LEVEL },
	{ "all in error behind an unsigned MX, an address known: may", INSECURE,
	    "10e", "OK may" },
	{ "all in error behind an unsigned MX under encrypt: encrypt",
	    INSECURE | REPLY_ENCRYPT, "10e", "OK encrypt" },
	{ "all in error behind an unsigned MX, no address known: deferred",
	    INSECURE, "10E", DEFER_LEVEL },
	{ "hosts past the 64th alone: deferred", SECURE | MORE, "10A",
	    DEFER_LEVEL },
	{ "an MX lookup that failed: deferred, never TEMP", FAILED, "",
	    DEFER_LEVEL },

	// without DANE
	{ "no DANE in the fingerprint map: may", SECURE, "10N", "OK may" },
	{ "no DANE under encrypt in the fingerprint map: encrypt",
	    SECURE | REPLY_ENCRYPT, "10N", "OK encrypt" },
	{ "no DANE under notfound in the fingerprint map: NOTFOUND",
	    SECURE | REPLY_NOTFOUND, "10N", "NOTFOUND " },
	{ "no DANE at a key with a port in the fingerprint map: NOTFOUND",
	    SECURE | WITH_PORT, "10N", "NOTFOUND " },
	{ "no such domain in the fingerprint map: may", NOBODY, "", "OK may" },
	{ "insecure_mx = may in the fingerprint map: may",
	    INSECURE | INSECURE_MAY, "10D", "OK may" },

	// settings of the other map
	{ "a record that kills newer Postfix is no matter: the matches", SECURE,
	    "10D!", MATCHES_256 },
	{ "an unusable record that kills newer Postfix: encrypt", SECURE,
	    "10U!", "OK encrypt" },
	{ "under encrypt, matches stay", SECURE | REPLY_ENCRYPT, "10D 20N",
	    MATCHES_256 },

	// facts that cannot be
	{ "partial facts: deferred", SECURE | PARTIAL, "10D", DEFER_LEVEL },
	{ "matches promised and missing: deferred, never an empty match",
	    SECURE | NO_MATCHES, "10D", DEFER_LEVEL },
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
		.fingerprint_sha512 = with & SHA512,
	};
}

static void
make_entry(const struct answer_row *row, struct entry *ret)
{
	*ret = (struct entry){ .has_answer = true };
	struct facts *facts = &ret->facts;
	facts->mx = (enum facts_mx)(row->with & MX_MASK);
	facts->more_hosts = row->with & MORE;
	facts->partial = row->with & PARTIAL;
	facts->reason = SIGNATURE;
	facts->reason_len = sizeof(SIGNATURE) - 1;
	facts->sha256 = sha256[0];
	facts->sha512 = sha512[0];
	if (!(row->with & NO_MATCHES)) {
		facts->n_sha256 = 2;
		facts->n_sha512 = 1;
	}
	hosts_read(row->hosts, facts);
}

static struct nexthop
nexthop_of(unsigned with)
{
	return (struct nexthop){ .kind = NEXTHOP_DOMAIN,
		.bare = !(with & WITH_PORT) };
}

static void
assert_reply(size_t len, const char *expected)
{
	assert_in_range(len, 0, DIALECT_REPLY_MAX - 1);
	reply[len] = '\0';
	assert_string_equal(reply, expected);
	assert_int_equal(len, strlen(expected));
}

static void
expect_answer(enum dialect_map map, enum entry_use use,
    const struct answer_row *row, const char *expected)
{
	struct entry entry;
	make_entry(row, &entry);
	struct nexthop nexthop = nexthop_of(row->with);
	struct dialect_settings settings = settings_of(row->with);
	memset(reply, 'x', 1024);
	struct dialect_question question = {
		.map = map, .nexthop = &nexthop, .settings = &settings
	};
	assert_reply(
	    dialect_answer(&question, &entry, use, reply, sizeof(reply)),
	    expected);
}

static void
dane(void **state)
{
	const struct answer_row *row = *state;
	expect_answer(DIALECT_DANE, ENTRY_FRESH, row, row->reply);
	expect_answer(DIALECT_DANE, ENTRY_GRACE, row, row->reply);
	expect_answer(DIALECT_DANE, ENTRY_STALE, row, row->reply);
}

static void
fingerprint(void **state)
{
	const struct answer_row *row = *state;
	expect_answer(DIALECT_FINGERPRINT, ENTRY_FRESH, row, row->reply);
	expect_answer(DIALECT_FINGERPRINT, ENTRY_GRACE, row, row->reply);
	expect_answer(DIALECT_FINGERPRINT, ENTRY_STALE, row, DEFER_LEVEL);
}

// Postfix 2.10's smtp(8) does not survive an error.
static void
no_fingerprint_reply_is_an_error(void **state)
{
	(void)state;
	static const char letters[] = "DdslUNEeA";
	static const unsigned settings[] = { 0, INSECURE_MAY, SHA512,
		REPLY_ENCRYPT, REPLY_NONE, REPLY_NOTFOUND, WITH_PORT, MORE,
		PARTIAL, NO_MATCHES };
	for (unsigned i = 0; i < 9 * 9 * 10 * 4 * 5; i++) {
		char hosts[] = "10_ 20_";
		hosts[2] = letters[i % 9];
		hosts[6] = letters[i / 9 % 9];
		struct answer_row row = { .hosts = hosts,
			.with = settings[i / 81 % 10] | i / 810 % 4 };
		enum entry_use use = (enum entry_use)(i / 3240);
		struct entry entry;
		make_entry(&row, &entry);
		struct nexthop nexthop = nexthop_of(row.with);
		struct dialect_settings in_force = settings_of(row.with);
		struct dialect_question question = { DIALECT_FINGERPRINT,
			&nexthop, NULL, &in_force };
		size_t len = dialect_answer(
		    &question, &entry, use, reply, sizeof(reply));
		assert_in_range(len, 1, sizeof(reply) - 1);
		reply[len] = '\0';
		bool found = strncmp(reply, "OK ", 3) == 0 && reply[3] != '\0';
		assert_true(found || strcmp(reply, "NOTFOUND ") == 0);
	}
}

static void
a_deferral_says_its_own_reason(void **state)
{
	(void)state;
	struct entry entry = { .has_defer = true,
		.defer_len = 12,
		.defer_reason = "MX: SERVFAILxxx" };
	struct nexthop nexthop = nexthop_of(0);
	struct dialect_settings settings = settings_of(0);
	struct dialect_question question = { DIALECT_DANE, &nexthop, NULL,
		&settings };
	assert_reply(dialect_answer(
			 &question, &entry, ENTRY_DEFER, reply, sizeof(reply)),
	    "TEMP MX: SERVFAIL");
	question.map = DIALECT_FINGERPRINT;
	assert_reply(dialect_answer(
			 &question, &entry, ENTRY_DEFER, reply, sizeof(reply)),
	    DEFER_LEVEL);
}

static void
what_is_no_deferral_has_no_reason(void **state)
{
	(void)state;
	struct entry entry = { .defer_len = 12,
		.defer_reason = "MX: SERVFAIL" };
	struct nexthop nexthop = nexthop_of(0);
	struct dialect_settings settings = settings_of(0);
	struct dialect_question question = { DIALECT_DANE, &nexthop, NULL,
		&settings };

	assert_reply(
	    dialect_answer(&question, &entry, ENTRY_MISS, reply, sizeof(reply)),
	    "TEMP DNS lookup failed");
}

// Many matches: 96 octets of reply each, sha512 192.
static void
expect_many(unsigned with, uint16_t n, size_t size, size_t expected_len)
{
	static uint8_t octets[64 * FACTS_SHA256_MAX];
	struct answer_row row = { .with = SECURE | with, .hosts = "10D" };
	struct entry entry;
	make_entry(&row, &entry);
	entry.facts.n_sha256 = entry.facts.n_sha512 = n;
	entry.facts.sha256 = entry.facts.sha512 = octets;
	struct nexthop nexthop = nexthop_of(0);
	struct dialect_settings settings = settings_of(with);
	char *exact = malloc(size);
	assert_non_null(exact);
	struct dialect_question question = { DIALECT_FINGERPRINT, &nexthop,
		NULL, &settings };
	size_t len =
	    dialect_answer(&question, &entry, ENTRY_FRESH, exact, size);
	assert_int_equal(len, expected_len);
	if (len == strlen("OK encrypt"))
		assert_memory_equal(exact, "OK encrypt", len);
	else
		assert_int_equal(exact[len - 1], '0');
	free(exact);
}

static void
replies_over_the_limit_are_encrypt(void **state)
{
	(void)state;
	const size_t encrypt = strlen("OK encrypt");
	expect_many(0, 1041, DIALECT_REPLY_MAX, 20 + 1041 * 96);
	expect_many(0, FACTS_SHA256_MAX, DIALECT_REPLY_MAX, encrypt);
	expect_many(0, FACTS_SHA256_MAX, 2 * DIALECT_REPLY_MAX, encrypt);
	expect_many(SHA512, 500, DIALECT_REPLY_MAX, 20 + 500 * 192);
	expect_many(SHA512, 520, DIALECT_REPLY_MAX, 20 + 520 * 192);
	expect_many(SHA512, FACTS_SHA512_MAX, DIALECT_REPLY_MAX, encrypt);
	expect_many(0, 3, DIALECT_SHORT_MAX, encrypt);
}

struct overflow_row {
	const char *sentence;
	unsigned with;
	enum dialect_map map;
	uint16_t n;
	bool partial;
	enum entry_use use;
	bool overflows;
};

static const struct overflow_row overflow_rows[] = {
	{ "1,041 fingerprints fit into a reply", 0, DIALECT_FINGERPRINT, 1041,
	    false, ENTRY_FRESH, false },
	{ "1,042 fingerprints do not fit into a reply", 0, DIALECT_FINGERPRINT,
	    1042, false, ENTRY_FRESH, true },
	{ "520 of sha512 fit into a reply", SHA512, DIALECT_FINGERPRINT, 520,
	    false, ENTRY_FRESH, false },
	{ "521 of sha512 do not fit into a reply", SHA512, DIALECT_FINGERPRINT,
	    521, false, ENTRY_FRESH, true },
	{ "the dane map leaves nothing out", 0, DIALECT_DANE, 1042, false,
	    ENTRY_FRESH, false },
	{ "what waits for its matches leaves nothing out", 0,
	    DIALECT_FINGERPRINT, 1042, true, ENTRY_FRESH, false },
	{ "a stale entry leaves nothing out", 0, DIALECT_FINGERPRINT, 1042,
	    false, ENTRY_STALE, false },
	{ "a deferral leaves nothing out", 0, DIALECT_FINGERPRINT, 1042, false,
	    ENTRY_DEFER, false },
	{ "an entry to be asked for leaves nothing out", 0, DIALECT_FINGERPRINT,
	    1042, false, ENTRY_MISS, false },
};

static void
overflow(void **state)
{
	const struct overflow_row *row = *state;
	struct answer_row answer = { .with = SECURE | row->with,
		.hosts = "10D" };
	struct dialect_settings settings = settings_of(row->with);
	struct nexthop nexthop = nexthop_of(0);
	struct dialect_question question = { row->map, &nexthop, NULL,
		&settings };
	struct entry entry;

	make_entry(&answer, &entry);
	entry.facts.n_sha256 = entry.facts.n_sha512 = row->n;
	entry.facts.partial = row->partial;
	assert_int_equal(
	    dialect_overflows(&question, &entry, row->use), row->overflows);
}

struct map_row {
	const char *sentence;
	const char *name;
	enum dialect_map map;
};

static const struct map_row map_rows[] = {
	{ "dane is the dane map", "dane", DIALECT_DANE },
	{ "DANE is the dane map", "DANE", DIALECT_DANE },
	{ "query is the dane map", "query", DIALECT_DANE },
	{ "queryWithTLSRPT is the dane map", "queryWithTLSRPT", DIALECT_DANE },
	{ "postfix is the dane map", "postfix", DIALECT_DANE },
	{ "fingerprint is the fingerprint map", "fingerprint",
	    DIALECT_FINGERPRINT },
	{ "Fingerprint is the fingerprint map", "Fingerprint",
	    DIALECT_FINGERPRINT },
	{ "the empty name is no map", "", DIALECT_UNKNOWN },
	{ "a part of a name is no map", "dan", DIALECT_UNKNOWN },
	{ "more than a name is no map", "danes", DIALECT_UNKNOWN },
	{ "another name is no map", "mta-sts", DIALECT_UNKNOWN },
};

static void
map_name(void **state)
{
	const struct map_row *row = *state;
	assert_int_equal(dialect_map(row->name, strlen(row->name)), row->map);
}

#define TEN(x) x x x x x x x x x x

struct text_row {
	const char *sentence;
	const char *text;
	const char *reply;
};

static const struct text_row temp_rows[] = {
	{ "a reason is given as it is", SIGNATURE, "TEMP " SIGNATURE },
	{ "no reason is still a sentence", "", "TEMP DNS lookup failed" },
	{ "a reason of 200 octets is given whole", TEN(TEN("ab")),
	    "TEMP " TEN(TEN("ab")) },
	{ "the first and the last printable octet are given", " a~",
	    "TEMP  a~" },
	{ "octets that are not printable ASCII are masked",
	    "a\001\n\177\303\274 b", "TEMP a????? b" },
	{ "a long name is cut in its middle, never the cause",
	    "_25._tcp." TEN("abcdefghijklmnopqrst") ".example.org TLSA: bogus: "
						    "signature expired",
	    "TEMP _25._tcp.abcdefghijklmnopqrstabcdefghijklmnopqrstabcdef"
	    "ghijklmnopqrstabcdefghijklmn...jklmnopqrstabcdefghijklmnopqr"
	    "stabcdefghijklmnopqrstabcdefghijklmnopqrst.example.org TLSA:"
	    " bogus: signature expired" },
	{ "a name of which nothing would be left is not cut",
	    "thirteen.test " TEN("abcdefghijklmnopqr") "1234567890123456",
	    "TEMP thirteen.test " TEN("abcdefghijklmnopqr") "123456" },
	{ "a cause that is too long itself is cut at its end",
	    "mx A: " TEN(TEN("abc")),
	    "TEMP mx A: " TEN("abcabcabcabcabcabc") "abcabcabcabcab" },
};

static void
temp_reason(void **state)
{
	const struct text_row *row = *state;
	assert_reply(dialect_defer(DIALECT_DANE, row->text, reply), row->reply);
}

static void
other_replies(void **state)
{
	(void)state;
	assert_reply(
	    dialect_defer(DIALECT_FINGERPRINT, SIGNATURE, reply), DEFER_LEVEL);
	assert_reply(dialect_notfound(reply), "NOTFOUND ");
	assert_reply(dialect_perm("request without a space", reply),
	    "PERM request without a space");
}

static void
unknown_maps_are_told_the_known_ones(void **state)
{
	(void)state;
	size_t len = dialect_unknown_map("mta-sts", 7, reply);
	assert_reply(len, "PERM no map \"mta-sts\": there are dane (or query, "
			  "querywithtlsrpt, postfix) and fingerprint");
	char name[9000];
	memset(name, '\n', sizeof(name));
	len = dialect_unknown_map(name, sizeof(name), reply);
	assert_in_range(len, 1, DIALECT_SHORT_MAX);
	assert_null(memchr(reply, '\n', len));
}

static void
no_short_reply_exceeds_its_buffer(void **state)
{
	(void)state;
	char reason[4000];
	memset(reason, 'r', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	char *exact = malloc(DIALECT_SHORT_MAX);
	assert_non_null(exact);
	for (size_t space = 0; space < 400; space++) {
		reason[space] = ' ';
		size_t len = dialect_defer(DIALECT_DANE, reason, exact);
		assert_int_equal(len, 205);
		len = dialect_perm(reason, exact);
		assert_int_equal(len, 205);
		reason[space] = 'r';
	}
	free(exact);
}

int
main(void)
{
	TABLE_ADD(dane_rows, dane);
	TABLE_ADD(fingerprint_rows, fingerprint);
	TABLE_ADD(overflow_rows, overflow);
	TABLE_ADD(map_rows, map_name);
	TABLE_ADD(temp_rows, temp_reason);
	table_add("no reply of the fingerprint map is an error",
	    no_fingerprint_reply_is_an_error, NULL);
	table_add("a deferral says its own reason, in words or in one level",
	    a_deferral_says_its_own_reason, NULL);
	table_add("what is no deferral has no reason",
	    what_is_no_deferral_has_no_reason, NULL);
	table_add("replies over 100,000 octets are encrypt",
	    replies_over_the_limit_are_encrypt, NULL);
	table_add("deferred without an entry, not found, not understood",
	    other_replies, NULL);
	table_add("an unknown map is told the known ones",
	    unknown_maps_are_told_the_known_ones, NULL);
	table_add("no reason exceeds 200 octets",
	    no_short_reply_exceeds_its_buffer, NULL);
	return table_run("dialect");
}
