// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Every row of the verdict table, the borders between them, and the sentences
// that explain a verdict. The letters of the hosts are in hosts.h.

#include "config.h"

#include "policy/decide.h"

#include "table.h"

#include "hosts.h"

#include <string.h>

// How the MX lookup ended, and what else is so.
enum {
	FAILED = FACTS_MX_FAILED,
	NOBODY = FACTS_MX_NOBODY,
	INSECURE = FACTS_MX_INSECURE,
	SECURE = FACTS_MX_SECURE,
	MX_MASK = 3,
	MAY = 4,  // insecure_mx = may
	MORE = 8, // there are hosts past the 64th
};

struct verdict_row {
	const char *sentence;
	unsigned mx;
	const char *hosts;
	enum decide_verdict verdict;
};

static const struct verdict_row verdict_rows[] = {
	// MX
	{ "a failed MX lookup defers", FAILED, "", DECIDE_DEFER },
	{ "a failed MX lookup defers though insecure_mx is may", FAILED | MAY,
	    "", DECIDE_DEFER },
	{ "a failed MX lookup defers whatever hosts are named", FAILED, "10D",
	    DECIDE_DEFER },
	{ "no such domain is no DANE", NOBODY, "", DECIDE_NONE },

	// nothing left
	{ "no host left is no DANE", SECURE, "", DECIDE_NONE },
	{ "absent hosts alone are no DANE", SECURE, "10A 20A", DECIDE_NONE },
	{ "absent hosts alone behind an unsigned MX are no DANE", INSECURE,
	    "10A", DECIDE_NONE },

	// insecure_mx = may
	{ "insecure_mx = may: an unsigned MX with DANE hosts is no DANE",
	    INSECURE | MAY, "10D", DECIDE_NONE },
	{ "insecure_mx = may: an unsigned MX with hosts in error is no DANE",
	    INSECURE | MAY, "10E", DECIDE_NONE },
	{ "insecure_mx = may says nothing of a signed MX", SECURE | MAY, "10D",
	    DECIDE_DANE_ONLY },
	{ "insecure_mx = may lets no signed MX go that fails", SECURE | MAY,
	    "10E", DECIDE_DEFER },

	// dane-only
	{ "one DANE host behind a signed MX gives dane-only", SECURE, "10D",
	    DECIDE_DANE_ONLY },
	{ "all DANE hosts behind a signed MX give dane-only", SECURE, "10D 20d",
	    DECIDE_DANE_ONLY },
	{ "a DANE host and an absent one give dane-only", SECURE, "10A 20D",
	    DECIDE_DANE_ONLY },
	{ "a DANE host and one in error give dane-only", SECURE, "10D 20E",
	    DECIDE_DANE_ONLY },
	{ "a better preferred host in error leaves dane-only", SECURE,
	    "10e 20D", DECIDE_DANE_ONLY },
	{ "hosts past the 64th leave dane-only", SECURE | MORE, "10D",
	    DECIDE_DANE_ONLY },
	{ "a record that kills smtp is no matter of the verdict", SECURE,
	    "10D!", DECIDE_DANE_ONLY },

	// dane
	{ "DANE hosts behind an unsigned MX give dane, never dane-only",
	    INSECURE, "10D 20D", DECIDE_DANE },
	{ "a DANE host and one without give dane", SECURE, "10D 20N",
	    DECIDE_DANE },
	{ "a DANE host of lower preference and one without give dane", SECURE,
	    "10N 20D", DECIDE_DANE },
	{ "a DANE host and one with unusable records give dane, for dane-only "
	  "would defer at the latter",
	    SECURE, "10D 20U", DECIDE_DANE },
	{ "unusable records alone give dane: TLS is mandatory", SECURE, "10U",
	    DECIDE_DANE },
	{ "unusable records behind an unsigned MX give dane", INSECURE, "10U",
	    DECIDE_DANE },
	{ "unusable records beside no records give dane", SECURE, "10N 20U",
	    DECIDE_DANE },
	{ "unusable records beside an error give dane", SECURE, "10E 20U",
	    DECIDE_DANE },
	{ "DANE, none and error together give dane", SECURE, "10D 20N 30E",
	    DECIDE_DANE },

	// all in error
	{ "one host in error behind a signed MX defers", SECURE, "10E",
	    DECIDE_DEFER },
	{ "hosts in error behind a signed MX defer though addresses are known",
	    SECURE, "10e 20e", DECIDE_DEFER },
	{ "a host in error and an absent one defer", SECURE, "10A 20E",
	    DECIDE_DEFER },
	{ "hosts past the 64th defer where the 64 are absent", SECURE | MORE,
	    "10A", DECIDE_DEFER },
	{ "hosts in error with an address behind an unsigned MX give dane",
	    INSECURE, "10e", DECIDE_DANE },
	{ "one known address is enough behind an unsigned MX", INSECURE,
	    "10E 20e", DECIDE_DANE },
	{ "hosts in error without address behind an unsigned MX defer",
	    INSECURE, "10E 20E", DECIDE_DEFER },
	{ "hosts past the 64th have no address", INSECURE | MORE, "10A",
	    DECIDE_DEFER },

	// without DANE
	{ "no DANE beside an error gives dane, lest the error strip DANE",
	    SECURE, "10N 20E", DECIDE_DANE },
	{ "no DANE beside an error behind an unsigned MX gives dane", INSECURE,
	    "10N 20E", DECIDE_DANE },
	{ "no DANE and hosts past the 64th give dane", SECURE | MORE, "10N",
	    DECIDE_DANE },
	{ "no DANE at any host is no DANE", SECURE, "10N 20N", DECIDE_NONE },
	{ "no DANE behind an unsigned MX is no DANE", INSECURE, "10N",
	    DECIDE_NONE },
	{ "no DANE and an absent host is no DANE", SECURE, "10A 20N",
	    DECIDE_NONE },
};

