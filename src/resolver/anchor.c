// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// At most two contexts: the one that is tried or in use, and the one before
// it, which finishes its lookups. Contexts are closed from timers only, never
// from within an answer of their own.
#include "config.h"

#include "resolver/anchor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MS_PER_S 1000

struct anchor {
	struct loop *loop;
	const struct dns_source *source;
	struct anchor_hooks hooks;
	uint64_t retire_ms;
	struct dns *dns, *retired;
	bool trying; // an attempt is under way, and has time left
	bool held;   // dns is in use
	bool old;    // dns, not in use, was begun before all was to be new
	unsigned retry_ms;
	struct event *attempt; // to be begun, or over
	struct event *retirement;
};

static void
set_timer(struct event *event, uint64_t wait_ms)
{
	struct timeval wait = {
		.tv_sec = (time_t)(wait_ms / MS_PER_S),
		.tv_usec = (suseconds_t)(wait_ms % MS_PER_S * 1000),
	};

	evtimer_add(event, &wait);
}

static void
close_dns(struct anchor *anchor, struct dns **dns)
{
	if (!*dns)
		return;
	anchor->hooks.closing(anchor->hooks.arg, *dns);
	dns_close(*dns);
	*dns = NULL;
}

static void
fail(struct anchor *anchor, const char *why_not)
{
	anchor->trying = false;
	set_timer(anchor->attempt, anchor->retry_ms);
	anchor->retry_ms *= 2;
	if (anchor->retry_ms > ANCHOR_RETRY_MAX_MS)
		anchor->retry_ms = ANCHOR_RETRY_MAX_MS;
	anchor->hooks.failed(anchor->hooks.arg, why_not);
}

// A root that validates after its attempt was given up is as good as any.
static void
on_primed(void *arg, const char *why_not)
{
	struct anchor *anchor = arg;

	if (anchor->old)
		return;
	if (why_not) {
		if (anchor->trying)
			fail(anchor, why_not);
		return;
	}
	evtimer_del(anchor->attempt);
	anchor->trying = false;
	anchor->held = true;
	anchor->retry_ms = ANCHOR_RETRY_MIN_MS;
	anchor->hooks.held(anchor->hooks.arg, anchor->dns);
}

// Each attempt has a fresh context: libunbound remembers for minutes which
// servers did not answer.
static void
try(struct anchor *anchor)
{
	char error[DNS_ERROR_MAX];
	int r;

	close_dns(anchor, &anchor->dns);
	anchor->old = false;
	r = dns_open(
	    loop_base(anchor->loop), anchor->source, &anchor->dns, error);
	if (r < 0) {
		fail(anchor, error);
		return;
	}
	anchor->trying = true;
	set_timer(anchor->attempt, ANCHOR_ATTEMPT_MS);
	r = dns_prime(anchor->dns, on_primed, anchor);
	if (r < 0)
		fail(anchor, "out of memory");
}

static void
on_attempt(evutil_socket_t fd, short what, void *arg)
{
	struct anchor *anchor = arg;
	char why_not[64];

	(void)fd;
	(void)what;
	if (!anchor->trying) {
		try(anchor);
		return;
	}
	snprintf(why_not, sizeof(why_not), "no answer from the DNS within %us",
	    ANCHOR_ATTEMPT_MS / MS_PER_S);
	fail(anchor, why_not);
}

static void
on_retirement(evutil_socket_t fd, short what, void *arg)
{
	struct anchor *anchor = arg;

	(void)fd;
	(void)what;
	close_dns(anchor, &anchor->retired);
}

void
anchor_renew(struct anchor *anchor)
{
	if (anchor->held) {
		close_dns(anchor, &anchor->retired);
		anchor->retired = anchor->dns;
		anchor->dns = NULL;
		anchor->held = false;
		set_timer(anchor->retirement, anchor->retire_ms);
	}
	anchor->old = anchor->dns != NULL;
	anchor->trying = false;
	anchor->retry_ms = ANCHOR_RETRY_MIN_MS;
	set_timer(anchor->attempt, 0);
}

int
anchor_new(struct loop *loop, const struct dns_source *source,
    uint64_t retire_ms, const struct anchor_hooks *hooks, struct anchor **ret)
{
	struct anchor *anchor = calloc(1, sizeof(*anchor));

	if (!anchor)
		return -ENOMEM;
	*anchor = (struct anchor){
		.loop = loop,
		.source = source,
		.hooks = *hooks,
		.retire_ms = retire_ms,
		.retry_ms = ANCHOR_RETRY_MIN_MS,
		.attempt = evtimer_new(loop_base(loop), on_attempt, anchor),
		.retirement =
		    evtimer_new(loop_base(loop), on_retirement, anchor),
	};
	if (!anchor->attempt || !anchor->retirement) {
		anchor_free(anchor);
		return -ENOMEM;
	}
	set_timer(anchor->attempt, 0);
	*ret = anchor;
	return 0;
}

void
anchor_free(struct anchor *anchor)
{
	if (!anchor)
		return;
	if (anchor->dns)
		dns_close(anchor->dns);
	if (anchor->retired)
		dns_close(anchor->retired);
	if (anchor->attempt)
		event_free(anchor->attempt);
	if (anchor->retirement)
		event_free(anchor->retirement);
	free(anchor);
}
