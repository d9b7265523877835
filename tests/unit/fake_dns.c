// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// dns.h without libunbound.
#include "config.h"

#include "fake_dns.h"

#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct fake_dns fake_dns;

struct dns {
	struct event_base *base;
	struct event *prime;
	dns_primed *primed;
	void *primed_arg;
	LIST_HEAD(, dns_lookup) lookups;
};

struct dns_lookup {
	LIST_ENTRY(dns_lookup) link;
	struct event *timer;
	dns_done *done;
	void *arg;
	enum walk_type type;
	char name[WALK_NAME_MAX];
};

static const struct timeval at_once;

void
fake_dns_reset(void)
{
	fake_dns = (struct fake_dns){ 0 };
}

int
dns_open(struct event_base *base, const struct dns_source *source,
    struct dns **ret, char ret_error[DNS_ERROR_MAX])
{
	struct dns *dns;

	(void)source;
	if (fake_dns.open_error) {
		snprintf(ret_error, DNS_ERROR_MAX, "%s", fake_dns.open_error);
		return -EINVAL;
	}
	dns = calloc(1, sizeof(*dns));
	if (!dns)
		abort();
	dns->base = base;
	LIST_INIT(&dns->lookups);
	fake_dns.n_opened++;
	*ret = dns;
	return 0;
}

static void
on_prime(evutil_socket_t fd, short what, void *arg)
{
	struct dns *dns = arg;

	(void)fd;
	(void)what;
	dns->primed(dns->primed_arg, fake_dns.why_not);
}

int
dns_prime(struct dns *dns, dns_primed *primed, void *arg)
{
	dns->primed = primed;
	dns->primed_arg = arg;
	dns->prime = evtimer_new(dns->base, on_prime, dns);
	if (!fake_dns.prime_silent)
		evtimer_add(dns->prime, &at_once);
	return 0;
}

static void
lookup_free(struct dns_lookup *lookup)
{
	LIST_REMOVE(lookup, link);
	event_free(lookup->timer);
	free(lookup);
	fake_dns.n_open--;
}

static const struct walk_reply *
find_reply(const struct dns_lookup *lookup)
{
	static const struct walk_reply nxdomain = {
		.security = WALK_SECURE,
		.content = WALK_NXDOMAIN,
		.has_ttl = true,
		.ttl_s = 300,
	};

	for (size_t i = 0; i < fake_dns.n_records; i++)
		if (fake_dns.records[i].type == lookup->type &&
		    strcmp(fake_dns.records[i].name, lookup->name) == 0)
			return &fake_dns.records[i].reply;
	return fake_dns.silent ? NULL : &nxdomain;
}

// What is silent is looked at again, for a test may change its mind.
static void
on_lookup(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval later = { .tv_usec = 5000 };
	struct dns_lookup *lookup = arg;
	const struct walk_reply *reply = find_reply(lookup);
	dns_done *done = lookup->done;
	void *done_arg = lookup->arg;

	(void)fd;
	(void)what;
	if (!reply) {
		evtimer_add(lookup->timer, &later);
		return;
	}
	lookup_free(lookup);
	done(done_arg, reply);
}

int
dns_ask(struct dns *dns, const char *name, enum walk_type type, dns_done *done,
    void *arg, struct dns_lookup **ret)
{
	struct dns_lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		abort();
	lookup->done = done;
	lookup->arg = arg;
	lookup->type = type;
	snprintf(lookup->name, sizeof(lookup->name), "%s", name);
	lookup->timer = evtimer_new(dns->base, on_lookup, lookup);
	evtimer_add(lookup->timer, &at_once);
	LIST_INSERT_HEAD(&dns->lookups, lookup, link);
	fake_dns.n_asked++;
	fake_dns.n_open++;
	*ret = lookup;
	return 0;
}

void
dns_cancel(struct dns_lookup *lookup)
{
	fake_dns.n_cancelled++;
	lookup_free(lookup);
}

unsigned
dns_pending(const struct dns *dns)
{
	(void)dns;
	return fake_dns.n_open + fake_dns.n_lingering;
}

void
dns_close(struct dns *dns)
{
	while (!LIST_EMPTY(&dns->lookups))
		lookup_free(LIST_FIRST(&dns->lookups));
	if (dns->prime)
		event_free(dns->prime);
	free(dns);
	fake_dns.n_closed++;
}

const char *
dns_version(void)
{
	return "no DNS at all";
}
