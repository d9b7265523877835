// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Where log lines go, with readers of our own at the other end: what they
// receive, and that one who does not read holds up nobody. Two answers of the
// system are at a row's word: what send() says first, and what happens while
// poll() waits.
#include "config.h"

#include "refusal.h"
#include "table.h"

#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define LINES_MAX 100000 // more than any socket or pipe takes

static char path[64];
static int late_reader = -1; // reads while poll waits
static unsigned n_waits;     // of poll

REFUSABLE(ssize_t, send, (int fd, const void *data, size_t len, int flags),
    (fd, data, len, flags), -1)

int __real_poll(struct pollfd *fds, nfds_t n, int wait_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int wait_ms);

int
__wrap_poll(struct pollfd *fds, nfds_t n, int wait_ms)
{
	char octets[4096];

	n_waits += wait_ms > 0;
	while (wait_ms > 0 && late_reader >= 0 &&
	       read(late_reader, octets, sizeof(octets)) > 0)
		;
	return __real_poll(fds, n, wait_ms);
}

static int
listen_at_path(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(path, sizeof(path), "/tmp/test_sink.%ld", (long)getpid());
	unlink(path);
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static size_t
receive(int fd, char ret[SINK_LINE_MAX + 1])
{
	ssize_t n = read(fd, ret, SINK_LINE_MAX);

	assert_true(n >= 0);
	ret[n] = '\0';
	return (size_t)n;
}

static void
write_journal(void **state)
{
	int fd = listen_at_path();
	char heard[SINK_LINE_MAX + 1], expected[256];
	struct sink sink;

	(void)state;
	assert_int_equal(sink_open_socket(&sink, SINK_JOURNAL, path), 0);
	sink_write(&sink, LOG_WARNING, "a line", "");
	receive(fd, heard);
	snprintf(expected, sizeof(expected),
	    "PRIORITY=4\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=danemapd\n"
	    "SYSLOG_PID=%ld\nMESSAGE=a line\n",
	    (long)getpid());
	assert_string_equal(heard, expected);
	sink_close(&sink);
	close(fd);
	unlink(path);
}

static void
write_fields(void **state)
{
	int fd = listen_at_path();
	char heard[SINK_LINE_MAX + 1];
	struct sink sink;

	(void)state;
	assert_int_equal(sink_open_socket(&sink, SINK_JOURNAL, path), 0);
	sink_write(&sink, LOG_WARNING, "a line", "A=1\nB=2\n");
	receive(fd, heard);
	assert_non_null(strstr(heard, "\nA=1\nB=2\nMESSAGE=a line\n"));
	sink_close(&sink);
	assert_int_equal(sink_open_socket(&sink, SINK_SYSLOG, path), 0);
	sink_write(&sink, LOG_WARNING, "a line", "A=1\nB=2\n");
	receive(fd, heard);
	assert_null(strstr(heard, "A=1"));
	sink_close(&sink);
	close(fd);
	unlink(path);
}

struct field_row {
	const char *sentence;
	const char *value;
	size_t size;
	const char *expected;
};

static const struct field_row field_rows[] = {
	{ "a field is a line", "example.org", 64, "NAME=example.org\n" },
	{ "a value cannot forge another field", "a\nPRIORITY=0", 64,
	    "NAME=a\\nPRIORITY=0\n" },
	{ "control characters in a value are escaped", "a\033[1m\r", 64,
	    "NAME=a\\x1b[1m\\r\n" },
	{ "a field without a value is none", NULL, 64, "" },
	{ "a field that does not fit is none", "example.org", 17, "" },
	{ "a field that just fits is whole", "example.org", 18,
	    "NAME=example.org\n" },
};

static void
field(void **state)
{
	const struct field_row *row = *state;
	char text[64] = "";
	size_t n = sink_field("NAME", row->value, text, row->size);

	assert_int_equal(n, strlen(row->expected));
	text[n] = '\0';
	assert_string_equal(text, row->expected);
}

static void
write_syslog(void **state)
{
	int fd = listen_at_path(), day, hour, minute, second;
	char heard[SINK_LINE_MAX + 1], month[4], rest[64], expected[64];
	struct sink sink;

	(void)state;
	assert_int_equal(sink_open_socket(&sink, SINK_SYSLOG, path), 0);
	sink_write(&sink, LOG_INFO, "a line", "");
	receive(fd, heard);
	// Facility mail is 2, priority info 6.
	assert_int_equal(sscanf(heard, "<22>%3s %2d %d:%d:%d %63[^\n]", month,
			     &day, &hour, &minute, &second, rest),
	    6);
	snprintf(expected, sizeof(expected), "danemapd[%ld]: a line",
	    (long)getpid());
	assert_string_equal(rest, expected);
	sink_close(&sink);
	close(fd);
	unlink(path);
}

static void
write_pipe(void **state)
{
	char heard[SINK_LINE_MAX + 1], expected[128];
	struct sink sink;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	sink_open_stream(&sink, fds[1]);
	sink_write(&sink, LOG_INFO, "a line", "");
	receive(fds[0], heard);
	snprintf(expected, sizeof(expected), "danemapd[%ld]: a line\n",
	    (long)getpid());
	assert_string_equal(heard, expected);
	// Others may share the descriptor: it is left as it was.
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	sink_close(&sink);
	assert_true(fcntl(fds[1], F_GETFD) >= 0);
	close(fds[0]);
	close(fds[1]);
}

static void
cut_line(void **state)
{
	char heard[SINK_LINE_MAX + 1], line[2 * SINK_LINE_MAX];
	struct sink sink;
	int fds[2];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(pipe(fds), 0);
	sink_open_stream(&sink, fds[1]);
	sink_write(&sink, LOG_INFO, line, "");
	assert_int_equal(receive(fds[0], heard), SINK_LINE_MAX);
	assert_string_equal(heard + SINK_LINE_MAX - 3, "xx\n");
	sink_close(&sink);
	close(fds[0]);
	close(fds[1]);
}

// Fills the sink until it loses a line, then makes room and looks for the word
// about it.
static void
fill_and_read(struct sink *sink, int reader)
{
	char heard[SINK_LINE_MAX + 1];
	unsigned n = 0;
	bool was_told = false;

	n_waits = 0;
	while (sink->n_lost == 0 && n++ < LINES_MAX)
		sink_write(sink, LOG_INFO, "a line", "");
	sink_write(sink, LOG_INFO, "a line", "");
	assert_int_equal(sink->n_lost, 2);
	assert_int_equal(n_waits, 1); // not for each
	while (read(reader, heard, sizeof(heard)) > 0)
		;
	sink_write(sink, LOG_INFO, "the last line", "");
	assert_int_equal(sink->n_lost, 0);
	for (unsigned i = 0; i < 2; i++) {
		ssize_t len = read(reader, heard, sizeof(heard) - 1);

		heard[len > 0 ? len : 0] = '\0';
		was_told |= strstr(heard, "warning: 2 log lines lost") != NULL;
	}
	assert_true(was_told);
	assert_non_null(strstr(heard, "the last line"));
}

static void
fill_socket(void **state)
{
	int fd = listen_at_path();
	struct sink sink;

	(void)state;
	assert_int_equal(sink_open_socket(&sink, SINK_JOURNAL, path), 0);
	fill_and_read(&sink, fd);
	sink_close(&sink);
	close(fd);
	unlink(path);
}

// Both lines come in one read here: they are still told apart by their ends.
static void
fill_pipe(void **state)
{
	char heard[SINK_LINE_MAX + 1];
	struct sink sink;
	unsigned n = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink_open_stream(&sink, fds[1]);
	while (sink.n_lost == 0 && n++ < LINES_MAX)
		sink_write(&sink, LOG_INFO, "a line", "");
	assert_int_equal(sink.n_lost, 1);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	while (read(fds[0], heard, sizeof(heard)) > 0)
		;
	sink_write(&sink, LOG_INFO, "the last line", "");
	receive(fds[0], heard);
	assert_non_null(strstr(heard, "warning: 1 log line lost\n"));
	assert_non_null(strstr(heard, "the last line\n"));
	sink_close(&sink);
	close(fds[0]);
	close(fds[1]);
}

static void
lose_reader(void **state)
{
	struct sink sink;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	sink_open_stream(&sink, fds[1]);
	close(fds[0]);
	sink_write(&sink, LOG_INFO, "a line", "");
	assert_int_equal(sink.n_lost, 1);
	sink_close(&sink);
	close(fds[1]);
}

static void
lose_stream_socket(void **state)
{
	struct sink sink;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL); // not needed for sockets
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	sink_open_stream(&sink, fds[1]);
	close(fds[0]);
	sink_write(&sink, LOG_INFO, "a line", "");
	assert_int_equal(sink.n_lost, 1);
	sink_close(&sink);
	close(fds[1]);
}

