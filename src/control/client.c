// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A client reads its replies, or its requests are not read: what is held for
// one is a line of input and a reply of output, and little more.
#include "config.h"

#include "control/client.h"

#include "control/control.h"
#include "control/report.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

// So much output may be unread before the next request is looked at.
#define UNREAD_MAX 4096

struct client {
	struct clients *clients;
	struct bufferevent *stream;
	uint32_t wish; // waits for the outcome of this one; 0: does not
	bool ended;    // sends no more
	bool closing;  // goes when all its output has left
	LIST_ENTRY(client) next;
};

struct clients {
	struct clients_settings with;
	unsigned n;
	bool finishing;
	LIST_HEAD(, client) all;
};

static void
client_free(struct client *client)
{
	LIST_REMOVE(client, next);
	client->clients->n--;
	bufferevent_free(client->stream);
	free(client);
}

static struct evbuffer *
output_of(const struct client *client)
{
	return bufferevent_get_output(client->stream);
}

static void
say(struct client *client, const char *text)
{
	evbuffer_add_printf(output_of(client), "%s\n", text);
}

// A last word; then the client goes.
static void
dismiss(struct client *client)
{
	client->closing = true;
	bufferevent_disable(client->stream, EV_READ);
}

static void
ask_reload(struct client *client)
{
	struct clients *clients = client->clients;

	if (clients->finishing) {
		say(client, "again");
		return;
	}
	client->wish = clients->with.reload(clients->with.arg);
	if (client->wish == 0) {
		say(client, "error the daemon is too busy to reload");
		return;
	}
	// Until the outcome is known nothing more is read, and no silence
	// counts as idleness.
	bufferevent_disable(client->stream, EV_READ);
}

// What the parent is to answer cannot come after what we have not sent yet.
static void
pass_on(struct client *client)
{
	struct clients *clients = client->clients;

	if (evbuffer_get_length(output_of(client)) != 0 ||
	    !clients->with.replace(
		bufferevent_getfd(client->stream), clients->with.arg))
		say(client, "error the daemon is too busy to be replaced");
	dismiss(client);
}

static void
obey(struct client *client, const char *line)
{
	struct clients *clients = client->clients;
	char report[REPORT_MAX];

	if (strcmp(line, "status") == 0) {
		report_write(
		    clients->with.pages, clients->with.n_pages, report);
		say(client, report);
	} else if (strcmp(line, "reload") == 0) {
		ask_reload(client);
	} else if (strcmp(line, "replace") == 0) {
		pass_on(client);
	} else {
		say(client,
		    "error no such request: there are status, reload, replace");
	}
}

static bool
may_go_on(const struct client *client)
{
	return !client->closing && client->wish == 0 &&
	       evbuffer_get_length(output_of(client)) < UNREAD_MAX;
}

// NUL within a line makes it another than it looks: no request has one.
static void
read_requests(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	size_t len;

	while (may_go_on(client)) {
		char *line = evbuffer_readln(input, &len, EVBUFFER_EOL_CRLF);
		if (line == NULL)
			break;
		obey(client, strlen(line) == len ? line : "");
		free(line);
	}
	if (may_go_on(client) &&
	    evbuffer_get_length(input) >= CONTROL_LINE_MAX) {
		say(client, "error the line is too long");
		dismiss(client);
	}
}

// libevent calls on_read again and again as long as CONTROL_LINE_MAX octets lie
// there: who does not take its replies is not listened to meanwhile.
static void
heed_unread(struct client *client)
{
	if (client->ended || client->closing || client->wish != 0)
		return;
	if (may_go_on(client))
		bufferevent_enable(client->stream, EV_READ);
	else
		bufferevent_disable(client->stream, EV_READ);
}

// What the octets that are there allow. The client may be gone afterwards.
static void
settle(struct client *client)
{
	read_requests(client);
	heed_unread(client);
	if ((client->closing || client->ended) && client->wish == 0 &&
	    evbuffer_get_length(output_of(client)) == 0)
		client_free(client);
}

static void
on_read(struct bufferevent *stream, void *arg)
{
	(void)stream;
	settle(arg);
}

// All output has left: requests may have waited for that.
static void
on_written(struct bufferevent *stream, void *arg)
{
	(void)stream;
	settle(arg);
}

// A client that has closed its sending side still gets its replies.
static void
on_event(struct bufferevent *stream, short what, void *arg)
{
	struct client *client = arg;

	if ((what & BEV_EVENT_EOF) == 0) {
		client_free(client);
		return;
	}
	client->ended = true;
	bufferevent_disable(stream, EV_READ);
	settle(client);
}

static void
refuse(int fd)
{
	static const char text[] = "error too many clients\n";

	send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	evutil_closesocket(fd);
}

static struct client *
client_new(struct clients *clients, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->stream = bufferevent_socket_new(
	    loop_base(clients->with.loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->stream == NULL) {
		free(client);
		return NULL;
	}
	client->clients = clients;
	LIST_INSERT_HEAD(&clients->all, client, next);
	clients->n++;
	return client;
}

void
clients_add(struct clients *clients, int fd)
{
	static const struct timeval idle = { .tv_sec = CONTROL_IDLE_S };
	struct client *client = NULL;

	if (clients->n < CONTROL_CLIENTS_MAX && !clients->finishing)
		client = client_new(clients, fd);
	if (client == NULL) {
		refuse(fd);
		return;
	}
	bufferevent_setcb(
	    client->stream, on_read, on_written, on_event, client);
	bufferevent_setwatermark(client->stream, EV_READ, 0, CONTROL_LINE_MAX);
	bufferevent_set_timeouts(client->stream, &idle, &idle);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

static void
tell(struct client *client, const char *text)
{
	client->wish = 0;
	say(client, text);
	if (!client->ended && !client->closing)
		bufferevent_enable(client->stream, EV_READ);
}

void
clients_outcome(struct clients *clients, uint32_t wish, bool in_force)
{
	struct client *client;

	LIST_FOREACH(client, &clients->all, next)
	if (client->wish != 0 && client->wish <= wish)
		tell(client, in_force ? "ok" : "failed");
}

void
clients_finish(struct clients *clients)
{
	struct client *client;

	clients->finishing = true;
	LIST_FOREACH(client, &clients->all, next)
	if (client->wish != 0)
		tell(client, "again");
}

void
clients_dismiss(struct clients *clients)
{
	struct client *client, *next;

	for (client = LIST_FIRST(&clients->all); client != NULL;
	     client = next) {
		next = LIST_NEXT(client, next);
		dismiss(client);
		settle(client);
	}
}

unsigned
clients_count(const struct clients *clients)
{
	return clients->n;
}

int
clients_new(const struct clients_settings *settings, struct clients **ret)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	if (clients == NULL)
		return -ENOMEM;
	clients->with = *settings;
	LIST_INIT(&clients->all);
	*ret = clients;
	return 0;
}

void
clients_free(struct clients *clients)
{
	if (clients == NULL)
		return;
	while (!LIST_EMPTY(&clients->all))
		client_free(LIST_FIRST(&clients->all));
	free(clients);
}
