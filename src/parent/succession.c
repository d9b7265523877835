// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Sockets from one danemapd to the next. Promises that a successor that fails
// before its "go" has changed nothing; refuses to know who started it.
#include "config.h"

#include "parent/succession.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reach.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// "sockets 1 COUNT", then a line for each descriptor: where its file is, as
// major:minor:inode, or 0:0:0 for none, and its name.
#define HEAD           "sockets 1 "
#define OFFER_LINE_MAX (LISTEN_NAME_MAX + 64)
#define OFFER_MAX      ((LISTEN_MAX + 1) * OFFER_LINE_MAX)
#define GO             "go\n"
#define REFUSED        "error "
#define POSTPONED      "again "

union rights {
	char octets[CMSG_SPACE(LISTEN_MAX * sizeof(int))];
	struct cmsghdr align;
};

// The predecessor ----------------------------------------------------------

static size_t
write_names(const struct listeners *listeners, char text[OFFER_MAX])
{
	size_t len =
	    (size_t)snprintf(text, OFFER_LINE_MAX, HEAD "%u\n", listeners->n);
	for (unsigned i = 0; i < listeners->n; i++) {
		const struct listener *one = &listeners->of[i];
		len += (size_t)snprintf(text + len, OFFER_LINE_MAX,
		    "%u:%u:%ju %s\n", major(one->dev), minor(one->dev),
		    (uintmax_t)one->ino, one->name);
	}
	return len;
}

static bool
send_sockets(int fd, const struct listeners *listeners)
{
	char text[OFFER_MAX];
	union rights rights;
	int fds[LISTEN_MAX];
	struct iovec part = { text, write_names(listeners, text) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = rights.octets,
		.msg_controllen = CMSG_SPACE(listeners->n * sizeof(int)),
	};

	memset(&rights, 0, sizeof(rights));
	for (unsigned i = 0; i < listeners->n; i++)
		fds[i] = listeners->of[i].fd;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(listeners->n * sizeof(int));
	memcpy(CMSG_DATA(header), fds, listeners->n * sizeof(int));
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)part.iov_len;
}

bool
succession_offer(int fd, const struct listeners *listeners)
{
	if (strncmp(listeners->of[0].name, "systemd:", 8) == 0)
		succession_refuse(fd, false,
		    "its sockets are its supervisor's: restart it there");
	else if (send_sockets(fd, listeners))
		return true;
	else
		succession_refuse(fd, false, "they cannot be sent");
	return false;
}

void
succession_refuse(int fd, bool later, const char *why)
{
	char text[OFFER_LINE_MAX];
	int len = snprintf(
	    text, sizeof(text), "%s%s\n", later ? POSTPONED : REFUSED, why);

	send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool
succession_is_wanted(int fd)
{
	char text[sizeof(GO)];

	return recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0;
}

// The successor ------------------------------------------------------------

static bool
is_told_to_stop(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 ||
		   sigismember(&pending, SIGINT) == 1);
}

// Until there is something to read: 0, -ETIMEDOUT, or -EINTR for a signal that
// means it.
static int
await(int fd)
{
	const uint64_t end_ms = clock_boot_ms() + SUCCESSION_WAIT_S * 1000;
	struct pollfd one = { .fd = fd, .events = POLLIN };

	while (poll(&one, 1, SUCCESSION_TRY_MS) <= 0) {
		if (is_told_to_stop())
			return -EINTR;
		if (clock_boot_ms() >= end_ms)
			return -ETIMEDOUT;
	}
	return 0;
}

// What a message brought along, at most LISTEN_MAX (the buffer holds no more).
static unsigned
take_rights(struct msghdr *message, int fds[LISTEN_MAX])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS)
		return 0;
	size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(header), n * sizeof(int));
	return (unsigned)n;
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