static void
restart_reader(void **state)
{
	char heard[SINK_LINE_MAX + 1];
	int fd = listen_at_path();
	struct sink sink;

	(void)state;
	assert_int_equal(sink_open_socket(&sink, SINK_SYSLOG, path), 0);
	close(fd);
	sink_write(&sink, LOG_INFO, "to nobody", "");
	assert_int_equal(sink.n_lost, 1);
	fd = listen_at_path();
	sink_write(&sink, LOG_INFO, "to the next", "");
	receive(fd, heard);
	assert_non_null(strstr(heard, "warning: 1 log line lost"));
	receive(fd, heard);
	assert_non_null(strstr(heard, "to the next"));
	sink_close(&sink);
	close(fd);
	unlink(path);
}

struct send_row {
	const char *sentence;
	int error;
	unsigned n_lost;
};

static const struct send_row send_rows[] = {
	{ "a line that a signal came before is sent again", EINTR, 0 },
	{ "a line that the kernel had no memory for is sent again", ENOBUFS,
	    0 },
	{ "a line that there was no room for is sent again", EAGAIN, 0 },
	{ "a line whose reader hung up is sent to the next", ECONNREFUSED, 0 },
	{ "a line that nobody may have is lost", EACCES, 1 },
};

static void
refuse_send(void **state)
{
	const struct send_row *row = *state;
	char heard[SINK_LINE_MAX + 1] = "";
	int fd = listen_at_path();
	struct sink sink;

	assert_int_equal(sink_open_socket(&sink, SINK_SYSLOG, path), 0);
	refuse("send", 1, row->error);
	sink_write(&sink, LOG_INFO, "a line", "");
	assert_true(refuse_no_more());
	assert_int_equal(sink.n_lost, row->n_lost);
	if (row->n_lost == 0)
		receive(fd, heard);
	else
		assert_int_equal(read(fd, heard, sizeof(heard)), -1);
	assert_int_equal(strstr(heard, "a line") == NULL, row->n_lost);
	sink_close(&sink);
	close(fd);
	unlink(path);
}

