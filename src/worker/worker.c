// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The worker's frame: takes the parent's orders, beats once a second, and
// leaves when all clients have had their replies. What clients say is none of
// its business.
#include "config.h"

#include "worker/worker.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "wire/order.h"
#include "worker/conn.h"
#include "worker/door.h"
#include "worker/query.h"

// Orders, or connections of one bequest, taken in one round.
#define WORKER_ROUND        64
#define WORKER_BEQUESTS_MAX 128

struct bequest {
	struct worker *worker;
	int fd;
	struct event readable;
	LIST_ENTRY(bequest) next;
};

struct worker {
	const struct worker_settings *settings;
	struct loop *loop;
	struct query_desk *desk;
	struct conns *conns;
	struct door *door;
	struct event order, beat;
	unsigned n_bequests;
	LIST_HEAD(, bequest) bequests;
	bool finishing;
	bool remap_asked;
	int status;
	char leftover[ORDER_LEFTOVER_MAX];
};

// --- bequests: connections of a worker of the generation before ---

static void
bequest_free(struct bequest *bequest)
{
	event_del(&bequest->readable);
	close(bequest->fd);
	LIST_REMOVE(bequest, next);
	bequest->worker->n_bequests--;
	free(bequest);
}

// Takes so many at most. False if it is at its end.
static bool
bequest_take(struct bequest *bequest, unsigned most)
{
	struct worker *worker = bequest->worker;
	uint32_t len;
	int client;

	for (unsigned i = 0; i < most; i++) {
		int got =
		    order_inherit(bequest->fd, &client, worker->leftover, &len);
		if (got == -EAGAIN)
			return true;
		if (got <= 0)
			return false;
		conns_adopt(worker->conns, client, worker->leftover, len);
	}
	return true;
}

static void
on_bequest(evutil_socket_t fd, short what, void *arg)
{
	struct bequest *bequest = arg;

	(void)fd, (void)what;
	if (!bequest_take(bequest, WORKER_ROUND))
		bequest_free(bequest);
}

static void
bequest_new(struct worker *worker, int fd)
{
	struct bequest *bequest = NULL;

	if (!worker->finishing && worker->n_bequests < WORKER_BEQUESTS_MAX)
		bequest = calloc(1, sizeof(*bequest));
	if (bequest == NULL) {
		close(fd);
		return;
	}
	bequest->worker = worker;
	bequest->fd = fd;
	event_assign(&bequest->readable, loop_base(worker->loop), fd,
	    EV_READ | EV_PERSIST, on_bequest, bequest);
	event_add(&bequest->readable, NULL);
	LIST_INSERT_HEAD(&worker->bequests, bequest, next);
	worker->n_bequests++;
}

static void
bequests_free(struct worker *worker)
{
	struct bequest *bequest;

	while ((bequest = LIST_FIRST(&worker->bequests)) != NULL)
		bequest_free(bequest);
}

// --- orders ---

static void
tell(const struct worker *worker, enum order_kind kind)
{
	struct order order = { .kind = kind, .fd = -1 };

	int error = order_send(worker->settings->parent, &order);
	if (error != 0)
		dlog(LOG_ERR, "cannot tell the parent: %s", strerror(-error));
}

// What has been left to it and was not looked at yet would be closed with the
// bequests.
static void
finish(struct worker *worker)
{
	struct bequest *bequest;

	worker->finishing = true;
	door_close(worker->door);
	LIST_FOREACH(bequest, &worker->bequests, next)
	bequest_take(bequest, worker->settings->conf->max_connections);
	bequests_free(worker);
}

static void
obey(void *arg, const struct order *order)
{
	struct worker *worker = arg;

	switch (order->kind) {
	case ORDER_RESOLVER:
		if (query_connect(worker->desk, order->index, order->fd) != 0)
			dlog(LOG_ERR, "there is no resolver %u", order->index);
		return;
	case ORDER_BEQUEST:
		bequest_new(worker, order->fd);
		return;
	case ORDER_HEIR:
		if (worker->finishing) {
			close(order->fd);
			return;
		}
		finish(worker);
		conns_bequeath(worker->conns, order->fd);
		tell(worker, ORDER_LEFT);
		return;
	case ORDER_FINISH: // no news for one that hands over to an heir
		if (worker->finishing)
			return;
		finish(worker);
		conns_finish(worker->conns);
		return;
	default:
		break;
	}
	if (order->fd >= 0)
		close(order->fd);
	dlog(LOG_ERR, "order %d is not for a worker", (int)order->kind);
}

