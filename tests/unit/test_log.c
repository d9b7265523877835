// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Log lines as they reach stderr, values from peers within them, and which
// target is opened: the sockets of journal and syslog are stood in for, so that
// a machine may have them or not.
#include "config.h"

#include "table.h"

#include "base/escape.h"
#include "base/log.h"
#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int reader, saved_stderr;

// The one socket that is there, for all that look for its path.
static struct {
	const char *path; // NULL: there is none
	int fd;
	struct sockaddr_un address;
	socklen_t len;
} door;

int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);

int
__wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct sockaddr_un *to = (const void *)address;

	(void)len;
	if (door.path && strcmp(to->sun_path, door.path) == 0)
		return __real_connect(
		    fd, (struct sockaddr *)&door.address, door.len);
	errno = ENOENT;
	return -1;
}

static void
open_door(const char *path)
{
	door.address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	door.len = sizeof(door.address);
	door.path = path;
	door.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	// Bound by the kernel to an abstract name of its choice.
	assert_int_equal(bind(door.fd, (struct sockaddr *)&door.address,
			     sizeof(sa_family_t)),
	    0);
	assert_int_equal(
	    getsockname(door.fd, (struct sockaddr *)&door.address, &door.len),
	    0);
}

static void
close_door(void)
{
	if (door.path)
		close(door.fd);
	door.path = NULL;
}

