// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Makes the text of a line, the same for every target: "worker 1: warning:
// what". Which target it is, is settled when the log is opened.
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/sink.h"

#define ROLE_MAX 32

// Ready before dlog_open: to stderr, as it is.
static struct sink sink = { .fd = STDERR_FILENO };
static enum conf_log_target open_target = CONF_LOG_STDERR;
static int open_level = LOG_INFO;
static char open_role[ROLE_MAX];
static bool is_open;

// systemd says by device and inode which stream leads to its journal
// (systemd.exec(5)).
static bool
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat status;

	return stream && sscanf(stream, "%ju:%ju", &dev, &ino) == 2 &&
	       fstat(fd, &status) == 0 && status.st_dev == dev &&
	       status.st_ino == ino;
}

// Opens the sink and returns why it is not the one asked for, or 0.
static int
open_sink(enum conf_log_target target)
{
	int error = 0;

	if (target == CONF_LOG_JOURNAL ||
	    (target == CONF_LOG_AUTO && is_journal(STDERR_FILENO)))
		error =
		    sink_open_socket(&sink, SINK_JOURNAL, SINK_JOURNAL_PATH);
	else if (target == CONF_LOG_SYSLOG)
		error = sink_open_socket(&sink, SINK_SYSLOG, SINK_SYSLOG_PATH);
	else
		sink_open_stream(&sink, STDERR_FILENO);
	if (error)
		sink_open_stream(&sink, STDERR_FILENO);
	return error;
}

void
dlog_open(enum conf_log_target target, int level, const char *role)
{
	int error = 0;

	open_level = level;
	snprintf(open_role, sizeof(open_role), "%s", role ? role : "");
	if (is_open && target == open_target && sink_is_open(&sink))
		return;
	// A reader that goes away must not take the daemon with it.
	signal(SIGPIPE, SIG_IGN);
	sink_close(&sink);
	error = open_sink(target);
	open_target = target;
	is_open = true;
	if (error)
		dlog(LOG_WARNING,
		    "log_target: cannot reach %s: %s; "
		    "logging to stderr",
		    target == CONF_LOG_SYSLOG ? SINK_SYSLOG_PATH
					      : SINK_JOURNAL_PATH,
		    strerror(-error));
}

int
dlog_fd(void)
{
	return sink.fd;
}

bool
dlog_wants(int priority)
{
	return priority <= open_level;
}

static const char *
label(int priority)
{
	switch (priority) {
	case LOG_INFO:
		return "";
	case LOG_NOTICE:
		return "notice: ";
	case LOG_DEBUG:
		return "debug: ";
	case LOG_WARNING:
		return "warning: ";
	default:
		return "error: ";
	}
}

static void
put_fields(const struct dlog_fields *fields, char ret[SINK_FIELDS_MAX])
{
	size_t n = 0;

	ret[0] = '\0';
	n += sink_field(
	    "MESSAGE_ID", fields->message_id, ret + n, SINK_FIELDS_MAX - n);
	n += sink_field(
	    "DANEMAP_DOMAIN", fields->domain, ret + n, SINK_FIELDS_MAX - n);
	n += sink_field(
	    "DANEMAP_ANSWER", fields->answer, ret + n, SINK_FIELDS_MAX - n);
	n += sink_field(
	    "DANEMAP_REASON", fields->reason, ret + n, SINK_FIELDS_MAX - n);
	ret[n] = '\0';
}

__attribute__((format(printf, 3, 0))) static void
write_line(int priority, const struct dlog_fields *fields, const char *format,
    va_list args)
{
	char text[SINK_LINE_MAX], line[SINK_LINE_MAX], more[SINK_FIELDS_MAX];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s%s%s", open_role,
	    open_role[0] ? ": " : "", label(priority));
	int saved_errno = errno;

	vsnprintf(text + n, sizeof(text) - n, format, args);
	escape_text(ESCAPE_CONTROLS, text, strlen(text), line, sizeof(line));
	put_fields(fields, more);
	sink_write(&sink, priority, line, more);
	errno = saved_errno;
}

void
dlog(int priority, const char *format, ...)
{
	va_list args;

	if (!dlog_wants(priority))
		return;
	va_start(args, format);
	write_line(priority, &(struct dlog_fields){ 0 }, format, args);
	va_end(args);
}

void
dlog_event(
    int priority, const struct dlog_fields *fields, const char *format, ...)
{
	va_list args;

	if (!dlog_wants(priority))
		return;
	va_start(args, format);
	write_line(priority, fields, format, args);
	va_end(args);
}

void
dlog_limited(struct dlog_limit *limit, unsigned every_s, int priority,
    const char *format, ...)
{
	uint64_t now_ms;
	char text[SINK_LINE_MAX];
	va_list args;

	if (!dlog_wants(priority))
		return;
	now_ms = clock_boot_ms();
	if (now_ms < limit->next_ms) {
		limit->n_left_out++;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	struct dlog_fields fields = { .message_id = limit->message_id };
	if (limit->n_left_out > 0)
		dlog_event(priority, &fields, "%s (and %u like it before)",
		    text, limit->n_left_out);
	else
		dlog_event(priority, &fields, "%s", text);
	limit->next_ms = now_ms + (uint64_t)every_s * 1000;
	limit->n_left_out = 0;
}

// Bare where a value cannot be mistaken for anything else.
static bool
needs_quotes(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] >= 0x7f ||
		    strchr("\"\\=,;", text[i]))
			return true;
	}
	return len == 0;
}

const char *
dlog_quote(const char *text, size_t len, char *ret, size_t size)
{
	size_t n = 0;

	if (!needs_quotes(text, len)) {
		escape_text(ESCAPE_ALL, text, len, ret, size);
		return ret;
	}
	ret[n++] = '"';
	n += escape_text(ESCAPE_ALL, text, len, ret + n, size - 2);
	ret[n++] = '"';
	ret[n] = '\0';
	return ret;
}
