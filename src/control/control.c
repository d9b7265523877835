// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The frame: takes connections and the parent's orders, beats once a second,
// and leaves when the last reply has. What clients say is client.c.
#include "config.h"

#include "control/control.h"

#include "base/log.h"
#include "base/loop.h"
#include "control/client.h"
#include "wire/order.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>

// Orders or connections taken in one round.
#define ROUND_MAX    64
// Beats that a client has to take its last reply.
#define LINGER_BEATS 5

struct control {
	const struct control_settings *with;
	struct loop *loop;
	struct clients *clients;
	struct event order, beat, door;
	uint32_t wish;   // the last one
	unsigned linger; // beats left; counts once it finishes
	bool finishing;
	int status;
};

static int
tell(const struct control *control, const struct order *order)
{
	int error = order_send(control->with->parent, order);
	if (error != 0)
		dlog(LOG_ERR, "cannot tell the parent: %s", strerror(-error));
	return error;
}

// Wishes are numbered, so that one that came while a reload was under way is
// not taken for heeded by it.
static uint32_t
on_wish(void *arg)
{
	struct control *control = arg;
	uint32_t wish = control->wish + 1;
	struct order order = { .kind = ORDER_RELOAD, .index = wish, .fd = -1 };

	if (tell(control, &order) != 0)
		return 0;
	dlog(LOG_NOTICE, "a reload was asked for");
	return control->wish = wish;
}

static bool
on_successor(int fd, void *arg)
{
	struct order order = { .kind = ORDER_REPLACE, .fd = fd };

	return tell(arg, &order) == 0;
}

static void
finish(struct control *control)
{
	if (control->finishing)
		return;
	control->finishing = true;
	control->linger = LINGER_BEATS;
	event_del(&control->door);
	clients_finish(control->clients);
}

static void
obey(void *arg, const struct order *order)
{
	struct control *control = arg;

	if (order->kind == ORDER_RELOADED) {
		clients_outcome(
		    control->clients, order->index, order->count != 0);
		return;
	}
	if (order->kind == ORDER_FINISH) {
		finish(control);
		return;
	}
	if (order->fd >= 0)
		evutil_closesocket(order->fd);
	dlog(LOG_ERR, "order %d is not for this process", (int)order->kind);
}

static void
on_order(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)what;
	if (!order_take(fd, obey, control)) { // no parent, no service
		control->status = EX_UNAVAILABLE;
		loop_stop(control->loop);
	}
}

// Errors of accept(2) are those of a connection that is gone already, or of a
// shortage that the next beat may end.
static void
on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)what;
	for (unsigned i = 0; i < ROUND_MAX; i++) {
		int client =
		    accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client >= 0) {
			clients_add(control->clients, client);
			continue;
		}
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			event_del(&control->door);
		return;
	}
}

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd, (void)what;
	status_beat(control->with->page, loop_now_ms(control->loop));
	if (!control->finishing)
		event_add(&control->door, NULL);
	else if (control->linger-- == 0)
		loop_stop(control->loop);
	else if (control->linger < LINGER_BEATS - 1)
		clients_dismiss(control->clients);
}

static void
after_round(void *arg)
{
	struct control *control = arg;

	if (control->finishing && clients_count(control->clients) == 0)
		loop_stop(control->loop);
}

static int
set_up(struct control *control)
{
	const struct control_settings *with = control->with;
	struct timeval second = { .tv_sec = 1 };

	int error = loop_new(&control->loop);
	if (error == 0)
		error = clients_new(
		    &(struct clients_settings){
			.loop = control->loop,
			.pages = with->pages,
			.n_pages = with->n_pages,
			.reload = on_wish,
			.replace = on_successor,
			.arg = control,
		    },
		    &control->clients);
	if (error != 0)
		return error;
	struct event_base *base = loop_base(control->loop);
	event_assign(&control->order, base, with->parent, EV_READ | EV_PERSIST,
	    on_order, control);
	event_assign(&control->door, base, with->listener, EV_READ | EV_PERSIST,
	    on_connection, control);
	event_assign(&control->beat, base, -1, EV_PERSIST, on_beat, control);
	if (event_add(&control->order, NULL) != 0 ||
	    event_add(&control->door, NULL) != 0 ||
	    event_add(&control->beat, &second) != 0)
		return -ENOMEM;
	return 0;
}

int
control_main(const struct control_settings *settings)
{
	struct control control = { .with = settings };
	struct order ready = { .kind = ORDER_READY, .fd = -1 };

	signal(SIGPIPE, SIG_IGN);
	int error = set_up(&control);
	if (error != 0) {
		dlog(LOG_ERR, "cannot serve: %s", strerror(-error));
		return EX_OSERR;
	}
	status_beat(settings->page, loop_now_ms(control.loop));
	tell(&control, &ready);
	loop_run(control.loop, after_round, &control);
	event_del(&control.order);
	event_del(&control.beat);
	event_del(&control.door);
	clients_free(control.clients);
	loop_free(control.loop);
	return control.status;
}
