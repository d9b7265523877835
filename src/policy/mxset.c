// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The hosts of an MX RRset, best preferred first. Bounded, so that a set of
// thousands costs neither memory nor more than one pass.
#include "config.h"

#include "policy/mxset.h"

#include <string.h>

#include "policy/dname.h"
#include "policy/nexthop.h"

static bool
is_better(const struct mxset_target *a, const struct mxset_target *b)
{
	if (a->preference != b->preference)
		return a->preference < b->preference;
	return dname_compare(a->name, a->len, b->name, b->len) < 0;
}

static unsigned
find(const struct mxset *set, const struct mxset_target *target)
{
	unsigned i = 0;

	while (i < set->n && dname_compare(set->list[i].name, set->list[i].len,
				 target->name, target->len) != 0)
		i++;
	return i;
}

static void
drop(struct mxset *set, unsigned i)
{
	set->n--;
	memmove(&set->list[i], &set->list[i + 1],
	    (set->n - i) * sizeof(set->list[0]));
}

// A name that lost its place and comes again with a better preference is
// judged anew, so the list is right whatever the order.
static void
offer(struct mxset *set, const struct mxset_target *target)
{
	unsigned i = find(set, target);

	if (i == FACTS_HOSTS_MAX) {
		set->more = true;
		i--;
	}
	if (i < set->n) {
		if (!is_better(target, &set->list[i]))
			return;
		drop(set, i);
	}
	for (i = set->n++; i > 0 && is_better(target, &set->list[i - 1]); i--)
		set->list[i] = set->list[i - 1];
	set->list[i] = *target;
}

// False for what Postfix would not connect to: the root, and what is no name
// of a host. An IPv4 address it takes for one.
static bool
read_target(const struct walk_mx *mx, struct mxset_target *ret)
{
	char name[NEXTHOP_NAME_MAX + 1];
	size_t len = strnlen(mx->name, NEXTHOP_NAME_MAX + 2);

	if (len > 0 && mx->name[len - 1] == '.')
		len--;
	if (len == 0 || len > NEXTHOP_NAME_MAX)
		return false;
	memcpy(name, mx->name, len);
	name[len] = '\0';
	if (!dname_is_ipv4(name) && !nexthop_valid_hostname(name))
		return false;
	*ret = (struct mxset_target){ mx->preference, mx->name, len };
	return true;
}

bool
mxset_is_null(const struct walk_reply *reply)
{
	return reply->n_mx == 1 && reply->mx[0].preference == 0 &&
	       strcmp(reply->mx[0].name, ".") == 0;
}

void
mxset_read(const struct walk_reply *reply, struct mxset *ret)
{
	ret->n = 0;
	ret->more = false;
	for (size_t i = 0; i < reply->n_mx; i++) {
		struct mxset_target target;

		if (read_target(&reply->mx[i], &target))
			offer(ret, &target);
	}
}