// --- What is opened ---

// The number that the next descriptor gets: one that was leaked takes it.
static int
next_fd(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

struct open_row {
	const char *sentence;
	const char *path;
	bool no_descriptors; // are left
	int error;
};

static const struct open_row open_rows[] = {
	{ "a socket that is not there is an error", "/nonexistent/log", false,
	    -ENOENT },
	{ "a path that no socket can have is an error",
	    "/12345678901234567890123456789012345678901234567890123456789012345"
	    "678901234567890123456789012345678901234567",
	    false, -ENAMETOOLONG },
	{ "without descriptors there is no socket, and that is an error",
	    "/nonexistent/log", true, -EMFILE },
};

static struct rlimit old_limit;

// From next on there are no descriptors.
static void
end_descriptors(int next)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old_limit), 0);
	limit = old_limit;
	limit.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
give_descriptors(void)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old_limit), 0);
}

static void
open_nothing(void **state)
{
	const struct open_row *row = *state;
	struct sink sink = { .fd = -7 };
	int next = next_fd();

	end_descriptors(row->no_descriptors ? next : next + 1);
	int error = sink_open_socket(&sink, SINK_SYSLOG, row->path);
	give_descriptors();
	assert_int_equal(error, row->error);
	assert_int_equal(sink.fd, -7);
	assert_int_equal(next_fd(), next);
}

// A pipe that is full, to its last octet.
static void
make_full_pipe(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(fds[1], "x", 1) == 1)
		;
	assert_int_equal(errno, EAGAIN);
}

struct late_row {
	const char *sentence;
	bool is_shared; // cannot be opened anew
};

static const struct late_row late_rows[] = {
	{ "a line waits for a reader that is late", false },
	{ "so it does where the pipe cannot be opened anew", true },
};

static void
wait_for_late_reader(void **state)
{
	const struct late_row *row = *state;
	char heard[SINK_LINE_MAX + 1];
	struct sink sink;
	int fds[2];

	make_full_pipe(fds);
	end_descriptors(next_fd() + !row->is_shared);
	sink_open_stream(&sink, fds[1]);
	give_descriptors();
	assert_int_equal(sink.fd == fds[1], row->is_shared);
	late_reader = fds[0];
	sink_write(&sink, LOG_INFO, "a line", "");
	late_reader = -1;
	assert_int_equal(sink.n_lost, 0);
	receive(fds[0], heard);
	assert_non_null(strstr(heard, "a line\n"));
	sink_close(&sink);
	close(fds[0]);
	close(fds[1]);
}

// Then the descriptor that was given must do, and blocks if it is written to.
static void
share_pipe(void **state)
{
	char octets[4096];
	struct sink sink;
	int fds[2];

	(void)state;
	make_full_pipe(fds);
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
	end_descriptors(next_fd());
	sink_open_stream(&sink, fds[1]);
	give_descriptors();
	assert_int_equal(sink.fd, fds[1]);
	alarm(20); // for one that blocks
	sink_write(&sink, LOG_INFO, "a line", "");
	alarm(0);
	assert_int_equal(sink.n_lost, 1);
	while (read(fds[0], octets, sizeof(octets)) > 0)
		;
	sink_write(&sink, LOG_INFO, "the last line", "");
	assert_int_equal(sink.n_lost, 0);
	receive(fds[0], octets);
	assert_non_null(strstr(octets, "warning: 1 log line lost\n"));
	assert_non_null(strstr(octets, "the last line\n"));
	sink_close(&sink);
	assert_true(fcntl(fds[1], F_GETFD) >= 0);
	close(fds[0]);
	close(fds[1]);
}

