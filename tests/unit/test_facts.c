// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Facts as octets: what goes in comes out, and nothing else is believed.

#include "config.h"

#include "policy/facts.h"

#include "table.h"

#include "hosts.h"

#include <errno.h>
#include <string.h>

#define SHA256_LEN 32
#define SHA512_LEN 64

static uint8_t digests[64 * FACTS_SHA256_MAX];
static uint8_t encoded[FACTS_ENCODED_MAX];

// Ascending digests of one_len octets.
static const uint8_t *
make_digests(unsigned n, size_t one_len)
{
	memset(digests, 0x5a, sizeof(digests));
	for (unsigned i = 0; i < n; i++) {
		digests[i * one_len] = (uint8_t)(i >> 8);
		digests[i * one_len + 1] = (uint8_t)(i & 0xff);
	}
	return digests;
}

struct facts_row {
	const char *sentence;
	const char *hosts;
	const char *reason;
	enum facts_mx mx;
	bool more_hosts, partial;
	uint16_t n_sha256, n_sha512;
	size_t len;
};

static const struct facts_row round_rows[] = {
	{ "a failed MX lookup is its reason", "", "MX: SERVFAIL",
	    FACTS_MX_FAILED, false, false, 0, 0, 19 },
	{ "nobody takes seven octets", "", "", FACTS_MX_NOBODY, false, false, 0,
	    0, 7 },
	{ "a domain without DANE takes three octets a host", "10N 20N", "",
	    FACTS_MX_INSECURE, false, false, 0, 0, 13 },
	{ "one host and one match take 42 octets", "10s", "", FACTS_MX_SECURE,
	    false, false, 1, 0, 42 },
	{ "two hosts and two matches take 77 octets", "10s 20s", "",
	    FACTS_MX_SECURE, false, false, 2, 0, 77 },
	{ "four hosts and three matches take 115 octets", "10s 10s 20s 20s", "",
	    FACTS_MX_SECURE, false, false, 3, 0, 115 },
	{ "both kinds of matches", "10D", "", FACTS_MX_SECURE, false, false, 1,
	    1, 106 },
	{ "every state and flag comes back", "0D 1d 2s 3l 4U! 5N 6E 7e 8A 9D!",
	    "x", FACTS_MX_SECURE, false, false, 1, 1, 134 },
	{ "the highest preference comes back", "65535N", "", FACTS_MX_SECURE,
	    false, false, 0, 0, 10 },
	{ "more hosts than are judged", "10N", "", FACTS_MX_INSECURE, true,
	    false, 0, 0, 10 },
	{ "partial facts are written without matches", "10D", "",
	    FACTS_MX_SECURE, false, true, 3, 3, 10 },
	{ "as many matches as there can be", "10D", "", FACTS_MX_SECURE, false,
	    false, FACTS_SHA256_MAX, 0, 10 + 32 * FACTS_SHA256_MAX },
	{ "as many sha512 matches as there can be", "10D", "", FACTS_MX_SECURE,
	    false, false, 0, FACTS_SHA512_MAX, 10 + 64 * FACTS_SHA512_MAX },
};

static struct facts
facts_of(const struct facts_row *row)
{
	struct facts facts = {
		.mx = row->mx,
		.more_hosts = row->more_hosts,
		.partial = row->partial,
		.n_sha256 = row->n_sha256,
		.n_sha512 = row->n_sha512,
		.reason_len = (uint8_t)strlen(row->reason),
		.reason = row->reason,
	};
	facts.sha256 = facts.sha512 =
	    make_digests(row->n_sha512 > 0 ? row->n_sha512 : row->n_sha256,
		row->n_sha512 > 0 ? SHA512_LEN : SHA256_LEN);
	hosts_read(row->hosts, &facts);
	return facts;
}

