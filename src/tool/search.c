// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Each step is a search of its own: for a next-hop that has no parents, on a
// day before all others, so that expired rules are found as well.
#include "config.h"

#include "tool/search.h"

#include <stdio.h>
#include <string.h>

#define BEFORE_ALL INT32_MIN

static void
write_key(const struct nexthop *nexthop, char ret[SEARCH_KEY_MAX])
{
	bool bracketed =
	    nexthop->kind == NEXTHOP_HOST || nexthop->kind == NEXTHOP_ADDRESS;
	char port[8] = "";

	if (nexthop->port != NEXTHOP_DEFAULT_PORT &&
	    nexthop->kind != NEXTHOP_PARENT)
		snprintf(port, sizeof(port), ":%u", nexthop->port);
	snprintf(ret, SEARCH_KEY_MAX, "%s%s%s%s", bracketed ? "[" : "",
	    nexthop->name, bracketed ? "]" : "", port);
}

static void
add_step(const struct rules *rules, const struct nexthop *nexthop,
    int32_t today, struct search *search)
{
	struct search_step *step = &search->steps[search->n++];

	write_key(nexthop, step->key);
	step->has_rule = rules_find(rules, nexthop, BEFORE_ALL, &step->rule);
	step->expired = step->has_rule && rules_is_expired(&step->rule, today);
}

// ".example.org" and "*" are keys by themselves.
static void
add_name(const struct rules *rules, const char *name, int32_t today,
    struct search *search)
{
	struct nexthop nexthop = { .kind = NEXTHOP_PARENT,
		.port = NEXTHOP_DEFAULT_PORT };
	size_t len = strlen(name);

	memcpy(nexthop.name, name, len + 1);
	nexthop.name_len = (uint8_t)len;
	add_step(rules, &nexthop, today, search);
}

static bool
find_first(struct search *search)
{
	bool found = false;

	for (unsigned i = 0; i < search->n; i++) {
		struct search_step *step = &search->steps[i];
		bool in_force = step->has_rule && !step->expired;

		step->applies = in_force && !found;
		step->hidden = in_force && found;
		found |= in_force;
	}
	return found;
}

bool
search_rules(const struct rules *rules, const struct nexthop *nexthop,
    int32_t today, struct search *ret)
{
	struct nexthop alone = *nexthop;
	const char *dot = nexthop->name;

	memset(ret, 0, sizeof(*ret));
	if (nexthop->kind == NEXTHOP_UNPARSABLE ||
	    nexthop->kind == NEXTHOP_UNCONVERTIBLE)
		return false;
	alone.bare = false;
	add_step(rules, &alone, today, ret);
	if (nexthop->kind == NEXTHOP_DOMAIN && nexthop->bare) {
		while ((dot = strchr(dot + 1, '.')) != NULL)
			add_name(rules, dot, today, ret);
		add_name(rules, "*", today, ret);
	}
	return find_first(ret);
}
