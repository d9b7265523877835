// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One look at every rule; a file with a million of them has been read in a
// second, and this is far less.
#include "config.h"

#include "parent/expiry.h"

#include "policy/rules_day.h"

#include <stdio.h>

#define WHY_SHOWN_MAX  100
#define FILE_SHOWN_MAX 150

static bool
is_due(const struct rules_rule *rule, int32_t today)
{
	return rule->has_until && rule->until_day <= today + EXPIRY_SOON_DAYS;
}

static void
describe(const struct rules_rule *rule, const char *file, int32_t today,
    char ret[EXPIRY_TEXT_MAX])
{
	bool expired = rules_is_expired(rule, today);
	bool has_why = rule->why[0] != '\0';
	char day[RULES_DAY_LEN + 1];

	snprintf(ret, EXPIRY_TEXT_MAX, "%.*s:%u: the rule for %s %s %s%s%.*s%s",
	    FILE_SHOWN_MAX, file, rule->line, rule->key,
	    expired ? "has expired: its last day was" : "ends: its last day is",
	    rules_day_text(rule->until_day, day), has_why ? " (" : "",
	    WHY_SHOWN_MAX, rule->why, has_why ? ")" : "");
}

void
expiry_report(const struct rules *rules, const char *file, int32_t today,
    void (*say)(const char *text))
{
	char text[EXPIRY_TEXT_MAX];
	struct rules_rule rule;
	size_t n = 0;

	for (size_t i = 0; rules_at(rules, i, &rule); i++) {
		if (!is_due(&rule, today))
			continue;
		if (++n > EXPIRY_LINES_MAX)
			continue;
		describe(&rule, file, today, text);
		say(text);
	}
	if (n <= EXPIRY_LINES_MAX)
		return;
	snprintf(text, sizeof(text),
	    "%.*s: %zu more rules have expired or end within %d days",
	    FILE_SHOWN_MAX, file, n - EXPIRY_LINES_MAX, EXPIRY_SOON_DAYS);
	say(text);
}
