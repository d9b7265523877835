// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Stories as people and programs read them: what the DNS says is in tables
// here, what comes of it is told by the daemon's own code.
#include "config.h"

#include "table.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules.h"
#include "tool/render.h"

#define NOW_MS 1000000

#define DIGEST_A                                                           \
	"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef" \
	"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xe1"

struct record {
	const char *owner;
	enum walk_type type;
	uint32_t ttl_s;
	const char *name;
	const char *rdata;
	size_t len;
};

#define RECORDS_MAX 4
#define MX(owner, ttl, preference, name)                      \
	{                                                     \
		owner, WALK_MX, ttl, name, "\0" preference, 2 \
	}
#define A(owner, ttl)                                     \
	{                                                 \
		owner, WALK_A, ttl, NULL, "\xc0\0\2\1", 4 \
	}
#define CNAME(owner, ttl, name)                     \
	{                                           \
		owner, WALK_CNAME, ttl, name, "", 0 \
	}
#define TLSA(owner, ttl, head, data)                                          \
	{                                                                     \
		owner, WALK_TLSA, ttl, NULL, head data, sizeof(head data) - 1 \
	}

// An answer of the DNS; what is asked and not in the table is never answered.
struct known {
	const char *name;
	enum walk_type type;
	enum walk_security security;
	enum walk_content content;
	uint32_t ttl_s;
	const char *canonical, *cause;
	struct record records[RECORDS_MAX];
};

#define SECURE   WALK_SECURE, WALK_DATA
#define INSECURE WALK_INSECURE, WALK_DATA
#define NOTHING           \
	NULL, NULL,       \
	{                 \
		{         \
			0 \
		}         \
	}
#define NO_NAME WALK_SECURE, WALK_NXDOMAIN, 900, NOTHING
#define NO_DATA WALK_SECURE, WALK_NODATA, 900, NOTHING

// clang-format off
static const struct known known[] = {
	{ "one.example", WALK_MX, SECURE, 3600, NULL, NULL,
	    { MX("one.example", 3600, "\x0a", "mx.example") } },
	{ "mx.example", WALK_A, SECURE, 1800, NULL, NULL,
	    { A("mx.example", 1800) } },
	{ "mx.example", WALK_AAAA, NO_DATA },
	{ "_25._tcp.mx.example", WALK_TLSA, SECURE, 600, NULL, NULL,
	    { TLSA("_25._tcp.mx.example", 600, "\3\1\1", DIGEST_A) } },

	{ "two.example", WALK_MX, SECURE, 3600, NULL, NULL,
	    { MX("two.example", 3600, "\x0a", "mx.example"),
	      MX("two.example", 3600, "\x14", "plain.example") } },
	{ "plain.example", WALK_A, INSECURE, 300, NULL, NULL,
	    { A("plain.example", 300) } },
	{ "plain.example", WALK_AAAA, WALK_INSECURE, WALK_NODATA, 60,
	    NOTHING },
	{ "_25._tcp.plain.example", WALK_TLSA, WALK_FAILED, 0, 0, NULL,
	    "SERVFAIL", { { 0 } } },

	{ "odd.example", WALK_MX, SECURE, 3600, NULL, NULL,
	    { MX("odd.example", 3600, "\x0a", "odd-mx.example") } },
	{ "odd-mx.example", WALK_A, SECURE, 1800, NULL, NULL,
	    { A("odd-mx.example", 1800) } },
	{ "odd-mx.example", WALK_AAAA, NO_DATA },
	{ "_25._tcp.odd-mx.example", WALK_TLSA, SECURE, 600, NULL, NULL,
	    { TLSA("_25._tcp.odd-mx.example", 600, "\1\1\1", DIGEST_A),
	      TLSA("_25._tcp.odd-mx.example", 600, "\3\1\1", ""),
	      TLSA("_25._tcp.odd-mx.example", 600, "\3\x07\xff", "\x41"),
	      TLSA("_25._tcp.odd-mx.example", 600, "\3", "") } },

	{ "alias.example", WALK_A, SECURE, 60, "mx.example", NULL,
	    { CNAME("alias.example", 60, "mx.example"),
	      A("mx.example", 1800) } },
	{ "alias.example", WALK_AAAA, NO_DATA },
	{ "_25._tcp.alias.example", WALK_TLSA, NO_NAME },

	{ "blocked.example", WALK_A, SECURE, 1800, NULL, NULL,
	    { A("blocked.example", 1800) } },
	{ "blocked.example", WALK_AAAA, NO_DATA },
	{ "_25._tcp.blocked.example", WALK_TLSA, WALK_FAILED, 0, 0, NULL,
	    "SERVFAIL", { { 0 } } },

	{ "bogus.example", WALK_MX, WALK_BOGUS, 0, 0, NULL,
	    "signature expired for key example", { { 0 } } },
	{ "gone.example", WALK_MX, NO_NAME },
};
// clang-format on