static struct facts
facts_of(unsigned mx, const char *hosts)
{
	struct facts facts = {
		.mx = (enum facts_mx)(mx & MX_MASK),
		.more_hosts = mx & MORE,
	};
	hosts_read(hosts, &facts);
	return facts;
}

static void
verdict(void **state)
{
	const struct verdict_row *row = *state;
	struct facts facts = facts_of(row->mx, row->hosts);
	assert_string_equal(decide_text(decide(&facts, row->mx & MAY)),
	    decide_text(row->verdict));
}

// Whoever can block lookups can turn any host's state into ERROR. That must
// not turn a verdict into NONE, nor defer a domain that has a usable host.
static void
a_blocked_lookup_never_weakens(void **state)
{
	(void)state;
	static const char letters[] = "DUNA";
	for (unsigned i = 0; i < 4 * 4 * 2; i++) {
		char hosts[] = "10_ 20_";
		hosts[2] = letters[i % 4];
		hosts[6] = letters[i / 4 % 4];
		struct facts facts =
		    facts_of(i < 16 ? SECURE : INSECURE, hosts);
		enum decide_verdict known = decide(&facts, false);
		facts.hosts[1].state = FACTS_ERROR;
		enum decide_verdict blocked = decide(&facts, false);
		if (known != DECIDE_NONE)
			assert_int_not_equal(blocked, DECIDE_NONE);
		if (hosts[2] == 'D')
			assert_true(decide_is_strict(blocked));
	}
}

static void
strictness(void **state)
{
	(void)state;
	assert_true(decide_is_strict(DECIDE_DANE));
	assert_true(decide_is_strict(DECIDE_DANE_ONLY));
	assert_false(decide_is_strict(DECIDE_NONE));
	assert_false(decide_is_strict(DECIDE_DEFER));
}

static void
counts(void **state)
{
	(void)state;
	struct decide_count n;
	struct facts facts =
	    facts_of(SECURE | MORE, "1D 2d 3U 4N 5N 6N 7E 8A 9A");
	decide_count(&facts, &n);
	assert_int_equal(n.n_dane, 2);
	assert_int_equal(n.n_unusable, 1);
	assert_int_equal(n.n_nodane, 3);
	assert_int_equal(n.n_error, 2);
	assert_false(n.has_address);
	assert_false(n.kills_smtp);
	facts = facts_of(SECURE, "1D! 2e");
	decide_count(&facts, &n);
	assert_true(n.has_address);
	assert_true(n.kills_smtp);
	facts = facts_of(SECURE, "1D 2A!");
	decide_count(&facts, &n);
	assert_false(n.kills_smtp);
}

struct reason_row {
	const char *sentence;
	unsigned mx;
	const char *hosts;
	const char *failure;
	const char *reason;
};

#define SIGNATURE "_25._tcp.mx1.example.org TLSA: bogus: signature expired"

