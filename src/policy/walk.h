// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The way through the DNS for one next-hop: which questions to ask, and what
// their answers make of the hosts (RFC 7672 section 2.2). Pure: the owner asks
// the questions, in any order and all at once, and brings back the answers, in
// any order, late or never. Memory comes from the owner and is freed by it.
//
//	walk_begin(&walk, &nexthop, &env);
//	while (walk_next(&walk, &question)) ask(question);
//	on each answer: walk_answer(&walk, question.id, &answer), then
//	    walk_next again, until walk_is_done(&walk);
//	at the deadline: copy walk_facts as if all open questions had failed.
#pragma once

#include "policy/digests.h"
#include "policy/dname.h"
#include "policy/facts.h"
#include "policy/nexthop.h"
#include "policy/tlsa.h"

// Presentation form (RFC 1035 s. 5.1), without the trailing dot; an octet may
// take four characters ("\ddd").
#define WALK_NAME_MAX  DNAME_TEXT_MAX
#define WALK_CAUSE_MAX 127

// Lookups of one host: A, AAAA, CNAME, TLSA at an alias's target and at the
// host's own name.
#define WALK_LOOKUPS       5
#define WALK_QUESTIONS_MAX (1 + WALK_LOOKUPS * FACTS_HOSTS_MAX)

enum walk_type { // values of the wire (RFC 1035, 3596, 6698)
	WALK_A = 1,
	WALK_CNAME = 5,
	WALK_MX = 15,
	WALK_AAAA = 28,
	WALK_TLSA = 52,
};

// The state of one answer, for the whole alias chain. Zero is the doubt.
enum walk_security {
	WALK_FAILED = 0, // SERVFAIL, REFUSED, NOTIMP, timeout, no server
	WALK_BOGUS,
	WALK_INSECURE,
	WALK_SECURE,
};

enum walk_content { WALK_NODATA = 0, WALK_NXDOMAIN, WALK_DATA };

// One MX record; name in presentation form, "." for the root.
struct walk_mx {
	uint16_t preference;
	const char *name;
};

// One answer, borrowed for the time of the call. For WALK_FAILED and
// WALK_BOGUS only cause counts.
struct walk_reply {
	enum walk_security security;
	enum walk_content content;
	bool has_ttl; // a denial without SOA has none
	uint32_t
	    ttl_s;    // the smallest of all records of the chain; for a denial
		      // with that of the SOA, lowered to its minimum field
	bool aliased; // the name asked for is an alias
	const char *canonical; // end of the chain; NULL unless aliased
	const char *cause;     // "SERVFAIL", "timed out", "signature expired"
	size_t n_mx;
	const struct walk_mx *mx; // all records, in any order
	size_t n_tlsa;

	const struct walk_rdata {
		const uint8_t *data;
		size_t len;
	} * tlsa;

	// The answer itself, for people who want to see more than the walk
	// needs; NULL unless it was asked for (dns_settings.keep_wire).
	const uint8_t *wire;
	size_t wire_len;
};

struct walk_question {
	unsigned id; // below WALK_QUESTIONS_MAX
	enum walk_type type;
	const char *name; // owned by the walk
	unsigned host;    // whom it is about, as in the facts; 0 for MX
};

struct walk_env {
	// Zeroed memory that lives as long as the walk, or NULL: then what it
	// was wanted for counts as failed. Nothing is ever given back singly.
	void *(*get)(void *arg, size_t size);
	void *arg;
	tlsa_full_check *full;
};

// Private to walk.c, down to the functions; here for their size.
struct walk_host;
struct walk_name;
struct walk_tlsa;

// One answer, reduced to what the judgment needs. Zero is a question that is
// open, and counts as failed.
struct walk_kept {
	bool asked, answered;
	bool aliased, has_ttl;
	uint8_t security; // enum walk_security
	uint8_t content;  // enum walk_content
	uint32_t ttl_s;
	const char *cause;              // of failed and bogus
	const struct walk_name *target; // A, AAAA: end of a secure alias chain
	const struct walk_tlsa *tlsa;   // TLSA: what secure data say
};

// "_65535._tcp."
#define WALK_PREFIX_MAX 12

struct walk {
	struct nexthop nexthop;
	struct walk_env env;
	enum facts_mx mx;
	struct walk_kept mx_kept;
	bool more_hosts;
	bool out_of_memory; // the hosts could not be kept
	unsigned n_hosts;
	struct walk_host *hosts;       // best preferred first
	struct digests sha256, sha512; // for walk_facts to lend
	unsigned prefix_len;
	char prefix[WALK_PREFIX_MAX + 1]; // "_25._tcp."
	char reason[FACTS_REASON_MAX + 1];
};

// nexthop is of kind DOMAIN or HOST, and copied.
void walk_begin(struct walk *walk, const struct nexthop *nexthop,
    const struct walk_env *env);

// The next question that the facts need, each once. False: none for now.
bool walk_next(struct walk *walk, struct walk_question *ret);

// The next question that counts only if an open one brings nothing: AAAA while
// A is open. Worth asking once that one has been open for a moment, so that
// nobody waits for two round trips; an answer within the moment makes it
// needless, or a question of walk_next. Each once, false: none for now.
bool walk_spare(struct walk *walk, struct walk_question *ret);
bool walk_has_spare(const struct walk *walk);

// The answer to question id. Answers to questions that were never asked, or
// twice, are ignored.
void walk_answer(
    struct walk *walk, unsigned id, const struct walk_reply *reply);

// Nothing that is still open can change the facts.
bool walk_is_done(const struct walk *walk);

// The facts as known now; what is open counts as failed ("timed out"). They
// borrow from the walk until the next call. ret_ttl_s is the smallest TTL of
// everything they rest on, unclamped, and 0 if that is nothing; min_ttl_s
// stands in for a denial without SOA. False if memory ran out: what it was
// wanted for is in error then, or the facts are partial.
bool walk_facts(struct walk *walk, uint32_t min_ttl_s, struct facts *ret,
    uint32_t *ret_ttl_s);

// For people: the name of a host of the facts, owned by the walk; and whether
// the facts would look at an answer to that question, as far as they go now.
const char *walk_host_name(const struct walk *walk, unsigned index);
bool walk_counts(const struct walk *walk, unsigned id);

// Whether a host is in error other than those past FACTS_HOSTS_MAX: the answer
// then lives for cache_error_ttl at most.
bool walk_has_error(const struct facts *facts);