static const char rules_text[] = ".example at-least encrypt # partners\n"
				 "gone.example may until=2030-01-01\n"
				 "[192.0.2.1] none\n";

static const struct explain_row {
	const char *sentence;
	const char *key;
	bool has_rules;
	const char *why_not; // the DNS is not to be asked
	const char *tree;
	bool deferred;
} explain_rows[] = {
	{ "a domain with DANE is told from MX to answers", "one.example", false,
	    NULL,
	    "one.example: MX of one.example, TLSA on port 25\n"
	    "    MX     secure      3600s  10 mx.example\n"
	    "\n"
	    "  10 mx.example: dane, usable TLSA records\n"
	    "    A      secure      1800s  192.0.2.1\n"
	    "    AAAA   secure       900s  no such record\n"
	    "    TLSA   secure             _25._tcp.mx.example\n"
	    "                        600s  3 1 1  DANE-EE SPKI SHA2-256  "
	    "01234567...89abcde1  usable\n"
	    "\n"
	    "  verdict      dane-only: the only MX host has usable TLSA "
	    "records\n"
	    "  kept for     600 s\n"
	    "  dane         OK dane-only\n"
	    "  fingerprint  OK fingerprint match="
	    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:"
	    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:E1\n",
	    false },
	{ "TLSA records of a host without signed addresses do not count",
	    "two.example", false, NULL,
	    "two.example: MX of two.example, TLSA on port 25\n"
	    "    MX     secure      3600s  10 mx.example\n"
	    "                       3600s  20 plain.example\n"
	    "\n"
	    "  10 mx.example: dane, usable TLSA records\n"
	    "    A      secure      1800s  192.0.2.1\n"
	    "    AAAA   secure       900s  no such record\n"
	    "    TLSA   secure             _25._tcp.mx.example\n"
	    "                        600s  3 1 1  DANE-EE SPKI SHA2-256  "
	    "01234567...89abcde1  usable\n"
	    "\n"
	    "  20 plain.example: no-dane, its addresses are not signed, so "
	    "TLSA does not count\n"
	    "    A      insecure     300s  192.0.2.1\n"
	    "    AAAA   insecure      60s  no such record\n"
	    "    TLSA   failed             _25._tcp.plain.example  (does not "
	    "count)\n"
	    "                           -  SERVFAIL\n"
	    "\n"
	    "  verdict      dane: 1 of 2 MX hosts has usable TLSA records, 1 "
	    "has no TLSA records\n"
	    "  kept for     300 s\n"
	    "  dane         OK dane\n"
	    "  fingerprint  OK fingerprint match="
	    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:"
	    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:E1\n",
	    false },
	{ "each unusable TLSA record says why", "odd.example", false, NULL,
	    "odd.example: MX of odd.example, TLSA on port 25\n"
	    "    MX     secure      3600s  10 odd-mx.example\n"
	    "\n"
	    "  10 odd-mx.example: unusable, TLSA records, none of them "
	    "usable\n"
	    "    A      secure      1800s  192.0.2.1\n"
	    "    AAAA   secure       900s  no such record\n"
	    "    TLSA   secure             _25._tcp.odd-mx.example\n"
	    "                        600s  1 1 1  PKIX-EE SPKI SHA2-256  "
	    "01234567...89abcde1  unusable: usage is neither 2 nor 3\n"
	    "                        600s  3 1 1  DANE-EE SPKI SHA2-256  no "
	    "data  unusable: length does not fit the matching type; makes "
	    "some versions of smtp(8) panic\n"
	    "                        600s  3 7 255  DANE-EE 7 PrivMatch  41  "
	    "unusable: selector is neither 0 nor 1\n"
	    "                        600s  unusable: shorter than three "
	    "octets\n"
	    "\n"
	    "  verdict      dane: the only MX host has only unusable TLSA "
	    "records\n"
	    "  kept for     600 s\n"
	    "  dane         OK encrypt\n"
	    "  fingerprint  OK encrypt\n",
	    false },
	{ "a host in brackets is told with its aliases", "[alias.example]",
	    false, NULL,
	    "[alias.example]: host alias.example, TLSA on port 25\n"
	    "\n"
	    "  alias.example: dane, usable TLSA records\n"
	    "    A      secure        60s  alias.example is an alias of "
	    "mx.example\n"
	    "                       1800s  192.0.2.1\n"
	    "    AAAA   secure       900s  no such record\n"
	    "    TLSA   secure             _25._tcp.mx.example\n"
	    "                        600s  3 1 1  DANE-EE SPKI SHA2-256  "
	    "01234567...89abcde1  usable\n"
	    "    TLSA   secure             _25._tcp.alias.example  (does not "
	    "count)\n"
	    "                        900s  no such name\n"
	    "\n"
	    "  verdict      dane-only: the only MX host has usable TLSA "
	    "records\n"
	    "  kept for     60 s\n"
	    "  dane         OK dane-only\n"
	    "  fingerprint  OK fingerprint match="
	    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:"
	    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:E1\n",
	    false },
	{ "a TLSA lookup that failed counts where the host is secure",
	    "[blocked.example]", false, NULL,
	    "[blocked.example]: host blocked.example, TLSA on port 25\n"
	    "\n"
	    "  blocked.example: error, a lookup that counts has failed\n"
	    "    A      secure      1800s  192.0.2.1\n"
	    "    AAAA   secure       900s  no such record\n"
	    "    TLSA   failed             _25._tcp.blocked.example\n"
	    "                           -  SERVFAIL\n"
	    "\n"
	    "  verdict      defer: _25._tcp.blocked.example TLSA: SERVFAIL\n"
	    "  kept for     5 s\n"
	    "  dane         TEMP _25._tcp.blocked.example TLSA: SERVFAIL\n"
	    "  fingerprint  OK defer-dnssec-lookup-failed\n",
	    true },
	{ "what is bogus is told with libunbound's reason", "bogus.example",
	    false, NULL,
	    "bogus.example: MX of bogus.example, TLSA on port 25\n"
	    "    MX     bogus           -  signature expired for key example\n"
	    "\n"
	    "  verdict      defer: bogus.example MX: bogus: signature expired "
	    "for key example\n"
	    "  kept for     5 s\n"
	    "  dane         TEMP bogus.example MX: bogus: signature expired "
	    "for key example\n"
	    "  fingerprint  OK defer-dnssec-lookup-failed\n",
	    true },
	{ "what was not answered in time is open", "silent.example", false,
	    NULL,
	    "silent.example: MX of silent.example, TLSA on port 25\n"
	    "    MX     open            -  timed out\n"
	    "\n"
	    "  verdict      defer: silent.example MX: timed out\n"
	    "  kept for     5 s\n"
	    "  dane         TEMP silent.example MX: timed out\n"
	    "  fingerprint  OK defer-dnssec-lookup-failed\n",
	    true },
	{ "a name that does not exist is told with the end of its denial",
	    "gone.example", false, NULL,
	    "gone.example: MX of gone.example, TLSA on port 25\n"
	    "    MX     secure       900s  no such name\n"
	    "\n"
	    "  verdict      none: null MX or no such domain\n"
	    "  kept for     900 s\n"
	    "  dane         OK may\n"
	    "  fingerprint  OK may\n",
	    false },
	{ "a rule stands before what the DNS says", "gone.example", true, NULL,
	    "gone.example: MX of gone.example, TLSA on port 25\n"
	    "  rule         policy:2: gone.example  may until=2030-01-01\n"
	    "    MX     secure       900s  no such name\n"
	    "\n"
	    "  verdict      none: null MX or no such domain\n"
	    "  kept for     900 s\n"
	    "  dane         OK may\n"
	    "  fingerprint  OK may\n",
	    false },
	{ "a floor is applied to what the DNS says", "silent.example", true,
	    NULL,
	    "silent.example: MX of silent.example, TLSA on port 25\n"
	    "  rule         policy:1: .example  at-least encrypt  # partners\n"
	    "    MX     open            -  timed out\n"
	    "\n"
	    "  verdict      defer: silent.example MX: timed out\n"
	    "  kept for     5 s\n"
	    "  dane         TEMP silent.example MX: timed out\n"
	    "  fingerprint  OK defer-dnssec-lookup-failed\n",
	    true },
	{ "without the root nothing is asked, and the tree says why",
	    "one.example", false, "the root does not validate",
	    "one.example: MX of one.example, TLSA on port 25\n"
	    "  not asked    the root does not validate\n"
	    "  dane         TEMP the root does not validate\n"
	    "  fingerprint  OK defer-dnssec-lookup-failed\n",
	    true },
	{ "a fixed rule is an answer without the root", "gone.example", true,
	    "the root does not validate",
	    "gone.example: MX of gone.example, TLSA on port 25\n"
	    "  rule         policy:2: gone.example  may until=2030-01-01\n"
	    "  not asked    the root does not validate\n"
	    "  dane         OK may\n"
	    "  fingerprint  OK may\n",
	    false },
	{ "an address has no DANE", "192.0.2.7", false, NULL,
	    "192.0.2.7: an address, for which there is no DANE\n"
	    "  dane         NOTFOUND\n"
	    "  fingerprint  NOTFOUND\n",
	    false },
	{ "an address may have a rule", "[192.0.2.1]", true, NULL,
	    "[192.0.2.1]: an address, for which there is no DANE\n"
	    "  rule         policy:3: [192.0.2.1]  none\n"
	    "  dane         OK none\n"
	    "  fingerprint  OK none\n",
	    false },
	{ "without a rule that applies the policy file is named as such",
	    "192.0.2.7", true, NULL,
	    "192.0.2.7: an address, for which there is no DANE\n"
	    "  rule         none\n"
	    "  dane         NOTFOUND\n"
	    "  fingerprint  NOTFOUND\n",
	    false },
	{ "what is no next-hop is shown without its control characters",
	    "a\nb \033[31m", false, NULL,
	    "a\\nb \\x1b[31m: not a next-hop\n"
	    "  dane         NOTFOUND\n"
	    "  fingerprint  NOTFOUND\n",
	    false },
};

