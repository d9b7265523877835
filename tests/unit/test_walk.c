// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// walk: what the answers of a small DNS (zone.h) make of a next-hop. Every row
// is walked in hundreds of orders of arrival, with false, repeated and late
// answers between, and looked at after each of them: the end is always the
// same, and nothing on the way is weaker than the end.
#include "config.h"

#include "policy/walk.h"

#include "policy/decide.h"

#include "table.h"
#include "zone.h"

#define ORDERS    200
#define MIN_TTL_S 7
#define TEXT_MAX  8192

// ---- Memory: all of it counted, and refused from the n-th on if asked

#define FENCE 16 // octets behind each piece, which nobody may touch

struct arena {
	unsigned n, refuse_from; // 0: never
	size_t octets;

	struct piece {
		uint8_t *octets;
		size_t len;
	} pieces[4096];
};

static void *
arena_get(void *arg, size_t size)
{
	struct arena *arena = arg;

	assert_in_range(arena->n, 0, 4095);
	if (arena->refuse_from > 0 && arena->n + 1 >= arena->refuse_from)
		return NULL;
	arena->octets += size;
	struct piece *piece = &arena->pieces[arena->n++];
	*piece = (struct piece){ calloc(1, size + FENCE), size };
	memset(piece->octets + size, 0xa5, FENCE);
	return piece->octets;
}

static void
arena_free(struct arena *arena)
{
	uint8_t fence[FENCE];

	memset(fence, 0xa5, FENCE);
	while (arena->n > 0) {
		struct piece *piece = &arena->pieces[--arena->n];

		assert_memory_equal(piece->octets + piece->len, fence, FENCE);
		free(piece->octets);
	}
}

// Full data that starts with 0xcc is good.
static bool
check_full(
    uint8_t selector, const uint8_t *der, size_t len, struct tlsa_digests *ret)
{
	(void)selector;
	if (len == 0 || der[0] != 0xcc)
		return false;
	memset(ret->sha256, 0xc1, sizeof(ret->sha256));
	memset(ret->sha512, 0xc2, sizeof(ret->sha512));
	return true;
}

// ---- A walk with the questions that are out

struct trip {
	struct walk walk;
	struct arena arena;
	const char *zone;
	uint32_t seed;
	bool patient; // spare questions go out only where nothing else is open
	unsigned n_open, n_silent;
	unsigned silent[WALK_QUESTIONS_MAX]; // ids never answered
	struct walk_question open[WALK_QUESTIONS_MAX];
	char asked[TEXT_MAX];
};

static unsigned
trip_random(struct trip *trip, unsigned below)
{
	trip->seed = trip->seed * 1664525 + 1013904223;
	return (trip->seed >> 8) % below;
}

// "example.org", "example.org:587", or the same in brackets.
static struct nexthop
read_key(const char *key)
{
	struct nexthop ret = { .kind = NEXTHOP_DOMAIN, .port = 25 };
	const char *colon = strchr(key, ':');
	size_t len;

	if (colon != NULL)
		ret.port = (uint16_t)strtoul(colon + 1, NULL, 10);
	if (*key == '[') {
		ret.kind = NEXTHOP_HOST;
		key++;
	}
	len = strcspn(key, "]:");
	memcpy(ret.name, key, len);
	ret.name_len = (uint8_t)len;
	return ret;
}

static void
trip_begin(struct trip *trip, const char *key, const char *zone)
{
	struct nexthop nexthop = read_key(key);
	struct walk_env env = { arena_get, &trip->arena, check_full };

	trip->zone = zone;
	walk_begin(&trip->walk, &nexthop, &env);
}

static void
trip_note(struct trip *trip, const struct walk_question *question)
{
	size_t len = strlen(trip->asked);

	assert_in_range(trip->n_open, 0, WALK_QUESTIONS_MAX - 1);
	assert_in_range(question->id, 0, WALK_QUESTIONS_MAX - 1);
	trip->open[trip->n_open++] = *question;
	if (len < TEXT_MAX / 2)
		snprintf(trip->asked + len, TEXT_MAX - len, "%s%s %s",
		    len > 0 ? ", " : "", question->name,
		    zone_type(question->type));
}

static void
trip_ask(struct trip *trip)
{
	struct walk_question question;

	while (walk_next(&trip->walk, &question))
		trip_note(trip, &question);
	if (trip->patient && trip->n_open > 0)
		return;
	while (walk_has_spare(&trip->walk)) {
		assert_true(walk_spare(&trip->walk, &question));
		trip_note(trip, &question);
	}
	assert_false(walk_spare(&trip->walk, &question));
}

// The answer to one open question, unless the zone is silent about it.
static void
trip_answer(struct trip *trip, unsigned i)
{
	struct walk_question question = trip->open[i];
	struct zone_reply *reply =
	    zone_answer(trip->zone, question.name, question.type);

	trip->open[i] = trip->open[--trip->n_open];
	if (reply->silent)
		trip->silent[trip->n_silent++] = question.id;
	else
		walk_answer(&trip->walk, question.id, &reply->reply);
	zone_free(reply);
}

// What is not asked for, or known already, must fall on deaf ears: here the
// most tempting of all, "there is nothing".
static void
trip_lie(struct trip *trip)
{
	static const struct walk_reply lie = {
		.security = WALK_INSECURE,
		.content = WALK_NXDOMAIN,
		.ttl_s = 1,
		.has_ttl = true,
	};

	for (unsigned id = 0; id < WALK_QUESTIONS_MAX + 10; id++) {
		bool open = false;

		for (unsigned i = 0; i < trip->n_open; i++)
			open |= trip->open[i].id == id;
		for (unsigned i = 0; i < trip->n_silent; i++)
			open |= trip->silent[i] == id;
		if (!open)
			walk_answer(&trip->walk, id, &lie);
	}
	walk_answer(&trip->walk, UINT32_MAX, &lie);
}

static void
trip_finish(struct trip *trip)
{
	trip_ask(trip);
	while (trip->n_open > 0) {
		trip_answer(trip, 0);
		trip_ask(trip);
	}
}

static struct trip *
trip_new(void)
{
	return calloc(1, sizeof(struct trip));
}

static void
trip_free(struct trip *trip)
{
	arena_free(&trip->arena);
	free(trip);
}

// ---- Facts as text: "secure: 10 dane@2; 300; reason"

static void
render_host(const struct facts_host *host, char *ret, size_t size)
{
	static const char *const states[] = {
		[FACTS_ERROR] = "error",
		[FACTS_ABSENT] = "absent",
		[FACTS_DANE] = "dane",
		[FACTS_UNUSABLE] = "unusable",
		[FACTS_NODANE] = "nodane",
	};

	snprintf(ret, size, " %u %s%s%s%s%s", host->preference,
	    states[host->state], host->flags & FACTS_HAS_ADDRESS ? "@" : "",
	    host->flags & FACTS_KILLS_SMTP ? "!" : "",
	    host->flags & FACTS_SHA256 ? "2" : "",
	    host->flags & FACTS_SHA512 ? "5" : "");
}

static void
render(const struct facts *facts, uint32_t ttl_s, char ret[TEXT_MAX])
{
	static const char *const mx[] = {
		[FACTS_MX_FAILED] = "failed",
		[FACTS_MX_NOBODY] = "nobody",
		[FACTS_MX_INSECURE] = "insecure",
		[FACTS_MX_SECURE] = "secure",
	};
	size_t len = (size_t)snprintf(ret, TEXT_MAX, "%s:", mx[facts->mx]);

	for (unsigned i = 0; i < facts->n_hosts; i++) {
		render_host(&facts->hosts[i], ret + len, TEXT_MAX - len);
		len += strlen(ret + len);
	}
	snprintf(ret + len, TEXT_MAX - len, "%s; %u; %.*s",
	    facts->more_hosts ? " more" : "", ttl_s, facts->reason_len,
	    facts->reason);
}

static void
trip_render(struct trip *trip, char ret[TEXT_MAX])
{
	struct facts facts;
	uint32_t ttl_s;

	assert_true(walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s));
	render(&facts, ttl_s, ret);
}

// ---- The rows

// The parts that most zones share.
#define MX   "example.org MX secure 3600 10:mx1.example.org\n"
#define MX_I "example.org MX insecure 3600 10:mx1.example.org\n"
#define MX2  "example.org MX secure 3600 10:mx1.example.org 20:mx2.example.org\n"
#define MX2_I \
	"example.org MX insecure 3600 10:mx1.example.org 20:mx2.example.org\n"
#define A       "mx1.example.org A secure 1800\n"
#define A2      "mx2.example.org A secure 1800\n"
#define A_I     "mx1.example.org A insecure 1800\n"
#define A_NO    "mx1.example.org A secure 1800 nodata\n"
#define A_TO    "mx1.example.org A secure 1800 >mx.target.example\n"
#define A_I_TO  "mx1.example.org A insecure 1800 >mx.target.example\n"
#define TLSA    "_25._tcp.mx1.example.org TLSA secure 300 311aa\n"
#define TLSA2   "_25._tcp.mx2.example.org TLSA secure 300 311bb\n"
#define TLSA_NO "_25._tcp.mx1.example.org TLSA secure 300 nodata\n"
#define TLSA_TO "_25._tcp.mx.target.example TLSA secure 200 311cc\n"
#define LABEL63 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
// 244 octets: "_25._tcp." in front of it makes 253.
#define LONG244                                                 \
	LABEL63 "." LABEL63 "." LABEL63 ".aaaaaaaaaaaaaaaaaaaa" \
		".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ESCAPED244                                          \
	"\\000\\.\\255\\a." LABEL63 "." LABEL63 "." LABEL63 \
	".aaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa"