static void
there_and_back(void **state)
{
	const struct facts_row *row = *state;
	struct facts facts = facts_of(row), back;
	size_t len = facts_encode(&facts, encoded, sizeof(encoded));
	assert_int_equal(len, row->len);
	memset(&back, 0xa5, sizeof(back));
	assert_int_equal(facts_decode(encoded, len, &back), 0);

	assert_int_equal(back.mx, row->mx);
	assert_int_equal(back.more_hosts, row->more_hosts);
	assert_int_equal(back.partial, row->partial);
	assert_int_equal(back.n_hosts, facts.n_hosts);
	for (unsigned i = 0; i < facts.n_hosts; i++)
		assert_memory_equal(
		    &back.hosts[i], &facts.hosts[i], sizeof(back.hosts[i]));
	unsigned n_sha256 = row->partial ? 0 : row->n_sha256;
	unsigned n_sha512 = row->partial ? 0 : row->n_sha512;
	assert_int_equal(back.n_sha256, n_sha256);
	assert_int_equal(back.n_sha512, n_sha512);
	assert_memory_equal(
	    back.sha256, facts.sha256, (size_t)SHA256_LEN * n_sha256);
	assert_memory_equal(
	    back.sha512, facts.sha512, (size_t)SHA512_LEN * n_sha512);
	assert_int_equal(back.reason_len, strlen(row->reason));
	assert_memory_equal(back.reason, row->reason, back.reason_len);
}

static void
every_shorter_buffer_is_too_small(void **state)
{
	(void)state;
	struct facts facts = facts_of(&round_rows[3]);
	for (size_t size = 0; size < round_rows[3].len; size++) {
		uint8_t buffer[64];
		memset(buffer, 0xa5, sizeof(buffer));
		assert_int_equal(facts_encode(&facts, buffer, size), 0);
		assert_int_equal(buffer[0], 0xa5);
	}
}

static void
the_largest_facts_fit(void **state)
{
	(void)state;
	char reason[FACTS_REASON_MAX + 1] = "";
	memset(reason, 'r', FACTS_REASON_MAX);
	struct facts_row row = { .hosts = "10D", .reason = reason };
	struct facts facts = facts_of(&row);
	// Octets that ascend at both widths.
	static uint8_t wide[64 * FACTS_SHA256_MAX];
	for (size_t i = 0; i < sizeof(wide) / 32; i++) {
		wide[i * 32] = (uint8_t)(i >> 8);
		wide[i * 32 + 1] = (uint8_t)(i & 0xff);
	}
	facts.sha256 = facts.sha512 = wide;
	facts.n_sha256 = FACTS_SHA256_MAX;
	facts.n_sha512 = FACTS_SHA512_MAX;
	facts.n_hosts = FACTS_HOSTS_MAX;
	for (unsigned i = 1; i < FACTS_HOSTS_MAX; i++)
		facts.hosts[i] = facts.hosts[0];
	size_t len = facts_encode(&facts, encoded, sizeof(encoded));
	assert_in_range(len, 1, FACTS_ENCODED_MAX);
	struct facts back;
	assert_int_equal(facts_decode(encoded, len, &back), 0);
	assert_int_equal(back.n_hosts, FACTS_HOSTS_MAX);
	assert_int_equal(back.reason_len, FACTS_REASON_MAX);
}

// Facts that break their own rules, made from those of one good domain.
enum fault {
	HOSTS_OVER,
	SHA256_OVER,
	SHA512_OVER,
	REASON_OVER,
	HOSTS_UNSORTED,
	STATE_UNKNOWN,
	FLAG_UNKNOWN,
	MX_UNKNOWN,
	MATCHES_UNSORTED,
	MATCHES_TWICE,
};

struct fault_row {
	const char *sentence;
	enum fault fault;
};

static const struct fault_row fault_rows[] = {
	{ "65 hosts are not written", HOSTS_OVER },
	{ "sha256 matches past the limit are not written", SHA256_OVER },
	{ "sha512 matches past the limit are not written", SHA512_OVER },
	{ "a reason past the limit is not written", REASON_OVER },
	{ "hosts out of order are not written", HOSTS_UNSORTED },
	{ "an unknown state is not written", STATE_UNKNOWN },
	{ "an unknown flag is not written", FLAG_UNKNOWN },
	{ "an unknown state of the MX is not written", MX_UNKNOWN },
	{ "matches out of order are not written", MATCHES_UNSORTED },
	{ "a match that is there twice is not written", MATCHES_TWICE },
};