// ---- A story from the table ----

static const struct known *
look_up(const struct walk_question *question)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == question->type &&
		    strcmp(known[i].name, question->name) == 0)
			return &known[i];
	return NULL;
}

// What packet_visit would have shown.
static void
add_records(struct story_answer *answer, const struct known *what)
{
	answer->records =
	    arena_get(&answer->arena, RECORDS_MAX * sizeof(*answer->records));
	for (unsigned i = 0; i < RECORDS_MAX && what->records[i].owner; i++) {
		const struct record *record = &what->records[i];

		answer->records[answer->n_records++] = (struct story_record){
			.owner = record->owner,
			.type = record->type,
			.ttl_s = record->ttl_s,
			.name = record->name,
			.rdata = (const uint8_t *)record->rdata,
			.len = record->len,
		};
	}
}

static void
give_answer(
    struct story *story, struct story_answer *answer, const struct known *what)
{
	struct walk_mx mx[RECORDS_MAX];
	struct walk_rdata tlsa[RECORDS_MAX];
	struct walk_reply reply = {
		.security = what->security,
		.content = what->content,
		.has_ttl = what->security >= WALK_INSECURE,
		.ttl_s = what->ttl_s,
		.aliased = what->canonical != NULL,
		.canonical = what->canonical,
		.cause = what->cause,
		.mx = mx,
		.tlsa = tlsa,
	};

