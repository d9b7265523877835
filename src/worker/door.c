// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Accepting. A place is counted in the status page before it is filled, and
// all workers count like that: together they may miss the last place for a
// moment, but never exceed max_connections.
#include "config.h"

#include "worker/door.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/turn.h"

struct listener {
	struct door *door;
	int fd;
	bool is_tcp;
	struct event readable;
};

struct door {
	struct door_settings settings;
	struct listener listeners[DOOR_LISTENERS_MAX];
	struct event reopen;
	bool has_yielded; // and is not to be made to again at once
	struct dlog_limit full_limit, short_limit;
};

static void
open_all(struct door *door)
{
	for (unsigned i = 0; i < door->settings.n_listeners; i++)
		event_add(&door->listeners[i].readable, NULL);
}

static void
shut_all(struct door *door)
{
	for (unsigned i = 0; i < door->settings.n_listeners; i++)
		event_del(&door->listeners[i].readable);
}

static void
pause_all(struct door *door, unsigned wait_ms)
{
	struct timeval wait = { .tv_usec = wait_ms * 1000 };

	shut_all(door);
	evtimer_add(&door->reopen, &wait);
}

static void
on_reopen(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	open_all(arg);
}

static bool
is_full(const struct door *door)
{
	unsigned n = 0;

	for (unsigned i = 0; i < door->settings.n_pages; i++)
		n += atomic_load(&door->settings.pages[i].n_connections);
	return n > door->settings.max_connections;
}

// Nobody is closed for a client whom another worker has let in already.
static bool
somebody_waits(const struct listener *listener)
{
	struct pollfd one = { .fd = listener->fd, .events = POLLIN };

	return poll(&one, 1, 0) == 1;
}

static bool
take_place(struct listener *listener)
{
	struct door *door = listener->door;
	struct conns *conns = door->settings.conns;

	conns_reserve(conns, 1);
	if (!is_full(door))
		return true;
	if (somebody_waits(listener) && conns_close_idle(conns, DOOR_IDLE_MS)) {
		conns_reserve(conns, 1);
		if (!is_full(door))
			return true;
	}
	conns_reserve(conns, 0);
	dlog_limited(&door->full_limit, 60, LOG_WARNING,
	    "max_connections (%u) reached and none is idle: new clients wait",
	    door->settings.max_connections);
	pause_all(door, DOOR_PAUSE_MS);
	return false;
}

// Once a client: one who hangs must not keep the others from accepting.
static bool
yields(struct door *door)
{
	const struct door_settings *settings = &door->settings;

	if (door->has_yielded || settings->n_workers == 0 ||
	    !turn_is_anothers(settings->workers, settings->n_workers,
		settings->index, loop_now_ms(settings->loop))) {
		door->has_yielded = false;
		return false;
	}
	door->has_yielded = true;
	pause_all(door, DOOR_YIELD_MS);
	return true;
}

static void
accept_failed(struct door *door, int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		dlog_limited(&door->short_limit, 60, LOG_WARNING,
		    "cannot accept a connection: %s; new clients wait",
		    strerror(error));
		pause_all(door, DOOR_PAUSE_MS);
		break;
	default: // another worker was quicker, or the client went away
		break;
	}
}

static void
on_listener(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;
	struct door *door = listener->door;
	int on = 1;

	(void)what;
	if (yields(door) || !take_place(listener))
		return;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client < 0) {
		int error = errno;
		conns_reserve(door->settings.conns, 0);
		accept_failed(door, error);
		return;
	}
	if (listener->is_tcp)
		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	conns_adopt(door->settings.conns, client, NULL, 0);
}

static bool
is_tcp(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

int
door_new(const struct door_settings *settings, struct door **ret)
{
	struct event_base *base = loop_base(settings->loop);

	if (settings->n_listeners > DOOR_LISTENERS_MAX)
		return -EINVAL;
	struct door *door = calloc(1, sizeof(*door));
	if (door == NULL)
		return -ENOMEM;
	door->settings = *settings;
	evtimer_assign(&door->reopen, base, on_reopen, door);
	for (unsigned i = 0; i < settings->n_listeners; i++) {
		struct listener *listener = &door->listeners[i];
		listener->door = door;
		listener->fd = settings->listeners[i];
		listener->is_tcp = is_tcp(listener->fd);
		event_assign(&listener->readable, base, listener->fd,
		    EV_READ | EV_PERSIST, on_listener, listener);
	}
	open_all(door);
	*ret = door;
	return 0;
}

void
door_close(struct door *door)
{
	evtimer_del(&door->reopen);
	shut_all(door);
}

void
door_free(struct door *door)
{
	if (door == NULL)
		return;
	door_close(door);
	free(door);
}
