// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The way through the DNS for one next-hop. Promises that the facts follow
// from the answers alone, never from their order, and that no doubt becomes
// "no DANE": an answer that is open, failed, bogus, malformed or too large to
// keep is all the same an error. Refuses to know how a question is asked, what
// time it is, and what the facts mean for Postfix.
//
// From top to bottom: names, the hosts, what is kept of an answer, the
// judgment of one host, and the five functions of the header.
#include "config.h"

#include "policy/walk.h"

#include <string.h>

#include "policy/dname.h"
#include "policy/mxset.h"

static const char TIMED_OUT[] = "timed out";
static const char NO_MEMORY[] = "out of memory";
static const char MALFORMED[] = "malformed answer";
static const char NO_CAUSE[] = "failed";

// The questions about one host. What is asked of TARGET and ORIGINAL is TLSA.
enum lookup {
	LOOKUP_A = 0,
	LOOKUP_AAAA,
	LOOKUP_CNAME,
	LOOKUP_TARGET,
	LOOKUP_ORIGINAL,
	LOOKUP_NONE,
};

_Static_assert(LOOKUP_NONE == WALK_LOOKUPS, "the header counts them");

#define BIT(lookup) (1u << (lookup))

static const struct {
	enum walk_type type;
	const char *text;
} lookups[WALK_LOOKUPS] = {
	[LOOKUP_A] = { WALK_A, "A" },
	[LOOKUP_AAAA] = { WALK_AAAA, "AAAA" },
	[LOOKUP_CNAME] = { WALK_CNAME, "CNAME" },
	[LOOKUP_TARGET] = { WALK_TLSA, "TLSA" },
	[LOOKUP_ORIGINAL] = { WALK_TLSA, "TLSA" },
};

// A name and, in front of it in the same memory, that of its TLSA records.
struct walk_name {
	const char *text;
	const char *tlsa; // NULL: longer than a name can be
};

struct walk_host {
	struct walk_name name;
	uint16_t preference;
	bool is_address; // an IPv4 address where a name should be
	struct walk_kept kept[WALK_LOOKUPS];
};

// A secure TLSA RRset.
struct walk_tlsa {
	bool usable, kills_smtp;
	struct digests sha256, sha512;
};

// ---- Names

