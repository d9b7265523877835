// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The control process's protocol, and that no client can hold it up: the whole
// process in a child, this test is its parent and its clients.
#include "config.h"

#include "table.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/control.h"
#include "control/report.h"
#include "wire/order.h"

#define PATIENCE_MS 10000

struct play {
	pid_t pid;
	int channel; // as the parent has it
	struct sockaddr_un address;
	socklen_t address_len;
	struct status_page *pages;
};

// An abstract socket needs no file.
static int
listen_somewhere(struct play *play)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	play->address.sun_family = AF_UNIX;
	play->address_len = sizeof(play->address);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&play->address,
				sizeof(play->address.sun_family)));
	assert_int_equal(0, getsockname(fd, (struct sockaddr *)&play->address,
				&play->address_len));
	assert_int_equal(0, listen(fd, 1024));
	return fd;
}

static void
wait_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	assert_int_equal(1, poll(&poll_fd, 1, PATIENCE_MS));
}

static struct order
next_order(struct play *play)
{
	struct order order = { 0 };

	wait_readable(play->channel);
	assert_int_equal(1, order_receive(play->channel, &order));
	return order;
}

static void
begin(struct play *play)
{
	int pair[2];
	int listener = listen_somewhere(play);

	play->pages = status_new();
	assert_non_null(play->pages);
	assert_int_equal(
	    0, socketpair(AF_UNIX,
		   SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	play->pid = fork();
	if (play->pid == 0) {
		struct control_settings settings = {
			.parent = pair[1],
			.listener = listener,
			.page = &play->pages[0],
			.pages = play->pages,
			.n_pages = STATUS_CHILDREN_MAX,
		};
		close(pair[0]);
		alarm(60);
		_exit(control_main(&settings));
	}
	close(listener);
	close(pair[1]);
	play->channel = pair[0];
	assert_int_equal(next_order(play).kind, ORDER_READY);
}

static void
give_order(struct play *play, enum order_kind kind, uint32_t index, uint32_t n)
{
	struct order order = { kind, index, n, -1 };

	assert_int_equal(0, order_send(play->channel, &order));
}

static int
exit_status(struct play *play)
{
	int status = -1;

	assert_int_equal(play->pid, waitpid(play->pid, &status, 0));
	play->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
connect_to(struct play *play)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(0,
	    connect(fd, (struct sockaddr *)&play->address, play->address_len));
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(
	    strlen(text), send(fd, text, strlen(text), MSG_NOSIGNAL));
}

// One line, or "" at the end.
static const char *
line_of(int fd)
{
	static char line[REPORT_MAX];
	size_t len = 0;

	for (; len < sizeof(line) - 1; len++) {
		wait_readable(fd);
		ssize_t n = read(fd, line + len, 1);
		if (n <= 0 || line[len] == '\n')
			break;
	}
	line[len] = '\0';
	return line;
}

static void
expect(int fd, const char *wanted)
{
	assert_string_equal(line_of(fd), wanted);
}

static bool
begins(const char *text, const char *wanted)
{
	return strncmp(text, wanted, strlen(wanted)) == 0;
}

// Whoever else is there, a new client is served.
static void
serves(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "status\n");
	assert_true(begins(line_of(fd), "{\"version\":"));
	close(fd);
}

// ---- What clients may do ----

static void
reports(struct play *play)
{
	int fd = connect_to(play);

	play->pages[1].n_requests = 40;
	play->pages[2].n_requests = 2;
	play->pages[2].heartbeat_ms = 7;
	play->pages[3].n_connections = 5;
	say(fd, "status\n");
	const char *line = line_of(fd);
	assert_non_null(strstr(line, "\"processes\":2,"));
	assert_non_null(strstr(line, "\"requests\":42,"));
	assert_non_null(strstr(line, "\"connections\":5,"));
	close(fd);
}

static void
reload_ok(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "reload\n");
	struct order order = next_order(play);
	assert_int_equal(order.kind, ORDER_RELOAD);
	give_order(play, ORDER_RELOADED, order.index, 1);
	expect(fd, "ok");
	close(fd);
}

static void
reload_failed(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "reload\n");
	struct order order = next_order(play);
	give_order(play, ORDER_RELOADED, order.index, 0);
	expect(fd, "failed");
	close(fd);
}

static void
reload_late(struct play *play)
{
	int early = connect_to(play), late = connect_to(play);

	say(early, "reload\n");
	struct order first = next_order(play);
	say(late, "reload\n");
	struct order second = next_order(play);
	assert_true(second.index > first.index);
	give_order(play, ORDER_RELOADED, first.index, 0);
	expect(early, "failed");
	give_order(play, ORDER_RELOADED, second.index, 1);
	expect(late, "ok");
	close(early);
	close(late);
}

static void
reload_again(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "reload\n");
	next_order(play);
	give_order(play, ORDER_RELOADED, 0, 1);
	give_order(play, ORDER_FINISH, 0, 0);
	expect(fd, "again");
	expect(fd, "");
	assert_int_equal(exit_status(play), 0);
	close(fd);
}

static void
replaced(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "replace\n");
	struct order order = next_order(play);
	assert_int_equal(order.kind, ORDER_REPLACE);
	say(order.fd, "sockets\n");
	expect(fd, "sockets");
	close(order.fd); // nobody else holds it
	expect(fd, "");
	close(fd);
}

// What the parent says would come before what is not sent yet.
static void
replaced_late(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "nonsense\nreplace\nstatus\n");
	assert_true(begins(line_of(fd), "error no such request"));
	assert_true(begins(line_of(fd), "error the daemon is too busy"));
	expect(fd, "");
	close(fd);
}

