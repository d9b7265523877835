// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The search for a rule, step by step, and that it ends where the daemon's own
// does.
#include "config.h"

#include "table.h"

#include <stdio.h>
#include <string.h>

#include "policy/rules_day.h"
#include "tool/search.h"

static const char text[] = "example.net dane-only\n"
			   ".example.net at-least encrypt\n"
			   ".a.example.net may until=2025-12-31\n"
			   "old.example may until=2025-12-31\n"
			   "last.example may until=2026-01-01\n"
			   "[mx.example.net]:587 secure\n"
			   "[192.0.2.1] encrypt\n"
			   "example.net:587 verify\n"
			   "* at-least may\n";

static int
no_label(const char *label, size_t len, char ret[64])
{
	(void)label, (void)len, (void)ret;
	return -1;
}

static int
one_service(const char *name, size_t len, uint16_t *ret_port)
{
	if (len != 10 || memcmp(name, "submission", len) != 0)
		return -1;
	*ret_port = 587;
	return 0;
}

static const struct nexthop_env env = { no_label, one_service };

static const struct search_row {
	const char *sentence;
	const char *key;
	const char *steps; // key and what becomes of it, one a line
} search_rows[] = {
	{ "the whole key comes first", "example.net",
	    "example.net applies 1\n"
	    ".net none\n"
	    "* hidden 9\n" },
	{ "the nearest parent that has a rule applies", "b.c.example.net",
	    "b.c.example.net none\n"
	    ".c.example.net none\n"
	    ".example.net applies 2\n"
	    ".net none\n"
	    "* hidden 9\n" },
	{ "an expired rule is skipped", "b.a.example.net",
	    "b.a.example.net none\n"
	    ".a.example.net expired 3\n"
	    ".example.net applies 2\n"
	    ".net none\n"
	    "* hidden 9\n" },
	{ "a rule holds on its last day", "last.example",
	    "last.example applies 5\n"
	    ".example none\n"
	    "* hidden 9\n" },
	{ "the last resort applies where nothing else does", "old.example",
	    "old.example expired 4\n"
	    ".example none\n"
	    "* applies 9\n" },
	{ "a name of one label has no parents", "localhost",
	    "localhost none\n"
	    "* applies 9\n" },
	{ "a key with brackets is looked for as it is",
	    "[mx.example.net]:submission", "[mx.example.net]:587 applies 6\n" },
	{ "a host in brackets has no parents", "[mx.example.net]",
	    "[mx.example.net] none\n" },
	{ "a key with a port has no parents", "a.example.net:587",
	    "a.example.net:587 none\n" },
	{ "a key with a port is looked for with it", "example.net:587",
	    "example.net:587 applies 8\n" },
	{ "port 25 makes no other key", "example.net:25",
	    "example.net applies 1\n" },
	{ "an address is looked for in brackets", "192.0.2.1",
	    "[192.0.2.1] applies 7\n" },
	{ "a parent is looked for as it is", ".example.net",
	    ".example.net applies 2\n" },
	{ "what is no next-hop is not looked for", "a b", "" },
};

static const char *
fate_of(const struct search_step *step)
{
	if (step->applies)
		return "applies";
	if (step->hidden)
		return "hidden";
	return step->expired ? "expired" : "none";
}

static void
search_test(void **state)
{
	const struct search_row *row = *state;
	const struct rules_text file = { "rules", text, strlen(text) };
	static uint64_t memory[8192];
	static struct search search;
	char error[RULES_ERROR_MAX], seen[1024] = "";
	struct rules_rule rule, applies = { .line = 0 };
	struct nexthop nexthop;
	struct rules *rules;
	int32_t today;

	assert_int_equal(0, rules_day_parse("2026-01-01", 10, &today));
	assert_true(rules_memory(&file) <= sizeof(memory));
	if (rules_build(&file, &env, memory, &rules, error) != 0)
		fail_msg("%s", error);
	nexthop_parse(row->key, strlen(row->key), &env, &nexthop);
	bool found = search_rules(rules, &nexthop, today, &search);
	for (unsigned i = 0; i < search.n; i++) {
		const struct search_step *step = &search.steps[i];
		size_t len = strlen(seen);

		snprintf(seen + len, sizeof(seen) - len,
		    step->has_rule ? "%s %s %u\n" : "%s %s\n", step->key,
		    fate_of(step), step->rule.line);
		if (step->applies)
			applies = step->rule;
	}
	assert_string_equal(seen, row->steps);
	assert_int_equal(found, rules_find(rules, &nexthop, today, &rule));
	if (found)
		assert_int_equal(rule.line, applies.line);
}

int
main(void)
{
	TABLE_ADD(search_rows, search_test);
	return table_run("search");
}