static const struct reason_row reason_rows[] = {
	{ "a deferral names question and cause", SECURE, "10E", SIGNATURE,
	    SIGNATURE },
	{ "a deferral without a cause says so", FAILED, "", "",
	    "lookup failed" },
	{ "a deferral for hosts past the 64th says so", SECURE | MORE, "10A",
	    "", "none of the 64 best preferred MX hosts exists" },
	{ "no such domain is explained", NOBODY, "", "",
	    "null MX or no such domain" },
	{ "absent hosts are explained", SECURE, "10A", "",
	    "no MX host has an address" },
	{ "no DANE is explained", INSECURE, "10N 20N", "",
	    "no MX host has TLSA records" },
	{ "insecure_mx = may is explained", INSECURE | MAY, "10D", "",
	    "MX not signed, and insecure_mx is may" },
	{ "dane-only for two hosts is explained", SECURE, "10D 20D", "",
	    "all 2 MX hosts have usable TLSA records" },
	{ "dane-only for one host is explained", SECURE, "10D", "",
	    "the only MX host has usable TLSA records" },
	{ "dane-only beside an error is explained", SECURE, "10D 20E",
	    SIGNATURE,
	    "1 of 2 MX hosts has usable TLSA records, 1 has failed lookups "
	    "(" SIGNATURE ")" },
	{ "dane-only with hosts past the 64th is explained", SECURE | MORE,
	    "10D 20D", "",
	    "all 2 MX hosts have usable TLSA records, those past the first 64 "
	    "are not looked up" },
	{ "dane for an unsigned MX is explained", INSECURE, "10D 20N", "",
	    "MX not signed: 1 of 2 hosts has usable TLSA records, 1 has no "
	    "TLSA records" },
	{ "dane for an unsigned MX with DANE at all hosts is explained",
	    INSECURE, "10D 20D", "",
	    "MX not signed: all 2 hosts have usable TLSA records" },
	{ "dane for a mixed domain is explained", SECURE,
	    "10D 20D 30U 40N 50N 60A", "",
	    "2 of 5 MX hosts have usable TLSA records, 1 has only unusable "
	    "TLSA records, 2 have no TLSA records" },
	{ "dane for unusable records is explained", SECURE, "10U", "",
	    "the only MX host has only unusable TLSA records" },
	{ "dane to guard a host in error is explained", SECURE, "10N 20E",
	    SIGNATURE,
	    "1 of 2 MX hosts has no TLSA records, 1 has failed lookups "
	    "(" SIGNATURE ")" },
	{ "dane beside an error of unknown cause is explained", SECURE,
	    "10N 20E", "",
	    "1 of 2 MX hosts has no TLSA records, 1 has failed lookups" },
	{ "a cause may have one octet", SECURE, "10N 20E", "x",
	    "1 of 2 MX hosts has no TLSA records, 1 has failed lookups (x)" },
	{ "a deferral's cause may have one octet", SECURE, "10E", "x", "x" },
	{ "that there are hosts past the 64th is told once", SECURE | MORE,
	    "10D", "example.org MX: more hosts than are looked at",
	    "the only MX host has usable TLSA records, those past the first 64 "
	    "are not looked up" },
	{ "insecure_mx = may is explained, whatever the hosts", INSECURE | MAY,
	    "10D 20U", "", "MX not signed, and insecure_mx is may" },
	{ "insecure_mx = may is explained for unusable records", INSECURE | MAY,
	    "10U 20N", "", "MX not signed, and insecure_mx is may" },
	{ "insecure_mx = may is explained beside an error", INSECURE | MAY,
	    "10N 20E", "", "MX not signed, and insecure_mx is may" },
	{ "insecure_mx = may is explained for unusable records beside an error",
	    INSECURE | MAY, "10U 20E", "",
	    "MX not signed, and insecure_mx is may" },
	{ "dane for errors behind an unsigned MX is explained", INSECURE,
	    "10e 20e", "mx1.example.org A: SERVFAIL",
	    "MX not signed: all 2 hosts have failed lookups "
	    "(mx1.example.org A: SERVFAIL)" },
};

static void
reason(void **state)
{
	const struct reason_row *row = *state;
	struct facts facts = facts_of(row->mx, row->hosts);
	facts.reason = row->failure;
	facts.reason_len = (uint8_t)strlen(row->failure);
	char text[256];
	memset(text, 'x', sizeof(text));
	decide_reason(
	    &facts, decide(&facts, row->mx & MAY), text, sizeof(text));
	assert_string_equal(text, row->reason);
}

static void
reasons_are_cut_where_the_buffer_ends(void **state)
{
	(void)state;
	struct facts facts = facts_of(SECURE, "10D 20N 30U 40E");
	facts.reason = SIGNATURE;
	facts.reason_len = sizeof(SIGNATURE) - 1;
	char whole[256], cut[256];
	decide_reason(&facts, DECIDE_DANE, whole, sizeof(whole));
	for (size_t size = 1; size <= strlen(whole) + 1; size++) {
		memset(cut, 'x', sizeof(cut));
		decide_reason(&facts, DECIDE_DANE, cut, size);
		assert_int_equal(strlen(cut), size - 1);
		assert_memory_equal(cut, whole, size - 1);
		for (size_t i = size; i < sizeof(cut); i++)
			assert_int_equal(cut[i], 'x');
	}
	cut[0] = 'x';
	decide_reason(&facts, DECIDE_DANE, cut, 0);
	assert_int_equal(cut[0], 'x');
}

int
main(void)
{
	TABLE_ADD(verdict_rows, verdict);
	TABLE_ADD(reason_rows, reason);
	table_add("a blocked lookup never weakens a verdict",
	    a_blocked_lookup_never_weakens, NULL);
	table_add("dane and dane-only are strict", strictness, NULL);
	table_add(
	    "hosts are counted by state, absent ones not at all", counts, NULL);
	table_add("reasons are cut where the buffer ends",
	    reasons_are_cut_where_the_buffer_ends, NULL);
	return table_run("decide");
}
