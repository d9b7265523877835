// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One connection is a small machine with one rule: after whatever happened to
// it, conn_settle decides what it waits for next, or ends it, and nobody
// touches it after that. Replies are gathered in one buffer that all
// connections share and leave in one write; what the socket does not take is
// kept with the connection.
#include "config.h"

#include "worker/conn.h"

#include <assert.h>
#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/netstring.h"
#include "wire/order.h"

_Static_assert(SOCKETMAP_REQUEST_MAX + NETSTRING_EXTRA_MAX < CONN_READ_MAX,
    "a read must hold the longest request and more");
_Static_assert(
    SOCKETMAP_REQUEST_MAX + NETSTRING_EXTRA_MAX <= ORDER_LEFTOVER_MAX,
    "an heir must take any request that is not whole");

struct octets {
	char *at; // NULL: none
	size_t len;
};

struct conn {
	struct conns *conns;
	TAILQ_ENTRY(conn) by_age;
	uint64_t active_ms;
	int fd;
	short watched;  // EV_READ, EV_WRITE: which of its events is added
	bool heard;     // the client has said something
	bool eof;       // the client says no more
	bool condemned; // it was told off: nothing more is read or answered
	bool lingering; // and has got that: its last octets are thrown away
	bool broken;    // cannot be written to, or memory ran out
	bool paused;    // whole requests are left over for the next round
	struct octets leftover; // read, not answered
	struct octets unsent;   // answered, from sent_len on not yet taken
	size_t sent_len;
	size_t n_lingered;
	uint64_t linger_until_ms;
	unsigned n_line;
	struct query_line line;
	struct event readable, writable;
};

TAILQ_HEAD(conn_list, conn);

struct conns {
	struct conns_settings settings;
	uint64_t idle_timeout_ms; // 0: never
	struct conn_list by_age;  // idle longest first
	unsigned n;
	bool finishing;
	int heir; // -1: none
	bool heir_is_full;
	struct event heir_writable;
	char in[CONN_READ_MAX];
	size_t out_len;
	char out[CONN_ROUND_MAX + DIALECT_REPLY_MAX + NETSTRING_EXTRA_MAX];
};

static void conn_settle(struct conn *conn);

static void
conn_touch(struct conn *conn)
{
	struct conns *conns = conn->conns;

	conn->active_ms = loop_now_ms(conns->settings.loop);
	TAILQ_REMOVE(&conns->by_age, conn, by_age);
	TAILQ_INSERT_TAIL(&conns->by_age, conn, by_age);
}

static void
conn_free(struct conn *conn)
{
	struct conns *conns = conn->conns;
	struct query *query;

	event_del(&conn->readable);
	event_del(&conn->writable);
	close(conn->fd);
	while ((query = TAILQ_FIRST(&conn->line)) != NULL) {
		TAILQ_REMOVE(&conn->line, query, in_line);
		query_free(conns->settings.desk, query);
	}
	free(conn->leftover.at);
	free(conn->unsent.at);
	TAILQ_REMOVE(&conns->by_age, conn, by_age);
	free(conn);
	conns->n--;
	conns_reserve(conns, 0);
}

// --- replies, in order ---

// The payload has been rendered behind the longest head there is.
static char *
out_payload(struct conns *conns)
{
	return conns->out + conns->out_len + NETSTRING_HEAD_MAX;
}

static void
out_finish(struct conns *conns, size_t payload_len)
{
	char head[NETSTRING_HEAD_MAX];
	char *at = conns->out + conns->out_len;
	size_t head_len = netstring_head(payload_len, head);

	memcpy(at, head, head_len);
	memmove(at + head_len, at + NETSTRING_HEAD_MAX, payload_len);
	at[head_len + payload_len] = NETSTRING_TAIL;
	conns->out_len += head_len + payload_len + 1;
}

static bool
out_is_full(const struct conns *conns)
{
	return conns->out_len >= CONN_ROUND_MAX;
}

static void
line_join(struct conn *conn, struct query *query)
{
	query->owner = conn;
	TAILQ_INSERT_TAIL(&conn->line, query, in_line);
	conn->n_line++;
}

// A reply that stands at out_payload: sent at once, or after those before it.
static void
conn_reply(struct conn *conn, size_t len)
{
	struct conns *conns = conn->conns;

	if (conn->n_line == 0) {
		out_finish(conns, len);
		return;
	}
	struct query *query =
	    query_hold(conns->settings.desk, out_payload(conns), len);
	if (query == NULL)
		conn->broken = true;
	else
		line_join(conn, query);
}

