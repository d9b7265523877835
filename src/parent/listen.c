// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Listening sockets of danemapd: reads `listen`, makes what is missing, keeps
// what is there.
#include "config.h"

#include "parent/listen.h"

#include "base/address.h"
#include "base/systemd.h"
#include "parent/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// Two processes on one socket would share questions at random: only a socket
// file that nobody answers on may be replaced.
static int
check_stale(const struct address *want, char *error)
{
	struct stat st;
	if (lstat(want->path, &st) != 0) {
		if (errno == ENOENT)
			return 0;
		return address_fail(
		    error, -errno, "unix:%s: %s", want->path, strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return address_fail(error, -EEXIST,
		    "unix:%s: is there already and is no socket: "
		    "remove it or choose another path",
		    want->path);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	memcpy(address.sun_path, want->path, sizeof(want->path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return address_fail(
		    error, -errno, "socket: %s", strerror(errno));
	int r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	bool alive = r == 0 || errno != ECONNREFUSED;
	close(fd);
	if (alive)
		return address_fail(error, -EADDRINUSE,
		    "unix:%s: another process answers on it: stop it, "
		    "or choose another path",
		    want->path);
	return 0;
}

// By descriptor: where the folder is not root's, its owner could put a link in
// place of the file. What is right already is left alone: the file is root's,
// and root may be gone. Before: what was changed, as it had been.
static int
set_rights_of(
    int fd, const struct address_rights *want, struct address_rights *before)
{
	char self[64];
	struct stat st;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	if (want->has_group && st.st_gid != want->group) {
		if (fchownat(fd, "", (uid_t)-1, want->group, AT_EMPTY_PATH) !=
		    0)
			return -errno;
		before->has_group = true;
		before->group = st.st_gid;
	}
	if (want->has_mode && (st.st_mode & 07777) != want->mode) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		if (chmod(self, want->mode) != 0)
			return -errno;
		before->has_mode = true;
		before->mode = st.st_mode & 07777;
	}
	return 0;
}

static int
set_rights(const char *path, const struct address_rights *want,
    struct address_rights *before)
{
	*before = (struct address_rights){ .has_mode = false };
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = set_rights_of(fd, want, before);
	close(fd);
	return r;
}

static int
bind_quietly(int fd, const struct sockaddr_un *address)
{
	mode_t mask = umask(0177);
	int r = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	int saved = errno;
	umask(mask);
	return r == 0 ? 0 : -saved;
}

// Mode and group are set before the socket is to be found under its name.
static int
bind_unix(const struct address *want, int fd, char *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *slash = strrchr(want->path, '/');
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%.*s/.%x",
	    (int)(slash - want->path), want->path, (unsigned)getpid());
	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return address_fail(error, -ENAMETOOLONG,
		    "unix:%s: the folder's name is too long", want->path);
	unlink(address.sun_path);
	struct address_rights rights = want->rights, before;
	if (!rights.has_mode)
		rights.mode = 0666;
	rights.has_mode = true;
	int r = bind_quietly(fd, &address);
	if (r == 0)
		r = set_rights(address.sun_path, &rights, &before);
	if (r == 0 && (listen(fd, LISTEN_BACKLOG) != 0 ||
			  rename(address.sun_path, want->path) != 0))
		r = -errno;
	if (r == 0)
		return 0;
	unlink(address.sun_path);
	return address_fail(error, r, "unix:%s: %s%s", want->path, strerror(-r),
	    r == -ENOENT ? ": the folder is missing" : "");
}

static bool
is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	const struct sockaddr_in6 *in6 = (const void *)address;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static int
bind_inet(const struct addrinfo *ai, int fd)
{
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, LISTEN_BACKLOG) != 0)
		return -errno;
	return 0;
}

static const struct listener *
find(const struct listeners *listeners, const char *name)
{
	for (unsigned i = 0; listeners != NULL && i < listeners->n; i++)
		if (strcmp(listeners->of[i].name, name) == 0)
			return &listeners->of[i];
	return NULL;
}