static void
share_full_pipe_of_nobody(void **state)
{
	struct sink sink;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL); // nothing is written
	make_full_pipe(fds);
	end_descriptors(next_fd());
	sink_open_stream(&sink, fds[1]);
	give_descriptors();
	close(fds[0]);
	sink_write(&sink, LOG_INFO, "a line", "");
	assert_int_equal(sink.n_lost, 1);
	sink_close(&sink);
	close(fds[1]);
}

static void
write_file(void **state)
{
	char heard[SINK_LINE_MAX + 1], expected[128];
	char name[] = "/tmp/test_sink.XXXXXX";
	struct sink sink;
	int fd = mkstemp(name);

	(void)state;
	unlink(name);
	sink_open_stream(&sink, fd);
	assert_int_equal(sink.fd, fd);
	sink_write(&sink, LOG_INFO, "a", "");
	sink_write(&sink, LOG_INFO, "b", "");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	receive(fd, heard);
	snprintf(expected, sizeof(expected),
	    "danemapd[%ld]: a\ndanemapd[%ld]: b\n", (long)getpid(),
	    (long)getpid());
	assert_string_equal(heard, expected);
	sink_close(&sink);
	close(fd);
}

static void
write_device(void **state)
{
	int fd = open("/dev/null", O_WRONLY);
	struct sink sink;

	(void)state;
	sink_open_stream(&sink, fd);
	assert_int_not_equal(sink.fd, fd);
	assert_true(fcntl(sink.fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	sink_write(&sink, LOG_INFO, "a line", "");
	assert_int_equal(sink.n_lost, 0);
	sink_close(&sink);
	close(fd);
}

static void
write_to_nothing(void **state)
{
	int fd = next_fd();
	struct sink sink;

	(void)state;
	sink_open_stream(&sink, fd);
	assert_false(sink_is_open(&sink));
	sink_write(&sink, LOG_INFO, "a line", "");
	assert_int_equal(sink.n_lost, 1);
	sink_close(&sink);
	assert_int_equal(next_fd(), fd);
}

// The number of a closed descriptor goes to the next one that is opened.
static void
leave_foreign(void **state)
{
	int fd = listen_at_path(), foreign;
	struct sink sink;

	(void)state;
	assert_int_equal(sink_open_socket(&sink, SINK_JOURNAL, path), 0);
	assert_true(sink_is_open(&sink));
	close(sink.fd);
	assert_false(sink_is_open(&sink));
	foreign = open("/dev/null", O_RDONLY);
	assert_int_equal(foreign, sink.fd);
	assert_false(sink_is_open(&sink));
	sink_close(&sink);
	assert_true(fcntl(foreign, F_GETFD) >= 0);
	close(foreign);
	close(fd);
	unlink(path);
}

int
main(void)
{
	table_add("the journal is sent its fields", write_journal, NULL);
	table_add("fields of an event go to the journal, and nowhere else",
	    write_fields, NULL);
	TABLE_ADD(field_rows, field);
	table_add("syslog is sent a line of facility mail", write_syslog, NULL);
	table_add(
	    "a pipe is sent a line, and left as it was", write_pipe, NULL);
	table_add("a line too long loses its end but not its newline", cut_line,
	    NULL);
	table_add("a socket that nobody reads loses lines and says how many",
	    fill_socket, NULL);
	table_add("a pipe that nobody reads loses lines and says how many",
	    fill_pipe, NULL);
	table_add("a pipe whose reader is gone loses lines", lose_reader, NULL);
	table_add("a stream socket whose reader is gone raises no signal",
	    lose_stream_socket, NULL);
	table_add("a reader that is started anew is found again",
	    restart_reader, NULL);
	TABLE_ADD(late_rows, wait_for_late_reader);
	TABLE_ADD(send_rows, refuse_send);
	TABLE_ADD(open_rows, open_nothing);
	table_add(
	    "a pipe that cannot be opened anew never blocks", share_pipe, NULL);
	table_add("a full pipe without a reader raises no signal",
	    share_full_pipe_of_nobody, NULL);
	table_add("a file is sent lines", write_file, NULL);
	table_add(
	    "a device, such as a terminal, is opened anew", write_device, NULL);
	table_add(
	    "a stream that is closed loses lines", write_to_nothing, NULL);
	table_add("a descriptor that is another's by now is left alone",
	    leave_foreign, NULL);
	return table_run("sink");
}