// All its lines are there. An error is one line.
static bool
is_whole(const char *text)
{
	unsigned n = 0;

	if (strchr(text, '\n') == NULL)
		return false;
	if (sscanf(text, HEAD "%u\n", &n) != 1)
		return true;
	return count_lines(text) > n;
}

struct offer {
	char text[OFFER_MAX];
	size_t len;
	int fds[LISTEN_MAX];
	unsigned n_fds;
};

static void
decline(struct offer *offer)
{
	while (offer->n_fds > 0)
		close(offer->fds[--offer->n_fds]);
}

// 1: some of it; 0: the end; negative errno.
static int
receive_some(int fd, struct offer *offer)
{
	union rights rights;
	struct iovec part = { offer->text + offer->len,
		sizeof(offer->text) - 1 - offer->len };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = rights.octets,
		.msg_controllen = offer->n_fds == 0 ? sizeof(rights.octets) : 0,
	};

	int r = await(fd);
	if (r != 0)
		return r;
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n == 0 ? 0 : -errno;
	if (offer->n_fds == 0)
		offer->n_fds = take_rights(&message, offer->fds);
	offer->len += (size_t)n;
	offer->text[offer->len] = '\0';
	return 1;
}

static int
receive_offer(int fd, struct offer *offer)
{
	int r = 1;

	*offer = (struct offer){ .len = 0 };
	while (r == 1 && !is_whole(offer->text)) {
		r = offer->len == sizeof(offer->text) - 1
			? -EPROTO
			: receive_some(fd, offer);
	}
	if (r == 1)
		return 0;
	decline(offer);
	return r == 0 ? -ECONNRESET : r;
}

// A socket whose file is another by now, or gone, would hear nobody. And what
// is taken may be removed later, with root's rights: no other kind of file is.
static bool
is_at_its_place(const struct listener *one)
{
	struct stat st;

	return one->ino == 0 ||
	       (lstat(one->name + strlen("unix:"), &st) == 0 &&
		   S_ISSOCK(st.st_mode) && st.st_dev == one->dev &&
		   st.st_ino == one->ino);
}

static bool
read_name(const char *line, int fd, struct listener *ret)
{
	unsigned major_, minor_;
	uintmax_t ino;
	struct listener one = { .fd = fd };

	_Static_assert(LISTEN_NAME_MAX == 160, "the format below");
	if (sscanf(line, "%u:%u:%ju %159s", &major_, &minor_, &ino, one.name) !=
	    4)
		return false;
	one.dev = makedev(major_, minor_);
	one.ino = (ino_t)ino;
	*ret = one;
	return is_at_its_place(&one);
}

// Descriptors that have no place in ret are closed.
static int
read_offer(struct offer *offer, struct listeners *ret)
{
	unsigned n = 0;

	if (sscanf(offer->text, HEAD "%u", &n) != 1 || n != offer->n_fds) {
		decline(offer);
		return -EPROTO;
	}
	*ret = (struct listeners){ .n = 0 };
	const char *line = offer->text;
	for (unsigned i = 0; i < n; i++) {
		line = strchr(line, '\n') + 1;
		if (read_name(line, offer->fds[i], &ret->of[ret->n]))
			ret->n++;
		else
			close(offer->fds[i]);
	}
	return 0;
}

static bool
begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

// -EAGAIN if it is worth another try.
static int
refused(const struct conf *conf, const char *text, char *error)
{
	bool later = begins_with(text, POSTPONED);
	size_t skip = later || begins_with(text, REFUSED) ? strlen(REFUSED) : 0;
	int len = (int)strcspn(text + skip, "\n");

	_Static_assert(sizeof(REFUSED) == sizeof(POSTPONED), "skip");
	return address_fail(error, later ? -EAGAIN : -EBUSY,
	    "control_socket: %s: the danemapd there keeps its sockets: %.*s",
	    conf->control_socket, len < 200 ? len : 200, text + skip);
}