	for (unsigned i = 0; i < RECORDS_MAX && what->records[i].owner; i++) {
		const struct record *record = &what->records[i];

		if (record->type == WALK_MX)
			mx[reply.n_mx++] =
			    (struct walk_mx){ (uint16_t)record->rdata[1],
				    record->name };
		if (record->type == WALK_TLSA)
			tlsa[reply.n_tlsa++] =
			    (struct walk_rdata){ (const uint8_t *)record->rdata,
				    record->len };
	}
	story_answer(story, answer, &reply);
	add_records(answer, what);
}

static int
no_label(const char *label, size_t len, char ret[64])
{
	(void)label, (void)len, (void)ret;
	return -1;
}

static int
no_service(const char *name, size_t len, uint16_t *ret_port)
{
	(void)name, (void)len, (void)ret_port;
	return -1;
}

static struct rules *
build_rules(void)
{
	static const struct nexthop_env env = { no_label, no_service };
	static uint64_t memory[4096];

	const struct rules_text text = { "policy", rules_text,
		strlen(rules_text) };
	char error[RULES_ERROR_MAX];
	struct rules *rules;
	assert_true(rules_memory(&text) <= sizeof(memory));
	assert_int_equal(0, rules_build(&text, &env, memory, &rules, error));
	return rules;
}