// Those at the head of the line that have their reply.
static void
conn_deliver(struct conn *conn)
{
	struct conns *conns = conn->conns;
	struct query *query;

	while (!out_is_full(conns) &&
	       (query = TAILQ_FIRST(&conn->line)) != NULL &&
	       !query->under_way) {
		if (query->reply == NULL) {
			conn->broken = true;
			return;
		}
		memcpy(out_payload(conns), query->reply, query->reply_len);
		out_finish(conns, query->reply_len);
		TAILQ_REMOVE(&conn->line, query, in_line);
		conn->n_line--;
		query_free(conns->settings.desk, query);
	}
}

static void
conn_condemn(struct conn *conn, const char *reason)
{
	conn_reply(conn, dialect_perm(reason, out_payload(conn->conns)));
	conn->condemned = true;
}

static void
conn_request(struct conn *conn, const char *payload, size_t len)
{
	struct conns *conns = conn->conns;
	struct query_result result = { .reply = out_payload(conns) };

	switch (query_begin(conns->settings.desk, payload, len, &result)) {
	case QUERY_REPLIED:
		conn_reply(conn, result.reply_len);
		break;
	case QUERY_PENDING:
		line_join(conn, result.query);
		break;
	case QUERY_MALFORMED:
		conn_condemn(conn, "a request is a map name, a space, a key");
		break;
	}
}

static void
conn_flush(struct conn *conn)
{
	struct conns *conns = conn->conns;
	size_t len = conns->out_len;

	if (len == 0 || conn->broken)
		return;
	ssize_t n =
	    send(conn->fd, conns->out, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn->broken = true;
		return;
	}
	size_t sent_len = n < 0 ? 0 : (size_t)n;
	if (sent_len == len)
		return;
	conn->unsent.len = len - sent_len;
	conn->unsent.at = malloc(conn->unsent.len);
	conn->sent_len = 0;
	if (conn->unsent.at == NULL)
		conn->broken = true;
	else
		memcpy(
		    conn->unsent.at, conns->out + sent_len, conn->unsent.len);
}

// --- requests ---

// Answers the requests at the start of buf, as many as this round permits.
// Returns the octets that are done with.
static size_t
conn_serve(struct conn *conn, const char *buf, size_t len)
{
	const char *payload;
	size_t used = 0, payload_len, took;

	while (!conn->condemned && conn->n_line < CONN_LINE_MAX &&
	       !out_is_full(conn->conns)) {
		switch (netstring_read(buf + used, len - used,
		    SOCKETMAP_REQUEST_MAX, &payload, &payload_len, &took)) {
		case NETSTRING_WHOLE:
			conn_request(conn, payload, payload_len);
			used += took;
			continue;
		case NETSTRING_PARTIAL:
			if (conn->eof && used < len)
				conn_condemn(conn, "the request is cut short");
			return used;
		case NETSTRING_MALFORMED:
			conn_condemn(conn, "not a netstring");
			break;
		case NETSTRING_TOO_LONG:
			conn_condemn(conn, "the request is too long");
			break;
		}
	}
	return used;
}

static void
conn_keep(struct conn *conn, const char *buf, size_t len)
{
	struct octets *leftover = &conn->leftover;

	if (len == 0 || conn->condemned) {
		free(leftover->at);
		*leftover = (struct octets){ NULL, 0 };
		return;
	}
	if (len > leftover->len) {
		char *wider = realloc(leftover->at, len);
		if (wider == NULL) {
			conn->broken = true;
			return;
		}
		leftover->at = wider;
	}
	memmove(leftover->at, buf, len);
	leftover->len = len;
}

// One round: replies that waited, then requests from buf.
static void
conn_round(struct conn *conn, const char *buf, size_t len)
{
	struct conns *conns = conn->conns;

	conns->out_len = 0;
	conn_deliver(conn);
	size_t used = conn->broken ? 0 : conn_serve(conn, buf, len);
	conn->paused = out_is_full(conns);
	conn_keep(conn, buf + used, len - used);
	conn_flush(conn);
}

static void
conn_resume(struct conn *conn)
{
	struct octets *leftover = &conn->leftover;

	conn_round(
	    conn, leftover->at != NULL ? leftover->at : "", leftover->len);
}

// --- what happens to a connection ---

