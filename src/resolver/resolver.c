// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The process: its channels, its DNS context, its flights and refreshes, and
// what the parent orders. What becomes of a question is flight.c.
#include "config.h"

#include "resolver/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "resolver/anchor.h"
#include "resolver/channel.h"
#include "resolver/flights.h"
#include "resolver/refresh.h"
#include "wire/order.h"

#define MS_PER_S      UINT64_C(1000)
// Each why of a root that does not validate, in the log at most so often.
#define ANCHOR_WARN_S 60

struct resolver {
	const struct resolver_settings *with;
	struct loop *loop;
	struct anchor *anchor;
	struct flights *flights;
	struct refresh *refresh;
	struct channel *channels[STATUS_CHILDREN_MAX]; // by worker
	struct event *orders, *second;
	int64_t clock_offset_ms;
	uint64_t finish_by_ms; // 0: goes on
	bool remap_asked;
};

static void
tell_parent(struct resolver *resolver, enum order_kind kind)
{
	struct order order = { .kind = kind, .fd = -1 };
	int r = order_send(resolver->with->parent, &order);

	if (r < 0)
		dlog(LOG_WARNING, "the parent does not listen: %s",
		    strerror(-r));
}

static void
on_question(void *arg, const struct question *question)
{
	struct resolver *resolver = arg;

	flights_ask(resolver->flights, question);
}

static void
on_hint(void *arg, struct ident id)
{
	struct resolver *resolver = arg;

	refresh_hint(resolver->refresh, id);
}

static void
drop_channel(struct resolver *resolver, unsigned index)
{
	struct channel *channel = resolver->channels[index];

	if (!channel)
		return;
	resolver->channels[index] = NULL;
	flights_leave(channel_asker(channel));
	channel_free(channel);
}

static void
on_closed(void *arg, struct channel *channel)
{
	struct resolver *resolver = arg;

	for (unsigned i = 0; i < STATUS_CHILDREN_MAX; i++)
		if (resolver->channels[i] == channel)
			drop_channel(resolver, i);
}

static void
take_worker(struct resolver *resolver, uint32_t index, int fd)
{
	struct channel_hooks hooks = {
		.question = on_question,
		.hint = on_hint,
		.closed = on_closed,
		.arg = resolver,
	};

	if (index >= STATUS_CHILDREN_MAX || resolver->finish_by_ms != 0) {
		close(fd);
		return;
	}
	drop_channel(resolver, index);
	if (channel_new(
		resolver->loop, fd, &hooks, &resolver->channels[index]) < 0)
		dlog(LOG_ERR, "no memory for the channel to worker %u", index);
}

static void
own_parts(struct resolver *resolver)
{
	const struct resolver_settings *with = resolver->with;

	for (unsigned part = with->index; part < CACHE_PARTS;
	     part += with->count)
		cache_own(with->cache, part);
}

static void
finish(struct resolver *resolver)
{
	if (resolver->finish_by_ms != 0)
		return;
	for (unsigned i = 0; i < STATUS_CHILDREN_MAX; i++)
		if (resolver->channels[i])
			channel_finish(resolver->channels[i]);
	resolver->finish_by_ms =
	    loop_now_ms(resolver->loop) +
	    resolver->with->conf->query_timeout_s * MS_PER_S;
}

static bool
is_finished(const struct resolver *resolver)
{
	bool behind = false;

	if (resolver->finish_by_ms == 0)
		return false;
	if (loop_now_ms(resolver->loop) >= resolver->finish_by_ms)
		return true;
	for (unsigned i = 0; i < STATUS_CHILDREN_MAX; i++)
		if (resolver->channels[i])
			behind |= channel_is_behind(resolver->channels[i]);
	return !behind && flights_waiting(resolver->flights) == 0;
}

static void
obey(void *arg, const struct order *order)
{
	struct resolver *resolver = arg;

	switch (order->kind) {
	case ORDER_WORKER:
		take_worker(resolver, order->index, order->fd);
		break;
	case ORDER_OWN:
		own_parts(resolver);
		break;
	case ORDER_FINISH:
		finish(resolver);
		break;
	default:
		dlog(LOG_WARNING, "an order that is not for a resolver: %d",
		    (int)order->kind);
		if (order->fd >= 0)
			close(order->fd);
	}
}

// Without a parent there is nobody to serve for.
static void
on_order(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;

	(void)what;
	if (!order_take(fd, obey, resolver))
		loop_stop(resolver->loop);
}