// All questions that can be asked go out before the first answer comes, as in
// the daemon. False: there was none.
static bool
ask_and_answer(struct story *story)
{
	const struct known *answers[WALK_QUESTIONS_MAX];
	struct walk_question question;
	unsigned first = story->n_answers;

	while (walk_next(&story->walk, &question) ||
	       walk_spare(&story->walk, &question)) {
		answers[story->n_answers] = look_up(&question);
		story_ask(story, &question);
	}
	for (unsigned i = first; i < story->n_answers; i++)
		if (answers[i] != NULL)
			give_answer(story, &story->answers[i], answers[i]);
	return story->n_answers > first;
}

static struct story *
tell(const struct explain_row *row)
{
	static const struct conf conf = {
		.policy_file = "",
		.cache_min_ttl_s = 10,
		.cache_max_ttl_s = 86400,
		.cache_error_ttl_s = 5,
	};

	struct conf with_rules = conf;
	with_rules.policy_file = "policy";
	struct story_world world = { .conf = &conf };
	struct story *story;
	if (row->has_rules) {
		world.conf = &with_rules;
		world.rules = build_rules();
	}
	assert_int_equal(0, story_new(row->key, &world, &story));
	if (row->why_not != NULL)
		snprintf(
		    story->why_not, sizeof(story->why_not), "%s", row->why_not);
	else if (story_needs_dns(story))
		while (ask_and_answer(story))
			continue;
	assert_int_equal(0, story_end(story, &world, NOW_MS));
	return story;
}

static void
tree_test(void **state)
{
	const struct explain_row *row = *state;
	struct story *story = tell(row);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	render_tree(story, false, out);
	assert_int_equal(0, fclose(out));
	assert_string_equal(text, row->tree);
	assert_int_equal(story->deferred, row->deferred);
	assert_int_equal(story->not_found,
	    strstr(row->tree, "\n  dane         NOTFOUND") != NULL);
	free(text);
	story_free(story);
}

// ---- The same for programs ----

static json_t *
object_of(const struct explain_row *row)
{
	struct story *story = tell(row);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_error_t error;

	assert_non_null(out);
	assert_int_equal(0, render_object(story, out));
	assert_int_equal(0, fclose(out));
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL)
		fail_msg("%s: %s", error.text, text);
	free(text);
	story_free(story);
	return object;
}

// The member at a path such as "hosts/0/state", as text; "" if there is none.
static const char *
member(json_t *at, const char *path)
{
	static char text[256];
	char copy[128], *rest = copy, *name;

	snprintf(copy, sizeof(copy), "%s", path);
	while (at != NULL && (name = strsep(&rest, "/")) != NULL)
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name))
				       : json_object_get(at, name);
	if (at == NULL)
		return "";
	if (json_is_string(at))
		return json_string_value(at);
	if (json_is_boolean(at))
		return json_is_true(at) ? "true" : "false";
	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(at));
	return text;
}

// In these places.
static void
compare_with_tree(const struct explain_row *row)
{
	json_t *object = object_of(row);
	char line[1024];

	for (unsigned i = 0; i < STORY_MAPS; i++) {
		static const char *const maps[] = { "dane", "fingerprint" };
		char path[64];

		snprintf(path, sizeof(path), "answers/%s", maps[i]);
		const char *reply = member(object, path);
		assert_string_not_equal(reply, "");
		size_t len = strlen(reply);
		snprintf(line, sizeof(line), "\n  %-12s %.*s\n", maps[i],
		    (int)len - (reply[len - 1] == ' '), reply);
		assert_non_null(strstr(row->tree, line));
	}
	if (*member(object, "verdict") != '\0') {
		snprintf(line, sizeof(line), "%s: %s\n",
		    member(object, "verdict"), member(object, "reason"));
		assert_non_null(strstr(row->tree, line));
	}
	json_decref(object);
}

