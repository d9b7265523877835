// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What may arrive on control_socket: any octets, cut anywhere, with outcomes of
// reloads that come late and replies that are read late. Each line must have
// the one reply that its octets call for, in order, however it was cut; a line
// that is too long ends it; and nobody is left behind.
//
// The octets: how replies are read, the number of cuts, an octet for the length
// of each piece but the last, the stream.
//
// Under test: src/control/client.c src/control/report.c
// Longest input: 4096
#include "config.h"

#include "input.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/client.h"
#include "control/control.h"
#include "control/report.h"

#define STREAM_MAX 4096
#define ROUNDS_MAX 100000 // nothing takes that long
#define TAKEN      "taken over\n"

static struct loop *loop;
static struct clients *clients;
static struct status_page pages[1];

// One play: the client's end, what it has read, and what the parent was told.
static struct {
	int fd;
	bool over; // end of file
	size_t len;
	char octets[128 * STREAM_MAX];
	uint32_t wish, pending; // the last one; the one without an outcome
} play;

// --- the parent ---

static bool
is_busy(uint32_t wish)
{
	return wish % 5 == 4;
}

static bool
is_in_force(uint32_t wish)
{
	return wish % 3 != 0;
}

static uint32_t
on_reload(void *arg)
{
	uint32_t wish = ++play.wish;

	(void)arg;
	REQUIRE(play.pending == 0);
	if (is_busy(wish))
		return 0;
	return play.pending = wish;
}

static bool
on_replace(int fd, void *arg)
{
	(void)arg;
	return send(fd, TAKEN, strlen(TAKEN), MSG_NOSIGNAL) > 0;
}

static void
give_outcome(void)
{
	uint32_t wish = play.pending;

	play.pending = 0;
	if (wish != 0)
		clients_outcome(clients, wish, is_in_force(wish));
}

// --- the client ---

static void
open_once(void)
{
	if (clients != NULL)
		return;
	REQUIRE(loop_new(&loop) == 0);
	REQUIRE(clients_new(
		    &(struct clients_settings){
			.loop = loop,
			.pages = pages,
			.n_pages = 1,
			.reload = on_reload,
			.replace = on_replace,
		    },
		    &clients) == 0);
}

static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
}

static void
read_replies(void)
{
	while (!play.over) {
		size_t left = sizeof(play.octets) - play.len;
		ssize_t n =
		    recv(play.fd, play.octets + play.len, left, MSG_DONTWAIT);

		REQUIRE(left > 0);
		if (n < 0 && errno == EAGAIN)
			return;
		REQUIRE(n >= 0 || errno == ECONNRESET);
		play.over = n <= 0;
		play.len += n > 0 ? (size_t)n : 0;
	}
}

// Whoever was told off is not read from any more.
static void
say(const uint8_t *octets, size_t len, uint8_t how)
{
	for (unsigned i = 0; len > 0 && !play.over; i++) {
		ssize_t n =
		    send(play.fd, octets, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		REQUIRE(i < ROUNDS_MAX);
		if (n < 0 && errno != EAGAIN)
			return;
		octets += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		turn();
		if ((how & 1) == 0 || n < 0)
			read_replies();
		if ((how & 2) == 0 || n < 0)
			give_outcome();
	}
}

static void
hear_the_rest(void)
{
	shutdown(play.fd, SHUT_WR);
	for (unsigned i = 0; !play.over; i++) {
		REQUIRE(i < ROUNDS_MAX);
		turn();
		give_outcome();
		read_replies();
	}
	turn();
	REQUIRE(clients_count(clients) == 0);
}

static void
run(struct input *input, uint8_t how, unsigned n_cuts)
{
	const uint8_t *cuts = input->at;
	int pair[2];
	size_t len;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	play.fd = pair[0];
	play.over = false;
	play.len = 0;
	play.wish = play.pending = 0;
	clients_add(clients, pair[1]);
	input_take(input, n_cuts, &len);
	for (unsigned i = 0; i < len; i++) {
		size_t piece_len;
		const uint8_t *piece = input_take(input, cuts[i], &piece_len);
		say(piece, piece_len, how);
	}
	say(input->at, input_left(input), how);
	hear_the_rest();
	close(play.fd);
}

// --- what it should have heard ---

// Cuts the expected reply off what was heard; false if something else stands
// there.
static bool
heard(struct input *replies, const char *expected)
{
	size_t len = strlen(expected);

	if (input_left(replies) < len ||
	    memcmp(replies->at, expected, len) != 0)
		return false;
	replies->at += len;
	return true;
}

static bool
line_is(const uint8_t *line, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(line, wanted, len) == 0;
}

static void
check_reload(struct input *replies, uint32_t wish)
{
	if (is_busy(wish))
		REQUIRE(
		    heard(replies, "error the daemon is too busy to reload\n"));
	else
		REQUIRE(
		    heard(replies, is_in_force(wish) ? "ok\n" : "failed\n"));
}

static void
check_status(struct input *replies)
{
	char report[REPORT_MAX];

	report_write(pages, 1, report);
	REQUIRE(heard(replies, report) && heard(replies, "\n"));
}

// True if the connection goes on.
static bool
check_line(
    const uint8_t *line, size_t len, struct input *replies, uint32_t *n_wishes)
{
	if (line_is(line, len, "status")) {
		check_status(replies);
	} else if (line_is(line, len, "reload")) {
		check_reload(replies, ++*n_wishes);
	} else if (line_is(line, len, "replace")) {
		REQUIRE(heard(replies, TAKEN) ||
			heard(replies,
			    "error the daemon is too busy to be replaced\n"));
		return false;
	} else {
		REQUIRE(heard(replies,
		    "error no such request: there are status, reload, "
		    "replace\n"));
	}
	return true;
}

// The next line with its end, or 0: none is whole. One that is longer than
// CONTROL_LINE_MAX with its end is none.
static size_t
line_length(const struct input *stream)
{
	size_t left = input_left(stream);
	size_t max = left < CONTROL_LINE_MAX ? left : CONTROL_LINE_MAX;
	const uint8_t *end = max > 0 ? memchr(stream->at, '\n', max) : NULL;

	return end == NULL ? 0 : (size_t)(end - stream->at) + 1;
}

static void
check_stream(struct input *stream, struct input *replies)
{
	uint32_t n_wishes = 0;
	size_t len, taken;

	while ((len = line_length(stream)) > 0) {
		const uint8_t *line = input_take(stream, len, &taken);
		len--;
		len -= len > 0 && line[len - 1] == '\r';
		if (!check_line(line, len, replies, &n_wishes))
			return;
	}
	if (input_left(stream) >= CONTROL_LINE_MAX)
		REQUIRE(heard(replies, "error the line is too long\n"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	uint8_t how = input_octet(&input);
	unsigned n_cuts = input_octet(&input);
	struct input stream = input;
	size_t skipped;

	if (size > STREAM_MAX)
		return 0;
	open_once();
	run(&input, how, n_cuts);
	struct input replies = { (uint8_t *)play.octets,
		(uint8_t *)play.octets + play.len };
	input_take(&stream, n_cuts, &skipped);
	check_stream(&stream, &replies);
	REQUIRE(input_left(&replies) == 0);
	return 0;
}