static int
add(struct listeners *list, const struct listener *one, char *error)
{
	if (list->n == LISTEN_MAX)
		return address_fail(
		    error, -E2BIG, "more than %d sockets", LISTEN_MAX);
	list->of[list->n++] = *one;
	return 0;
}

// What a round of opening works on.
struct opening {
	const struct conf *conf;
	const struct identity *identity;
	const struct listeners *old;
	struct listeners *list;
	char *error;
	unsigned waited_ms;
};

// At a start: the children of a danemapd that was killed hold its sockets for
// a moment longer than it lives. False if that moment is over; else there is
// no error yet.
static bool
wait_for_orphans(const struct listeners *old, unsigned *waited_ms, char *error)
{
	const struct timespec pause = { .tv_nsec = LISTEN_TRY_MS * 1000000L };
	if (old != NULL || *waited_ms >= LISTEN_WAIT_MS)
		return false;
	nanosleep(&pause, NULL);
	*waited_ms += LISTEN_TRY_MS;
	error[0] = '\0';
	return true;
}

// A socket kept over a reload may have been given another mode or group.
static int
keep_unix(const struct address *want, const struct listener *kept,
    const struct opening *o)
{
	int r = add(o->list, kept, o->error);
	if (r != 0)
		return r;
	r = set_rights(
	    want->path, &want->rights, &o->list->of[o->list->n - 1].before);
	if (r != 0)
		return address_fail(o->error, r,
		    "unix:%s: mode or group: %s (needs restart)", want->path,
		    strerror(-r));
	return 0;
}

static int
make_unix(const struct address *want, struct listener *one, char *error)
{
	struct stat st;
	one->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (one->fd < 0)
		return address_fail(
		    error, -errno, "socket: %s", strerror(errno));
	int r = bind_unix(want, one->fd, error);
	if (r == 0 && lstat(want->path, &st) == 0) {
		one->dev = st.st_dev;
		one->ino = st.st_ino;
	}
	return r;
}

static int
open_unix(const struct address *want, const struct opening *o)
{
	struct listener one = { .fd = -1 };
	snprintf(one.name, sizeof(one.name), "unix:%s", want->path);
	if (find(o->list, one.name) != NULL)
		return address_fail(
		    o->error, -EINVAL, "%s: named twice", one.name);
	const struct listener *kept = find(o->old, one.name);
	if (kept != NULL)
		return keep_unix(want, kept, o);
	int r = check_stale(want, o->error);
	if (r != 0)
		return r;
	identity_make_folder(want->path, o->identity);
	r = make_unix(want, &one, o->error);
	if (r == 0)
		r = add(o->list, &one, o->error);
	if (r != 0 && one.fd >= 0)
		close(one.fd);
	return r;
}

static int
make_inet(const struct addrinfo *ai, struct listener *one, char *error)
{
	one->fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = one->fd < 0 ? -errno : bind_inet(ai, one->fd);
	if (r != 0)
		return address_fail(
		    error, r, "%s: %s", one->name, strerror(-r));
	return 0;
}

static void
name_inet(const struct addrinfo *ai, char ret[LISTEN_NAME_MAX])
{
	char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
	getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	if (ai->ai_family == AF_INET6)
		snprintf(
		    ret, LISTEN_NAME_MAX, "inet:[%.120s]:%.8s", host, port);
	else
		snprintf(ret, LISTEN_NAME_MAX, "inet:%.120s:%.8s", host, port);
}

static int
check_remote(const struct conf *conf, const struct addrinfo *ai, char *error)
{
	char name[LISTEN_NAME_MAX];
	if (conf->allow_remote || is_loopback(ai->ai_addr))
		return 0;
	name_inet(ai, name);
	return address_fail(error, -EINVAL,
	    "%s: is no loopback address: anyone who reaches it could "
	    "ask; say allow_remote = yes if that is meant",
	    name);
}