struct row {
	const char *sentence, *key, *zone, *facts;
};

static const struct row rows[] = {
	// MX
	{ "a bogus MX is a failure with its cause", "example.org",
	    "example.org MX bogus signature expired\n",
	    "failed:; 0; example.org MX: bogus: signature expired" },
	{ "a failed MX is a failure with its cause", "example.org",
	    "example.org MX failed SERVFAIL\n",
	    "failed:; 0; example.org MX: SERVFAIL" },
	{ "an MX that never comes has timed out", "example.org",
	    "example.org MX silence\n",
	    "failed:; 0; example.org MX: timed out" },
	{ "a secure NXDOMAIN of the MX means nobody", "example.org",
	    "example.org MX secure 600 nxdomain\n", "nobody:; 600; " },
	{ "an insecure NXDOMAIN of the MX means nobody", "example.org",
	    "example.org MX insecure 600 nxdomain\n", "nobody:; 600; " },
	{ "a null MX means nobody", "example.org",
	    "example.org MX secure 600 0:.\n", "nobody:; 600; " },
	{ "a null MX beside another record is dropped", "example.org",
	    "example.org MX secure 600 0:. 10:mx1.example.org\n" A TLSA,
	    "secure: 10 dane@2; 300; " },
	{ "a root target with a preference leaves no hosts", "example.org",
	    "example.org MX secure 600 10:.\n", "secure:; 600; " },
	{ "secure nodata of the MX makes the domain itself the host, securely",
	    "example.org",
	    "example.org MX secure 600 nodata\n"
	    "example.org A secure 900\n"
	    "_25._tcp.example.org TLSA secure 900 311aa\n",
	    "secure: 0 dane@2; 600; " },
	{ "insecure nodata of the MX makes the domain itself the host, "
	  "insecurely",
	    "example.org",
	    "example.org MX insecure 600 nodata\n"
	    "example.org A secure 900\n"
	    "_25._tcp.example.org TLSA secure 900 311aa\n",
	    "insecure: 0 dane@2; 600; " },
	{ "MX data without a record are malformed", "example.org",
	    "example.org MX secure 600\n",
	    "failed:; 0; example.org MX: malformed answer" },
	{ "targets that no mail client takes for hosts are dropped",
	    "example.org",
	    "example.org MX secure 3600 1:a..example.org 2:-a.example.org "
	    "3:a\\.b.example.org 4:... 5:12345 10:mx1.example.org\n" A TLSA,
	    "secure: 10 dane@2; 300; " },
	{ "a target longer than a name can be is dropped", "example.org",
	    "example.org MX secure 3600 5:a." LABEL63 "." LABEL63 "." LABEL63
	    "." LABEL63 " 10:mx1.example.org\n" A TLSA,
	    "secure: 10 dane@2; 300; " },
	{ "targets with underscores are hosts", "example.org",
	    "example.org MX secure 3600 10:_mx.example.org\n"
	    "_mx.example.org A secure 100\n"
	    "_25._tcp._mx.example.org TLSA secure 300 311aa\n",
	    "secure: 10 dane@2; 100; " },
	{ "where all targets are dropped there are no hosts", "example.org",
	    "example.org MX insecure 3600 5:. 6:a..b\n", "insecure:; 3600; " },
	{ "an IPv4 address as target is an insecure host, not looked up",
	    "example.org",
	    "example.org MX secure 3600 5:192.0.2.1 10:mx1.example.org\n" A
		TLSA,
	    "secure: 5 nodane@ 10 dane@2; 300; " },
	{ "an address with a part over 255 is no host", "example.org",
	    "example.org MX secure 3600 5:192.0.2.256 6:1.2.3 7:1.2.3.4.5 "
	    "8:1.2.3.0004\n",
	    "secure:; 3600; " },
	{ "duplicates count once, at their best preference", "example.org",
	    "example.org MX secure 3600 30:mx1.example.org "
	    "20:mx2.example.org 10:MX1.example.ORG. "
	    "40:mx2.example.org.\n" A TLSA A2 TLSA2,
	    "secure: 10 dane@2 20 dane@2; 300; " },
	{ "hosts are sorted by preference", "example.org",
	    "example.org MX secure 3600 20:mx2.example.org "
	    "10:mx1.example.org\n" A TLSA A2
	    "_25._tcp.mx2.example.org TLSA secure 300 nodata\n",
	    "secure: 10 dane@2 20 nodane@; 300; " },

	// Addresses
	{ "a secure A decides alone", "example.org",
	    MX A TLSA "mx1.example.org AAAA silence\n",
	    "secure: 10 dane@2; 300; " },
	{ "a bogus AAAA beside a secure A is no failure", "example.org",
	    MX A TLSA "mx1.example.org AAAA bogus signature expired\n",
	    "secure: 10 dane@2; 300; " },
	{ "the TTL of an AAAA that is not needed does not count", "example.org",
	    MX A TLSA "mx1.example.org AAAA secure 1\n",
	    "secure: 10 dane@2; 300; " },
	{ "an insecure A decides alone", "example.org",
	    MX A_I TLSA "mx1.example.org AAAA silence\n",
	    "secure: 10 nodane@; 1800; " },
	{ "a secure NXDOMAIN of A makes a host absent", "example.org",
	    MX "mx1.example.org A secure 50 nxdomain\n"
	       "mx1.example.org AAAA silence\n",
	    "secure: 10 absent; 50; " },
	{ "an insecure NXDOMAIN of A makes a host absent", "example.org",
	    MX "mx1.example.org A insecure 50 nxdomain\n",
	    "secure: 10 absent; 50; " },
	{ "nodata of A leaves it to a secure AAAA", "example.org",
	    MX A_NO "mx1.example.org AAAA secure 90\n" TLSA,
	    "secure: 10 dane@2; 90; " },
	{ "nodata of A leaves it to an insecure AAAA", "example.org",
	    MX A_NO "mx1.example.org AAAA insecure 90\n" TLSA,
	    "secure: 10 nodane@; 90; " },
	{ "nodata of A beside nodata of AAAA makes a host absent",
	    "example.org", MX A_NO "mx1.example.org AAAA secure 90 nodata\n",
	    "secure: 10 absent; 90; " },
	{ "insecure nodata of both makes a host absent", "example.org",
	    MX "mx1.example.org A insecure 70 nodata\n"
	       "mx1.example.org AAAA insecure 90 nodata\n",
	    "secure: 10 absent; 70; " },
	{ "nodata of A beside a bogus AAAA is an error", "example.org",
	    MX A_NO "mx1.example.org AAAA bogus no signature\n" TLSA,
	    "secure: 10 error; 1800; mx1.example.org AAAA: bogus: "
	    "no signature" },
	{ "nodata of A beside a failed AAAA is an error", "example.org",
	    MX A_NO "mx1.example.org AAAA failed SERVFAIL\n" TLSA,
	    "secure: 10 error; 1800; mx1.example.org AAAA: SERVFAIL" },
	{ "nodata of A beside an AAAA that never comes is an error",
	    "example.org", MX A_NO "mx1.example.org AAAA silence\n" TLSA,
	    "secure: 10 error; 1800; mx1.example.org AAAA: timed out" },
	{ "nodata of A beside NXDOMAIN of AAAA is an error", "example.org",
	    MX A_NO "mx1.example.org AAAA secure 90 nxdomain\n" TLSA,
	    "secure: 10 error; 90; mx1.example.org AAAA: contradicts A" },
	{ "a bogus A beside a secure AAAA is no failure", "example.org",
	    MX "mx1.example.org A bogus no signature\n"
	       "mx1.example.org AAAA secure 90\n" TLSA,
	    "secure: 10 dane@2; 90; " },
	{ "a failed A beside an insecure AAAA is an insecure host",
	    "example.org",
	    MX "mx1.example.org A failed SERVFAIL\n"
	       "mx1.example.org AAAA insecure 90\n" TLSA,
	    "secure: 10 nodane@; 90; " },
	{ "an A that never comes leaves it to AAAA", "example.org",
	    MX "mx1.example.org A silence\n"
	       "mx1.example.org AAAA secure 90\n" TLSA,
	    "secure: 10 dane@2; 90; " },
	{ "a failed A beside nodata of AAAA is an error", "example.org",
	    MX "mx1.example.org A failed SERVFAIL\n"
	       "mx1.example.org AAAA secure 90 nodata\n" TLSA,
	    "secure: 10 error; 90; mx1.example.org A: SERVFAIL" },
	{ "a bogus A beside NXDOMAIN of AAAA is an error", "example.org",
	    MX "mx1.example.org A bogus no signature\n"
	       "mx1.example.org AAAA secure 90 nxdomain\n" TLSA,
	    "secure: 10 error; 90; mx1.example.org A: bogus: no signature" },
	{ "where A and AAAA both fail A is to blame", "example.org",
	    MX "mx1.example.org A failed REFUSED\n"
	       "mx1.example.org AAAA bogus no signature\n" TLSA,
	    "secure: 10 error; 3600; mx1.example.org A: REFUSED" },
	{ "where A failed, AAAA works and TLSA fails, TLSA is to blame",
	    "example.org",
	    MX "mx1.example.org A failed REFUSED\n"
	       "mx1.example.org AAAA secure 90\n"
	       "_25._tcp.mx1.example.org TLSA failed SERVFAIL\n",
	    "secure: 10 error@; 90; _25._tcp.mx1.example.org TLSA: SERVFAIL" },

	{ "an A that never comes is to blame for an alias not followed",
	    "example.org",
	    MX "mx1.example.org A silence\n"
	       "mx1.example.org AAAA secure 90 >mx.target.example\n" TLSA_TO,
	    "secure: 10 error@; 90; mx1.example.org A: timed out" },

	// TLSA
	{ "secure TLSA with a usable record is DANE", "example.org", MX A TLSA,
	    "secure: 10 dane@2; 300; " },
	{ "one usable record among unusable ones is DANE", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 111aa 311aa/5 "
		 "212bb\n",
	    "secure: 10 dane@; 300; " },
	{ "secure TLSA without a usable record is unusable", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 111aa 310aa\n",
	    "secure: 10 unusable@; 300; " },
	{ "TLSA records too short to be records are unusable", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 rdata/0 rdata/2\n",
	    "secure: 10 unusable@; 300; " },
	{ "secure nodata of TLSA is no DANE", "example.org", MX A TLSA_NO,
	    "secure: 10 nodane@; 300; " },
	{ "secure NXDOMAIN of TLSA is no DANE", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 nxdomain\n",
	    "secure: 10 nodane@; 300; " },
	{ "insecure TLSA data are no DANE", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA insecure 300 311aa\n",
	    "secure: 10 nodane@; 300; " },
	{ "an insecure denial of TLSA is no DANE", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA insecure 300 nodata\n",
	    "secure: 10 nodane@; 300; " },
	{ "bogus TLSA is an error", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA bogus signature expired\n",
	    "secure: 10 error@; 1800; "
	    "_25._tcp.mx1.example.org TLSA: bogus: signature expired" },
	{ "failed TLSA is an error", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA failed SERVFAIL\n",
	    "secure: 10 error@; 1800; "
	    "_25._tcp.mx1.example.org TLSA: SERVFAIL" },
	{ "TLSA that never comes is an error", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA silence\n",
	    "secure: 10 error@; 1800; "
	    "_25._tcp.mx1.example.org TLSA: timed out" },
	{ "TLSA data without a record are malformed", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300\n",
	    "secure: 10 error@; 1800; "
	    "_25._tcp.mx1.example.org TLSA: malformed answer" },
	{ "TLSA that is itself an alias counts by the state of its chain",
	    "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 "
		 ">tlsa.example.org 311aa\n",
	    "secure: 10 dane@2; 300; " },
	{ "bogus TLSA of an insecure host does not count", "example.org",
	    MX A_I "_25._tcp.mx1.example.org TLSA bogus signature expired\n",
	    "secure: 10 nodane@; 1800; " },
	{ "silent TLSA of an insecure host does not count", "example.org",
	    MX A_I "_25._tcp.mx1.example.org TLSA silence\n",
	    "secure: 10 nodane@; 1800; " },
	{ "under an insecure MX a secure host still has DANE", "example.org",
	    MX_I A TLSA, "insecure: 10 dane@2; 300; " },
	{ "under an insecure MX an error with an address known says so",
	    "example.org",
	    MX_I A "_25._tcp.mx1.example.org TLSA failed SERVFAIL\n",
	    "insecure: 10 error@; 1800; "
	    "_25._tcp.mx1.example.org TLSA: SERVFAIL" },
	{ "under an insecure MX an error without address says so",
	    "example.org",
	    MX_I "mx1.example.org A failed SERVFAIL\n"
		 "mx1.example.org AAAA failed SERVFAIL\n",
	    "insecure: 10 error; 3600; mx1.example.org A: SERVFAIL" },
	{ "the port is part of the TLSA name", "example.org:465",
	    MX A "_465._tcp.mx1.example.org TLSA secure 300 311aa\n",
	    "secure: 10 dane@2; 300; " },
	{ "a port of five digits fits", "example.org:65535",
	    MX A "_65535._tcp.mx1.example.org TLSA secure 300 311aa\n",
	    "secure: 10 dane@2; 300; " },

	// What kills smtp(8), and the digests
	{ "a record without data beside a usable one kills smtp(8)",
	    "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 311aa 311aa/0\n",
	    "secure: 10 dane@!2; 300; " },
	{ "a record without data alone kills smtp(8)", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 211aa/0\n",
	    "secure: 10 unusable@!; 300; " },
	{ "a record without data in an insecure RRset kills nobody",
	    "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA insecure 300 311aa/0\n",
	    "secure: 10 nodane@; 300; " },
	{ "a record without data at a base that is not used kills nobody",
	    "example.org",
	    MX A_TO TLSA_TO
	    "_25._tcp.mx1.example.org TLSA secure 300 311aa/0\n",
	    "secure: 10 dane@2; 200; " },
	{ "a host with SHA-512 only says so", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 312aa\n",
	    "secure: 10 dane@5; 300; " },
	{ "a full record is writable under both digests", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 310cc\n",
	    "secure: 10 dane@25; 300; " },
	{ "a host with usage 2 only is writable under neither", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 300 211aa\n",
	    "secure: 10 dane@; 300; " },

	// Aliases
	{ "a secure alias: the target's TLSA is used", "example.org",
	    MX A_TO TLSA_TO, "secure: 10 dane@2; 200; " },
	{ "a secure alias: the target's TLSA is used where the own name has "
	  "none",
	    "example.org", MX A_TO TLSA_TO TLSA_NO,
	    "secure: 10 dane@2; 200; " },
	{ "a secure alias: the target's TLSA is used before the own one",
	    "example.org",
	    MX A_TO "_25._tcp.mx.target.example TLSA secure 200 111aa\n" TLSA,
	    "secure: 10 unusable@; 200; " },
	{ "a secure alias: secure nodata at the target leads to the own name",
	    "example.org",
	    MX A_TO "_25._tcp.mx.target.example TLSA secure 200 nodata\n" TLSA,
	    "secure: 10 dane@2; 200; " },
	{ "a secure alias: NXDOMAIN at the target leads to the own name",
	    "example.org",
	    MX A_TO
	    "_25._tcp.mx.target.example TLSA secure 400 nxdomain\n" TLSA,
	    "secure: 10 dane@2; 300; " },
	{ "a secure alias: insecure data at the target lead to the own name",
	    "example.org",
	    MX A_TO "_25._tcp.mx.target.example TLSA insecure 200 311bb\n" TLSA,
	    "secure: 10 dane@2; 200; " },
	{ "a secure alias: an insecure denial at the target leads to the own "
	  "name",
	    "example.org",
	    MX A_TO
	    "_25._tcp.mx.target.example TLSA insecure 200 nodata\n" TLSA,
	    "secure: 10 dane@2; 200; " },
	{ "a secure alias: bogus TLSA at the target ends it in error",
	    "example.org",
	    MX A_TO "_25._tcp.mx.target.example TLSA bogus no signature\n" TLSA,
	    "secure: 10 error@; 1800; _25._tcp.mx.target.example TLSA: bogus: "
	    "no signature" },
	{ "a secure alias: silence at the target ends it in error",
	    "example.org",
	    MX A_TO "_25._tcp.mx.target.example TLSA silence\n" TLSA,
	    "secure: 10 error@; 1800; _25._tcp.mx.target.example TLSA: timed "
	    "out" },
	{ "a secure alias: the own name's failure counts when it is reached",
	    "example.org",
	    MX A_TO "_25._tcp.mx.target.example TLSA secure 200 nodata\n"
		    "_25._tcp.mx1.example.org TLSA failed SERVFAIL\n",
	    "secure: 10 error@; 200; _25._tcp.mx1.example.org TLSA: "
	    "SERVFAIL" },
	{ "a secure alias: the own name's failure does not count otherwise",
	    "example.org",
	    MX A_TO TLSA_TO "_25._tcp.mx1.example.org TLSA bogus expired\n",
	    "secure: 10 dane@2; 200; " },
	{ "a secure alias: no TLSA at either name is no DANE", "example.org",
	    MX A_TO
	    "_25._tcp.mx.target.example TLSA secure 200 nodata\n" TLSA_NO,
	    "secure: 10 nodane@; 200; " },
	{ "a secure alias by AAAA counts as one by A", "example.org",
	    MX A_NO
	    "mx1.example.org AAAA secure 90 >mx.target.example\n" TLSA_TO,
	    "secure: 10 dane@2; 90; " },
	{ "under an insecure MX a secure alias is followed the same way",
	    "example.org",
	    MX_I A_TO
	    "_25._tcp.mx.target.example TLSA secure 200 nodata\n" TLSA,
	    "insecure: 10 dane@2; 200; " },
	{ "a secure alias in other case and with a dot is folded",
	    "example.org",
	    MX "mx1.example.org A secure 1800 >MX.Target.EXAMPLE.\n" TLSA_TO,
	    "secure: 10 dane@2; 200; " },
	{ "an alias to the name itself is none", "example.org",
	    MX "mx1.example.org A secure 1800 >MX1.example.org.\n" TLSA,
	    "secure: 10 dane@2; 300; " },
	{ "an alias to the root is malformed", "example.org",
	    MX "mx1.example.org A secure 1800 >.\n"
	       "mx1.example.org AAAA secure 90 nodata\n" TLSA,
	    "secure: 10 error; 90; mx1.example.org A: malformed answer" },
	{ "an alias that is no name is malformed", "example.org",
	    MX "mx1.example.org A secure 1800 >a\\25\n"
	       "mx1.example.org AAAA secure 90 nodata\n" TLSA,
	    "secure: 10 error; 90; mx1.example.org A: malformed answer" },

	{ "an alias with an escape over 255 is malformed", "example.org",
	    MX "mx1.example.org A secure 1800 >a\\256b\n"
	       "mx1.example.org AAAA secure 90 nodata\n" TLSA,
	    "secure: 10 error; 90; mx1.example.org A: malformed answer" },

	// Insecure addresses behind a secure alias
	{ "insecure addresses behind a secure alias: DANE at the own name",
	    "example.org",
	    MX A_I_TO "mx1.example.org CNAME secure 150\n" TLSA TLSA_TO,
	    "secure: 10 dane@2; 150; " },
	{ "insecure addresses behind a secure alias: the target never counts",
	    "example.org",
	    MX A_I_TO "mx1.example.org CNAME secure 150\n" TLSA_NO TLSA_TO,
	    "secure: 10 nodane@; 150; " },
	{ "insecure addresses behind a secure alias: TLSA failing is an error",
	    "example.org",
	    MX_I A_I_TO "mx1.example.org CNAME secure 150\n"
			"_25._tcp.mx1.example.org TLSA failed SERVFAIL\n",
	    "insecure: 10 error@; 150; _25._tcp.mx1.example.org TLSA: "
	    "SERVFAIL" },
	{ "an insecure alias: no DANE", "example.org",
	    MX A_I_TO "mx1.example.org CNAME insecure 150\n" TLSA,
	    "secure: 10 nodane@; 150; " },
	{ "a bogus alias is an error", "example.org",
	    MX A_I_TO "mx1.example.org CNAME bogus no signature\n" TLSA,
	    "secure: 10 error@; 1800; mx1.example.org CNAME: bogus: "
	    "no signature" },
	{ "a failed alias is an error", "example.org",
	    MX_I A_I_TO "mx1.example.org CNAME failed SERVFAIL\n" TLSA,
	    "insecure: 10 error@; 1800; mx1.example.org CNAME: SERVFAIL" },
	{ "an alias that never comes is an error", "example.org",
	    MX A_I_TO "mx1.example.org CNAME silence\n" TLSA,
	    "secure: 10 error@; 1800; mx1.example.org CNAME: timed out" },
	{ "an alias that is gone when asked for itself: no DANE", "example.org",
	    MX A_I_TO "mx1.example.org CNAME secure 150 nodata\n" TLSA,
	    "secure: 10 nodane@; 150; " },
	{ "insecure AAAA behind a secure alias counts as A does", "example.org",
	    MX A_NO "mx1.example.org AAAA insecure 90 >mx.target.example\n"
		    "mx1.example.org CNAME secure 150\n" TLSA,
	    "secure: 10 dane@2; 90; " },

	// Names that are too long
	{ "a TLSA name of 253 octets is asked for", "[" LONG244 "]",
	    LONG244 " A secure 1800\n"
		    "_25._tcp." LONG244 " TLSA secure 300 311aa\n",
	    "secure: 0 dane@2; 300; " },
	{ "a TLSA name of 254 octets cannot exist: no DANE", "[b" LONG244 "]",
	    "b" LONG244 " A secure 1800\n"
	    "_25._tcp.b" LONG244 " TLSA secure 300 311aa\n",
	    "secure: 0 nodane@; 1800; " },
	{ "a longer port makes a TLSA name too long", "[" LONG244 "]:465",
	    LONG244 " A secure 1800\n", "secure: 0 nodane@; 1800; " },
	{ "a target too long for TLSA leads to the own name", "example.org",
	    MX "mx1.example.org A secure 1800 >b" LONG244 "\n" TLSA,
	    "secure: 10 dane@2; 300; " },
	{ "escapes are counted as the octets they stand for", "example.org",
	    MX "mx1.example.org A secure 1800 >" ESCAPED244 "\n"
	       "_25._tcp." ESCAPED244 " TLSA secure 300 311aa\n",
	    "secure: 10 dane@2; 300; " },
	{ "one octet more than fits, beside escapes, leads to the own name",
	    "example.org",
	    MX "mx1.example.org A secure 1800 >b" ESCAPED244 "\n" TLSA,
	    "secure: 10 dane@2; 300; " },
	{ "an escaped dot at the end is no trailing dot", "example.org",
	    MX "mx1.example.org A secure 1800 >mx\\.\n"
	       "_25._tcp.mx\\. TLSA secure 300 311aa\n",
	    "secure: 10 dane@2; 300; " },

	// Brackets
	{ "a host in brackets is looked up without MX, and secure",
	    "[mx1.example.org]", A TLSA, "secure: 0 dane@2; 300; " },
	{ "a host in brackets follows its aliases", "[mx1.example.org]:587",
	    A_TO "_587._tcp.mx.target.example TLSA secure 200 311aa\n",
	    "secure: 0 dane@2; 200; " },
	{ "a host in brackets without address is absent", "[mx1.example.org]",
	    "mx1.example.org A secure 60 nxdomain\n",
	    "secure: 0 absent; 60; " },
	{ "a host in brackets whose lookups fail rests on nothing",
	    "[mx1.example.org]",
	    "mx1.example.org A failed SERVFAIL\n"
	    "mx1.example.org AAAA failed SERVFAIL\n",
	    "secure: 0 error; 0; mx1.example.org A: SERVFAIL" },

	// Several hosts
	{ "each host is judged by itself", "example.org",
	    MX2 A TLSA "mx2.example.org A insecure 1000\n",
	    "secure: 10 dane@2 20 nodane@; 300; " },
	{ "a host in error does not touch its sibling", "example.org",
	    MX2 A TLSA "mx2.example.org A failed SERVFAIL\n"
		       "mx2.example.org AAAA failed SERVFAIL\n",
	    "secure: 10 dane@2 20 error; 300; mx2.example.org A: SERVFAIL" },
	{ "the best preferred of several failures is the reason", "example.org",
	    MX2_I "mx2.example.org A bogus b\n"
		  "mx2.example.org AAAA bogus b\n"
		  "mx1.example.org A silence\n"
		  "mx1.example.org AAAA bogus c\n",
	    "insecure: 10 error 20 error; 3600; mx1.example.org A: timed "
	    "out" },
	{ "the TTL of a host that is absent counts", "example.org",
	    MX2 A TLSA "mx2.example.org A secure 30 nxdomain\n",
	    "secure: 10 dane@2 20 absent; 30; " },
	{ "the TTL of an insecure host counts", "example.org",
	    MX2 A TLSA "mx2.example.org A insecure 20\n",
	    "secure: 10 dane@2 20 nodane@; 20; " },

	// Time to live
	{ "the MX may have the smallest TTL", "example.org",
	    "example.org MX secure 5 10:mx1.example.org\n" A TLSA,
	    "secure: 10 dane@2; 5; " },
	{ "a TTL of zero is the smallest", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 0 311aa\n",
	    "secure: 10 dane@2; 0; " },
	{ "a denial without SOA lives for the smallest TTL configured",
	    "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA insecure - nodata\n",
	    "secure: 10 nodane@; 7; " },
	{ "a denial without SOA does not prolong what is shorter",
	    "example.org",
	    "example.org MX secure 3 10:mx1.example.org\n" A
	    "_25._tcp.mx1.example.org TLSA insecure - nodata\n",
	    "secure: 10 nodane@; 3; " },
	{ "an NXDOMAIN of the MX without SOA lives as briefly", "example.org",
	    "example.org MX insecure - nxdomain\n", "nobody:; 7; " },
	{ "the TTL of TLSA at an insecure host does not count", "example.org",
	    MX A_I "_25._tcp.mx1.example.org TLSA secure 1 311aa\n",
	    "secure: 10 nodane@; 1800; " },
	{ "the TTL of TLSA at a base that is not used does not count",
	    "example.org",
	    MX A_TO TLSA_TO "_25._tcp.mx1.example.org TLSA secure 1 311aa\n",
	    "secure: 10 dane@2; 200; " },
	{ "the TTL of a denial at the target counts beside the own TLSA",
	    "example.org",
	    MX A_TO "_25._tcp.mx.target.example TLSA secure 11 nodata\n" TLSA,
	    "secure: 10 dane@2; 11; " },
	{ "nodata of A counts beside the AAAA that decides", "example.org",
	    MX "mx1.example.org A secure 12 nodata\n"
	       "mx1.example.org AAAA secure 90\n" TLSA,
	    "secure: 10 dane@2; 12; " },
	{ "a TTL over 2^31 is taken as it is", "[mx1.example.org]",
	    "mx1.example.org A secure 4294967295\n"
	    "_25._tcp.mx1.example.org TLSA secure 4294967295 311aa\n",
	    "secure: 0 dane@2; 4294967295; " },
};

