// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Which rule applies: the whole key, the parents from the nearest up, the last
// resort, and none that has expired.

#include "config.h"

#include "policy/rules.h"

#include "policy/rules_day.h"

#include "table.h"

#include "rules_text.h"

#include <stdio.h>

#define RULES                                           \
	"whole.example may\n"                  /* 1 */  \
	".example none\n"                      /* 2 */  \
	".b.example encrypt\n"                 /* 3 */  \
	"[mx.example] may\n"                   /* 4 */  \
	"[mx.example]:587 may\n"               /* 5 */  \
	"port.example:587 may\n"               /* 6 */  \
	"gone.example may until=2026-11-21\n"  /* 7 */  \
	".gone.example may until=2026-11-21\n" /* 8 */  \
	"last.example may until=2026-11-22\n"  /* 9 */  \
	"[192.0.2.1] may\n"                    /* 10 */ \
	"[2001:db8::1]:587 may\n"              /* 11 */ \
	"b\xc3\xbc"                                     \
	"cher.example may\n"       /* 12 */             \
	"deep.a.b.c.example may\n" /* 13 */

struct find_row {
	const char *sentence;
	const char *rules;
	const char *key;
	unsigned line; // 0: none
};

static const struct find_row find_rows[] = {
	{ "without rules there is none", "", "a.example", 0 },
	{ "the whole key comes first", RULES "* may", "whole.example", 1 },
	{ "case and the last dot do not matter", RULES, "WHOLE.Example.", 1 },
	{ "port 25 is the same key", RULES, "whole.example:25", 1 },
	{ "the service smtp is port 25", RULES, "whole.example:smtp", 1 },
	{ "another port is another key", RULES "* may", "whole.example:587",
	    0 },
	{ "a parent covers a name below it", RULES "* may", "x.example", 2 },
	{ "a parent covers names further below", RULES "* may", "z.y.x.example",
	    2 },
	{ "the nearest parent comes first", RULES, "x.b.example", 3 },
	{ "the nearest parent is that of a deep name too", RULES,
	    "z.y.x.b.example", 3 },
	{ "a parent does not cover itself", RULES "* may", "example", 14 },
	{ "a parent is covered by its own", RULES, "b.example", 2 },
	{ "a parent covers no name that merely ends alike", RULES, "xexample",
	    0 },
	{ "a parent does not cover hosts in brackets", RULES "* may",
	    "[x.example]", 0 },
	{ "a parent does not cover names with a port", RULES "* may",
	    "x.example:587", 0 },
	{ "a parent does not cover names with port 25 written out",
	    RULES "* may", "x.example:25", 0 },
	{ "a whole key deep below", RULES, "deep.a.b.c.example", 13 },

	{ "a host in brackets has its rule", RULES, "[mx.example]", 4 },
	{ "a host in brackets with port 25", RULES, "[mx.example]:25", 4 },
	{ "a host in brackets with its port", RULES, "[MX.example]:587", 5 },
	{ "a host in brackets with a service", RULES, "[mx.example]:submission",
	    5 },
	{ "a host in brackets is no domain", RULES, "mx.example", 2 },
	{ "a domain with a port has its rule", RULES, "port.example:587", 6 },
	{ "a domain without the port of its rule", RULES, "port.example", 2 },

	{ "the last resort covers every domain", RULES "* may", "other.test",
	    14 },
	{ "the last resort covers a name of one label", RULES "* may", "test",
	    14 },
	{ "the last resort does not cover brackets", RULES "* may",
	    "[other.test]", 0 },
	{ "the last resort does not cover ports", RULES "* may",
	    "other.test:587", 0 },
	{ "the last resort does not cover addresses", RULES "* may",
	    "198.51.100.1", 0 },
	{ "the last resort does not cover parents", RULES "* may", ".test", 0 },
	{ "the last resort is not asked for", RULES "* may", "*", 0 },

	{ "an expired rule is skipped: the parent", RULES, "gone.example", 2 },
	{ "an expired parent is skipped: the next parent", RULES,
	    "x.gone.example", 2 },
	{ "a rule holds on its last day", RULES, "last.example", 9 },
	{ "an expired last resort is skipped", "* may until=2026-11-21",
	    "a.example", 0 },
	{ "an expired whole key leaves the last resort",
	    "a.test may until=2026-11-21\n* may", "a.test", 2 },

	{ "a parent key has its own rule", RULES "* may", ".b.example", 3 },
	{ "a parent key is not covered by its parent", RULES "* may",
	    ".c.example", 0 },
	{ "an address has its rule", RULES, "192.0.2.1", 10 },
	{ "an address in brackets has it too", RULES, "[192.0.2.1]", 10 },
	{ "an address with another port has none", RULES, "[192.0.2.1]:587",
	    0 },
	{ "an IPv6 address has its rule", RULES,
	    "[IPv6:2001:0DB8::0001]:submission", 11 },
	{ "U-labels find a rule in U-labels", RULES,
	    "B\xc3\x9c"
	    "CHER.example",
	    12 },
	{ "A-labels find a rule in U-labels", RULES, "XN--BCHER-KVA.example",
	    12 },
	{ "what cannot be parsed has no rule", RULES "* may", "/path", 0 },
	{ "what cannot be converted has no rule", RULES "* may",
	    "\xc3\xbc\xc3\xbc.example", 0 },
};