static int
open_address(const struct addrinfo *ai, void *arg)
{
	const struct opening *o = arg;
	struct listener one = { .fd = -1 };
	int r = check_remote(o->conf, ai, o->error);
	if (r != 0)
		return r;
	name_inet(ai, one.name);
	if (find(o->list, one.name) != NULL)
		return 0;
	const struct listener *kept = find(o->old, one.name);
	if (kept != NULL)
		return add(o->list, kept, o->error);
	r = make_inet(ai, &one, o->error);
	if (r == 0)
		r = add(o->list, &one, o->error);
	if (r != 0 && one.fd >= 0)
		close(one.fd);
	return r;
}

static int
open_now(const struct address *want, struct opening *o)
{
	if (want->is_unix)
		return open_unix(want, o);
	return address_resolve(want, o->error, open_address, o);
}

static int
open_word(const struct address *want, void *arg)
{
	struct opening *o = arg;
	int r = open_now(want, o);
	while (r == -EADDRINUSE &&
	       wait_for_orphans(o->old, &o->waited_ms, o->error))
		r = open_now(want, o);
	return r;
}

static bool
is_passed(const struct listener *one)
{
	return strncmp(one->name, "systemd:", 8) == 0;
}

static void
take_one(const struct systemd_socket *passed, struct listeners *list)
{
	struct listener *one = &list->of[list->n];
	int flags = fcntl(passed->fd, F_GETFL);
	if (flags >= 0)
		fcntl(passed->fd, F_SETFL, flags | O_NONBLOCK);
	if (strcmp(passed->name, "control") == 0 && !list->has_control) {
		list->has_control = true;
		list->control = (struct listener){ .fd = passed->fd,
			.name = "systemd:control" };
		return;
	}
	*one = (struct listener){ .fd = passed->fd };
	snprintf(one->name, sizeof(one->name), "systemd:%u", list->n++);
}

// Sockets of systemd are asked for once: the environment is then cleared, and
// later configurations find them in `old`. Whether there is one for Postfix.
static bool
take_passed(const struct listeners *old, struct listeners *list)
{
	struct systemd_socket passed[LISTEN_MAX];
	if (old != NULL) {
		if (old->n == 0 || !is_passed(&old->of[0]))
			return false;
		*list = *old;
		list->has_control = false;
		return true;
	}
	unsigned n = systemd_listen_fds(passed, LISTEN_MAX);
	for (unsigned i = 0; i < n; i++)
		take_one(&passed[i], list);
	return list->n > 0;
}

// Errors say which parameter they speak of.
static int
name_parameter(int r, char error[LISTEN_ERROR_MAX])
{
	static const char name[] = "listen: ";
	if (r == 0)
		return 0;
	memmove(error + sizeof(name) - 1, error,
	    LISTEN_ERROR_MAX - sizeof(name) + 1);
	memcpy(error, name, sizeof(name) - 1);
	error[LISTEN_ERROR_MAX - 1] = '\0';
	return r;
}

int
listen_open(const struct conf *conf, const struct identity *identity,
    const struct listeners *old, struct listeners *ret,
    char ret_error[LISTEN_ERROR_MAX])
{
	struct listeners list = { .n = 0 };
	struct opening o = { conf, identity, old, &list, ret_error, 0 };
	if (!take_passed(old, &list)) {
		int r =
		    address_for_each(conf->listen, ret_error, open_word, &o);
		if (r != 0) {
			listen_restore(&list);
			listen_close(&list, old);
			return name_parameter(r, ret_error);
		}
	}
	*ret = list;
	return 0;
}

void
listen_restore(const struct listeners *listeners)
{
	struct address_rights ignored;
	for (unsigned i = 0; i < listeners->n; i++) {
		const struct listener *one = &listeners->of[i];
		if (one->before.has_mode || one->before.has_group)
			(void)!set_rights(one->name + strlen("unix:"),
			    &one->before, &ignored);
	}
}