static void
prefix_write(struct walk *walk, uint16_t port)
{
	static const char protocol[] = "._tcp.";
	char digits[5], *at = walk->prefix;
	unsigned n = 0, rest = port;

	do {
		digits[n++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	*at++ = '_';
	while (n > 0)
		*at++ = digits[--n];
	memcpy(at, protocol, sizeof(protocol));
	walk->prefix_len = (unsigned)(at - walk->prefix + sizeof(protocol) - 1);
}

static size_t
name_room(const struct walk *walk, size_t len)
{
	return walk->prefix_len + len + 1;
}

// Writes prefix and name to at, lower case, name_room() octets.
static struct walk_name
name_write(const struct walk *walk, char *at, const char *text, size_t len,
    size_t octets)
{
	char *name = at + walk->prefix_len;

	memcpy(at, walk->prefix, walk->prefix_len);
	for (size_t i = 0; i < len; i++)
		name[i] = dname_fold(text[i]);
	name[len] = '\0';
	return (struct walk_name){
		.text = name,
		.tlsa =
		    walk->prefix_len + octets <= NEXTHOP_NAME_MAX ? at : NULL,
	};
}

// ---- The hosts

static void *
get(const struct walk *walk, size_t size)
{
	return walk->env.get(walk->env.arg, size);
}

static struct digests_memory
memory_of(const struct walk *walk)
{
	return (struct digests_memory){ walk->env.get, walk->env.arg };
}

// Hosts and their names in one piece: they are had all together or not at all.
static bool
hosts_make(struct walk *walk, const struct mxset *targets)
{
	size_t size = targets->n * sizeof(struct walk_host);
	struct walk_host *hosts;
	char *at;

	if (targets->n == 0)
		return true;
	for (unsigned i = 0; i < targets->n; i++)
		size += name_room(walk, targets->list[i].len);
	hosts = get(walk, size);
	if (hosts == NULL)
		return false;
	at = (char *)&hosts[targets->n];
	for (unsigned i = 0; i < targets->n; i++) {
		const struct mxset_target *target = &targets->list[i];

		// Host names hold no escapes: characters are octets.
		hosts[i].name = name_write(
		    walk, at, target->name, target->len, target->len);
		hosts[i].preference = target->preference;
		hosts[i].is_address = dname_is_ipv4(hosts[i].name.text);
		at += name_room(walk, target->len);
	}
	walk->hosts = hosts;
	walk->n_hosts = targets->n;
	walk->more_hosts = targets->more;
	return true;
}

// ---- What is kept of an answer

static void
keep_failure(struct walk_kept *kept, const char *cause)
{
	kept->security = WALK_FAILED;
	kept->cause = cause;
}

// Causes may quote a peer: only printable ASCII passes.
static const char *
copy_cause(const struct walk *walk, const char *cause)
{
	size_t len = cause != NULL ? strnlen(cause, WALK_CAUSE_MAX) : 0;
	char *copy;

	if (len == 0)
		return NO_CAUSE;
	copy = get(walk, len + 1);
	if (copy == NULL)
		return NO_MEMORY;
	for (size_t i = 0; i < len; i++)
		copy[i] = cause[i] >= ' ' && cause[i] <= '~' ? cause[i] : '?';
	copy[len] = '\0';
	return copy;
}

// Keeps what all types have in common. False: the answer is an error.
static bool
keep_state(const struct walk *walk, const struct walk_reply *reply,
    struct walk_kept *kept)
{
	kept->answered = true;
	if (reply->security != WALK_SECURE &&
	    reply->security != WALK_INSECURE) {
		keep_failure(kept, copy_cause(walk, reply->cause));
		if (reply->security == WALK_BOGUS)
			kept->security = WALK_BOGUS;
		return false;
	}
	if (reply->content > WALK_DATA) {
		keep_failure(kept, MALFORMED);
		return false;
	}
	kept->security = (uint8_t)reply->security;
	kept->content = (uint8_t)reply->content;
	kept->has_ttl = reply->has_ttl;
	kept->ttl_s = reply->ttl_s;
	kept->aliased = reply->aliased;
	return true;
}

static void
keep_mx(struct walk *walk, const struct walk_reply *reply)
{
	struct walk_kept *kept = &walk->mx_kept;
	struct mxset targets = { .n = 0 };
	enum facts_mx mx = reply->security == WALK_SECURE ? FACTS_MX_SECURE
							  : FACTS_MX_INSECURE;

	if (!keep_state(walk, reply, kept))
		return;
	if (reply->content == WALK_NODATA) {
		targets.n = 1;
		targets.list[0] = (struct mxset_target){
			.name = walk->nexthop.name,
			.len = walk->nexthop.name_len,
		};
	} else if (reply->content == WALK_NXDOMAIN) {
		mx = FACTS_MX_NOBODY;
	} else if (reply->n_mx == 0 || reply->mx == NULL) {
		keep_failure(kept, MALFORMED);
		return;
	} else if (mxset_is_null(reply)) {
		mx = FACTS_MX_NOBODY;
	} else {
		mxset_read(reply, &targets);
	}
	if (!hosts_make(walk, &targets)) {
		keep_failure(kept, NO_MEMORY);
		walk->out_of_memory = true;
		return;
	}
	walk->mx = mx;
}

// The end of a secure alias chain is where its TLSA records are first looked
// for. A chain that ends where it began is none.
static void
keep_target(struct walk *walk, const struct walk_host *host,
    const struct walk_reply *reply, struct walk_kept *kept)
{
	struct walk_name *target;
	size_t octets, len = 0;

	octets = reply->canonical ? dname_measure(reply->canonical, &len) : 0;
	if (octets == 0) {
		keep_failure(kept, MALFORMED);
		return;
	}
	if (dname_compare(reply->canonical, len, host->name.text,
		strlen(host->name.text)) == 0)
		return;
	target = get(walk, sizeof(*target) + name_room(walk, len));
	if (target == NULL) {
		keep_failure(kept, NO_MEMORY);
		return;
	}
	*target = name_write(
	    walk, (char *)(target + 1), reply->canonical, len, octets);
	kept->target = target;
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

// Room for the digests that records may give: all matching types but 2 may be
// one of SHA-256, all but 1 one of SHA-512.
static bool
tlsa_reserve(const struct walk *walk, const struct walk_reply *reply,
    struct walk_tlsa *tlsa)
{
	const struct digests_memory memory = memory_of(walk);
	size_t n_sha256 = 0, n_sha512 = 0;

	for (size_t i = 0; i < reply->n_tlsa; i++) {
		struct tlsa record;

		if (!tlsa_parse(
			reply->tlsa[i].data, reply->tlsa[i].len, &record))
			continue;
		n_sha256 += record.matching != 2;
		n_sha512 += record.matching != 1;
	}
	return digests_reserve(&memory, &tlsa->sha256, TLSA_SHA256_LEN,
		   smaller(n_sha256, FACTS_SHA256_MAX)) &&
	       digests_reserve(&memory, &tlsa->sha512, TLSA_SHA512_LEN,
		   smaller(n_sha512, FACTS_SHA512_MAX));
}

static void
tlsa_add(
    const struct walk *walk, const struct tlsa *record, struct walk_tlsa *tlsa)
{
	struct tlsa_match match;

	if (tlsa_judge(record, walk->env.full, &match) == TLSA_USABLE)
		tlsa->usable = true;
	if (tlsa_kills_smtp(record))
		tlsa->kills_smtp = true;
	if (match.has_sha256)
		digests_add(&tlsa->sha256, match.digests.sha256);
	if (match.has_sha512)
		digests_add(&tlsa->sha512, match.digests.sha512);
}

static void
keep_tlsa(const struct walk *walk, const struct walk_reply *reply,
    struct walk_kept *kept)
{
	struct walk_tlsa *tlsa;

	if (reply->n_tlsa == 0 || reply->tlsa == NULL) {
		keep_failure(kept, MALFORMED);
		return;
	}
	tlsa = get(walk, sizeof(*tlsa));
	if (tlsa == NULL || !tlsa_reserve(walk, reply, tlsa)) {
		keep_failure(kept, NO_MEMORY);
		return;
	}
	for (size_t i = 0; i < reply->n_tlsa; i++) {
		struct tlsa record;

		if (tlsa_parse(
			reply->tlsa[i].data, reply->tlsa[i].len, &record))
			tlsa_add(walk, &record, tlsa);
	}
	kept->tlsa = tlsa;
}

static void
keep_lookup(struct walk *walk, struct walk_host *host, enum lookup lookup,
    const struct walk_reply *reply)
{
	struct walk_kept *kept = &host->kept[lookup];

	if (!keep_state(walk, reply, kept))
		return;
	if (reply->security != WALK_SECURE || reply->content != WALK_DATA)
		return;
	if (lookups[lookup].type == WALK_TLSA)
		keep_tlsa(walk, reply, kept);
	else if (lookup != LOOKUP_CNAME && reply->aliased)
		keep_target(walk, host, reply, kept);
}

// ---- The judgment of one host (RFC 7672 section 2.2)

// What the answers make of a host: a function of them alone, taken anew each
// time. Answers that it does not look at have no influence.
struct judgment {
	enum facts_state state;
	unsigned flags;
	unsigned rests_on; // BITs of the answers that led here
	unsigned missing;  // BITs of the open questions that may change it
	enum lookup blame; // where the state is ERROR
	const struct walk_name *target; // first base, if there are two
	const struct walk_tlsa *tlsa;
};

// The answer, if it is one; else NULL, and it is to blame unless another is
// already.
static const struct walk_kept *
consult(
    const struct walk_host *host, enum lookup lookup, struct judgment *judgment)
{
	const struct walk_kept *kept = &host->kept[lookup];

	if (kept->security >= WALK_INSECURE) {
		judgment->rests_on |= BIT(lookup);
		return kept;
	}
	if (!kept->answered)
		judgment->missing |= BIT(lookup);
	if (judgment->blame == LOOKUP_NONE)
		judgment->blame = lookup;
	return NULL;
}

// The answer whose addresses count, or NULL: the host is absent or in error.
static const struct walk_kept *
find_address(const struct walk_host *host, struct judgment *judgment)
{
	const struct walk_kept *a = consult(host, LOOKUP_A, judgment);
	const struct walk_kept *aaaa;

	if (a != NULL && a->content == WALK_DATA)
		return a;
	if (a != NULL && a->content == WALK_NXDOMAIN) {
		judgment->state = FACTS_ABSENT;
		return NULL;
	}
	aaaa = consult(host, LOOKUP_AAAA, judgment);
	if (aaaa == NULL)
		return NULL;
	if (aaaa->content == WALK_DATA) {
		// A that failed is no failure beside an AAAA that works.
		if (host->kept[LOOKUP_A].answered)
			judgment->blame = LOOKUP_NONE;
		return aaaa;
	}
	if (a != NULL && aaaa->content == WALK_NODATA)
		judgment->state = FACTS_ABSENT;
	else if (a != NULL)
		judgment->blame = LOOKUP_AAAA;
	return NULL;
}

// Insecure addresses at the end of an alias that is itself secure do not make
// the host insecure (RFC 7672 section 2.2.2).
static bool
has_secure_alias(const struct walk_host *host, const struct walk_kept *address,
    struct judgment *judgment)
{
	const struct walk_kept *cname;

	if (!address->aliased) {
		judgment->state = FACTS_NODANE;
		return false;
	}
	cname = consult(host, LOOKUP_CNAME, judgment);
	if (cname == NULL)
		return false;
	if (cname->security == WALK_SECURE && cname->content == WALK_DATA)
		return true;
	judgment->state = FACTS_NODANE;
	return false;
}

// Whether the search ends at this base, with TLSA records or in error.
static bool
judge_base(const struct walk_host *host, const struct walk_name *base,
    enum lookup lookup, struct judgment *judgment)
{
	const struct walk_kept *kept;

	if (base == NULL || base->tlsa == NULL)
		return false;
	kept = consult(host, lookup, judgment);
	if (kept == NULL)
		return true;
	if (kept->security != WALK_SECURE || kept->content != WALK_DATA)
		return false;
	judgment->tlsa = kept->tlsa;
	judgment->state = kept->tlsa->usable ? FACTS_DANE : FACTS_UNUSABLE;
	if (kept->tlsa->kills_smtp)
		judgment->flags |= FACTS_KILLS_SMTP;
	if (kept->tlsa->sha256.n > 0)
		judgment->flags |= FACTS_SHA256;
	if (kept->tlsa->sha512.n > 0)
		judgment->flags |= FACTS_SHA512;
	return true;
}

static void
judge(const struct walk_host *host, struct judgment *ret)
{
	const struct walk_kept *address;

	*ret = (struct judgment){ .blame = LOOKUP_NONE };
	if (host->is_address) {
		ret->state = FACTS_NODANE;
		ret->flags = FACTS_HAS_ADDRESS;
		return;
	}
	address = find_address(host, ret);
	if (address == NULL)
		return;
	ret->flags = FACTS_HAS_ADDRESS;
	if (address->security == WALK_SECURE)
		ret->target = address->target;
	else if (!has_secure_alias(host, address, ret))
		return;
	if (!judge_base(host, ret->target, LOOKUP_TARGET, ret) &&
	    !judge_base(host, &host->name, LOOKUP_ORIGINAL, ret))
		ret->state = FACTS_NODANE;
}

// ---- Asking and answering

void
walk_begin(struct walk *walk, const struct nexthop *nexthop,
    const struct walk_env *env)
{
	struct mxset targets = { .n = 1 };

	memset(walk, 0, sizeof(*walk));
	walk->nexthop = *nexthop;
	walk->env = *env;
	prefix_write(walk, nexthop->port);
	if (nexthop->kind != NEXTHOP_HOST)
		return;
	walk->mx_kept.asked = walk->mx_kept.answered = true;
	targets.list[0] = (struct mxset_target){
		.name = walk->nexthop.name,
		.len = walk->nexthop.name_len,
	};
	if (hosts_make(walk, &targets)) {
		walk->mx = FACTS_MX_SECURE;
	} else {
		walk->out_of_memory = true;
		keep_failure(&walk->mx_kept, NO_MEMORY);
	}
}

// BITs of what the facts need as they stand. Where the MX is secure TLSA goes
// out with the addresses, to save a round trip.
static unsigned
lookups_wanted(const struct walk *walk, const struct walk_host *host,
    const struct judgment *judgment)
{
	unsigned wanted = BIT(LOOKUP_A);

	if (host->is_address)
		return 0;
	if (walk->mx == FACTS_MX_SECURE && host->name.tlsa != NULL)
		wanted |= BIT(LOOKUP_ORIGINAL);
	// Until A is known, so is not whose alias would have to be followed.
	if ((judgment->missing & BIT(LOOKUP_A)) == 0)
		wanted |= judgment->missing;
	return wanted;
}

// AAAA counts only where A does not.
static unsigned
lookups_spare(const struct walk_host *host)
{
	if (host->is_address || host->kept[LOOKUP_A].answered)
		return 0;
	return BIT(LOOKUP_AAAA);
}

static const char *
lookup_name(const struct walk_host *host, enum lookup lookup,
    const struct judgment *judgment)
{
	if (lookup == LOOKUP_TARGET)
		return judgment->target->tlsa;
	if (lookup == LOOKUP_ORIGINAL)
		return host->name.tlsa;
	return host->name.text;
}

static bool
next_lookup(const struct walk *walk, unsigned index, bool spare,
    struct walk_question *ret)
{
	struct walk_host *host = &walk->hosts[index];
	struct judgment judgment;
	unsigned wanted;

	judge(host, &judgment);
	wanted =
	    spare ? lookups_spare(host) : lookups_wanted(walk, host, &judgment);
	for (enum lookup lookup = 0; lookup < WALK_LOOKUPS; lookup++) {
		if ((wanted & BIT(lookup)) == 0 || host->kept[lookup].asked)
			continue;
		host->kept[lookup].asked = true;
		ret->id = 1 + WALK_LOOKUPS * index + lookup;
		ret->type = lookups[lookup].type;
		ret->name = lookup_name(host, lookup, &judgment);
		ret->host = index;
		return true;
	}
	return false;
}

bool
walk_next(struct walk *walk, struct walk_question *ret)
{
	if (!walk->mx_kept.asked) {
		walk->mx_kept.asked = true;
		*ret = (struct walk_question){
			.type = WALK_MX,
			.name = walk->nexthop.name,
		};
		return true;
	}
	for (unsigned i = 0; i < walk->n_hosts; i++)
		if (next_lookup(walk, i, false, ret))
			return true;
	return false;
}

bool
walk_has_spare(const struct walk *walk)
{
	for (unsigned i = 0; i < walk->n_hosts; i++)
		if (lookups_spare(&walk->hosts[i]) != 0 &&
		    !walk->hosts[i].kept[LOOKUP_AAAA].asked)
			return true;
	return false;
}

bool
walk_spare(struct walk *walk, struct walk_question *ret)
{
	for (unsigned i = 0; i < walk->n_hosts; i++)
		if (next_lookup(walk, i, true, ret))
			return true;
	return false;
}

void
walk_answer(struct walk *walk, unsigned id, const struct walk_reply *reply)
{
	unsigned index = (id - 1) / WALK_LOOKUPS;
	enum lookup lookup = (id - 1) % WALK_LOOKUPS;
	const struct walk_kept *kept;

	if (id == 0) {
		if (walk->mx_kept.asked && !walk->mx_kept.answered)
			keep_mx(walk, reply);
		return;
	}
	if (index >= walk->n_hosts)
		return;
	kept = &walk->hosts[index].kept[lookup];
	if (kept->asked && !kept->answered)
		keep_lookup(walk, &walk->hosts[index], lookup, reply);
}

bool
walk_is_done(const struct walk *walk)
{
	if (!walk->mx_kept.answered)
		return false;
	for (unsigned i = 0; i < walk->n_hosts; i++) {
		struct judgment judgment;

		judge(&walk->hosts[i], &judgment);
		if (judgment.missing != 0)
			return false;
	}
	return true;
}

// ---- The facts

static char *
put(char *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

// A name that is too long loses its middle: both ends tell more.
static char *
put_name(char *at, const char *name, size_t room)
{
	static const char cut[] = "...";
	size_t len = strlen(name), tail;

	if (len <= room)
		return put(at, name, len);
	room -= sizeof(cut) - 1;
	tail = room / 2;
	at = put(at, name, room - tail);
	at = put(at, cut, sizeof(cut) - 1);
	return put(at, name + len - tail, tail);
}

_Static_assert(
    sizeof(" CNAME: bogus: ") + WALK_CAUSE_MAX + 16 <= FACTS_REASON_MAX,
    "a cause leaves room for some of the name");

// "NAME TYPE: bogus: CAUSE", of which the cause is never cut.
static void
reason_write(struct walk *walk, const char *name, const char *type,
    const struct walk_kept *kept)
{
	const char *bogus = kept->security == WALK_BOGUS ? ": bogus: " : ": ";
	const char *cause = kept->cause;
	char *at = walk->reason;
	size_t rest;

	if (!kept->answered)
		cause = TIMED_OUT;
	else if (cause == NULL)
		cause = "contradicts A"; // nxdomain beside nodata
	rest = 1 + strlen(type) + strlen(bogus) + strlen(cause);
	at = put_name(at, name, FACTS_REASON_MAX - rest);
	at = put(at, " ", 1);
	at = put(at, type, strlen(type));
	at = put(at, bogus, strlen(bogus));
	at = put(at, cause, strlen(cause));
	*at = '\0';
}

static void
reason_of_mx(struct walk *walk)
{
	static const struct walk_kept too_many = {
		.answered = true,
		.cause = "more hosts than are looked at",
	};
	bool is_domain = walk->nexthop.kind != NEXTHOP_HOST;

	if (walk->mx == FACTS_MX_FAILED)
		reason_write(walk, walk->nexthop.name, is_domain ? "MX" : "A",
		    &walk->mx_kept);
	else if (walk->more_hosts)
		reason_write(walk, walk->nexthop.name, "MX", &too_many);
}

static void
reason_of_host(struct walk *walk, const struct walk_host *host,
    const struct judgment *judgment)
{
	enum lookup blame = judgment->blame;

	reason_write(walk, lookup_name(host, blame, judgment),
	    lookups[blame].text, &host->kept[blame]);
}

// The smallest TTL so far.
struct life {
	bool begun;
	uint32_t ttl_s, min_ttl_s;
};

static void
life_shorten(struct life *life, const struct walk_kept *kept)
{
	uint32_t ttl_s = kept->has_ttl ? kept->ttl_s : life->min_ttl_s;

	if (!life->begun || ttl_s < life->ttl_s)
		life->ttl_s = ttl_s;
	life->begun = true;
}

static void
life_of_host(struct life *life, const struct walk_host *host, unsigned rests_on)
{
	for (enum lookup lookup = 0; lookup < WALK_LOOKUPS; lookup++)
		if ((rests_on & BIT(lookup)) != 0)
			life_shorten(life, &host->kept[lookup]);
}

// What walk_facts gathers on its way over the hosts.
struct gathered {
	struct life life;
	unsigned n_dane;
	const struct walk_tlsa *dane[FACTS_HOSTS_MAX];
};

static void
gather_hosts(struct walk *walk, struct facts *facts, struct gathered *gathered)
{
	bool blamed = false;

	for (unsigned i = 0; i < walk->n_hosts; i++) {
		const struct walk_host *host = &walk->hosts[i];
		struct judgment judgment;

		judge(host, &judgment);
		facts->hosts[i] = (struct facts_host){
			.preference = host->preference,
			.state = (uint8_t)judgment.state,
			.flags = (uint8_t)judgment.flags,
		};
		life_of_host(&gathered->life, host, judgment.rests_on);
		if (judgment.state == FACTS_DANE)
			gathered->dane[gathered->n_dane++] = judgment.tlsa;
		if (judgment.state == FACTS_ERROR && !blamed) {
			reason_of_host(walk, host, &judgment);
			blamed = true;
		}
	}
	facts->n_hosts = (uint8_t)walk->n_hosts;
}

_Static_assert(
    FACTS_HOSTS_MAX <= DIGESTS_SETS_MAX, "the sets of all hosts merge");

static bool
merge_matches(
    struct walk *walk, const struct gathered *gathered, struct facts *facts)
{
	const struct digests_memory memory = memory_of(walk);
	const struct digests *sha256[FACTS_HOSTS_MAX];
	const struct digests *sha512[FACTS_HOSTS_MAX];

	for (unsigned i = 0; i < gathered->n_dane; i++) {
		sha256[i] = &gathered->dane[i]->sha256;
		sha512[i] = &gathered->dane[i]->sha512;
	}
	if (!digests_merge(&memory, sha256, gathered->n_dane, FACTS_SHA256_MAX,
		&walk->sha256) ||
	    !digests_merge(&memory, sha512, gathered->n_dane, FACTS_SHA512_MAX,
		&walk->sha512))
		return false;
	facts->sha256 = walk->sha256.data;
	facts->n_sha256 = (uint16_t)walk->sha256.n;
	facts->sha512 = walk->sha512.data;
	facts->n_sha512 = (uint16_t)walk->sha512.n;
	return true;
}

static void
lend_reason(const struct walk *walk, struct facts *facts)
{
	facts->reason = walk->reason;
	facts->reason_len = (uint8_t)strlen(walk->reason);
}

bool
walk_facts(struct walk *walk, uint32_t min_ttl_s, struct facts *ret,
    uint32_t *ret_ttl_s)
{
	struct facts facts = { .mx = walk->mx, .more_hosts = walk->more_hosts };
	struct gathered gathered = { .life.min_ttl_s = min_ttl_s };

	walk->reason[0] = '\0';
	reason_of_mx(walk);
	if (walk->mx != FACTS_MX_FAILED && walk->nexthop.kind != NEXTHOP_HOST)
		life_shorten(&gathered.life, &walk->mx_kept);
	gather_hosts(walk, &facts, &gathered);
	*ret_ttl_s = gathered.life.ttl_s;
	// Most who ask want no matches: those who do are deferred.
	facts.partial = !merge_matches(walk, &gathered, &facts);
	lend_reason(walk, &facts);
	*ret = facts;
	return !walk->out_of_memory && !facts.partial;
}

const char *
walk_host_name(const struct walk *walk, unsigned index)
{
	return walk->hosts[index].name.text;
}

bool
walk_counts(const struct walk *walk, unsigned id)
{
	unsigned index = (id - 1) / WALK_LOOKUPS;
	enum lookup lookup = (id - 1) % WALK_LOOKUPS;
	struct judgment judgment;

	if (id == 0)
		return true;
	if (index >= walk->n_hosts)
		return false;
	judge(&walk->hosts[index], &judgment);
	return (judgment.rests_on & BIT(lookup)) != 0 ||
	       judgment.blame == lookup;
}

bool
walk_has_error(const struct facts *facts)
{
	for (unsigned i = 0; i < facts->n_hosts; i++)
		if (facts->hosts[i].state == FACTS_ERROR)
			return true;
	return false;
}
