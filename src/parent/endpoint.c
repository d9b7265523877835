// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A socket file is found under its name only when it is whole: what comes
// before happens under another name beside it.
#include "config.h"

#include "parent/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// --- before it is made ---

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
	return address_fail(error, -EINVAL,
	    "unix:%s: there is no folder %s: make it, or choose another path",
	    want->path, folder);
}

// 1: a socket is there; 0: nothing is.
static int
look(const struct address *want, char *error)
{
	struct stat st;
	int r = lstat(want->path, &st) == 0 ? 0 : -errno;
	if (r == -ENOENT)
		return 0;
	if (r != 0)
		return address_fail(
		    error, r, "unix:%s: %s", want->path, strerror(-r));
	if (S_ISSOCK(st.st_mode))
		return 1;
	return address_fail(error, -EEXIST,
	    "unix:%s: is there already and is no socket: remove it or choose "
	    "another path",
	    want->path);
}

int
endpoint_check_place(const struct address *want, char error[ADDRESS_ERROR_MAX])
{
	int r = check_folder(want, error);
	if (r == 0)
		r = look(want, error);
	return r < 0 ? r : 0;
}

static int
new_socket(int family, char *error)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		return fd;
	return address_fail(error, -errno, "socket: %s", strerror(errno));
}

int
endpoint_check_stale(const struct address *want, char error[ADDRESS_ERROR_MAX])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r = look(want, error);
	if (r <= 0)
		return r;
	memcpy(address.sun_path, want->path, sizeof(want->path));
	int fd = new_socket(AF_UNIX, error);
	if (fd < 0)
		return fd;
	r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	bool alive = r == 0 || errno != ECONNREFUSED;
	close(fd);
	if (!alive)
		return 0;
	return address_fail(error, -EADDRINUSE,
	    "unix:%s: another process answers on it: stop it, or choose "
	    "another path",
	    want->path);
}

// --- unix ---

// By descriptor: where the folder is not root's, its owner could put a link in
// place of the file. What is right already is left alone: the file is root's,
// and root may be gone.
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

int
endpoint_set_rights(const char *path, const struct address_rights *want,
    struct address_rights *ret_before)
{
	*ret_before = (struct address_rights){ .has_mode = false };
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = set_rights_of(fd, want, ret_before);
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

static int
listen_as(int fd, const struct sockaddr_un *address, const struct address *want)
{
	struct address_rights rights = want->rights, before;
	if (!rights.has_mode)
		rights.mode = ENDPOINT_MODE;
	rights.has_mode = true;
	int r = bind_quietly(fd, address);
	if (r == 0)
		r = endpoint_set_rights(address->sun_path, &rights, &before);
	if (r == 0 && (listen(fd, LISTEN_BACKLOG) != 0 ||
			  rename(address->sun_path, want->path) != 0))
		r = -errno;
	return r;
}

static const char *
remedy_unix(int r)
{
	switch (-r) {
	case ENOENT:
	case ENOTDIR:
		return ": make its folder, or choose another path";
	case EACCES:
	case EROFS:
		return ": its folder must be writable; start as root, or "
		       "choose another path";
	case EPERM:
		return ": only root may give it that group";
	default:
		return "";
	}
}

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
	int r = listen_as(fd, &address, want);
	if (r == 0)
		return 0;
	unlink(address.sun_path);
	return address_fail(error, r, "unix:%s: %s%s", want->path, strerror(-r),
	    remedy_unix(r));
}

int
endpoint_make_unix(const struct address *want, char error[ADDRESS_ERROR_MAX])
{
	int fd = new_socket(AF_UNIX, error);
	if (fd < 0)
		return fd;
	int r = bind_unix(want, fd, error);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

// --- inet ---

void
endpoint_name(const struct addrinfo *ai, char ret[LISTEN_NAME_MAX])
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

bool
endpoint_is_loopback(const struct addrinfo *ai)
{
	if (ai->ai_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)ai->ai_addr;
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	const struct sockaddr_in6 *in6 = (const void *)ai->ai_addr;
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

static const char *
remedy_inet(int r)
{
	switch (-r) {
	case EACCES:
	case EPERM:
		return ": start as root, or choose a port from 1024 on";
	case EADDRINUSE:
		return ": another process listens there: stop it, or choose "
		       "another port";
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return ": this machine has no such address: choose another";
	default:
		return "";
	}
}

int
endpoint_make_inet(const struct addrinfo *ai, char error[ADDRESS_ERROR_MAX])
{
	char name[LISTEN_NAME_MAX];
	int fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : bind_inet(ai, fd);
	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	endpoint_name(ai, name);
	return address_fail(
	    error, r, "%s: %s%s", name, strerror(-r), remedy_inet(r));
}