static void
conn_linger(struct conn *conn, short what)
{
	struct conns *conns = conn->conns;
	uint64_t now_ms = loop_now_ms(conns->settings.loop);
	ssize_t n = recv(conn->fd, conns->in, sizeof(conns->in), MSG_DONTWAIT);

	if (n > 0)
		conn->n_lingered += (size_t)n;
	bool over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (over || (what & EV_TIMEOUT) != 0 ||
	    now_ms >= conn->linger_until_ms ||
	    conn->n_lingered > CONN_LINGER_MAX)
		conn_free(conn);
}

static void
conn_read(struct conn *conn)
{
	struct conns *conns = conn->conns;
	size_t len = conn->leftover.len;

	assert(len < sizeof(conns->in));
	ssize_t n = recv(
	    conn->fd, conns->in + len, sizeof(conns->in) - len, MSG_DONTWAIT);
	if (n < 0) {
		conn->broken = errno != EAGAIN && errno != EINTR;
		return;
	}
	if (len > 0)
		memcpy(conns->in, conn->leftover.at, len);
	conn->heard = true;
	conn->eof = n == 0;
	conn_touch(conn);
	conn_round(conn, conns->in, len + (size_t)n);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	if (conn->lingering) {
		conn_linger(conn, what);
		return;
	}
	conn_read(conn);
	conn_settle(conn);
}

// False while some of it is left.
static bool
conn_send_rest(struct conn *conn)
{
	struct octets *unsent = &conn->unsent;

	ssize_t n = send(conn->fd, unsent->at + conn->sent_len,
	    unsent->len - conn->sent_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		conn->broken = errno != EAGAIN && errno != EINTR;
		return false;
	}
	conn_touch(conn);
	conn->sent_len += (size_t)n;
	if (conn->sent_len < unsent->len)
		return false;
	free(unsent->at);
	*unsent = (struct octets){ NULL, 0 };
	return true;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd, (void)what;
	if (conn->unsent.at == NULL || conn_send_rest(conn))
		conn_resume(conn);
	conn_settle(conn);
}

void
conns_answered(struct query *query)
{
	struct conn *conn = query->owner;

	if (query != TAILQ_FIRST(&conn->line) || conn->paused ||
	    conn->unsent.at != NULL)
		return;
	conn_touch(conn);
	conn_resume(conn);
	conn_settle(conn);
}

// --- what a connection waits for ---

static bool
conn_owes(const struct conn *conn)
{
	return conn->n_line > 0 || conn->paused || conn->unsent.at != NULL;
}

// False if memory or the kernel's room for it ran out.
static bool
watch(struct conn *conn, short what, bool wanted)
{
	struct event *event =
	    what == EV_READ ? &conn->readable : &conn->writable;

	if (wanted == ((conn->watched & what) != 0))
		return true;
	conn->watched ^= what;
	return (wanted ? event_add(event, NULL) : event_del(event)) == 0;
}

// Closing under a client that still sends would reset the connection, and the
// reply that tells him off might be lost with it.
static void
begin_linger(struct conn *conn)
{
	struct timeval wait = { .tv_sec = CONN_LINGER_MS / 1000 };

	shutdown(conn->fd, SHUT_WR);
	conn->lingering = true;
	conn->linger_until_ms =
	    loop_now_ms(conn->conns->settings.loop) + CONN_LINGER_MS;
	event_del(&conn->writable);
	event_add(&conn->readable, &wait);
}

static void
heir_lost(struct conns *conns)
{
	event_del(&conns->heir_writable);
	close(conns->heir);
	conns->heir = -1;
	conns->finishing = true;
}

// True if the connection is another's now.
static bool
hand_over(struct conn *conn)
{
	struct conns *conns = conn->conns;

	if (conns->heir_is_full)
		return false;
	int error = order_bequeath(conns->heir, conn->fd, conn->leftover.at,
	    (uint32_t)conn->leftover.len);
	if (error == 0)
		return true;
	if (error == -EAGAIN) {
		conns->heir_is_full = true;
		event_add(&conns->heir_writable, NULL);
	} else {
		heir_lost(conns);
	}
	return false;
}

// A client that has just connected is about to ask, and would take an end
// before its first reply for a failure. One that has been answered knows that
// connections end, and opens another.
static bool
is_about_to_ask(const struct conn *conn)
{
	return !conn->heard && loop_now_ms(conn->conns->settings.loop) <
				   conn->active_ms + CONN_FIRST_MS;
}

