// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Errands and the channels they travel on. An errand is always in exactly one
// list: waiting or sent on its channel, or doomed while a loss is dealt with.
// Promises that asking, hinting and cancelling call nobody back, so that
// connections may do so in the middle of their own work.
#include "config.h"

#include "worker/errand.h"

#include <assert.h>
#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "cache/siphash.h"

// Answers taken from one channel in one round.
#define CHANNEL_ROUND 64

struct channel {
	struct errands *errands;
	unsigned index;
	int fd;    // -1: the resolver is gone or not yet there
	bool full; // writable will tell when it takes more
	struct event readable, writable;
	struct errand_list waiting, sent; // oldest first
};

// An id is its slot's number and how often that had been used: an answer that
// comes too late meets another number.
struct slot {
	struct errand *errand; // NULL: free
	uint16_t n_used;
	uint16_t next_free;
};

struct barred {
	uint64_t hash, until_ms;
};

struct errands {
	struct errands_settings settings;
	struct channel channels[ERRAND_RESOLVERS_MAX];
	// The timeout is the same for all: the order of asking is that of the
	// deadlines.
	struct errand_list by_deadline, doomed;
	struct event deadline;
	unsigned n_free, n_sent;
	uint16_t first_free, last_free; // used in turn, to reuse ids late
	unsigned next_barred;
	uint64_t barred_until_ms; // nothing is barred from then on
	uint8_t hash_key[SIPHASH_KEY_LEN];
	char timed_out[48];
	struct dlog_limit odd_limit;
	struct barred barred[ERRAND_BARRED_MAX];
	struct slot slots[ERRANDS_MAX];
	uint8_t packet[ASK_MAX + 1]; // one more shows what is too long
};

static uint64_t
now_ms(const struct errands *errands)
{
	return loop_now_ms(errands->settings.loop);
}

// --- slots ---

static void
slot_take(struct errands *errands, struct errand *errand)
{
	uint16_t index = errands->first_free;
	struct slot *slot = &errands->slots[index];

	errands->first_free = slot->next_free;
	errands->n_free--;
	slot->errand = errand;
	errand->id = (uint32_t)slot->n_used << 16 | index;
}

static void
slot_give(struct errands *errands, struct errand *errand)
{
	uint16_t index = (uint16_t)(errand->id & 0xffff);
	struct slot *slot = &errands->slots[index];

	slot->errand = NULL;
	slot->n_used++;
	if (errands->n_free++ == 0)
		errands->first_free = index;
	else
		errands->slots[errands->last_free].next_free = index;
	errands->last_free = index;
}

static struct errand *
slot_find(const struct errands *errands, uint32_t id)
{
	const struct slot *slot = &errands->slots[id & 0xffff];

	return slot->errand != NULL && slot->errand->id == id ? slot->errand
							      : NULL;
}

static void
slots_begin(struct errands *errands)
{
	for (unsigned i = 0; i < ERRANDS_MAX; i++)
		errands->slots[i].next_free = (uint16_t)(i + 1);
	errands->n_free = ERRANDS_MAX;
	errands->last_free = ERRANDS_MAX - 1;
}

// --- lists ---

static void
publish(const struct errands *errands)
{
	struct status_page *page = errands->settings.page;
	unsigned n_out = ERRANDS_MAX - errands->n_free;

	atomic_store_explicit(
	    &page->n_in_flight, errands->n_sent, memory_order_relaxed);
	atomic_store_explicit(
	    &page->n_in_line, n_out - errands->n_sent, memory_order_relaxed);
}

static void
list_leave(struct errands *errands, struct errand *errand)
{
	errands->n_sent -= errand->sent;
	errand->sent = false;
	TAILQ_REMOVE(errand->list, errand, in_list);
	errand->list = NULL;
}

static void
list_join(struct errand *errand, struct errand_list *list)
{
	TAILQ_INSERT_TAIL(list, errand, in_list);
	errand->list = list;
}

static void
list_join_front(struct errand *errand, struct errand_list *list)
{
	TAILQ_INSERT_HEAD(list, errand, in_list);
	errand->list = list;
}

void
errands_cancel(struct errands *errands, struct errand *errand)
{
	list_leave(errands, errand);
	TAILQ_REMOVE(&errands->by_deadline, errand, by_deadline);
	slot_give(errands, errand);
	publish(errands);
}

static void
finish(struct errands *errands, struct errand *errand, const struct ask *answer,
    const char *cause)
{
	errands_cancel(errands, errand);
	errands->settings.done(errands->settings.arg, errand, answer, cause);
}

// --- deadlines ---