static const char *
heard_at_door(void)
{
	static char text[SINK_LINE_MAX + SINK_FIELDS_MAX];
	ssize_t n = recv(door.fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

// stderr becomes a pipe for the length of a test.
static void
capture(void)
{
	int fds[2];

	saved_stderr = dup(STDERR_FILENO);
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	reader = fds[0];
}

static void
restore(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(reader);
}

// What came, without "danemapd[PID]: ".
static const char *
heard(void)
{
	static char text[8192];
	char prefix[32];
	ssize_t n = read(reader, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		return text;
	snprintf(prefix, sizeof(prefix), "danemapd[%ld]: ", (long)getpid());
	assert_memory_equal(text, prefix, strlen(prefix));
	return text + strlen(prefix);
}

static const struct {
	const char *sentence;
	const char *role;
	int level, priority;
	const char *text;
	const char *line;
} rows[] = {
	{ "an information has no label", "worker 1", LOG_INFO, LOG_INFO,
	    "key=a", "worker 1: key=a\n" },
	{ "a notice is labelled", "parent", LOG_INFO, LOG_NOTICE, "a",
	    "parent: notice: a\n" },
	{ "a warning is labelled", "parent", LOG_INFO, LOG_WARNING, "a",
	    "parent: warning: a\n" },
	{ "an error is labelled", "parent", LOG_INFO, LOG_ERR, "a",
	    "parent: error: a\n" },
	{ "a debug line is labelled", "parent", LOG_DEBUG, LOG_DEBUG, "a",
	    "parent: debug: a\n" },
	{ "there may be no role", "", LOG_INFO, LOG_INFO, "a", "a\n" },
	{ "debug is left out at level info", "parent", LOG_INFO, LOG_DEBUG, "a",
	    "" },
	{ "information is left out at level warning", "parent", LOG_WARNING,
	    LOG_INFO, "a", "" },
	{ "errors are logged at level error", "parent", LOG_ERR, LOG_ERR, "a",
	    "parent: error: a\n" },
	{ "control characters are escaped: an event is a line", "p", LOG_INFO,
	    LOG_INFO, "a\nb\tc\033[2Jd\x7f", "p: a\\nb\\tc\\x1b[2Jd\\x7f\n" },
	{ "quotes and backslashes of the line are kept", "p", LOG_INFO,
	    LOG_INFO, "key=\"a\\\"b\"", "p: key=\"a\\\"b\"\n" },
};

static void
run_row(void **state)
{
	const struct {
		const char *sentence, *role;
		int level, priority;
		const char *text, *line;
	} *row = *state;

	capture();
	dlog_open(CONF_LOG_STDERR, row->level, row->role);
	assert_int_equal(dlog_wants(row->priority), row->line[0] != '\0');
	errno = EXDEV;
	dlog(row->priority, "%s", row->text);
	assert_int_equal(errno, EXDEV);
	assert_string_equal(heard(), row->line);
	restore();
}

static const struct {
	const char *sentence;
	const char *value;
	size_t size;
	const char *quoted;
} values[] = {
	{ "a plain value stays bare", "mx.example.org", 64, "mx.example.org" },
	{ "brackets and colons need no quotes", "[mx.example]:587", 64,
	    "[mx.example]:587" },
	{ "an empty value is quoted", "", 64, "\"\"" },
	{ "a blank is quoted", "a b", 64, "\"a b\"" },
	{ "an equals sign is quoted", "a=b", 64, "\"a=b\"" },
	{ "a quote is escaped", "a\"b", 64, "\"a\\\"b\"" },
	{ "a backslash is escaped", "a\\b", 64, "\"a\\\\b\"" },
	{ "a line end is escaped", "a\r\nb", 64, "\"a\\r\\nb\"" },
	{ "a delete character is escaped", "a\x7f", 64, "\"a\\x7f\"" },
	{ "octets over 127 are escaped", "b\xc3\xbc", 64, "\"b\\xc3\\xbc\"" },
	{ "a value that just fits is whole", "abcdefghijklmno", 16,
	    "abcdefghijklmno" },
	{ "a value that does not fit is cut", "abcdefghijklmnop", 16,
	    "abcdefghijkl..." },
	{ "a quoted value that just fits is whole", "abcdefghijkl ", 16,
	    "\"abcdefghijkl \"" },
	{ "a quoted value that does not fit is cut within its quotes",
	    "abcdefghijkl m", 16, "\"abcdefghij...\"" },
	{ "an escape is cut as a whole", "\1\2\3\4", 16, "\"\\x01\\x02...\"" },
};

static void
run_value(void **state)
{
	const struct {
		const char *sentence, *value;
		size_t size;
		const char *quoted;
	} *row = *state;

	char quoted[64];

	memset(quoted, '#', sizeof(quoted));
	assert_ptr_equal(
	    dlog_quote(row->value, strlen(row->value), quoted, row->size),
	    quoted);
	assert_string_equal(quoted, row->quoted);
	if (row->size < sizeof(quoted))
		assert_int_equal(quoted[row->size], '#');
}

static void
quote_nul(void **state)
{
	char quoted[64];

	(void)state;
	assert_string_equal(
	    dlog_quote("a\0b", 3, quoted, sizeof(quoted)), "\"a\\x00b\"");
}

static void
cut_long_line(void **state)
{
	char text[8000];
	const char *line;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	capture();
	dlog_open(CONF_LOG_STDERR, LOG_INFO, "p");
	dlog(LOG_INFO, "%s", text);
	line = heard();
	assert_true(strlen(line) > 2000 && strlen(line) < 2048);
	assert_int_equal(line[strlen(line) - 1], '\n');
	restore();
}

static void
limit_lines(void **state)
{
	struct dlog_limit limit = { 0 };

	(void)state;
	capture();
	dlog_open(CONF_LOG_STDERR, LOG_INFO, "p");
	for (unsigned i = 0; i < 4; i++)
		dlog_limited(&limit, 3600, LOG_WARNING, "n=%u", i);
	assert_string_equal(heard(), "p: warning: n=0\n");
	limit.next_ms = 0; // an hour later
	dlog_limited(&limit, 3600, LOG_WARNING, "n=%u", 9u);
	assert_string_equal(
	    heard(), "p: warning: n=9 (and 3 like it before)\n");
	limit.next_ms = 0;
	dlog_limited(&limit, 3600, LOG_WARNING, "n=%u", 10u);
	assert_string_equal(heard(), "p: warning: n=10\n");
	restore();
}

static void
count_only_wanted(void **state)
{
	struct dlog_limit limit = { 0 };

	(void)state;
	capture();
	dlog_open(CONF_LOG_STDERR, LOG_WARNING, "p");
	dlog_limited(&limit, 3600, LOG_INFO, "a");
	assert_string_equal(heard(), "");
	assert_int_equal(limit.next_ms, 0);
	restore();
}

static void
keep_errno(void **state)
{
	(void)state;
	capture();
	dlog_open(CONF_LOG_STDERR, LOG_INFO, "p");
	close(reader);
	errno = EXDEV;
	dlog(LOG_INFO, "a");
	assert_int_equal(errno, EXDEV);
	reader = dup(saved_stderr); // for restore to close
	restore();
}

// --- Which target it is ---

// JOURNAL_STREAM as systemd would set it for stderr, or beside it.
enum stream {
	NO_STREAM = 0,
	OUR_STREAM,
	OTHER_DEVICE,
	OTHER_INODE,
	NO_NUMBERS
};

struct target_row {
	const char *sentence;
	enum conf_log_target target;
	enum stream stream;
	const char *path; // where it arrives; NULL: at stderr
	const char *line; // there, or the end of it
};

static const struct target_row target_rows[] = {
	{ "stderr is stderr, whatever leads to the journal", CONF_LOG_STDERR,
	    OUR_STREAM, NULL, "p: a\n" },
	{ "auto is stderr without a journal's stream", CONF_LOG_AUTO, NO_STREAM,
	    NULL, "p: a\n" },
	{ "auto is the journal if stderr leads to it", CONF_LOG_AUTO,
	    OUR_STREAM, SINK_JOURNAL_PATH, "\nMESSAGE=p: a\n" },
	{ "auto is stderr if the journal's stream is on another device",
	    CONF_LOG_AUTO, OTHER_DEVICE, NULL, "p: a\n" },
	{ "auto is stderr if the journal's stream is another one",
	    CONF_LOG_AUTO, OTHER_INODE, NULL, "p: a\n" },
	{ "auto is stderr if the journal's stream is no numbers", CONF_LOG_AUTO,
	    NO_NUMBERS, NULL, "p: a\n" },
	{ "journal is the journal, wherever stderr leads to", CONF_LOG_JOURNAL,
	    NO_STREAM, SINK_JOURNAL_PATH, "\nMESSAGE=p: a\n" },
	{ "syslog is syslog", CONF_LOG_SYSLOG, OUR_STREAM, SINK_SYSLOG_PATH,
	    "]: p: a" },
};

static void
set_stream(enum stream stream)
{
	struct stat status;
	char text[64] = "journal";

	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	if (stream != NO_NUMBERS)
		snprintf(text, sizeof(text), "%ju:%ju",
		    (uintmax_t)status.st_dev + (stream == OTHER_DEVICE),
		    (uintmax_t)status.st_ino + (stream == OTHER_INODE));
	unsetenv("JOURNAL_STREAM");
	if (stream != NO_STREAM)
		setenv("JOURNAL_STREAM", text, 1);
}

// Back to stderr, for the next test.
static void
close_target(void)
{
	dlog_open(CONF_LOG_STDERR, LOG_INFO, "p");
	unsetenv("JOURNAL_STREAM");
	close_door();
	restore();
}

static void
run_target(void **state)
{
	const struct target_row *row = *state;
	const char *line;

	capture();
	set_stream(row->stream);
	if (row->path)
		open_door(row->path);
	dlog_open(row->target, LOG_INFO, "p");
	dlog(LOG_INFO, "a");
	line = row->path ? heard_at_door() : heard();
	assert_true(strlen(line) >= strlen(row->line));
	assert_string_equal(line + strlen(line) - strlen(row->line), row->line);
	if (row->path)
		assert_string_equal(heard(), "");
	close_target();
}

struct fall_row {
	const char *sentence;
	enum conf_log_target target;
	enum stream stream;
	const char *path;
};

static const struct fall_row fall_rows[] = {
	{ "without a journal there is stderr, and one warning",
	    CONF_LOG_JOURNAL, NO_STREAM, SINK_JOURNAL_PATH },
	{ "without a journal auto is stderr, and one warning", CONF_LOG_AUTO,
	    OUR_STREAM, SINK_JOURNAL_PATH },
	{ "without syslog there is stderr, and one warning", CONF_LOG_SYSLOG,
	    NO_STREAM, SINK_SYSLOG_PATH },
};

static void
run_fall(void **state)
{
	const struct fall_row *row = *state;
	char expected[256];

	capture();
	set_stream(row->stream);
	dlog_open(row->target, LOG_INFO, "p");
	snprintf(expected, sizeof(expected),
	    "p: warning: log_target: cannot reach %s: "
	    "No such file or directory; logging to stderr\n",
	    row->path);
	assert_string_equal(heard(), expected);
	dlog_open(row->target, LOG_INFO, "q");
	dlog(LOG_INFO, "a");
	assert_string_equal(heard(), "q: a\n");
	close_target();
}

static void
close_stderr(void **state)
{
	(void)state;
	capture();
	set_stream(OUR_STREAM);
	open_door(SINK_JOURNAL_PATH);
	close(STDERR_FILENO);
	dlog_open(CONF_LOG_AUTO, LOG_INFO, "p");
	dlog(LOG_INFO, "a");
	assert_string_equal(heard_at_door(), "");
	close_target();
}

static void
tell_fields(void **state)
{
	const struct dlog_fields fields = { .message_id = DLOG_ID_CHANGED,
		.domain = "a.example",
		.reason = "b\nc" };
	const char *record;

	(void)state;
	capture();
	open_door(SINK_JOURNAL_PATH);
	dlog_open(CONF_LOG_JOURNAL, LOG_NOTICE, NULL);
	dlog_event(LOG_NOTICE, &fields, "n=%d", 1);
	record = heard_at_door();
	assert_non_null(strstr(record,
	    "\nMESSAGE_ID=" DLOG_ID_CHANGED "\nDANEMAP_DOMAIN=a.example\n"
	    "DANEMAP_REASON=b\\nc\nMESSAGE=notice: n=1\n"));
	dlog_event(LOG_INFO, &fields, "n=%d", 2);
	assert_string_equal(heard_at_door(), ""); // the level leaves it out
	close_target();
}

static void
close_and_reopen(void **state)
{
	int foreign;

	(void)state;
	capture();
	dlog_open(CONF_LOG_STDERR, LOG_INFO, "p");
	close(dlog_fd());
	foreign = open("/dev/null", O_WRONLY);
	dlog_open(CONF_LOG_STDERR, LOG_INFO, "worker 2");
	assert_true(fcntl(foreign, F_GETFD) >= 0);
	dlog(LOG_INFO, "a");
	assert_string_equal(heard(), "worker 2: a\n");
	close(foreign);
	restore();
}

int
main(void)
{
	TABLE_ADD(rows, run_row);
	TABLE_ADD(values, run_value);
	table_add("a NUL octet in a value is escaped", quote_nul, NULL);
	table_add("a line is cut at its limit", cut_long_line, NULL);
	table_add("lines over the limit are counted, and told with the next",
	    limit_lines, NULL);
	table_add("lines that the level leaves out are not counted",
	    count_only_wanted, NULL);
	table_add("errno is kept even when a line is lost", keep_errno, NULL);
	TABLE_ADD(target_rows, run_target);
	TABLE_ADD(fall_rows, run_fall);
	table_add(
	    "a stderr that is closed leads to no journal", close_stderr, NULL);
	table_add("an event tells the journal its fields, if it is wanted",
	    tell_fields, NULL);
	table_add("a child that closed the log opens it again",
	    close_and_reopen, NULL);
	return table_run("log");
}
