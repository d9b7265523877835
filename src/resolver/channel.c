// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A SOCK_SEQPACKET socket with its two events and its queue of letters. Knows
// how a question looks (wire/ask.h), not what becomes of it.
#include "config.h"

#include "resolver/channel.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "wire/ask.h"

// Packets of one worker read in a row, so that it keeps no other waiting.
#define BURST_MAX  64
// One octet more than any packet a worker sends.
#define PACKET_MAX (ASK_HEAD + NEXTHOP_ID_MAX + 1)

struct post {
	STAILQ_ENTRY(post) link;
	uint32_t ask_id;
	struct letter *letter;
};

struct channel {
	struct asker asker; // first: whoever has the one has the other
	struct channel_hooks hooks;
	int fd;
	bool finished;
	struct event *readable, *writable;
	STAILQ_HEAD(, post) queue;
};

static struct channel *
channel_of(struct asker *asker)
{
	return (struct channel *)(void *)asker;
}

// 0, or a negative errno.
static int
send_letter(int fd, uint32_t ask_id, const struct letter *letter)
{
	static uint8_t packet[ASK_MAX];
	struct ask ask = {
		.kind = letter->kind,
		.id = ask_id,
		.len = letter->len,
		.data = letter->data,
	};
	size_t len = ask_encode(&ask, packet, sizeof(packet));

	if (send(fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

static void
queue_letter(struct channel *channel, uint32_t ask_id, struct letter *letter)
{
	struct post *post = malloc(sizeof(*post));

	if (!post)
		return; // the worker's own guard answers
	post->ask_id = ask_id;
	post->letter = letter_hold(letter);
	STAILQ_INSERT_TAIL(&channel->queue, post, link);
	event_del(channel->readable);
	event_add(channel->writable, NULL);
}

// A worker that cannot be written to for another reason than being slow is
// going: the end of the file will say so.
static void
on_letter(struct asker *asker, uint32_t ask_id, struct letter *letter)
{
	struct channel *channel = channel_of(asker);

	if (!STAILQ_EMPTY(&channel->queue) ||
	    send_letter(channel->fd, ask_id, letter) == -EAGAIN)
		queue_letter(channel, ask_id, letter);
}

static void
post_free(struct channel *channel)
{
	struct post *post = STAILQ_FIRST(&channel->queue);

	STAILQ_REMOVE_HEAD(&channel->queue, link);
	letter_drop(post->letter);
	free(post);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;
	const struct post *post;

	(void)what;
	while ((post = STAILQ_FIRST(&channel->queue))) {
		if (send_letter(fd, post->ask_id, post->letter) == -EAGAIN)
			return;
		post_free(channel);
	}
	event_del(channel->writable);
	if (!channel->finished)
		event_add(channel->readable, NULL);
}

static void
handle(struct channel *channel, const uint8_t *packet, size_t len)
{
	static struct dlog_limit limit;
	const struct channel_hooks *hooks = &channel->hooks;
	struct nexthop nexthop;
	struct ask ask;

	if (ask_decode(packet, len, &ask) < 0 ||
	    nexthop_from_id(ask.data, ask.len, &nexthop) < 0)
		ask = (struct ask){ 0 };

	struct ident id = { ask.data, ask.len };

	if (ask.kind == ASK_QUESTION) {
		struct question question = {
			.id = id,
			.asker = &channel->asker,
			.ask_id = ask.id,
			.deadline_ms = ask.deadline_ms,
		};
		hooks->question(hooks->arg, &question);
	} else if (ask.kind == ASK_HINT) {
		hooks->hint(hooks->arg, id);
	} else {
		dlog_limited(&limit, 60, LOG_WARNING,
		    "a worker sent %zu octets that make no sense", len);
	}
}

// Handles one packet. 1; 0: the worker is gone; -EAGAIN: no more for now.
static int
read_packet(struct channel *channel)
{
	uint8_t packet[PACKET_MAX];
	ssize_t n = recv(channel->fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n <= 0)
		return 0;
	handle(channel, packet, (size_t)n);
	return 1;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;
	int r = 1;

	(void)fd;
	(void)what;
	for (unsigned n = 0; r == 1 && n < BURST_MAX; n++) {
		if (channel_is_behind(channel))
			return;
		r = read_packet(channel);
	}
	if (r == 0)
		channel->hooks.closed(channel->hooks.arg, channel);
}

int
channel_new(struct loop *loop, int fd, const struct channel_hooks *hooks,
    struct channel **ret)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		close(fd);
		return -ENOMEM;
	}
	channel->asker.answer = on_letter;
	channel->hooks = *hooks;
	channel->fd = fd;
	STAILQ_INIT(&channel->queue);
	channel->readable = event_new(
	    loop_base(loop), fd, EV_READ | EV_PERSIST, on_readable, channel);
	channel->writable = event_new(
	    loop_base(loop), fd, EV_WRITE | EV_PERSIST, on_writable, channel);
	if (!channel->readable || !channel->writable ||
	    event_add(channel->readable, NULL) < 0) {
		channel_free(channel);
		return -ENOMEM;
	}
	*ret = channel;
	return 0;
}

struct asker *
channel_asker(struct channel *channel)
{
	return &channel->asker;
}

// What a worker can have sent is bounded by the buffer of its socket; what it
// sends while this runs is read too.
void
channel_finish(struct channel *channel)
{
	for (unsigned n = 0; n < FLIGHT_WAITERS_MAX; n++)
		if (read_packet(channel) <= 0)
			break;
	channel->finished = true;
	event_del(channel->readable);
}

bool
channel_is_behind(const struct channel *channel)
{
	return !STAILQ_EMPTY(&channel->queue);
}

void
channel_free(struct channel *channel)
{
	if (!channel)
		return;
	while (!STAILQ_EMPTY(&channel->queue))
		post_free(channel);
	if (channel->readable)
		event_free(channel->readable);
	if (channel->writable)
		event_free(channel->writable);
	close(channel->fd);
	free(channel);
}
