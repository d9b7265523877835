// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Frames a line for its reader and hands it over in one system call, so that
// lines of several processes never mix.
#include "config.h"

#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"

#define SINK_RECORD_MAX (SINK_LINE_MAX + SINK_FIELDS_MAX)

static int
connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

static void
remember(struct sink *sink)
{
	struct stat status = { 0 };

	fstat(sink->fd, &status);
	sink->dev = status.st_dev;
	sink->ino = status.st_ino;
	sink->is_socket = S_ISSOCK(status.st_mode);
}

int
sink_open_socket(struct sink *sink, enum sink_kind kind, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	error = connect_to(fd, path);
	if (error) {
		close(fd);
		return error;
	}
	*sink = (struct sink){ .kind = kind,
		.fd = fd,
		.given_fd = fd,
		.is_own = true,
		.path = path };
	remember(sink);
	tzset(); // while its file may still be read
	return 0;
}

// A pipe or terminal is opened anew: O_NONBLOCK on the descriptor we were given
// would hold for every process that shares it.
static int
open_without_blocking(int fd)
{
	char path[32];
	struct stat status;

	if (fstat(fd, &status) < 0 ||
	    !(S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void
sink_open_stream(struct sink *sink, int fd)
{
	int own = open_without_blocking(fd);

	*sink = (struct sink){
		.kind = SINK_STREAM,
		.fd = own >= 0 ? own : fd,
		.given_fd = fd,
		.is_own = own >= 0,
	};
	remember(sink);
}

// Whether fd is the file that the sink was opened on.
static bool
is_on(const struct sink *sink, int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_dev == sink->dev &&
	       status.st_ino == sink->ino;
}

bool
sink_is_open(const struct sink *sink)
{
	return is_on(sink, sink->fd) && is_on(sink, sink->given_fd);
}

void
sink_close(struct sink *sink)
{
	if (sink->is_own && is_on(sink, sink->fd))
		close(sink->fd);
	*sink = (struct sink){ .fd = STDERR_FILENO };
}

// RFC 3164 section 4.1, as syslog(3) writes it: the C library's own names of
// months, whatever the locale.
static size_t
frame_syslog(int priority, const char *line, char ret[SINK_LINE_MAX])
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm tm = { 0 };

	localtime_r(&now, &tm);
	return (size_t)snprintf(ret, SINK_LINE_MAX,
	    "<%d>%s %2d %02d:%02d:%02d " SINK_PROGRAM "[%ld]: %s",
	    LOG_MAIL | priority, months[tm.tm_mon], tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, (long)getpid(), line);
}

// https://systemd.io/JOURNAL_NATIVE_PROTOCOL: a field a line. The text form
// will do because a line of ours holds no newline.
static size_t
frame_journal(int priority, const char *line, const char *fields,
    char ret[SINK_RECORD_MAX])
{
	return (size_t)snprintf(ret, SINK_RECORD_MAX,
	    "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=" SINK_PROGRAM
	    "\nSYSLOG_PID=%ld\n%sMESSAGE=%s\n",
	    priority, LOG_FAC(LOG_MAIL), (long)getpid(), fields, line);
}

static size_t
frame_stream(const char *line, char ret[SINK_LINE_MAX])
{
	return (size_t)snprintf(ret, SINK_LINE_MAX, SINK_PROGRAM "[%ld]: %s\n",
	    (long)getpid(), line);
}

// Returns the length; a line too long for its frame loses its end, but never
// the newline that ends a record.
static size_t
frame(enum sink_kind kind, int priority, const char *line, const char *fields,
    char ret[SINK_RECORD_MAX])
{
	size_t max =
	    SINK_LINE_MAX + (kind == SINK_JOURNAL ? strlen(fields) : 0);
	size_t len = kind == SINK_JOURNAL
			 ? frame_journal(priority, line, fields, ret)
		     : kind == SINK_SYSLOG ? frame_syslog(priority, line, ret)
					   : frame_stream(line, ret);

	if (len < max)
		return len;
	ret[max - 1] = '\n';
	return max;
}

static bool
is_writable(const struct sink *sink, int wait_ms)
{
	struct pollfd poll_fd = { .fd = sink->fd, .events = POLLOUT };

	return poll(&poll_fd, 1, wait_ms) > 0 &&
	       (poll_fd.revents & POLLOUT) != 0;
}

static bool
try_send(const struct sink *sink, const char *text, size_t len)
{
	if (sink->is_socket)
		return send(sink->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) >=
		       0;
	// One that could not be opened anew still blocks, unless there is room.
	if (!sink->is_own && !is_writable(sink, 0)) {
		errno = EAGAIN;
		return false;
	}
	return write(sink->fd, text, len) >= 0;
}

static bool
hand_over(struct sink *sink, const char *text, size_t len)
{
	if (try_send(sink, text, len))
		return true;
	// syslogd has been started anew, on a socket of the same name.
	if (sink->path && (errno == ECONNREFUSED || errno == ENOTCONN))
		return connect_to(sink->fd, sink->path) == 0 &&
		       try_send(sink, text, len);
	if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
		return false;
	return sink->n_lost == 0 && is_writable(sink, SINK_WAIT_MS) &&
	       try_send(sink, text, len);
}

size_t
sink_field(const char *name, const char *value, char *ret, size_t size)
{
	char escaped[SINK_FIELD_MAX];

	if (value == NULL)
		return 0;
	escape_text(
	    ESCAPE_CONTROLS, value, strlen(value), escaped, sizeof(escaped));
	int n = snprintf(ret, size, "%s=%s\n", name, escaped);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

void
sink_write(
    struct sink *sink, int priority, const char *line, const char *fields)
{
	char text[SINK_RECORD_MAX], notice[64];

	if (sink->n_lost > 0) {
		snprintf(notice, sizeof(notice), "warning: %u log line%s lost",
		    sink->n_lost, sink->n_lost == 1 ? "" : "s");
		if (!hand_over(sink, text,
			frame(sink->kind, LOG_WARNING, notice, "", text))) {
			sink->n_lost++;
			return;
		}
		sink->n_lost = 0;
	}
	if (!hand_over(
		sink, text, frame(sink->kind, priority, line, fields, text)))
		sink->n_lost++;
}