// A and AAAA differ in a way that no zone can mean, so what is known before
// both are has no meaning either.
static const struct row contradictions[] = {
	{ "an insecure A outweighs a secure AAAA", "example.org",
	    MX A_I TLSA "mx1.example.org AAAA secure 60\n",
	    "secure: 10 nodane@; 1800; " },
	{ "a secure A outweighs an insecure AAAA", "example.org",
	    MX A TLSA "mx1.example.org AAAA insecure 60\n",
	    "secure: 10 dane@2; 300; " },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct trip *trip = trip_new();
	char text[TEXT_MAX];

	trip_begin(trip, row->key, row->zone);
	trip_finish(trip);
	trip_render(trip, text);
	assert_string_equal(text, row->facts);
	if (strstr(row->zone, "silence") == NULL)
		assert_true(walk_is_done(&trip->walk));
	trip_free(trip);
}

// ---- Orders of arrival

static bool
is_weak(const struct facts_host *host)
{
	return host->state == FACTS_NODANE || host->state == FACTS_ABSENT;
}

// Whether what is known too early may be answered: it may defer, or be as
// strict as the end or stricter, but not weaker.
static void
assert_not_weaker(const struct facts *early, const struct facts *end)
{
	static const int strength[] = {
		[DECIDE_NONE] = 0,
		[DECIDE_DANE] = 1,
		[DECIDE_DANE_ONLY] = 2,
		[DECIDE_DEFER] = 3,
	};
	enum decide_verdict now = decide(early, false);
	enum decide_verdict then = decide(end, false);

	if (then != DECIDE_DEFER)
		assert_true(strength[now] >= strength[then]);
	else
		assert_true(now != DECIDE_NONE);
	for (unsigned i = 0; i < early->n_hosts; i++)
		if (is_weak(&early->hosts[i]))
			assert_true(is_weak(&end->hosts[i]));
}

