// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A worker under a policy file, as its clients and its resolver see it: what
// is answered without the DNS, and what is asked behind an answer.
#include "config.h"

#include "worker_stage.h"

#include "table.h"

#include "rules_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker/query.h"

static const char rules_text[] = "fixed.example secure match=a.example\n"
				 "dane.example dane exclude=MD5\n"
				 "only.example dane-only\n"
				 ".floor.example at-least encrypt\n"
				 "dns.floor.example dns\n"
				 "gone.example none until=1970-01-02\n"
				 "lasts.example none until=9999-12-31\n"
				 "[192.0.2.1] encrypt\n"
				 ".many.example dane\n";

static struct stage stage;
static struct stage_worker *worker;
static int client;

static void
expect(const char *key, const char *reply)
{
	stage_request(client, key);
	stage_expect(client, reply);
}

static void
expect_fingerprint(const char *key, const char *reply)
{
	char request[128];
	int len = snprintf(request, sizeof(request), "%zu:fingerprint %s,",
	    strlen("fingerprint ") + strlen(key), key);

	stage_send(client, request, (size_t)len);
	stage_expect(client, reply);
}

static void
expect_nobody_asked(void)
{
	assert_true(stage_is_silent(worker->resolver));
}

// A domain whose only record makes smtp(8) panic.
static struct entry
killer_entry(uint32_t life_ms)
{
	struct entry entry = stage_entry(true, life_ms);

	entry.facts.hosts[0].state = FACTS_UNUSABLE;
	entry.facts.hosts[0].flags |= FACTS_KILLS_SMTP;
	return entry;
}

static void
keep(const char *name, bool dane)
{
	struct entry entry = stage_entry(dane, 60000);

	stage_keep(&stage, name, &entry);
}

// --- fixed answers ---

static void
fixed(void)
{
	expect("fixed.example", "OK secure match=a.example");
	expect("Fixed.Example.:25", "OK secure match=a.example");
	expect_fingerprint("fixed.example", "OK secure match=a.example");
	expect("[192.0.2.1]", "OK encrypt");
	expect("192.0.2.2", "NOTFOUND ");
	expect(".many.example", "OK dane");
	expect("/fixed.example", "NOTFOUND ");
	expect_nobody_asked();
}

static void
clock_is_heeded(void)
{
	expect("lasts.example", "OK none");
	keep("gone.example", true);
	expect("gone.example", "OK dane-only");
}

// --- floors ---

static void
floor_in_cache(void)
{
	keep("a.floor.example", false);
	expect("a.floor.example", "OK encrypt");
	expect_fingerprint("a.floor.example", "OK encrypt");
	keep("b.floor.example", true);
	expect("b.floor.example", "OK dane-only");
	keep("dns.floor.example", false);
	expect("dns.floor.example", "OK may");
	keep("floor.example", false);
	expect("floor.example", "OK may");
	expect_nobody_asked();
}

static void
floor_on_the_way_back(void)
{
	stage_request(client, "a.floor.example");
	stage_answer(worker, stage_take_name(worker, "a.floor.example"), false);
	stage_expect(client, "OK encrypt");
}

// --- fixed levels with DANE ---

static void
not_delayed(void)
{
	expect("dane.example", "OK dane exclude=MD5");
	uint32_t id = stage_take_name(worker, "dane.example");
	expect("dane.example", "OK dane exclude=MD5");
	expect_nobody_asked(); // again so soon
	// What comes back is nobody's.
	stage_answer(worker, id, true);
	assert_true(stage_is_silent(client));
	expect("dane.example", "OK dane exclude=MD5");
}

static void
known_and_harmless(void)
{
	keep("dane.example", true);
	keep("only.example", false);
	expect("dane.example", "OK dane exclude=MD5");
	expect("only.example", "OK dane-only");
	expect_nobody_asked();
}

