// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// danemap policy: the rules of the file that the configuration names, those
// that have ended or soon will, and for a key which of them applies and why.
// Reads the file; what the daemon has in force is the same after a reload.
#include "config.h"

#include "base/escape.h"
#include "base/idn.h"
#include "base/rulefile.h"
#include "base/services.h"
#include "parent/expiry.h"
#include "policy/rules_day.h"
#include "tool/render.h"
#include "tool/search.h"
#include "tool/setup.h"
#include "tool/tool.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct policy {
	struct setup setup;
	const char *key; // NULL: all rules
	bool colour;
	const struct rules *rules;
	int32_t today;
};

static int
print_usage(void)
{
	fputs(
	    "usage: danemap policy [-c FILE] [-o NAME=VALUE] [KEY]\n", stderr);
	return EX_USAGE;
}

static int
read_options(struct policy *policy, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, SETUP_OPTIONS)) != -1)
		if (!setup_take(&policy->setup, c, optarg))
			return print_usage();
	if (optind < argc - 1)
		return print_usage();
	policy->key = argv[optind];
	return EX_OK;
}

static bool
ends_soon(const struct policy *policy, const struct rules_rule *rule)
{
	return rule->has_until && !rules_is_expired(rule, policy->today) &&
	       rule->until_day <= policy->today + EXPIRY_SOON_DAYS;
}

// ", expired: its last day was 2026-10-31", and so on.
static void
put_end(const struct policy *policy, const struct rules_rule *rule)
{
	char day[RULES_DAY_LEN + 1];
	const char *on = "", *off = policy->colour ? "\033[0m" : "";
	int left = rule->until_day - policy->today;

	if (!rule->has_until)
		return;
	rules_day_text(rule->until_day, day);
	if (left < 0) {
		on = policy->colour ? "\033[31m" : "";
		printf("  (%sexpired%s: its last day was %s)", on, off, day);
	} else if (ends_soon(policy, rule)) {
		on = policy->colour ? "\033[33m" : "";
		printf("  (%sends soon%s: its last day is %s)", on, off, day);
	} else {
		printf("  (until %s)", day);
	}
}

static void
put_why(const struct rules_rule *rule)
{
	char why[RULES_LINE_MAX];

	if (rule->why[0] == '\0')
		return;
	escape_text(
	    ESCAPE_CONTROLS, rule->why, strlen(rule->why), why, sizeof(why));
	printf("  # %s", why);
}

// ---- All rules ----

static int
list(const struct policy *policy)
{
	size_t n_expired = 0, n_soon = 0;
	struct rules_rule rule;

	for (size_t i = 0; rules_at(policy->rules, i, &rule); i++) {
		printf("%6u  %-30s  %s", rule.line, rule.key, rule.answer);
		put_end(policy, &rule);
		put_why(&rule);
		putchar('\n');
		n_expired += rules_is_expired(&rule, policy->today);
		n_soon += ends_soon(policy, &rule);
	}
	printf("%zu rules: %zu in force, %zu of them for %d days at most; "
	       "%zu expired\n",
	    rules_count(policy->rules), rules_count(policy->rules) - n_expired,
	    n_soon, EXPIRY_SOON_DAYS, n_expired);
	return TOOL_YES;
}

// ---- One key ----

static void
put_step(const struct policy *policy, const struct search_step *step, int width)
{
	const char *on = policy->colour ? "\033[1m" : "";
	const char *off = policy->colour ? "\033[0m" : "";

	printf("  %-*s  ", width, step->key);
	if (!step->has_rule) {
		puts("no rule");
		return;
	}
	if (step->applies)
		printf("%sapplies%s: ", on, off);
	else
		fputs(step->hidden ? "not reached: " : "skipped: ", stdout);
	printf("line %u, %s", step->rule.line, step->rule.answer);
	put_end(policy, &step->rule);
	put_why(&step->rule);
	putchar('\n');
}

static int
say(int status, const char *text)
{
	puts(text);
	return status;
}

// Postfix asks for ".example.org" last: no DNS speaks for such a key, and so no
// rule that needs it.
static bool
needs_dns(const struct nexthop *nexthop, const struct search *search)
{
	for (unsigned i = 0; i < search->n; i++)
		if (search->steps[i].applies)
			return nexthop->kind == NEXTHOP_PARENT &&
			       (search->steps[i].rule.kind == RULES_FLOOR ||
				   search->steps[i].rule.kind == RULES_DNS);
	return false;
}

static int
find(const struct policy *policy)
{
	static const struct nexthop_env env = {
		.label_to_ascii = idn_label_to_ascii,
		.service_port = services_port,
	};
	static struct search search; // large

	struct nexthop nexthop;
	int width = 0;
	nexthop_parse(policy->key, strlen(policy->key), &env, &nexthop);
	bool found =
	    search_rules(policy->rules, &nexthop, policy->today, &search);
	if (search.n == 0)
		return say(TOOL_NO, "not a next-hop: no rule is looked for");
	for (unsigned i = 0; i < search.n; i++)
		if ((int)strlen(search.steps[i].key) > width)
			width = (int)strlen(search.steps[i].key);
	for (unsigned i = 0; i < search.n; i++)
		put_step(policy, &search.steps[i], width);
	if (!found)
		return say(TOOL_NO, "no rule applies");
	if (needs_dns(&nexthop, &search))
		return say(TOOL_NO,
		    "that rule needs the DNS, which has no answer for a key "
		    "with a dot before it: not found");
	return TOOL_YES;
}

int
policy_command(int argc, char **argv)
{
	struct policy policy = { .colour = render_wants_colour(stdout),
		.today = setup_today() };
	struct rules *rules = NULL;
	struct conf *conf;
	int status = read_options(&policy, argc, argv);

	if (status == EX_OK)
		status = setup_read(&policy.setup, &conf);
	if (status != EX_OK)
		return status;
	status = setup_rules(conf, &rules);
	policy.rules = rules;
	if (status == EX_OK && rules == NULL) {
		puts("there is no policy file: policy_file is empty");
		status = TOOL_NO;
	} else if (status == EX_OK) {
		status = policy.key == NULL ? list(&policy) : find(&policy);
	}
	rulefile_free(rules);
	conf_free(conf);
	return status;
}