static void
set_timer(struct errands *errands)
{
	const struct errand *first = TAILQ_FIRST(&errands->by_deadline);
	uint64_t now = now_ms(errands), wait_ms = 1;

	if (first == NULL || evtimer_pending(&errands->deadline, NULL))
		return;
	if (first->deadline_ms > now)
		wait_ms = first->deadline_ms - now;
	struct timeval wait = { .tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000) };
	evtimer_add(&errands->deadline, &wait);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct errands *errands = arg;
	struct errand *first;

	(void)fd, (void)what;
	while ((first = TAILQ_FIRST(&errands->by_deadline)) != NULL &&
	       first->deadline_ms <= now_ms(errands))
		finish(errands, first, NULL, errands->timed_out);
	set_timer(errands);
}

// --- barred keys ---

static uint64_t
hash(const struct errands *errands, const struct errand *errand)
{
	return siphash(errands->hash_key, errand->key, errand->key_len);
}

static void
bar(struct errands *errands, const struct errand *errand)
{
	uint64_t until_ms = now_ms(errands) + ERRAND_BARRED_MS;

	errands->barred[errands->next_barred++ % ERRAND_BARRED_MAX] =
	    (struct barred){ hash(errands, errand), until_ms };
	errands->barred_until_ms = until_ms;
}

static bool
is_barred(const struct errands *errands, const struct errand *errand)
{
	uint64_t now = now_ms(errands);

	if (now >= errands->barred_until_ms)
		return false;
	uint64_t wanted = hash(errands, errand);
	for (unsigned i = 0; i < ERRAND_BARRED_MAX; i++)
		if (errands->barred[i].hash == wanted &&
		    now < errands->barred[i].until_ms)
			return true;
	return false;
}

// --- channels ---