// True if nothing is to be waited for any more.
static bool
conn_is_over(struct conn *conn)
{
	struct conns *conns = conn->conns;

	if (conn->broken)
		return true;
	if (conn->lingering || conn_owes(conn))
		return false;
	if (conn->eof)
		return true;
	if (conn->condemned)
		return false;
	if (conns->heir >= 0 && hand_over(conn))
		return true;
	return conns->finishing && !is_about_to_ask(conn);
}

static void
conn_settle(struct conn *conn)
{
	if (conn_is_over(conn)) {
		conn_free(conn);
		return;
	}
	if (conn->lingering)
		return;
	if (conn->condemned && !conn_owes(conn)) {
		begin_linger(conn);
		return;
	}
	bool stalled = conn->paused || conn->unsent.at != NULL;
	bool wants = !stalled && !conn->eof && !conn->condemned &&
		     conn->n_line < CONN_LINE_MAX && conn->conns->heir < 0;
	if (!watch(conn, EV_WRITE, stalled) || !watch(conn, EV_READ, wants))
		conn_free(conn);
}

// --- all of them ---

// Settles each, after a last look at what it has sent where that is wanted.
static void
settle_all(struct conns *conns, bool look)
{
	struct conn *conn = TAILQ_FIRST(&conns->by_age), *next;

	// Whoever is read from moves to the end: once round, by count.
	for (unsigned i = conns->n; i > 0 && conn != NULL; i--, conn = next) {
		next = TAILQ_NEXT(conn, by_age);
		if (look && (conn->watched & EV_READ) && !conn->lingering)
			conn_read(conn);
		conn_settle(conn);
	}
}

static void
on_heir_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conns *conns = arg;

	(void)fd, (void)what;
	conns->heir_is_full = false;
	settle_all(conns, false);
}

int
conns_new(const struct conns_settings *settings, struct conns **ret)
{
	struct conns *conns = calloc(1, sizeof(*conns));

	if (conns == NULL)
		return -ENOMEM;
	conns->settings = *settings;
	conns->idle_timeout_ms = 1000ull * settings->conf->idle_timeout_s;
	conns->heir = -1;
	TAILQ_INIT(&conns->by_age);
	*ret = conns;
	return 0;
}

void
conns_free(struct conns *conns)
{
	struct conn *conn;

	if (conns == NULL)
		return;
	while ((conn = TAILQ_FIRST(&conns->by_age)) != NULL)
		conn_free(conn);
	if (conns->heir >= 0)
		heir_lost(conns);
	free(conns);
}

unsigned
conns_count(const struct conns *conns)
{
	return conns->n;
}

void
conns_reserve(const struct conns *conns, unsigned n_more)
{
	atomic_store(&conns->settings.page->n_connections, conns->n + n_more);
}

void
conns_adopt(struct conns *conns, int fd, const char *leftover, size_t len)
{
	struct event_base *base = loop_base(conns->settings.loop);
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		close(fd);
		return;
	}
	conn->conns = conns;
	conn->fd = fd;
	conn->heard = len > 0;
	conn->active_ms = loop_now_ms(conns->settings.loop);
	TAILQ_INIT(&conn->line);
	TAILQ_INSERT_TAIL(&conns->by_age, conn, by_age);
	event_assign(
	    &conn->readable, base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	event_assign(&conn->writable, base, fd, EV_WRITE | EV_PERSIST,
	    on_writable, conn);
	conns->n++;
	conns_reserve(conns, 0);
	if (len > 0)
		conn_round(conn, leftover, len);
	conn_settle(conn);
}

bool
conns_close_idle(struct conns *conns, uint64_t idle_ms)
{
	uint64_t now_ms = loop_now_ms(conns->settings.loop);
	struct conn *conn;

	TAILQ_FOREACH(conn, &conns->by_age, by_age)
	{
		if (now_ms - conn->active_ms <= idle_ms)
			return false;
		if (conn->n_line == 0) {
			conn_free(conn);
			return true;
		}
	}
	return false;
}

void
conns_sweep(struct conns *conns)
{
	while (conns->idle_timeout_ms > 0 &&
	       conns_close_idle(conns, conns->idle_timeout_ms))
		continue;
	if (conns->finishing)
		settle_all(conns, false);
}

void
conns_finish(struct conns *conns)
{
	conns->finishing = true;
	settle_all(conns, true);
}

void
conns_bequeath(struct conns *conns, int heir)
{
	conns->heir = heir;
	event_assign(&conns->heir_writable, loop_base(conns->settings.loop),
	    heir, EV_WRITE, on_heir_writable, conns);
	settle_all(conns, false);
}
