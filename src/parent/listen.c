// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Listening sockets of danemapd: reads `listen`, makes what is missing, keeps
// what is there.
#include "config.h"

#include "parent/listen.h"

#include "base/address.h"
#include "base/log.h"
#include "base/systemd.h"
#include "parent/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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
	// Of the addresses of a name.
	unsigned n_there;
	int absent; // the last error of one that this machine lacks
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
	r = endpoint_set_rights(
	    want->path, &want->rights, &o->list->of[o->list->n - 1].before);
	if (r != 0)
		return address_fail(o->error, r, "unix:%s: mode or group: %s",
		    want->path, strerror(-r));
	return 0;
}

static int
make_unix(const struct address *want, struct listener *one, char *error)
{
	struct stat st;
	one->fd = endpoint_make_unix(want, error);
	if (one->fd < 0)
		return one->fd;
	if (lstat(want->path, &st) == 0) {
		one->dev = st.st_dev;
		one->ino = st.st_ino;
	}
	return 0;
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

static int
name_unix(const struct address *want, const struct listeners *list,
    struct listener *one, char *error)
{
	snprintf(one->name, sizeof(one->name), "unix:%s", want->path);
	if (find(list, one->name) == NULL)
		return 0;
	return address_fail(error, -EINVAL, "%s: named twice", one->name);
}

static int
open_unix(const struct address *want, const struct opening *o)
{
	struct listener one = { .fd = -1 };
	int r = name_unix(want, o->list, &one, o->error);
	if (r != 0)
		return r;
	const struct listener *kept = find(o->old, one.name);
	if (kept != NULL)
		return keep_unix(want, kept, o);
	r = endpoint_check_stale(want, o->error);
	if (r != 0)
		return r;
	identity_make_folder(want->path, o->identity);
	r = make_unix(want, &one, o->error);
	if (r != 0)
		return r;
	r = add(o->list, &one, o->error);
	if (r != 0)
		close_one(&one);
	return r;
}

static int
check_remote(const struct conf *conf, const struct addrinfo *ai, char *error)
{
	char name[LISTEN_NAME_MAX];
	if (conf->allow_remote || endpoint_is_loopback(ai))
		return 0;
	endpoint_name(ai, name);
	return address_fail(error, -EINVAL,
	    "%s: is no loopback address: anyone who reaches it could "
	    "ask; say allow_remote = yes if that is meant",
	    name);
}

static int
open_one_address(const struct addrinfo *ai, const struct opening *o)
{
	struct listener one = { .fd = -1 };
	endpoint_name(ai, one.name);
	if (find(o->list, one.name) != NULL)
		return 0;
	const struct listener *kept = find(o->old, one.name);
	if (kept != NULL)
		return add(o->list, kept, o->error);
	one.fd = endpoint_make_inet(ai, o->error);
	if (one.fd < 0)
		return one.fd;
	int r = add(o->list, &one, o->error);
	if (r != 0)
		close(one.fd);
	return r;
}

static int
open_address(const struct addrinfo *ai, void *arg)
{
	struct opening *o = arg;
	int r = check_remote(o->conf, ai, o->error);
	if (r == 0)
		r = open_one_address(ai, o);
	if (r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT) {
		o->absent = r;
		return 0;
	}
	o->n_there += r == 0;
	return r;
}

// A name may have addresses that the machine has not: localhost is ::1 too,
// where IPv6 is switched off.
static int
open_inet(const struct address *want, struct opening *o)
{
	o->n_there = 0;
	o->absent = 0;
	int r = address_resolve(want, o->error, open_address, o);
	if (r != 0 || o->absent == 0)
		return r;
	if (o->n_there == 0)
		return o->absent;
	dlog(LOG_WARNING, "listen: %s; what else inet:%s:%s stands for serves",
	    o->error, want->host, want->port);
	return 0;
}

static int
open_now(const struct address *want, struct opening *o)
{
	return want->is_unix ? open_unix(want, o) : open_inet(want, o);
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
		if (!listen_are_passed(old))
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

bool
listen_are_passed(const struct listeners *listeners)
{
	return listeners->n > 0 && is_passed(&listeners->of[0]);
}

// Errors say which parameter they speak of.
static int
name_parameter(const char *name, int r, char error[LISTEN_ERROR_MAX])
{
	char text[LISTEN_ERROR_MAX];
	if (r == 0)
		return 0;
	memcpy(text, error, sizeof(text));
	return address_fail(error, r, "%s: %s", name, text);
}

int
listen_open(const struct conf *conf, const struct identity *identity,
    const struct listeners *old, struct listeners *ret,
    char ret_error[LISTEN_ERROR_MAX])
{
	struct listeners list = { .n = 0 };
	struct opening o = { .conf = conf,
		.identity = identity,
		.old = old,
		.list = &list,
		.error = ret_error };
	if (!take_passed(old, &list)) {
		int r =
		    address_for_each(conf->listen, ret_error, open_word, &o);
		if (r != 0) {
			listen_restore(&list);
			listen_close(&list, old);
			return name_parameter("listen", r, ret_error);
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
			(void)!endpoint_set_rights(one->name + strlen("unix:"),
			    &one->before, &ignored);
	}
}

static int
open_control(const struct address *want, const struct identity *identity,
    const struct listeners *old, struct listener *ret, char *error)
{
	struct listener one = *ret;
	unsigned waited_ms = 0;
	int r = endpoint_check_stale(want, error);
	while (r == -EADDRINUSE && wait_for_orphans(old, &waited_ms, error))
		r = endpoint_check_stale(want, error);
	if (r != 0)
		return r;
	identity_make_folder(want->path, identity);
	r = make_unix(want, &one, error);
	if (r == 0 && geteuid() == 0 &&
	    lchown(want->path, identity->uid, identity->gid) != 0)
		r = address_fail(
		    error, -errno, "unix:%s: %s", want->path, strerror(errno));
	if (r == 0)
		*ret = one;
	else if (one.fd >= 0)
		close_one(&one);
	return r;
}

static int
want_control(const struct conf *conf, struct address *ret, char *error)
{
	size_t len = strlen(conf->control_socket);
	*ret = (struct address){ .is_unix = true,
		.rights = { .has_mode = true, .mode = 0600 } };
	if (len >= sizeof(ret->path) || conf->control_socket[0] != '/')
		return address_fail(error, -EINVAL,
		    "needs a path that begins with / and has less than %zu "
		    "octets",
		    sizeof(ret->path));
	memcpy(ret->path, conf->control_socket, len + 1);
	return 0;
}

void
listen_open_control(const struct conf *conf, const struct identity *identity,
    const struct listeners *old, struct listeners *ret,
    char ret_error[LISTEN_ERROR_MAX])
{
	struct address want;
	struct listener one = { .fd = -1 };
	ret_error[0] = '\0';
	if (!ret->has_control && old != NULL && old->has_control &&
	    is_passed(&old->control)) {
		ret->has_control = true;
		ret->control = old->control;
	}
	if (ret->has_control || *conf->control_socket == '\0')
		return;
	int r = want_control(conf, &want, ret_error);
	snprintf(one.name, sizeof(one.name), "unix:%s", want.path);
	if (r == 0 && old != NULL && old->has_control &&
	    strcmp(old->control.name, one.name) == 0)
		one = old->control;
	else if (r == 0)
		r = open_control(&want, identity, old, &one, ret_error);
	if (name_parameter("control_socket", r, ret_error) != 0)
		return;
	ret->has_control = true;
	ret->control = one;
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

// Without descriptors: what would be opened.
struct checking {
	const struct conf *conf;
	struct listeners list;
	char *error;
};

static int
check_address(const struct addrinfo *ai, void *arg)
{
	struct checking *c = arg;
	struct listener one = { .fd = -1 };
	int r = check_remote(c->conf, ai, c->error);
	if (r != 0)
		return r;
	endpoint_name(ai, one.name);
	if (find(&c->list, one.name) != NULL)
		return 0;
	return add(&c->list, &one, c->error);
}

static int
check_unix(const struct address *want, struct checking *c)
{
	struct listener one = { .fd = -1 };
	int r = name_unix(want, &c->list, &one, c->error);
	if (r == 0)
		r = endpoint_check_place(want, c->error);
	if (r == 0)
		r = add(&c->list, &one, c->error);
	return r;
}

static int
check_word(const struct address *want, void *arg)
{
	struct checking *c = arg;
	if (want->is_unix)
		return check_unix(want, c);
	return address_resolve(want, c->error, check_address, c);
}

int
listen_check(const struct conf *conf, char ret_error[LISTEN_ERROR_MAX])
{
	struct checking c = { .conf = conf, .error = ret_error };
	int r = address_for_each(conf->listen, ret_error, check_word, &c);
	return name_parameter("listen", r, ret_error);
}

int
listen_check_control(const struct conf *conf, char ret_error[LISTEN_ERROR_MAX])
{
	struct address want;
	int r = 0;
	if (*conf->control_socket != '\0')
		r = want_control(conf, &want, ret_error);
	if (r == 0 && *conf->control_socket != '\0')
		r = endpoint_check_place(&want, ret_error);
	return name_parameter("control_socket", r, ret_error);
}