static void
known_to_kill(void)
{
	struct entry entry = killer_entry(60000);

	stage_keep(&stage, "dane.example", &entry);
	stage_keep(&stage, "only.example", &entry);
	expect("dane.example", "OK encrypt exclude=MD5");
	expect("only.example", "OK encrypt");
	expect_nobody_asked();
}

// Past its end it is still the last that was known, and is looked up anew.
static void
known_to_have_killed(void)
{
	struct entry entry = killer_entry(0);

	entry.ends_ms = entry.made_ms - 10;
	entry.made_ms = 0; // when the machine was booted
	stage_keep(&stage, "dane.example", &entry);
	expect("dane.example", "OK encrypt exclude=MD5");
	stage_take_name(worker, "dane.example");
}

// A deferral that stands is not asked about again.
static void
known_to_fail(void)
{
	uint64_t now_ms = stage_now_ms();
	struct entry entry = {
		.has_defer = true,
		.deferred_ms = now_ms,
		.deferred_until_ms = now_ms + 60000,
	};

	stage_keep(&stage, "only.example", &entry);
	expect("only.example", "OK dane-only");
	expect_nobody_asked();
}

static void
fingerprints_are_asked_for(void)
{
	char request[] = "24:fingerprint only.example,";

	stage_send(client, request, sizeof(request) - 1);
	stage_answer(worker, stage_take_name(worker, "only.example"), false);
	stage_expect(client, "OK defer-no-tlsa");
}

static void
unattended_are_few(void)
{
	char key[64];

	for (unsigned i = 0; i < QUERY_UNATTENDED_MAX + 20; i++) {
		snprintf(key, sizeof(key), "d%u.many.example", i);
		expect(key, "OK dane");
	}
	for (unsigned i = 0; i < QUERY_UNATTENDED_MAX; i++) {
		snprintf(key, sizeof(key), "d%u.many.example", i);
		stage_answer(worker, stage_take_name(worker, key), true);
	}
	expect_nobody_asked();
	// Those that have been answered make room.
	expect("last.many.example", "OK dane");
	stage_take_name(worker, "last.many.example");
}

// Nobody waits for it, so neither does the worker's end.
static void
unattended_delay_no_end(void)
{
	expect("dane.example", "OK dane exclude=MD5");
	stage_take_name(worker, "dane.example");
	close(client);
	client = -1;
	stage_order(worker, ORDER_FINISH, -1);
	assert_int_equal(stage_wait(worker), 0);
}

struct row {
	const char *sentence;
	void (*act)(void);
};

static const struct row rows[] = {
	{ "fixed answers ask nobody", fixed },
	{ "rules end by the clock", clock_is_heeded },
	{ "a floor lifts what is cached", floor_in_cache },
	{ "a floor lifts what a resolver answers", floor_on_the_way_back },
	{ "a fixed level with DANE waits for nothing, and asks behind its back",
	    not_delayed },
	{ "a fixed level with DANE is given where facts do not speak against "
	  "it",
	    known_and_harmless },
	{ "a fixed level with DANE is kept from a domain known to kill",
	    known_to_kill },
	{ "facts past their end count until there are new ones",
	    known_to_have_killed },
	{ "a failed lookup is not repeated behind a fixed answer",
	    known_to_fail },
	{ "fingerprints for a fixed level come from DNS",
	    fingerprints_are_asked_for },
	{ "questions that nobody waits for are few", unattended_are_few },
	{ "questions that nobody waits for delay no end",
	    unattended_delay_no_end },
};

static void
check(void **state)
{
	const struct row *row = *state;
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules;

	if (rules_text_build(
		rules_text, sizeof(rules_text) - 1, &rules, error) != 0)
		fail_msg("%s", error);
	stage_open(&stage);
	stage.rules = rules;
	worker = stage_start(&stage);
	stage_link(worker);
	client = stage_connect(&stage);
	row->act();
	if (client >= 0)
		close(client);
	stage_close(&stage);
	free(rules);
}

int
main(void)
{
	TABLE_ADD(rows, check);
	return table_run("rules_worker");
}