static int
open_control(const struct address *want, const struct identity *identity,
    const struct listeners *old, struct listener *ret, char *error)
{
	struct listener one = *ret;
	unsigned waited_ms = 0;
	int r = check_stale(want, error);
	while (r == -EADDRINUSE && wait_for_orphans(old, &waited_ms, error))
		r = check_stale(want, error);
	if (r != 0)
		return r;
	identity_make_folder(want->path, identity);
	r = make_unix(want, &one, error);
	if (r == 0 && geteuid() == 0 &&
	    lchown(want->path, identity->uid, identity->gid) != 0)
		r = address_fail(
		    error, -errno, "unix:%s: %s", want->path, strerror(errno));
	if (r != 0 && one.fd >= 0)
		close(one.fd);
	if (r == 0)
		*ret = one;
	return r;
}

void
listen_open_control(const struct conf *conf, const struct identity *identity,
    const struct listeners *old, struct listeners *ret,
    char ret_error[LISTEN_ERROR_MAX])
{
	struct address want = { .is_unix = true,
		.rights = { .has_mode = true, .mode = 0600 } };
	struct listener one = { .fd = -1 };
	size_t len = strlen(conf->control_socket);
	ret_error[0] = '\0';
	if (!ret->has_control && old != NULL && old->has_control &&
	    is_passed(&old->control)) {
		ret->has_control = true;
		ret->control = old->control;
	}
	if (ret->has_control || len == 0)
		return;
	if (len >= sizeof(want.path) || conf->control_socket[0] != '/') {
		snprintf(ret_error, LISTEN_ERROR_MAX,
		    "control_socket: needs a path that begins with / and has "
		    "less than %zu octets",
		    sizeof(want.path));
		return;
	}
	memcpy(want.path, conf->control_socket, len + 1);
	snprintf(one.name, sizeof(one.name), "unix:%s", want.path);
	if (old != NULL && old->has_control &&
	    strcmp(old->control.name, one.name) == 0)
		one = old->control;
	else if (open_control(&want, identity, old, &one, ret_error) != 0)
		return;
	ret->has_control = true;
	ret->control = one;
}

static void
close_one(struct listener *one)
{
	struct stat st;
	if (one->ino != 0 && lstat(one->name + 5, &st) == 0 &&
	    st.st_dev == one->dev && st.st_ino == one->ino)
		unlink(one->name + 5);
	close(one->fd);
}

void
listen_close(struct listeners *listeners, const struct listeners *keep)
{
	for (unsigned i = 0; i < listeners->n; i++)
		if (find(keep, listeners->of[i].name) == NULL)
			close_one(&listeners->of[i]);
	if (listeners->has_control &&
	    (keep == NULL || !keep->has_control ||
		keep->control.fd != listeners->control.fd))
		close_one(&listeners->control);
	listeners->n = 0;
	listeners->has_control = false;
}

struct checking {
	const struct conf *conf;
	char *error;
};

static int
check_address(const struct addrinfo *ai, void *arg)
{
	const struct checking *c = arg;
	return check_remote(c->conf, ai, c->error);
}

// The folder itself may be made at start; the one above it must be there.
static int
check_folder(const struct address *want, char *error)
{
	char folder[ADDRESS_PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", want->path);
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(folder, '/');
		if (slash == folder || slash == NULL)
			return 0;
		*slash = '\0';
		if (access(folder, F_OK) == 0)
			return 0;
	}
	return address_fail(error, -EINVAL, "unix:%s: there is no folder %s",
	    want->path, folder);
}

static int
check_word(const struct address *want, void *arg)
{
	struct checking *c = arg;
	if (want->is_unix)
		return check_folder(want, c->error);
	return address_resolve(want, c->error, check_address, c);
}

int
listen_check(const struct conf *conf, char ret_error[LISTEN_ERROR_MAX])
{
	struct checking c = { conf, ret_error };
	return name_parameter(
	    address_for_each(conf->listen, ret_error, check_word, &c),
	    ret_error);
}