static void
on_held(void *arg, struct dns *dns)
{
	struct resolver *resolver = arg;

	if (resolver->with->page->anchored == 0)
		dlog(LOG_NOTICE, "the root zone validates: %s", dns_version());
	resolver->with->page->anchored = 1;
	tell_parent(resolver, ORDER_ANCHORED);
	flights_go(resolver->flights, dns);
}

static void
on_failed(void *arg, const char *why_not)
{
	static struct dlog_limit limit = { .message_id = DLOG_ID_ANCHOR };
	struct resolver *resolver = arg;
	char why[DNS_ERROR_MAX + 64];

	snprintf(why, sizeof(why), "root zone not validated: %s", why_not);
	dlog_limited(&limit, ANCHOR_WARN_S, LOG_ERR, "%s", why);
	resolver->with->page->anchored = 0;
	flights_refuse(resolver->flights, why);
}

static void
on_closing(void *arg, struct dns *dns)
{
	struct resolver *resolver = arg;

	flights_land(resolver->flights, dns);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;
	const struct resolver_settings *with = resolver->with;

	(void)fd;
	(void)what;
	status_beat(with->page, loop_now_ms(resolver->loop));
	flights_tick(resolver->flights);
	if (clock_was_set(&resolver->clock_offset_ms)) {
		dlog(LOG_WARNING,
		    "wall clock was set: validated records forgotten");
		flights_go(resolver->flights, NULL);
		anchor_renew(resolver->anchor);
	}
	if (cache_is_dead(with->cache) && !resolver->remap_asked) {
		resolver->remap_asked = true;
		tell_parent(resolver, ORDER_REMAP);
	}
}

static void
after_round(void *arg)
{
	struct resolver *resolver = arg;

	flights_round(resolver->flights);
	if (is_finished(resolver))
		loop_stop(resolver->loop);
}

static int
open_parts(struct resolver *resolver)
{
	const struct resolver_settings *with = resolver->with;
	const struct conf *conf = with->conf;
	struct flights_settings flights = { conf, with->cache, resolver->loop,
		with->page, RESOLVER_LINE_MAX, &resolver->clock_offset_ms };
	struct anchor_hooks hooks = { on_held, on_failed, on_closing,
		resolver };
	int r = flights_new(&flights, &resolver->flights);

	if (r < 0)
		return r;

	struct refresh_settings refresh = { conf, with->cache, resolver->loop,
		resolver->flights, RESOLVER_REFRESH_MAX };

	r = refresh_new(&refresh, &resolver->refresh);
	if (r < 0)
		return r;
	return anchor_new(resolver->loop, with->source,
	    conf->query_timeout_s * MS_PER_S, &hooks, &resolver->anchor);
}

static int
open_events(struct resolver *resolver)
{
	struct event_base *base = loop_base(resolver->loop);
	struct timeval second = { .tv_sec = 1 };

	resolver->orders = event_new(base, resolver->with->parent,
	    EV_READ | EV_PERSIST, on_order, resolver);
	resolver->second = event_new(base, -1, EV_PERSIST, on_second, resolver);
	if (!resolver->orders || !resolver->second ||
	    event_add(resolver->orders, NULL) < 0 ||
	    event_add(resolver->second, &second) < 0)
		return -ENOMEM;
	return 0;
}

static void
close_all(struct resolver *resolver)
{
	if (resolver->flights)
		for (unsigned i = 0; i < STATUS_CHILDREN_MAX; i++)
			drop_channel(resolver, i);
	refresh_free(resolver->refresh);
	// Flights first: what is still open is no verdict and is not kept.
	flights_free(resolver->flights);
	anchor_free(resolver->anchor);
	if (resolver->orders)
		event_free(resolver->orders);
	if (resolver->second)
		event_free(resolver->second);
	if (resolver->loop)
		loop_free(resolver->loop);
}

int
resolver_main(const struct resolver_settings *settings)
{
	struct resolver resolver = { .with = settings };
	int r = loop_new(&resolver.loop);

	if (r == 0)
		r = open_parts(&resolver);
	if (r == 0)
		r = open_events(&resolver);
	if (r == 0) {
		// The first call only takes the offset.
		clock_was_set(&resolver.clock_offset_ms);
		status_beat(settings->page, loop_now_ms(resolver.loop));
		tell_parent(&resolver, ORDER_READY);
		loop_run(resolver.loop, after_round, &resolver);
	} else {
		dlog(LOG_ERR, "cannot start: %s", strerror(-r));
	}
	close_all(&resolver);
	return r == 0 ? EX_OK : EX_OSERR;
}