static void
break_facts(enum fault fault, struct facts *facts)
{
	switch (fault) {
	case HOSTS_OVER:
		facts->n_hosts = FACTS_HOSTS_MAX + 1;
		break;
	case SHA256_OVER:
		facts->n_sha256 = FACTS_SHA256_MAX + 1;
		break;
	case SHA512_OVER:
		facts->n_sha512 = FACTS_SHA512_MAX + 1;
		break;
	case REASON_OVER:
		facts->reason_len = FACTS_REASON_MAX + 1;
		break;
	case HOSTS_UNSORTED:
		facts->hosts[0].preference = 99;
		break;
	case STATE_UNKNOWN:
		facts->hosts[0].state = FACTS_NODANE + 1;
		break;
	case FLAG_UNKNOWN:
		facts->hosts[0].flags = 0x10;
		break;
	case MX_UNKNOWN:
		facts->mx = (enum facts_mx)(FACTS_MX_SECURE + 1);
		break;
	case MATCHES_UNSORTED:
		digests[0] = 0xff;
		break;
	case MATCHES_TWICE:
		memcpy(digests, digests + SHA256_LEN, SHA256_LEN);
		break;
	}
}

static void
broken_facts(void **state)
{
	const struct fault_row *row = *state;
	static const struct facts_row good = { .hosts = "10s 20s",
		.reason = "",
		.mx = FACTS_MX_SECURE,
		.n_sha256 = 2 };
	struct facts facts = facts_of(&good);
	assert_int_not_equal(facts_encode(&facts, encoded, sizeof(encoded)), 0);
	break_facts(row->fault, &facts);
	assert_int_equal(facts_encode(&facts, encoded, sizeof(encoded)), 0);
}

// Octets: mx, n_hosts, n_sha256 (2), n_sha512 (2), reason_len.
#define OCTETS(text)                  (const uint8_t *)text, sizeof(text) - 1
#define HEAD(mx, n_hosts, reason_len) mx n_hosts "\0\0\0\0" reason_len
#define HOSTS_5                       "\12\0\4\12\0\4\12\0\4\12\0\4\12\0\4"
#define HOSTS_20                      HOSTS_5 HOSTS_5 HOSTS_5 HOSTS_5
#define HOSTS_65                      HOSTS_20 HOSTS_20 HOSTS_20 HOSTS_5
#define DIGEST_A                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"

struct octet_row {
	const char *sentence;
	const uint8_t *octets;
	size_t len;
	bool good;
};

