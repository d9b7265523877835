// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The verdict over a next-hop, and the sentence that explains it. Promises that
// doubt never weakens: a host whose lookup failed defers mail or keeps the
// stricter answer, and blocks nobody else's. Knows no names and no time.

#include "config.h"

#include "policy/decide.h"

#include <stdarg.h>
#include <stdio.h>

static void
count_host(const struct facts_host *host, struct decide_count *count)
{
	switch ((enum facts_state)host->state) {
	case FACTS_ABSENT:
		return;
	case FACTS_DANE:
		count->n_dane++;
		break;
	case FACTS_UNUSABLE:
		count->n_unusable++;
		break;
	case FACTS_NODANE:
		count->n_nodane++;
		break;
	case FACTS_ERROR:
		count->n_error++;
		if (host->flags & FACTS_HAS_ADDRESS)
			count->has_address = true;
		break;
	}
	if (host->flags & FACTS_KILLS_SMTP)
		count->kills_smtp = true;
}

// Hosts that were never looked at are in error, as one: no row of the table
// asks how many.
void
decide_count(const struct facts *facts, struct decide_count *ret)
{
	*ret = (struct decide_count){ .n_error = facts->more_hosts ? 1 : 0 };
	for (unsigned i = 0; i < facts->n_hosts; i++)
		count_host(&facts->hosts[i], ret);
}

// The table: what Postfix does at `dane` (may, encrypt or DANE, host by host)
// and at `dane-only` (DANE or no delivery) is why the rows are as they are.
// The first that fits decides.
enum decide_verdict
decide(const struct facts *facts, bool insecure_may)
{
	if (facts->mx == FACTS_MX_FAILED)
		return DECIDE_DEFER;
	if (facts->mx == FACTS_MX_NOBODY)
		return DECIDE_NONE;

	struct decide_count n;
	decide_count(facts, &n);
	bool secure = facts->mx == FACTS_MX_SECURE;

	// Nobody to deliver to; Postfix finds that out itself.
	if (n.n_dane + n.n_unusable + n.n_nodane + n.n_error == 0)
		return DECIDE_NONE;
	// The administrator's choice.
	if (!secure && insecure_may)
		return DECIDE_NONE;
	// No host is known to lack DANE, and Postfix skips those in error.
	if (secure && n.n_dane > 0 && n.n_unusable == 0 && n.n_nodane == 0)
		return DECIDE_DANE_ONLY;
	if (n.n_dane > 0 || n.n_unusable > 0)
		return DECIDE_DANE;
	// NONE here would let a blocked TLSA lookup strip DANE from a host.
	if (n.n_nodane > 0)
		return n.n_error > 0 ? DECIDE_DANE : DECIDE_NONE;
	// All in error. Behind an unsigned MX, DANE is permitted only (RFC 7672
	// section 2.2.1), so Postfix may see for itself, if it finds an
	// address.
	return !secure && n.has_address ? DECIDE_DANE : DECIDE_DEFER;
}

bool
decide_is_strict(enum decide_verdict verdict)
{
	return verdict == DECIDE_DANE || verdict == DECIDE_DANE_ONLY;
}

const char *
decide_text(enum decide_verdict verdict)
{
	switch (verdict) {
	case DECIDE_NONE:
		return "none";
	case DECIDE_DANE:
		return "dane";
	case DECIDE_DANE_ONLY:
		return "dane-only";
	case DECIDE_DEFER:
		break;
	}
	return "defer";
}

// A sentence under construction, cut where its buffer ends.
struct sentence {
	char *at;
	size_t left; // at least 1, for the NUL
};

static void say(struct sentence *sentence, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(struct sentence *sentence, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(sentence->at, sentence->left, format, args);
	va_end(args);
	if (len < 0)
		return;
	size_t kept =
	    (size_t)len < sentence->left ? (size_t)len : sentence->left - 1;
	sentence->at += kept;
	sentence->left -= kept;
}

static void
say_failure(struct sentence *sentence, const struct facts *facts)
{
	if (facts->reason_len > 0)
		say(sentence, "%.*s", (int)facts->reason_len, facts->reason);
	else if (facts->more_hosts)
		say(sentence, "none of the %d best preferred MX hosts exists",
		    FACTS_HOSTS_MAX);
	else
		say(sentence, "lookup failed");
}

// "the only MX host", "all 2 MX hosts", "1 of 2 MX hosts".
static void
say_who(
    struct sentence *sentence, unsigned count, unsigned total, enum facts_mx mx)
{
	const char *whose = mx == FACTS_MX_SECURE ? "MX host" : "host";
	if (total == 1)
		say(sentence, "the only %s", whose);
	else if (count == total)
		say(sentence, "all %u %ss", total, whose);
	else
		say(sentence, "%u of %u %ss", count, total, whose);
}

// "1 of 3 MX hosts has usable TLSA records, 1 has no TLSA records, 1 has failed
// lookups".
static void
say_hosts(
    struct sentence *sentence, const struct decide_count *n, enum facts_mx mx)
{
	const struct {
		unsigned count;
		const char *what;
	} parts[] = {
		{ n->n_dane, "usable TLSA records" },
		{ n->n_unusable, "only unusable TLSA records" },
		{ n->n_nodane, "no TLSA records" },
		{ n->n_error, "failed lookups" },
	};

	unsigned total = n->n_dane + n->n_unusable + n->n_nodane + n->n_error;
	bool first = true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		unsigned count = parts[i].count;
		if (count == 0)
			continue;
		if (first)
			say_who(sentence, count, total, mx);
		else
			say(sentence, ", %u", count);
		say(sentence, " %s %s", count == 1 ? "has" : "have",
		    parts[i].what);
		first = false;
	}
}

static void
say_count(struct sentence *sentence, const struct facts *facts)
{
	struct decide_count n;
	decide_count(facts, &n);
	if (facts->more_hosts)
		n.n_error--; // told apart below
	if (facts->mx == FACTS_MX_INSECURE)
		say(sentence, "MX not signed: ");
	say_hosts(sentence, &n, facts->mx);
	if (facts->more_hosts)
		say(sentence, ", those past the first %d are not looked up",
		    FACTS_HOSTS_MAX);
	if (n.n_error > 0 && facts->reason_len > 0)
		say(sentence, " (%.*s)", (int)facts->reason_len, facts->reason);
}

static void
say_none(struct sentence *sentence, const struct facts *facts)
{
	struct decide_count n;
	decide_count(facts, &n);
	if (facts->mx == FACTS_MX_NOBODY)
		say(sentence, "null MX or no such domain");
	else if (n.n_dane + n.n_unusable + n.n_nodane + n.n_error == 0)
		say(sentence, "no MX host has an address");
	else if (n.n_dane + n.n_unusable + n.n_error == 0)
		say(sentence, "no MX host has TLSA records");
	else
		say(sentence, "MX not signed, and insecure_mx is may");
}

void
decide_reason(const struct facts *facts, enum decide_verdict verdict, char *ret,
    size_t size)
{
	if (size == 0)
		return;
	ret[0] = '\0';
	struct sentence sentence = { ret, size };
	switch (verdict) {
	case DECIDE_DEFER:
		say_failure(&sentence, facts);
		break;
	case DECIDE_NONE:
		say_none(&sentence, facts);
		break;
	case DECIDE_DANE:
	case DECIDE_DANE_ONLY:
		say_count(&sentence, facts);
		break;
	}
}