// The end, found in the order of the questions. Its borrowed parts are not
// looked at.
static void
find_end(const struct row *row, struct facts *ret)
{
	struct trip *trip = trip_new();
	uint32_t ttl_s;

	trip_begin(trip, row->key, row->zone);
	trip_finish(trip);
	assert_true(walk_facts(&trip->walk, MIN_TTL_S, ret, &ttl_s));
	trip_free(trip);
}

// One order. Once the walk says that it is done, nothing changes any more. end
// is what no early look may be weaker than, or NULL.
static void
wander(const struct row *row, const struct facts *end, struct trip *trip)
{
	char text[TEXT_MAX];
	bool done = false;
	uint32_t ttl_s;

	trip_begin(trip, row->key, row->zone);
	trip->patient = trip_random(trip, 2) == 0;
	trip_ask(trip);
	while (trip->n_open > 0) {
		struct facts early;

		assert_true(walk_facts(&trip->walk, MIN_TTL_S, &early, &ttl_s));
		if (end != NULL)
			assert_not_weaker(&early, end);
		if (trip_random(trip, 2) == 0)
			trip_lie(trip);
		trip_answer(trip, trip_random(trip, trip->n_open));
		if (trip_random(trip, 4) > 0 || trip->n_open == 0)
			trip_ask(trip);
		done |= walk_is_done(&trip->walk);
		trip_render(trip, text);
		if (done)
			assert_string_equal(text, row->facts);
	}
	trip_lie(trip);
	trip_render(trip, text);
	assert_string_equal(text, row->facts);
}