static void
in_order(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "nonsense\nreload\nstatus\n");
	assert_true(begins(line_of(fd), "error no such request"));
	struct order order = next_order(play);
	give_order(play, ORDER_RELOADED, order.index, 1);
	expect(fd, "ok");
	assert_true(begins(line_of(fd), "{"));
	close(fd);
}

static void
half_closed(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "reload\nstatus\n");
	shutdown(fd, SHUT_WR);
	struct order order = next_order(play);
	give_order(play, ORDER_RELOADED, order.index, 1);
	expect(fd, "ok");
	assert_true(begins(line_of(fd), "{"));
	expect(fd, "");
	close(fd);
}

static void
carriage_return(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "status\r\n");
	assert_true(begins(line_of(fd), "{"));
	close(fd);
}

// ---- What they may not ----

static void
too_long(struct play *play)
{
	int fd = connect_to(play);
	char line[2 * CONTROL_LINE_MAX + 1];

	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	say(fd, line);
	expect(fd, "error the line is too long");
	close(fd);
	serves(play);
}

static void
with_nul(struct play *play)
{
	int fd = connect_to(play);

	assert_int_equal(12, send(fd, "reload\0more\n", 12, MSG_NOSIGNAL));
	assert_true(begins(line_of(fd), "error no such request"));
	close(fd);
}

static void
never_reads(struct play *play)
{
	int fd = connect_to(play);

	const struct timeval patience = { .tv_usec = 500000 };
	unsigned n = 0;

	// Its replies are never read, so at some time its requests are not
	// either, rather than heaped up.
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	while (n < 100000 && send(fd, "status\n", 7, MSG_NOSIGNAL) == 7)
		n++;
	assert_true(n < 100000);
	serves(play);
	close(fd);
	serves(play);
}

static void
says_nothing(struct play *play)
{
	int fds[CONTROL_CLIENTS_MAX / 2];

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX / 2; i++) {
		fds[i] = connect_to(play);
		say(fds[i], "rel");
	}
	serves(play);
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX / 2; i++)
		close(fds[i]);
}

static void
too_many(struct play *play)
{
	int fds[CONTROL_CLIENTS_MAX];

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fds[i] = connect_to(play);
		say(fds[i], "status\n");
		assert_true(begins(line_of(fds[i]), "{"));
	}
	int more = connect_to(play);
	expect(more, "error too many clients");
	close(more);
	close(fds[0]);
	// The place becomes free once its end has been seen.
	for (unsigned i = 0; i < 1000; i++) {
		more = connect_to(play);
		if (send(more, "status\n", 7, MSG_NOSIGNAL) == 7 &&
		    begins(line_of(more), "{"))
			break;
		close(more);
		assert_true(i < 999);
	}
	close(more);
	for (unsigned i = 1; i < CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
}

static void
goes_while_waiting(struct play *play)
{
	int fd = connect_to(play);

	say(fd, "reload\n");
	struct order order = next_order(play);
	close(fd);
	give_order(play, ORDER_RELOADED, order.index, 1);
	serves(play);
}

// ---- How it ends ----

static void
finishes(struct play *play)
{
	give_order(play, ORDER_FINISH, 0, 0);
	assert_int_equal(exit_status(play), 0);
}

static void
finishes_beside_a_silent_client(struct play *play)
{
	int fd = connect_to(play);

	serves(play);
	give_order(play, ORDER_FINISH, 0, 0);
	expect(fd, "");
	assert_int_equal(exit_status(play), 0);
	close(fd);
}

static void
loses_its_parent(struct play *play)
{
	close(play->channel);
	play->channel = -1;
	assert_int_not_equal(exit_status(play), 0);
}

static const struct play_row {
	const char *sentence;
	void (*run)(struct play *play);
} play_rows[] = {
	{ "status adds all processes up", reports },
	{ "a successor is handed to the parent", replaced },
	{ "a successor that has asked other things is refused", replaced_late },
	{ "a reload in force is ok", reload_ok },
	{ "a reload that was refused has failed", reload_failed },
	{ "a wish that came too late for one reload waits for the next",
	    reload_late },
	{ "a wish that nobody heeded is to be made again", reload_again },
	{ "requests of one client are answered in order", in_order },
	{ "a client that sends no more still gets its replies", half_closed },
	{ "a line may end in CR LF", carriage_return },
	{ "a line that is too long ends the connection", too_long },
	{ "a NUL within a request makes it none", with_nul },
	{ "a client that never reads holds nobody up", never_reads },
	{ "half requests hold nobody up", says_nothing },
	{ "there is a limit to clients, and those past it are told", too_many },
	{ "a client may go before the outcome is known", goes_while_waiting },
	{ "it ends when told to", finishes },
	{ "it ends although a client says nothing",
	    finishes_beside_a_silent_client },
	{ "it ends with its parent", loses_its_parent },
};

static void
play_test(void **state)
{
	const struct play_row *row = *state;
	struct play play = { .pid = 0 };

	begin(&play);
	row->run(&play);
	if (play.pid != 0) {
		kill(play.pid, SIGKILL);
		waitpid(play.pid, NULL, 0);
	}
	if (play.channel >= 0)
		close(play.channel);
}

static void
report_test(void **state)
{
	static struct status_page pages[STATUS_CHILDREN_MAX];
	char text[REPORT_MAX];

	(void)state;
	memset(pages, 0xff, sizeof(pages));
	size_t len = report_write(pages, STATUS_CHILDREN_MAX, text);
	assert_int_equal(len, strlen(text));
	assert_true(len < REPORT_MAX - 1);
	assert_int_equal(text[len - 1], '}');
}

int
main(void)
{
	TABLE_ADD(play_rows, play_test);
	table_add("the largest numbers fit the report", report_test, NULL);
	return table_run("control");
}
