// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What may stand in a policy file: any octets. A file that is taken must come
// out in order, every rule under its own key; and what it answers must be read
// again as the same answer. The block is exactly as large as was promised.
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

static void
check_found(const struct rules *rules, const struct rules_rule *rule)
{
	struct nexthop nexthop;
	struct rules_rule found;

	if (strcmp(rule->key, "*") == 0)
		return;
	nexthop_parse(rule->key, strlen(rule->key), &env, &nexthop);
	REQUIRE(rules_find(rules, &nexthop, 0, &found));
	REQUIRE(found.line == rule->line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rules *rules;
	struct rules_rule rule;
	unsigned line = 0;

	if (!build((const char *)data, size, &rules))
		return 0;
	for (size_t i = 0; rules_at(rules, i, &rule); i++) {
		REQUIRE(rule.line > line);
		line = rule.line;
		check_found(rules, &rule);
		check_answer(&rule);
	}
	free(rules);
	return 0;
}