static void
wander_often(const struct row *row, const struct facts *end)
{
	for (uint32_t seed = 1; seed <= ORDERS; seed++) {
		struct trip *trip = trip_new();

		trip->seed = seed * 2654435761u;
		wander(row, end, trip);
		trip_free(trip);
	}
}

static void
test_orders(void **state)
{
	const struct row *row = *state;
	struct facts end;

	find_end(row, &end);
	wander_often(row, &end);
}

static void
test_contradiction(void **state)
{
	test_row(state);
	wander_often(*state, NULL);
}

// Memory that ends at any point makes no answer weaker and no pointer wild.
static void
test_memory(void **state)
{
	const struct row *row = *state;
	struct facts end;

	find_end(row, &end);
	for (unsigned from = 1; from < 12; from++) {
		struct trip *trip = trip_new();
		struct facts facts;
		uint32_t ttl_s;
		bool whole;

		trip->arena.refuse_from = from;
		trip_begin(trip, row->key, row->zone);
		trip_finish(trip);
		whole = walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s);
		if (!whole)
			assert_true(
			    facts.mx == FACTS_MX_FAILED || facts.partial);
		assert_not_weaker(&facts, &end);
		trip_free(trip);
	}
}

// ---- What is asked, and when the walk is done

static const struct asks {
	const char *sentence, *key, *zone;
	const char *answer; // types answered, others stay open
	const char *asked;
	bool done;
} asks[] = {
	{ "a domain begins with its MX alone", "example.org", MX, "",
	    "example.org MX", false },
	{ "a port has all its digits", "example.org:1025", MX, "MX",
	    "example.org MX, mx1.example.org A, "
	    "_1025._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    false },
	{ "the highest port has five", "example.org:65535", MX, "MX",
	    "example.org MX, mx1.example.org A, "
	    "_65535._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    false },
	{ "after a secure MX all questions go out at once", "example.org", MX2,
	    "MX",
	    "example.org MX, mx1.example.org A, _25._tcp.mx1.example.org TLSA, "
	    "mx2.example.org A, _25._tcp.mx2.example.org TLSA, "
	    "mx1.example.org AAAA, mx2.example.org AAAA",
	    false },
	{ "after an insecure MX TLSA waits for a secure address", "example.org",
	    MX2_I, "MX",
	    "example.org MX, mx1.example.org A, mx2.example.org A, "
	    "mx1.example.org AAAA, mx2.example.org AAAA",
	    false },
	{ "under an insecure MX a secure address brings the TLSA question",
	    "example.org", MX_I A, "MX A",
	    "example.org MX, mx1.example.org A, mx1.example.org AAAA, "
	    "_25._tcp.mx1.example.org TLSA",
	    false },
	{ "under an insecure MX an insecure host is never asked for TLSA",
	    "example.org", MX_I A_I, "MX A",
	    "example.org MX, mx1.example.org A, mx1.example.org AAAA", true },
	{ "in brackets all questions go out at once", "[mx1.example.org]", "",
	    "",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    false },
	{ "a secure A with TLSA does not wait for AAAA", "[mx1.example.org]",
	    A TLSA, "A TLSA",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    true },
	{ "a secure A waits for TLSA", "[mx1.example.org]", A, "A",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    false },
	{ "AAAA waits for A", "[mx1.example.org]",
	    "mx1.example.org AAAA secure 9\n" TLSA, "AAAA TLSA",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    false },
	{ "an insecure A waits for neither AAAA nor TLSA", "[mx1.example.org]",
	    A_I, "A",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    true },
	{ "an absent host waits for nothing", "[mx1.example.org]",
	    "mx1.example.org A secure 9 nxdomain\n", "A",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    true },
	{ "a nodata of A waits for AAAA", "[mx1.example.org]", A_NO, "A TLSA",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    false },
	{ "a target's TLSA is asked for and waited for", "[mx1.example.org]",
	    A_TO, "A",
	    "mx1.example.org A, _25._tcp.mx1.example.org TLSA, "
	    "mx1.example.org AAAA, _25._tcp.mx.target.example TLSA",
	    false },
	{ "an alias seen by AAAA alone is not followed while A is open",
	    "[mx1.example.org]",
	    "mx1.example.org AAAA secure 9 >mx.target.example\n", "AAAA",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    false },
	{ "an alias to the name itself brings no further question",
	    "[mx1.example.org]",
	    "mx1.example.org A secure 9 >mx1.example.org\n", "A",
	    "mx1.example.org A, "
	    "_25._tcp.mx1.example.org TLSA, mx1.example.org AAAA",
	    false },
	{ "insecure addresses behind an alias bring the CNAME question",
	    "example.org", MX_I A_I_TO, "MX A",
	    "example.org MX, mx1.example.org A, mx1.example.org AAAA, "
	    "mx1.example.org CNAME",
	    false },
	{ "a secure CNAME brings the TLSA question at the own name alone",
	    "example.org", MX_I A_I_TO "mx1.example.org CNAME secure 9\n",
	    "MX A CNAME",
	    "example.org MX, mx1.example.org A, mx1.example.org AAAA, "
	    "mx1.example.org CNAME, _25._tcp.mx1.example.org TLSA",
	    false },
	{ "no TLSA is asked for at a name too long for it", "[b" LONG244 "]",
	    "b" LONG244 " A secure 9\n", "A",
	    "b" LONG244 " A, b" LONG244 " AAAA", true },
	{ "an IPv4 address as target is not asked for", "example.org",
	    "example.org MX secure 9 5:192.0.2.1\n", "MX", "example.org MX",
	    true },
	{ "nobody to deliver to is known with the MX", "example.org",
	    "example.org MX secure 9 0:.\n", "MX", "example.org MX", true },
	{ "a failed MX is the end", "example.org",
	    "example.org MX failed SERVFAIL\n", "MX", "example.org MX", true },
	{ "a CNAME question is asked in lower case", "example.org",
	    "example.org MX insecure 9 1:MX1.EXAMPLE.ORG.\n" A_I_TO, "MX A",
	    "example.org MX, mx1.example.org A, mx1.example.org AAAA, "
	    "mx1.example.org CNAME",
	    false },
};

// The same where AAAA is not asked for before it must be.
static const struct asks patient_asks[] = {
	{ "AAAA is not needed until A is known", "example.org", MX2, "MX",
	    "example.org MX, mx1.example.org A, _25._tcp.mx1.example.org TLSA, "
	    "mx2.example.org A, _25._tcp.mx2.example.org TLSA",
	    false },
	{ "a secure A needs no AAAA", "[mx1.example.org]", A TLSA, "A TLSA",
	    "mx1.example.org A, _25._tcp.mx1.example.org TLSA", true },
	{ "an insecure A needs no AAAA", "[mx1.example.org]", A_I, "A",
	    "mx1.example.org A, _25._tcp.mx1.example.org TLSA", true },
	{ "an absent host needs no AAAA", "[mx1.example.org]",
	    "mx1.example.org A secure 9 nxdomain\n", "A",
	    "mx1.example.org A, _25._tcp.mx1.example.org TLSA", true },
	{ "a nodata of A needs AAAA", "[mx1.example.org]", A_NO, "A",
	    "mx1.example.org A, _25._tcp.mx1.example.org TLSA, "
	    "mx1.example.org AAAA",
	    false },
	{ "a failed A needs AAAA", "[mx1.example.org]",
	    "mx1.example.org A failed SERVFAIL\n", "A",
	    "mx1.example.org A, _25._tcp.mx1.example.org TLSA, "
	    "mx1.example.org AAAA",
	    false },
	{ "a bogus A needs AAAA", "[mx1.example.org]",
	    "mx1.example.org A bogus no signature\n", "A",
	    "mx1.example.org A, _25._tcp.mx1.example.org TLSA, "
	    "mx1.example.org AAAA",
	    false },
	{ "each host needs AAAA for itself", "example.org",
	    MX2 A_NO "mx2.example.org A secure 9\n", "MX A",
	    "example.org MX, mx1.example.org A, _25._tcp.mx1.example.org TLSA, "
	    "mx2.example.org A, _25._tcp.mx2.example.org TLSA, "
	    "mx1.example.org AAAA",
	    false },
	{ "an IPv4 address as target needs no AAAA", "example.org",
	    "example.org MX secure 9 5:192.0.2.1\n", "MX", "example.org MX",
	    true },
};

static bool
has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)) != NULL; at++)
		if ((at == words || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static void
check_asks(const struct asks *row, bool patient)
{
	struct trip *trip = trip_new();
	unsigned i = 0;

	trip_begin(trip, row->key, row->zone);
	trip->patient = patient;
	trip_ask(trip);
	while (i < trip->n_open) {
		if (has_word(row->answer, zone_type(trip->open[i].type))) {
			trip_answer(trip, i);
			trip_ask(trip);
			i = 0;
		} else {
			i++;
		}
	}
	assert_string_equal(trip->asked, row->asked);
	assert_int_equal(walk_is_done(&trip->walk), row->done);
	trip_free(trip);
}

static void
test_asks(void **state)
{
	check_asks(*state, false);
}

static void
test_patient_asks(void **state)
{
	check_asks(*state, true);
}

// ---- Matches

static const struct {
	const char *sentence, *zone, *matches;
} unions[] = {
	{ "matches are sorted and stand once",
	    MX A
	    "_25._tcp.mx1.example.org TLSA secure 9 311cc 301aa 311bb 311aa "
	    "312ee 302dd\n",
	    "sha256 aa bb cc sha512 dd ee" },
	{ "the matches of all DANE hosts are joined",
	    MX2 A "_25._tcp.mx1.example.org TLSA secure 9 311cc 311aa\n" A2
		  "_25._tcp.mx2.example.org TLSA secure 9 311bb 311cc 312dd\n",
	    "sha256 aa bb cc sha512 dd" },
	{ "insecure and unused TLSA give no matches",
	    MX2 A_TO TLSA_TO TLSA "mx2.example.org A insecure 9\n" TLSA2,
	    "sha256 cc sha512" },
	{ "usage 2 gives no matches",
	    MX A "_25._tcp.mx1.example.org TLSA secure 9 211cc 311aa\n",
	    "sha256 aa sha512" },
	{ "full data are hashed to both digests",
	    MX A "_25._tcp.mx1.example.org TLSA secure 9 310cc 311aa 312aa\n",
	    "sha256 aa c1 sha512 aa c2" },
	{ "a record that is none takes no room from those behind it",
	    MX A "_25._tcp.mx1.example.org TLSA secure 9 rdata/2 311bb 311aa "
		 "312dd\n",
	    "sha256 aa bb sha512 dd" },
	{ "zeros are a match",
	    MX A "_25._tcp.mx1.example.org TLSA secure 9 31100 311aa\n",
	    "sha256 00 aa sha512" },
	{ "without DANE there are no matches", MX A TLSA_NO, "sha256 sha512" },
};

static void
render_matches(const struct facts *facts, char ret[TEXT_MAX])
{
	FILE *out = fmemopen(ret, TEXT_MAX, "w");

	fprintf(out, "sha256");
	for (unsigned i = 0; i < facts->n_sha256; i++)
		fprintf(out, " %02x", facts->sha256[32 * i + 31]);
	fprintf(out, " sha512");
	for (unsigned i = 0; i < facts->n_sha512; i++)
		fprintf(out, " %02x", facts->sha512[64 * i + 63]);
	fclose(out);
}

static void
test_union(void **state)
{
	const typeof(unions[0]) *row = *state;
	struct trip *trip = trip_new();
	struct facts facts;
	char text[TEXT_MAX];
	uint32_t ttl_s;

	trip_begin(trip, "example.org", row->zone);
	trip_finish(trip);
	for (int again = 0; again < 2; again++) {
		assert_true(walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s));
		render_matches(&facts, text);
		assert_string_equal(text, row->matches);
	}
	trip_free(trip);
}

// One host with n records of usage 3, all different, given in falling order.
static void
answer_many_tlsa(struct walk *walk, unsigned id, unsigned n, uint8_t matching,
    unsigned first)
{
	size_t width = 3 + (matching == 1 ? 32u : 64u);
	uint8_t *rdata = calloc(n, width);
	struct walk_rdata *list = calloc(n, sizeof(*list));
	struct walk_reply reply = { .security = WALK_SECURE,
		.content = WALK_DATA,
		.n_tlsa = n,
		.tlsa = list };

	for (unsigned i = 0; i < n; i++) {
		uint8_t *at = rdata + i * width;
		unsigned number = first + n - 1 - i;

		memcpy(at, (uint8_t[]){ 3, 1, matching }, 3);
		at[3] = (uint8_t)(number >> 8);
		at[4] = (uint8_t)number;
		list[i] = (struct walk_rdata){ at, width };
	}
	walk_answer(walk, id, &reply);
	free(list);
	free(rdata);
}

static const struct many {
	const char *sentence;
	uint8_t matching;
	unsigned n_first, n_second, want;
} many[] = {
	{ "SHA-256 matches up to the limit are all there", 1, 1000,
	    FACTS_SHA256_MAX - 1000, FACTS_SHA256_MAX },
	{ "SHA-256 matches past the limit are cut at it", 1, 1000,
	    FACTS_SHA256_MAX - 999, FACTS_SHA256_MAX },
	{ "one host's SHA-256 matches are cut at the limit", 1, 1300, 0,
	    FACTS_SHA256_MAX },
	{ "SHA-512 matches up to the limit are all there", 2, 500,
	    FACTS_SHA512_MAX - 500, FACTS_SHA512_MAX },
	{ "SHA-512 matches past the limit are cut at it", 2, 900, 600,
	    FACTS_SHA512_MAX },
};

// Answers all questions, those for TLSA with the row's numbers of records; the
// second host's are those that follow the first's.
static void
answer_all_many(struct trip *trip, const struct many *row)
{
	for (unsigned i = 0; i < trip->n_open; i++) {
		const struct walk_question *question = &trip->open[i];
		bool second = strstr(question->name, "mx2") != NULL;
		unsigned n = second ? row->n_second : row->n_first;

		if (question->type == WALK_TLSA && n > 0)
			answer_many_tlsa(&trip->walk, question->id, n,
			    row->matching, second ? row->n_first : 0);
	}
	while (trip->n_open > 0)
		trip_answer(trip, 0);
}

static void
test_many(void **state)
{
	const struct many *row = *state;
	bool is_sha256 = row->matching == 1;
	size_t width = is_sha256 ? 32 : 64;
	struct trip *trip = trip_new();
	struct facts facts;
	const uint8_t *at;
	uint32_t ttl_s;

	trip_begin(trip, "example.org",
	    MX2 A A2 TLSA_NO "_25._tcp.mx2.example.org TLSA secure 9 nodata\n");
	trip_ask(trip);
	trip_answer(trip, 0);
	trip_ask(trip);
	answer_all_many(trip, row);
	assert_true(walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s));
	assert_int_equal(facts.n_sha256, is_sha256 ? row->want : 0);
	assert_int_equal(facts.n_sha512, is_sha256 ? 0 : row->want);
	at = is_sha256 ? facts.sha256 : facts.sha512;
	for (unsigned i = 0; i < row->want; i++, at += width)
		assert_int_equal(at[0] << 8 | at[1], i);
	trip_free(trip);
}