static struct rules *
build(const char *text, size_t len)
{
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules;

	if (rules_text_build(text, len, &rules, error) != 0)
		fail_msg("%s", error);
	return rules;
}

static unsigned
line_of(const struct rules *rules, const char *key, size_t len, int32_t today)
{
	struct nexthop nexthop;
	struct rules_rule rule;

	nexthop_parse(key, len, &rules_text_env, &nexthop);
	return rules_find(rules, &nexthop, today, &rule) ? rule.line : 0;
}

static void
found(void **state)
{
	const struct find_row *row = *state;
	struct rules *rules = build(row->rules, strlen(row->rules));
	int32_t today;

	assert_int_equal(rules_day_parse("2026-11-22", 10, &today), 0);
	assert_int_equal(
	    line_of(rules, row->key, strlen(row->key), today), row->line);
	free(rules);
}

#define MANY 5000

// Every rule of a long file is found, and its neighbours that have none are
// not: what the small filter lets pass the table must settle.
static void
many_rules_are_found(void **state)
{
	(void)state;
	static char text[MANY * 64];
	char key[64];
	size_t len = 0;

	for (unsigned i = 0; i < MANY; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    i % 2 ? ".p%u.test may # %u\n"
			  : "[h%u.test]:587 dane # %u\n",
		    i, i);
	struct rules *rules = build(text, len);
	assert_int_equal(rules_count(rules), MANY);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		bool exists = i < MANY;
		int n = snprintf(key, sizeof(key),
		    i % 2 ? "a.p%u.test" : "[h%u.test]:587", i);
		assert_int_equal(
		    line_of(rules, key, (size_t)n, 0), exists ? i + 1 : 0);
	}
	free(rules);
}

// The longest name of the shortest labels has the most parents.
static void
the_deepest_name_finds_its_parent(void **state)
{
	(void)state;
	char text[300] = ".", key[300] = "";
	size_t len = 0;

	for (unsigned i = 0; i < 126; i++) {
		key[len++] = 'a';
		key[len++] = '.';
	}
	key[len++] = 'a';
	assert_int_equal(len, NEXTHOP_NAME_MAX);
	// 124 labels stand in the parent, 127 in the name.
	memcpy(text + 1, key + 6, len - 6);
	memcpy(text + 1 + len - 6, " may", 4);
	struct rules *rules = build(text, len - 6 + 5);
	assert_int_equal(line_of(rules, key, len, 0), 1);
	assert_int_equal(line_of(rules, key + 4, len - 4, 0), 1);
	assert_int_equal(line_of(rules, key + 6, len - 6, 0), 0);
	free(rules);
}

// A block is as good at another address, and no longer than it says.
static void
the_block_may_be_moved(void **state)
{
	(void)state;
	struct rules *rules = build(RULES, strlen(RULES));
	size_t size = rules_size(rules);
	void *moved = malloc(size);

	assert_non_null(moved);
	memcpy(moved, rules, size);
	memset(rules, 0xff, size);
	free(rules);
	struct rules_rule rule;
	for (size_t i = 0; rules_at(moved, i, &rule); i++)
		assert_int_equal(rule.line, i + 1);
	assert_int_equal(line_of(moved, "x.b.example", 11, 0), 3);
	free(moved);
}

static void
a_rule_expires_after_its_last_day(void **state)
{
	(void)state;
	struct rules_rule rule = { .has_until = true, .until_day = 100 };
	assert_false(rules_is_expired(&rule, 99));
	assert_false(rules_is_expired(&rule, 100));
	assert_true(rules_is_expired(&rule, 101));
	rule.has_until = false;
	assert_false(rules_is_expired(&rule, 101));
}

// Whatever name stands beside the kind.
static void
what_has_no_kind_has_no_rule(void **state)
{
	(void)state;
	struct rules *rules = build(RULES, strlen(RULES));
	struct nexthop nexthop;
	struct rules_rule rule;

	nexthop_parse("whole.example", 13, &rules_text_env, &nexthop);
	assert_true(rules_find(rules, &nexthop, 0, &rule));
	nexthop.kind = NEXTHOP_UNPARSABLE;
	assert_false(rules_find(rules, &nexthop, 0, &rule));
	nexthop.kind = NEXTHOP_UNCONVERTIBLE;
	assert_false(rules_find(rules, &nexthop, 0, &rule));
	free(rules);
}

int
main(void)
{
	TABLE_ADD(find_rows, found);
	table_add(
	    "many rules are found, and no others", many_rules_are_found, NULL);
	table_add("the deepest name finds its parent",
	    the_deepest_name_finds_its_parent, NULL);
	table_add(
	    "what has no kind has no rule", what_has_no_kind_has_no_rule, NULL);
	table_add("the block may be moved", the_block_may_be_moved, NULL);
	table_add("a rule expires after its last day",
	    a_rule_expires_after_its_last_day, NULL);
	return table_run("rules_find");
}
