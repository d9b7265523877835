// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Log lines as they reach stderr, and values from peers within them.
#include "config.h"

#include "table.h"

#include "base/escape.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int reader, saved_stderr;

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

// Where this machine has no journal, or no syslog.
static void
fall_back(void **state)
{
	(void)state;
	if (access("/run/systemd/journal/socket", F_OK) == 0)
		skip();
	capture();
	dlog_open(CONF_LOG_JOURNAL, LOG_INFO, "p");
	assert_string_equal(heard(),
	    "p: warning: log_target: cannot reach /run/systemd/journal/socket:"
	    " No such file or directory; logging to stderr\n");
	dlog_open(CONF_LOG_JOURNAL, LOG_INFO, "q");
	dlog(LOG_INFO, "a");
	assert_string_equal(heard(), "q: a\n"); // warned of once
	dlog_open(CONF_LOG_STDERR, LOG_INFO, "p");
	restore();
}

// With a stream that is not our stderr, auto means stderr.
static void
mistrust_stream(void **state)
{
	(void)state;
	capture();
	setenv("JOURNAL_STREAM", "1:1", 1);
	dlog_open(CONF_LOG_AUTO, LOG_INFO, "p");
	unsetenv("JOURNAL_STREAM");
	dlog(LOG_INFO, "a");
	assert_string_equal(heard(), "p: a\n");
	restore();
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
	table_add("without a journal there is stderr, and one warning",
	    fall_back, NULL);
	table_add("auto is stderr if the journal's stream is another one",
	    mistrust_stream, NULL);
	table_add("a child that closed the log opens it again",
	    close_and_reopen, NULL);
	return table_run("log");
}