// ---- Many hosts

static const struct crowd {
	const char *sentence;
	unsigned n;       // MX records, in falling preference
	unsigned n_names; // different ones
	unsigned n_hosts;
	bool more;
} crowds[] = {
	{ "15 hosts are all judged", 15, 15, 15, false },
	{ "64 hosts are all judged", 64, 64, 64, false },
	{ "of 65 hosts the best 64 are judged", 65, 65, 64, true },
	{ "of 1000 hosts the best 64 are judged", 1000, 1000, 64, true },
	{ "1000 records of 64 names are 64 hosts", 1000, 64, 64, false },
	{ "1000 records of one name are one host", 1000, 1, 1, false },
	{ "4000 records of 65 names are 64 hosts and more", 4000, 65, 64,
	    true },
};

static char *
crowd_zone(const struct crowd *row)
{
	char *zone = NULL;
	size_t size;
	FILE *out = open_memstream(&zone, &size);

	fprintf(out, "example.org MX secure 3600");
	for (unsigned i = 0; i < row->n; i++)
		fprintf(out, " %u:mx%u.example.org", row->n - i,
		    (row->n - i) % row->n_names);
	fprintf(out, "\n");
	for (unsigned i = 0; i < row->n_names; i++)
		fprintf(out,
		    "mx%u.example.org A secure 1800\n"
		    "_25._tcp.mx%u.example.org TLSA secure 300 311aa\n",
		    i, i);
	fclose(out);
	return zone;
}