static int
ask(const struct conf *conf, int fd, struct listeners *ret, char *error)
{
	static const char request[] = "replace\n";
	struct offer offer;

	int r = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0
		    ? -errno
		    : receive_offer(fd, &offer);
	if (r == 0 && !begins_with(offer.text, HEAD)) {
		decline(&offer);
		return refused(conf, offer.text, error);
	}
	if (r == 0)
		r = read_offer(&offer, ret);
	if (r == 0)
		return 0;
	return address_fail(error, r,
	    "control_socket: %s: the danemapd there did not hand its sockets "
	    "over: %s",
	    conf->control_socket, strerror(-r));
}

// Until the predecessor's last process is gone: the cache is free then.
static int
relieve(const struct conf *conf, int fd, char *error)
{
	char text[OFFER_LINE_MAX];

	dlog(LOG_NOTICE, "waiting for the danemapd at %s to end",
	    conf->control_socket);
	// It may be gone already: then its sockets are ours, and that is all.
	(void)!send(fd, GO, strlen(GO), MSG_NOSIGNAL);
	int r = await(fd);
	if (r != 0)
		return address_fail(error, r,
		    "control_socket: %s: the danemapd there has not ended yet: "
		    "%s",
		    conf->control_socket, strerror(-r));
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0'; // what it has to say came before our "go"
	return refused(conf, text, error);
}

// Without the files: they are the predecessor's.
static void
close_sockets(const struct listeners *listeners)
{
	for (unsigned i = 0; i < listeners->n; i++)
		close(listeners->of[i].fd);
}

static int
take_from(const struct conf *conf, const struct identity *identity, int fd,
    struct listeners *ret, char *error)
{
	struct listeners got, mine;

	int r = ask(conf, fd, &got, error);
	if (r != 0)
		return r;
	r = listen_open(conf, identity, &got, &mine, error);
	if (r == 0) {
		r = relieve(conf, fd, error);
		if (r != 0) {
			listen_restore(&mine);
			listen_close(&mine, &got);
		}
	}
	if (r != 0) {
		close_sockets(&got);
		return r;
	}
	listen_close(&got, &mine); // those that are wanted no more
	*ret = mine;
	return 0;
}

// ret_patience_ms: how long what is in the way may take to pass.
static int
try_to_take(const struct conf *conf, const struct identity *identity,
    struct listeners *ret, uint64_t *ret_patience_ms, char *error)
{
	int r, fd = reach_unix(conf->control_socket, SUCCESSION_WAIT_S);

	*ret_patience_ms = 0;
	if (fd == -ENOENT || fd == -ECONNREFUSED) {
		r = listen_open(conf, identity, NULL, ret, error);
		if (r == -EADDRINUSE)
			*ret_patience_ms = SUCCESSION_SOON_MS;
		return r;
	}
	if (fd < 0)
		return address_fail(error, fd, "control_socket: %s: %s: %s",
		    conf->control_socket, strerror(-fd),
		    fd == -EACCES ? "only root and its user may replace a "
				    "danemapd"
				  : "without it no danemapd can be replaced");
	r = take_from(conf, identity, fd, ret, error);
	close(fd);
	if (r == -EAGAIN || r == -ECONNRESET) // the latter: it has ended
		*ret_patience_ms = SUCCESSION_WAIT_S * 1000;
	return r;
}

int
succession_take(const struct conf *conf, const struct identity *identity,
    struct listeners *ret, char ret_error[LISTEN_ERROR_MAX])
{
	const uint64_t begun_ms = clock_boot_ms();
	uint64_t patience_ms;

	for (;;) {
		ret_error[0] = '\0';
		int r =
		    try_to_take(conf, identity, ret, &patience_ms, ret_error);
		if (r == 0 || clock_boot_ms() - begun_ms >= patience_ms ||
		    is_told_to_stop())
			return r;
		poll(NULL, 0, SUCCESSION_TRY_MS);
	}
}
