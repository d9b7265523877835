// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What may stand in a policy file: any octets. A file that is taken must come
// out in order; for every key and what is below it that rule must be found
// which a look at each of them finds; and what it answers must be read again as
// the same answer. The block is exactly as large as was promised.
//
// Under test: src/policy/rules.c src/policy/rules_day.c
// Under test: src/policy/rules_grammar.c src/policy/rules_read.c
// Under test: src/policy/rules_words.c
#include "config.h"

#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules.h"
#include "policy/rules_block.h"
#include "policy/rules_day.h"

// A letter for each octet over 127 keeps labels apart; the longest label that
// there is shows what a text may grow by.
static int
label_to_ascii(const char *label, size_t len, char ret[64])
{
	if (label[0] == '\xff')
		return -EINVAL;
	memset(ret, 'a', 63);
	ret[63] = '\0';
	for (size_t i = 0; i < len && i < 63; i++)
		ret[i] = (char)('a' + ((unsigned char)label[i] & 15));
	return 0;
}

static int
service_port(const char *name, size_t len, uint16_t *ret_port)
{
	(void)name;
	*ret_port = (uint16_t)(65535 - len);
	return len == 1 ? 0 : -ENOENT;
}

static const struct nexthop_env env = { label_to_ascii, service_port };

// The caller frees ret.
static bool
build(const char *text, size_t len, struct rules **ret)
{
	char error[RULES_ERROR_MAX] = "";
	struct rules_text from = { "fuzz", text, len };
	size_t size = rules_memory(&from);
	void *memory = malloc(size);

	REQUIRE(memory != NULL);
	if (rules_build(&from, &env, memory, ret, error) == 0) {
		REQUIRE(rules_size(*ret) <= size);
		return true;
	}
	REQUIRE(strncmp(error, "fuzz:", 5) == 0);
	free(memory);
	return false;
}

static void
check_answer(const struct rules_rule *rule)
{
	static char text[2 * RULES_LINE_MAX + 16];
	struct rules *again;
	struct rules_rule other;
	size_t len = (size_t)snprintf(text, sizeof(text), "a %s", rule->answer);

	// Written out it may be longer than a rule may be.
	if (len > RULES_LINE_MAX)
		return;
	REQUIRE(build(text, len, &again));
	REQUIRE(rules_at(again, 0, &other));
	REQUIRE(strcmp(other.answer, rule->answer) == 0);
	REQUIRE(other.kind == rule->kind && other.floor == rule->floor);
	free(again);
}

static bool
is_below(const char *name, const char *parent)
{
	size_t len = strlen(name), parent_len = strlen(parent);

	return parent[0] == '.' && len > parent_len &&
	       strcmp(name + len - parent_len, parent) == 0;
}

// The line of the rule that applies, by a look at each; 0: none does.
static unsigned
line_of(const struct rules *rules, const struct nexthop *nexthop, int32_t today)
{
	char buffer[RULES_KEY_MAX];
	struct rules_rule rule;
	unsigned parent = 0, last_resort = 0;
	size_t len, longest = 0;
	const char *key = rules_key(nexthop, buffer, &len);

	for (size_t i = 0; rules_at(rules, i, &rule); i++) {
		if (rule.has_until && rule.until_day < today)
			continue;
		if (strcmp(rule.key, key) == 0)
			return rule.line;
		if (strcmp(rule.key, "*") == 0)
			last_resort = rule.line;
		if (is_below(nexthop->name, rule.key) &&
		    strlen(rule.key) > longest) {
			longest = strlen(rule.key);
			parent = rule.line;
		}
	}
	if (nexthop->kind != NEXTHOP_DOMAIN || !nexthop->bare)
		return 0;
	return parent != 0 ? parent : last_resort;
}

static void
check_found(const struct rules *rules, const char *before, const char *key)
{
	static const int32_t days[] = { 0, 20000, INT32_MAX };
	char name[2 * RULES_KEY_MAX];
	struct nexthop nexthop;
	struct rules_rule found;
	int len = snprintf(name, sizeof(name), "%s%s", before, key);

	nexthop_parse(name, (size_t)len, &env, &nexthop);
	if (nexthop.kind == NEXTHOP_UNPARSABLE ||
	    nexthop.kind == NEXTHOP_UNCONVERTIBLE)
		return;
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		unsigned line = line_of(rules, &nexthop, days[i]);
		bool is_there = rules_find(rules, &nexthop, days[i], &found);

		REQUIRE(is_there == (line != 0));
		REQUIRE(!is_there || found.line == line);
		REQUIRE(!is_there || !rules_is_expired(&found, days[i]));
	}
}

static void
check_until(const struct rules_rule *rule)
{
	char text[RULES_DAY_LEN + 1];
	int32_t day;

	if (!rule->has_until)
		return;
	rules_day_text(rule->until_day, text);
	REQUIRE(rules_day_parse(text, strlen(text), &day) == 0);
	REQUIRE(day == rule->until_day);
	REQUIRE(rules_day((int64_t)day * 86400 + 86399) == day);
}

// The first rules are also asked for what is below them, in one label and two.
static void
check_rule(
    const struct rules *rules, size_t index, const struct rules_rule *rule)
{
	check_found(rules, "", rule->key);
	if (index < 32) {
		check_found(rules, "a", rule->key);
		check_found(rules, "a.", rule->key);
		check_found(rules, "a.b", rule->key);
	}
	check_answer(rule);
	check_until(rule);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rules *rules;
	struct rules_rule rule;
	unsigned line = 0;
	size_t n = 0;

	if (!build((const char *)data, size, &rules))
		return 0;
	for (; rules_at(rules, n, &rule); n++) {
		REQUIRE(rule.line > line);
		line = rule.line;
		check_rule(rules, n, &rule);
	}
	REQUIRE(rules_count(rules) == n);
	free(rules);
	return 0;
}