static void
object_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(explain_rows) / sizeof(explain_rows[0]);
	     i++)
		compare_with_tree(&explain_rows[i]);
}

static const struct member_row {
	const char *sentence;
	const char *key, *path, *value;
} member_rows[] = {
	{ "an object has the key as given", "[alias.example]", "key",
	    "[alias.example]" },
	{ "an object names the kind of the key", "[alias.example]", "kind",
	    "host" },
	{ "an object has the port as a number", "one.example", "port", "25" },
	{ "an address has no port", "192.0.2.7", "port", "" },
	{ "MX records have their preference", "two.example",
	    "mx/records/1/preference", "20" },
	{ "a host has its state", "two.example", "hosts/1/state", "no-dane" },
	{ "an address is readable", "one.example",
	    "hosts/0/answers/0/records/0/address", "192.0.2.1" },
	{ "an alias step comes before the address", "[alias.example]",
	    "hosts/0/answers/0/records/0/name", "mx.example" },
	{ "an answer that changes nothing does not count", "two.example",
	    "hosts/1/answers/2/counts", "false" },
	{ "an answer that decides counts", "one.example",
	    "hosts/0/answers/2/counts", "true" },
	{ "TLSA data are complete", "one.example",
	    "hosts/0/answers/2/records/0/data",
	    "0123456789abcdef0123456789abcdef"
	    "0123456789abcdef0123456789abcde1" },
	{ "an unusable record says why", "odd.example",
	    "hosts/0/answers/2/records/0/why", "usage is neither 2 nor 3" },
	{ "a usage without an acronym has none", "odd.example",
	    "hosts/0/answers/2/records/2/selector_name", "" },
	{ "a record that kills smtp(8) is marked", "odd.example",
	    "hosts/0/answers/2/records/1/kills_smtp", "true" },
	{ "what is bogus has its cause", "bogus.example", "mx/cause",
	    "signature expired for key example" },
	{ "what is bogus has no content", "bogus.example", "mx/content", "" },
	{ "what is open has no cause", "silent.example", "mx/cause", "" },
	{ "a denial has its TTL", "gone.example", "mx/ttl_s", "900" },
	{ "the time kept is a number", "one.example", "kept_s", "600" },
};

static void
member_test(void **state)
{
	const struct member_row *row = *state;
	const struct explain_row story = { .key = row->key };
	json_t *object = object_of(&story);

	assert_string_equal(member(object, row->path), row->value);
	json_decref(object);
}

static void
rule_test(void **state)
{
	const struct explain_row story = { .key = "x.example",
		.has_rules = true };
	json_t *object = object_of(&story);

	(void)state;
	assert_string_equal(member(object, "rule/file"), "policy");
	assert_string_equal(member(object, "rule/line"), "1");
	assert_string_equal(member(object, "rule/rule"), "at-least encrypt");
	assert_string_equal(member(object, "rule/why"), "partners");
	assert_string_equal(member(object, "rule/until"), "");
	json_decref(object);
}

// Octets that are no UTF-8 make no invalid JSON.
static void
octets_test(void **state)
{
	const struct explain_row story = { .key = "caf\xe9.example" };
	json_t *object = object_of(&story);

	(void)state;
	assert_string_equal(member(object, "key"), "caf\\xe9.example");
	json_decref(object);
}

static void
colour_test(void **state)
{
	struct story *story = tell(&explain_rows[0]);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	render_tree(story, true, out);
	assert_int_equal(0, fclose(out));
	assert_non_null(strstr(text, "\033[32mdane-only\033[0m: the only"));
	assert_non_null(strstr(text, "\033[32msecure\033[0m      3600s"));
	free(text);
	story_free(story);
}

int
main(void)
{
	TABLE_ADD(explain_rows, tree_test);
	table_add("each object says the same as its tree", object_test, NULL);
	TABLE_ADD(member_rows, member_test);
	table_add("an object has the rule that applies", rule_test, NULL);
	table_add("a key of any octets makes valid JSON", octets_test, NULL);
	table_add(
	    "colour surrounds words and moves no column", colour_test, NULL);
	return table_run("explain");
}