// A packet of a question or a hint: false if the channel does not take it. A
// channel that broke is left to its readable event, where the loss is seen.
static bool
channel_send(struct channel *channel, const struct ask *ask)
{
	uint8_t packet[ASK_HEAD + NEXTHOP_ID_MAX];

	if (channel->fd < 0 || channel->full)
		return false;
	size_t len = ask_encode(ask, packet, sizeof(packet));
	if (send(channel->fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno == EAGAIN && event_add(&channel->writable, NULL) == 0)
		channel->full = true;
	return false;
}

static void
channel_flush(struct channel *channel)
{
	struct errands *errands = channel->errands;
	struct errand *errand;

	while ((errand = TAILQ_FIRST(&channel->waiting)) != NULL) {
		struct ask ask = {
			.kind = ASK_QUESTION,
			.id = errand->id,
			.deadline_ms = errand->deadline_ms,
			.len = errand->key_len,
			.data = errand->key,
		};
		if (!channel_send(channel, &ask))
			break;
		list_leave(errands, errand);
		list_join(errand, &channel->sent);
		errand->sent = true;
		errands->n_sent++;
	}
	publish(errands);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;

	(void)fd, (void)what;
	channel->full = false;
	channel_flush(channel);
}

// Those in flight go back to the front of the line, in their order; those lost
// too often, and those in line for the same keys, are doomed.
static void
sort_lost(struct channel *channel)
{
	struct errands *errands = channel->errands;
	struct errand *errand, *next;

	while ((errand = TAILQ_LAST(&channel->sent, errand_list)) != NULL) {
		list_leave(errands, errand);
		if (++errand->n_losses >= ERRAND_LOSSES_MAX)
			bar(errands, errand);
		list_join_front(errand, &channel->waiting);
	}
	for (errand = TAILQ_FIRST(&channel->waiting); errand != NULL;
	     errand = next) {
		next = TAILQ_NEXT(errand, in_list);
		if (errand->n_losses < ERRAND_LOSSES_MAX &&
		    !is_barred(errands, errand))
			continue;
		list_leave(errands, errand);
		list_join(errand, &errands->doomed);
	}
}

static void
channel_lose(struct channel *channel)
{
	struct errands *errands = channel->errands;
	struct errand *errand;

	event_del(&channel->readable);
	event_del(&channel->writable);
	close(channel->fd);
	channel->fd = -1;
	channel->full = false;
	sort_lost(channel);
	publish(errands);
	while ((errand = TAILQ_FIRST(&errands->doomed)) != NULL)
		finish(errands, errand, NULL,
		    "the resolver failed twice at this question");
}

static void
take_packet(struct channel *channel, size_t len)
{
	struct errands *errands = channel->errands;
	struct ask ask;

	if (ask_decode(errands->packet, len, &ask) != 0 ||
	    (ask.kind != ASK_ANSWER && ask.kind != ASK_REFUSED)) {
		dlog_limited(&errands->odd_limit, 60, LOG_WARNING,
		    "resolver %u sent what no resolver says", channel->index);
		return;
	}
	struct errand *errand = slot_find(errands, ask.id);
	if (errand != NULL && errand->list == &channel->sent)
		finish(errands, errand, &ask, NULL);
}

// True while there may be more.
static bool
channel_read(struct channel *channel)
{
	struct errands *errands = channel->errands;

	ssize_t n = recv(channel->fd, errands->packet, sizeof(errands->packet),
	    MSG_DONTWAIT | MSG_TRUNC);
	if (n > 0) {
		take_packet(channel, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		channel_lose(channel);
	return false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;

	(void)fd, (void)what;
	for (unsigned i = 0; i < CHANNEL_ROUND; i++)
		if (!channel_read(channel))
			return;
}

static void
channel_begin(struct errands *errands, unsigned index)
{
	struct channel *channel = &errands->channels[index];

	channel->errands = errands;
	channel->index = index;
	channel->fd = -1;
	TAILQ_INIT(&channel->waiting);
	TAILQ_INIT(&channel->sent);
}

// --- the door of this file ---

int
errands_new(const struct errands_settings *settings, struct errands **ret)
{
	if (settings->n_resolvers == 0 ||
	    settings->n_resolvers > ERRAND_RESOLVERS_MAX)
		return -EINVAL;
	struct errands *errands = calloc(1, sizeof(*errands));
	if (errands == NULL)
		return -ENOMEM;
	if (getrandom(errands->hash_key, sizeof(errands->hash_key), 0) !=
	    sizeof(errands->hash_key)) {
		free(errands);
		return -errno;
	}
	errands->settings = *settings;
	snprintf(errands->timed_out, sizeof(errands->timed_out),
	    "no answer within %us", settings->timeout_s);
	TAILQ_INIT(&errands->by_deadline);
	TAILQ_INIT(&errands->doomed);
	slots_begin(errands);
	for (unsigned i = 0; i < settings->n_resolvers; i++)
		channel_begin(errands, i);
	evtimer_assign(&errands->deadline, loop_base(settings->loop),
	    on_deadline, errands);
	*ret = errands;
	return 0;
}

int
errands_connect(struct errands *errands, unsigned resolver, int fd)
{
	struct event_base *base = loop_base(errands->settings.loop);

	if (resolver >= errands->settings.n_resolvers) {
		close(fd);
		return -EINVAL;
	}
	// The order may overtake the end of the old channel: its last answers
	// count.
	struct channel *channel = &errands->channels[resolver];
	for (unsigned i = 0; i < ERRANDS_MAX && channel->fd >= 0; i++)
		if (!channel_read(channel))
			break;
	if (channel->fd >= 0)
		channel_lose(channel);
	channel->fd = fd;
	event_assign(&channel->readable, base, fd, EV_READ | EV_PERSIST,
	    on_readable, channel);
	event_assign(
	    &channel->writable, base, fd, EV_WRITE, on_writable, channel);
	event_add(&channel->readable, NULL);
	channel_flush(channel);
	return 0;
}

int
errands_ask(struct errands *errands, unsigned resolver, struct errand *errand)
{
	assert(resolver < errands->settings.n_resolvers);
	struct channel *channel = &errands->channels[resolver];

	if (errands->n_free == 0)
		return -EBUSY;
	if (is_barred(errands, errand))
		return -EACCES;
	errand->asked_ms = now_ms(errands);
	errand->deadline_ms =
	    errand->asked_ms + 1000ull * errands->settings.timeout_s;
	errand->n_losses = 0;
	errand->sent = false;
	slot_take(errands, errand);
	TAILQ_INSERT_TAIL(&errands->by_deadline, errand, by_deadline);
	list_join(errand, &channel->waiting);
	set_timer(errands);
	channel_flush(channel);
	return 0;
}

bool
errands_hint(
    struct errands *errands, unsigned resolver, const uint8_t *key, size_t len)
{
	struct ask ask = { .kind = ASK_HINT, .len = len, .data = key };

	assert(resolver < errands->settings.n_resolvers);
	return channel_send(&errands->channels[resolver], &ask);
}

void
errands_free(struct errands *errands)
{
	if (errands == NULL)
		return;
	for (unsigned i = 0; i < errands->settings.n_resolvers; i++) {
		struct channel *channel = &errands->channels[i];
		if (channel->fd < 0)
			continue;
		event_del(&channel->readable);
		event_del(&channel->writable);
		close(channel->fd);
	}
	evtimer_del(&errands->deadline);
	free(errands);
}