static void
on_order(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)what;
	if (!order_take(fd, obey, worker)) { // no parent, no service
		worker->status = EX_UNAVAILABLE;
		loop_stop(worker->loop);
	}
}

// --- the frame ---

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	const struct worker_settings *settings = worker->settings;

	(void)fd, (void)what;
	status_beat(settings->page, loop_now_ms(worker->loop));
	conns_sweep(worker->conns);
	if (!worker->remap_asked && cache_is_dead(settings->cache)) {
		worker->remap_asked = true;
		tell(worker, ORDER_REMAP);
	}
}

static void
after_round(void *arg)
{
	struct worker *worker = arg;

	if (worker->finishing && conns_count(worker->conns) == 0)
		loop_stop(worker->loop);
}

static int
open_rooms(struct worker *worker)
{
	const struct worker_settings *settings = worker->settings;

	int error = query_desk_new(
	    &(struct query_desk_settings){
		.loop = worker->loop,
		.conf = settings->conf,
		.cache = settings->cache,
		.rules = settings->rules,
		.page = settings->page,
		.n_resolvers = settings->n_resolvers,
		.answered = conns_answered,
	    },
	    &worker->desk);
	if (error != 0)
		return error;
	return conns_new(
	    &(struct conns_settings){
		.loop = worker->loop,
		.conf = settings->conf,
		.desk = worker->desk,
		.page = settings->page,
	    },
	    &worker->conns);
}

static int
open_door(struct worker *worker)
{
	const struct worker_settings *settings = worker->settings;

	return door_new(
	    &(struct door_settings){
		.loop = worker->loop,
		.listeners = settings->listeners,
		.n_listeners = settings->n_listeners,
		.max_connections = settings->conf->max_connections,
		.pages = settings->pages,
		.n_pages = settings->n_pages,
		.workers = settings->workers,
		.n_workers = settings->n_workers,
		.index = settings->index,
		.conns = worker->conns,
	    },
	    &worker->door);
}

static int
set_up(struct worker *worker)
{
	struct timeval second = { .tv_sec = 1 };

	int error = loop_new(&worker->loop);
	if (error == 0)
		error = open_rooms(worker);
	if (error == 0)
		error = open_door(worker);
	if (error != 0)
		return error;
	struct event_base *base = loop_base(worker->loop);
	event_assign(&worker->order, base, worker->settings->parent,
	    EV_READ | EV_PERSIST, on_order, worker);
	event_assign(&worker->beat, base, -1, EV_PERSIST, on_beat, worker);
	if (event_add(&worker->order, NULL) != 0 ||
	    event_add(&worker->beat, &second) != 0)
		return -ENOMEM;
	return 0;
}

static void
serve(struct worker *worker)
{
	status_beat(worker->settings->page, loop_now_ms(worker->loop));
	tell(worker, ORDER_READY);
	loop_run(worker->loop, after_round, worker);
	event_del(&worker->order);
	event_del(&worker->beat);
	bequests_free(worker);
}

int
worker_main(const struct worker_settings *settings)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int error = -ENOMEM;

	signal(SIGPIPE, SIG_IGN);
	if (worker != NULL) {
		worker->settings = settings;
		LIST_INIT(&worker->bequests);
		error = set_up(worker);
	}
	if (error != 0) {
		dlog(LOG_ERR, "cannot serve: %s", strerror(-error));
		return EX_OSERR;
	}
	serve(worker);
	door_free(worker->door);
	conns_free(worker->conns);
	query_desk_free(worker->desk);
	loop_free(worker->loop);
	int status = worker->status;
	free(worker);
	return status;
}