static void
test_crowd(void **state)
{
	const struct crowd *row = *state;
	struct trip *trip = trip_new();
	char *zone = crowd_zone(row), reason[FACTS_REASON_MAX + 1];
	struct facts facts;
	uint32_t ttl_s;

	trip_begin(trip, "example.org", zone);
	trip_finish(trip);
	assert_true(walk_is_done(&trip->walk));
	assert_true(walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s));
	assert_int_equal(facts.n_hosts, row->n_hosts);
	assert_int_equal(facts.more_hosts, row->more);
	assert_false(walk_has_error(&facts));
	for (unsigned i = 0; i < facts.n_hosts; i++) {
		assert_int_equal(facts.hosts[i].preference, i + 1);
		assert_int_equal(facts.hosts[i].state, FACTS_DANE);
	}
	assert_int_equal(ttl_s, 300);
	snprintf(
	    reason, sizeof(reason), "%.*s", facts.reason_len, facts.reason);
	assert_string_equal(reason,
	    row->more ? "example.org MX: more hosts than are looked at" : "");
	free(zone);
	trip_free(trip);
}

// The order of the records of a set is that of no zone file.
static void
test_shuffled_set(void **state)
{
	static const char *const sets[] = {
		"10:c.example 10:a.example 10:b.example 5:d.example",
		"5:d.example 10:b.example 10:c.example 10:a.example",
	};
	char asked[2][TEXT_MAX];
	(void)state;

	for (int i = 0; i < 2; i++) {
		struct trip *trip = trip_new();
		char zone[256];

		snprintf(zone, sizeof(zone), "example.org MX secure 9 %s\n",
		    sets[i]);
		trip_begin(trip, "example.org", zone);
		trip_finish(trip);
		memcpy(asked[i], trip->asked, TEXT_MAX);
		trip_free(trip);
	}
	assert_string_equal(asked[0], asked[1]);
}

// ---- Reasons

#define NAME_155 LABEL63 "." LABEL63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct reason {
	const char *sentence, *key, *zone, *want;
} reasons[] = {
	{ "a long name is cut in the middle", "[" LONG244 "]",
	    LONG244 " A secure 9\n"
		    "_25._tcp." LONG244 " TLSA bogus signature expired\n",
	    "_25._tcp.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "...aaaaaaaaaa.aaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "a TLSA: bogus: signature expired" },
	{ "a name that just fits is not cut", "[" NAME_155 "]",
	    NAME_155 " A failed x\n", NAME_155 " A: x" },
	{ "a name that is one octet too long is cut", "[a" NAME_155 "]",
	    "a" NAME_155 " A failed x\n",
	    "a" LABEL63 ".aaaaaaaaaaa...aaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa A: x" },
	{ "a cause without words is a failure", "example.org",
	    "example.org MX bogus \n", "example.org MX: bogus: failed" },
	{ "a tilde passes", "example.org", "example.org MX bogus a~b\n",
	    "example.org MX: bogus: a~b" },
	{ "control characters and octets over 126 do not pass", "example.org",
	    "example.org MX bogus a\tb\xff\x7f\n",
	    "example.org MX: bogus: a?b??" },
	{ "the longest cause leaves its question readable", "[" LONG244 "]",
	    LONG244 " A secure 9\n"
		    "_25._tcp." LONG244 " TLSA bogus " LABEL63 LABEL63
		    "bcdef\n",
	    "_25._tcp...aaaaaaaa TLSA: bogus: " LABEL63 LABEL63 "b" },
};

static void
test_reason(void **state)
{
	const struct reason *row = *state;
	struct trip *trip = trip_new();
	struct facts facts;
	char text[FACTS_REASON_MAX + 1] = "";
	uint32_t ttl_s;

	trip_begin(trip, row->key, row->zone);
	trip_finish(trip);
	assert_true(walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s));
	assert_in_range(facts.reason_len, 1, FACTS_REASON_MAX);
	memcpy(text, facts.reason, facts.reason_len);
	assert_string_equal(text, row->want);
	trip_free(trip);
}

// ---- What is left

static void
test_has_error(void **state)
{
	struct facts facts = { .mx = FACTS_MX_SECURE, .more_hosts = true };
	(void)state;

	assert_false(walk_has_error(&facts));
	facts.n_hosts = 2;
	facts.hosts[0].state = FACTS_DANE;
	facts.hosts[1].state = FACTS_ABSENT;
	assert_false(walk_has_error(&facts));
	facts.hosts[1].state = FACTS_ERROR;
	assert_true(walk_has_error(&facts));
	facts.hosts[0].state = FACTS_ERROR;
	facts.hosts[1].state = FACTS_ABSENT;
	assert_true(walk_has_error(&facts));
}

// Values that no decoder of ours gives.
static void
test_wild_states(void **state)
{
	static const struct walk_mx mx = { 10, "mx1.example.org" };
	static const struct walk_reply wild[] = {
		{ .security = WALK_SECURE,
		    .content = (enum walk_content)9,
		    .n_mx = 1,
		    .mx = &mx },
		{ .security = (enum walk_security)9, .content = WALK_NODATA },
		{ .security = WALK_SECURE, .content = (enum walk_content)9 },
		{ .security = WALK_SECURE, .content = WALK_DATA, .n_mx = 3 },
	};
	(void)state;

	for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		struct trip *trip = trip_new();
		struct facts facts;
		uint32_t ttl_s;

		trip_begin(trip, "example.org", "");
		trip_ask(trip);
		walk_answer(&trip->walk, 0, &wild[i]);
		assert_true(walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s));
		assert_int_equal(facts.mx, FACTS_MX_FAILED);
		trip_free(trip);
	}
}

static void
test_wild_content(void **state)
{
	static const struct walk_reply wild = {
		.security = WALK_SECURE,
		.content = (enum walk_content)9,
	};
	struct trip *trip = trip_new();
	char text[TEXT_MAX];
	(void)state;

	trip_begin(trip, "[mx1.example.org]", A);
	trip_ask(trip);
	assert_int_equal(trip->open[1].type, WALK_TLSA);
	walk_answer(&trip->walk, trip->open[1].id, &wild);
	trip_answer(trip, 0);
	trip_render(trip, text);
	assert_string_equal(text,
	    "secure: 0 error@; 1800; _25._tcp.mx1.example.org TLSA: "
	    "malformed answer");
	trip_free(trip);
}