static const struct octet_row octet_rows[] = {
	{ "a head alone is read", OCTETS(HEAD("\1", "\0", "\0")), true },
	{ "two hosts in order are read",
	    OCTETS(HEAD("\3", "\2", "\0") "\12\0\4"
					  "\24\0\0"),
	    true },
	{ "two hosts of one preference are read",
	    OCTETS(HEAD("\3", "\2", "\0") "\12\0\4"
					  "\12\0\0"),
	    true },
	{ "two matches in order are read",
	    OCTETS("\3\0\2\0\0\0\0" DIGEST_A DIGEST_B), true },
	{ "no octets are refused", OCTETS(""), false },
	{ "half a head is refused", OCTETS("\1\0\0\0\0\0"), false },
	{ "an unknown bit of the MX is refused",
	    OCTETS(HEAD("\21", "\0", "\0")), false },
	{ "65 hosts are refused", OCTETS(HEAD("\3", "\101", "\0") HOSTS_65),
	    false },
	{ "a host that is cut is refused",
	    OCTETS(HEAD("\3", "\1", "\0") "\12\0"), false },
	{ "an octet too many is refused", OCTETS(HEAD("\1", "\0", "\0") "x"),
	    false },
	{ "a state that does not exist is refused",
	    OCTETS(HEAD("\3", "\1", "\0") "\12\0\5"), false },
	{ "hosts out of order are refused",
	    OCTETS(HEAD("\3", "\2", "\0") "\24\0\4"
					  "\12\0\0"),
	    false },
	{ "hosts out of order in the high octet are refused",
	    OCTETS(HEAD("\3", "\2", "\0") "\0\1\4"
					  "\12\0\0"),
	    false },
	{ "a reason that is cut is refused", OCTETS(HEAD("\0", "\0", "\2") "x"),
	    false },
	{ "a reason past its limit is refused",
	    OCTETS(HEAD("\0", "\0", "\241")
		    DIGEST_A DIGEST_A DIGEST_A DIGEST_A DIGEST_A "x"),
	    false },
	{ "a match that is cut is refused",
	    OCTETS("\3\0\2\0\0\0\0" DIGEST_A "aaaa"), false },
	{ "matches out of order are refused",
	    OCTETS("\3\0\2\0\0\0\0" DIGEST_B DIGEST_A), false },
	{ "a match that is there twice is refused",
	    OCTETS("\3\0\2\0\0\0\0" DIGEST_A DIGEST_A), false },
	{ "sha512 matches out of order are refused",
	    OCTETS("\3\0\0\0\2\0\0" DIGEST_A DIGEST_B DIGEST_A DIGEST_A),
	    false },
	{ "partial facts with matches are refused",
	    OCTETS("\13\0\1\0\0\0\0" DIGEST_A), false },
	{ "counts past their limits are refused",
	    OCTETS("\3\0\377\377\377\377\0" DIGEST_A), false },
};

static void
hostile_octets(void **state)
{
	const struct octet_row *row = *state;
	// A copy of just that size, for the sanitizer's sake.
	uint8_t *copy = malloc(row->len > 0 ? row->len : 1);
	assert_non_null(copy);
	memcpy(copy, row->octets, row->len);
	struct facts facts, before;
	memset(&facts, 0xa5, sizeof(facts));
	memcpy(&before, &facts, sizeof(facts));
	int result = facts_decode(copy, row->len, &facts);
	assert_int_equal(result, row->good ? 0 : -EINVAL);
	if (result != 0)
		assert_memory_equal(&facts, &before, sizeof(facts));
	free(copy);
}

// Whatever octet of good facts is changed: either it is refused, or encoding
// what was read gives the same octets again.
static void
what_is_read_is_what_would_be_written(void **state)
{
	(void)state;
	static const struct facts_row good = { .hosts = "10D 20N 20E",
		.reason = "why",
		.mx = FACTS_MX_SECURE,
		.n_sha512 = 2 };
	struct facts facts = facts_of(&good);
	uint8_t octets[256], again[256];
	size_t len = facts_encode(&facts, octets, sizeof(octets));
	assert_int_not_equal(len, 0);
	for (size_t i = 0; i < len * 256; i++) {
		uint8_t before = octets[i / 256];
		octets[i / 256] = (uint8_t)(i % 256);
		struct facts back;
		if (facts_decode(octets, len, &back) == 0) {
			assert_int_equal(
			    facts_encode(&back, again, sizeof(again)), len);
			assert_memory_equal(octets, again, len);
		}
		octets[i / 256] = before;
	}
}

static void
every_cut_is_refused(void **state)
{
	(void)state;
	struct facts facts = facts_of(&round_rows[7]), back;
	size_t len = facts_encode(&facts, encoded, sizeof(encoded));
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(facts_decode(encoded, cut, &back), -EINVAL);
}

int
main(void)
{
	TABLE_ADD(round_rows, there_and_back);
	TABLE_ADD(fault_rows, broken_facts);
	TABLE_ADD(octet_rows, hostile_octets);
	table_add("facts are not written into a buffer that is too small",
	    every_shorter_buffer_is_too_small, NULL);
	table_add("the largest facts fit FACTS_ENCODED_MAX",
	    the_largest_facts_fit, NULL);
	table_add("what is read is what would be written",
	    what_is_read_is_what_would_be_written, NULL);
	table_add("facts cut anywhere are refused", every_cut_is_refused, NULL);
	return table_run("facts");
}