// An alias that leads nowhere, at an address and where it means nothing.
static void
test_wild_alias(void **state)
{
	static const struct walk_reply wild = {
		.security = WALK_SECURE,
		.content = WALK_DATA,
		.aliased = true,
	};
	struct trip *trip = trip_new();
	char text[TEXT_MAX];
	(void)state;

	trip_begin(trip, "[mx1.example.org]", "");
	trip_ask(trip);
	assert_int_equal(trip->open[0].type, WALK_A);
	walk_answer(&trip->walk, trip->open[0].id, &wild);
	trip_render(trip, text);
	assert_string_equal(
	    text, "secure: 0 error; 0; mx1.example.org A: malformed answer");
	trip_free(trip);

	trip = trip_new();
	trip_begin(trip, "[mx1.example.org]", A_I_TO TLSA TLSA_TO);
	trip_ask(trip);
	while (trip->n_open > 0)
		trip_answer(trip, 0);
	trip_ask(trip);
	assert_int_equal(trip->open[0].type, WALK_CNAME);
	walk_answer(&trip->walk, trip->open[0].id, &wild);
	trip_finish(trip);
	trip_render(trip, text);
	assert_string_equal(text, "secure: 0 dane@2; 7; ");
	trip_free(trip);
}

// ---- Without memory

struct starved {
	const char *sentence, *key, *zone;
	unsigned n_pieces; // that there are
	const char *reason;
};

static const struct starved starved[] = {
	{ "without memory for its hosts a domain fails", "example.org",
	    MX A TLSA, 0, "example.org MX: out of memory" },
	{ "without memory for itself a host fails", "[mx1.example.org]", A TLSA,
	    0, "mx1.example.org A: out of memory" },
};

static void
test_starved(void **state)
{
	const struct starved *row = *state;
	struct trip *trip = trip_new();
	struct facts facts;
	char reason[FACTS_REASON_MAX + 1];
	uint32_t ttl_s;

	trip->arena.refuse_from = row->n_pieces + 1;
	trip_begin(trip, row->key, row->zone);
	trip_finish(trip);
	assert_int_equal(trip->arena.n, row->n_pieces);
	assert_false(walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s));
	assert_int_equal(facts.mx, FACTS_MX_FAILED);
	assert_int_equal(facts.n_hosts, 0);
	snprintf(
	    reason, sizeof(reason), "%.*s", facts.reason_len, facts.reason);
	assert_string_equal(reason, row->reason);
	trip_free(trip);
}

// Of the host, its TLSA records and their one digest there is memory.
static void
test_no_matches(void **state)
{
	struct trip *trip = trip_new();
	struct facts facts;
	uint32_t ttl_s;
	(void)state;

	trip->arena.refuse_from = 4;
	trip->patient = true;
	trip_begin(trip, "example.org", MX A TLSA);
	trip_finish(trip);
	assert_int_equal(trip->arena.n, 3);
	assert_false(walk_facts(&trip->walk, MIN_TTL_S, &facts, &ttl_s));
	assert_true(facts.partial);
	assert_int_equal(facts.n_sha256 + facts.n_sha512, 0);
	assert_int_equal(decide(&facts, false), DECIDE_DANE_ONLY);
	trip_free(trip);
}

// What records cannot give is not reserved: the greatest sets have 33 KiB each.
static void
test_thrift(void **state)
{
	struct trip *trip = trip_new();
	char text[TEXT_MAX];
	(void)state;

	trip_begin(trip, "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA secure 9 311aa 312bb 310cc\n");
	trip_finish(trip);
	trip_render(trip, text);
	assert_in_range(trip->arena.octets, 1, 2048);
	trip_free(trip);
}

// ---- What counts

struct counting {
	const char *sentence, *key, *zone;
	const char *ids; // of the questions that count
};

// 0 is the MX; A, AAAA, CNAME, TLSA of the target and of the name are 1 to 5
// for the first host, 6 to 10 for the second.
static const struct counting countings[] = {
	{ "of a domain that fails the MX counts", "example.org",
	    "example.org MX failed x\n", " 0" },
	{ "of a host with DANE its A and TLSA count", "example.org", MX A TLSA,
	    " 0 1 5" },
	{ "of a second host too", "example.org", MX2 A TLSA A2 TLSA2,
	    " 0 1 5 6 10" },
	{ "of a host with AAAA alone both addresses count", "example.org",
	    MX A_NO "mx1.example.org AAAA secure 9\n" TLSA, " 0 1 2 5" },
	{ "of a host with an alias its target counts", "example.org",
	    MX A_TO TLSA_TO, " 0 1 4" },
	{ "of a host whose target has no records both count", "example.org",
	    MX A_TO "_25._tcp.mx.target.example TLSA secure 9 nodata\n" TLSA,
	    " 0 1 4 5" },
	{ "of a host with a secure alias its CNAME counts", "example.org",
	    MX A_I_TO "mx1.example.org CNAME secure 9\n" TLSA, " 0 1 3 5" },
	{ "what is to blame counts", "example.org",
	    MX A "_25._tcp.mx1.example.org TLSA failed x\n", " 0 1 5" },
	{ "of addresses that fail A is to blame", "example.org",
	    MX
	    "mx1.example.org A failed x\nmx1.example.org AAAA failed y\n" TLSA,
	    " 0 1" },
	{ "of an address as a host nothing counts", "example.org",
	    "example.org MX secure 9 10:192.0.2.1\n", " 0" },
};

static void
test_counting(void **state)
{
	const struct counting *row = *state;
	struct trip *trip = trip_new();
	char ids[256] = "";
	size_t len = 0;

	trip_begin(trip, row->key, row->zone);
	trip_finish(trip);
	for (unsigned id = 0; id < WALK_QUESTIONS_MAX + 10; id++)
		if (walk_counts(&trip->walk, id))
			len += (size_t)snprintf(
			    ids + len, sizeof(ids) - len, " %u", id);
	assert_string_equal(ids, row->ids);
	trip_free(trip);
}

static void
test_host_names(void **state)
{
	struct trip *trip = trip_new();
	(void)state;

	trip_begin(trip, "example.org",
	    "example.org MX secure 9 20:mx2.example.org 10:MX1.example.org.\n");
	trip_finish(trip);
	assert_string_equal(walk_host_name(&trip->walk, 0), "mx1.example.org");
	assert_string_equal(walk_host_name(&trip->walk, 1), "mx2.example.org");
	trip_free(trip);
}

// At the deadline the facts are taken, and later, when answers came in behind
// it, taken again.
static void
test_facts_again(void **state)
{
	struct trip *trip = trip_new();
	char text[TEXT_MAX];
	(void)state;

	trip_begin(trip, "example.org", MX A TLSA);
	trip_ask(trip);
	trip_render(trip, text);
	assert_string_equal(text, "failed:; 0; example.org MX: timed out");
	trip_answer(trip, 0);
	trip_ask(trip);
	trip_render(trip, text);
	assert_string_equal(
	    text, "secure: 10 error; 3600; mx1.example.org A: timed out");
	trip_finish(trip);
	trip_render(trip, text);
	assert_string_equal(text, "secure: 10 dane@2; 300; ");
	trip_free(trip);
}

#define ADD_ROWS(rows, run, prefix)                                 \
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) \
	table_add(prefixed(prefix, rows[i].sentence), run, &rows[i])

static char sentences[2048][256];
static size_t n_sentences;

static const char *
prefixed(const char *prefix, const char *sentence)
{
	char *ret = sentences[n_sentences++];

	snprintf(ret, sizeof(sentences[0]), "%s: %s", prefix, sentence);
	return ret;
}

int
main(void)
{
	TABLE_ADD(rows, test_row);
	TABLE_ADD(contradictions, test_contradiction);
	TABLE_ADD(asks, test_asks);
	TABLE_ADD(patient_asks, test_patient_asks);
	TABLE_ADD(unions, test_union);
	TABLE_ADD(many, test_many);
	TABLE_ADD(crowds, test_crowd);
	TABLE_ADD(reasons, test_reason);
	ADD_ROWS(rows, test_orders, "in whatever order");
	ADD_ROWS(rows, test_memory, "with whatever memory");
	table_add("the order of the records in the MX set does not matter",
	    test_shuffled_set, NULL);
	table_add("hosts in error are seen, those past the 64th are not meant",
	    test_has_error, NULL);
	table_add(
	    "states that do not exist are failures", test_wild_states, NULL);
	table_add("a TLSA answer of no known content is a failure",
	    test_wild_content, NULL);
	table_add("an alias that leads nowhere is a failure where one counts",
	    test_wild_alias, NULL);
	TABLE_ADD(starved, test_starved);
	table_add("without memory for the matches of all the verdict stands",
	    test_no_matches, NULL);
	table_add("memory is taken for what there is", test_thrift, NULL);
	TABLE_ADD(countings, test_counting);
	table_add("hosts have their names, in order", test_host_names, NULL);
	table_add("facts can be taken at any time, and again later",
	    test_facts_again, NULL);
	return table_run("walk");
}
