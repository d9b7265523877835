// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Listening sockets of danemapd: reads `listen`, makes what is missing, keeps
// what is there.
#include "config.h"

#include "parent/listen.h"

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
#include <unistd.h>

#define WORD_MAX      512
#define UNIX_PATH_MAX sizeof(((struct sockaddr_un *)0)->sun_path)

// One word of `listen`, taken apart.
struct wanted {
	bool is_unix;
	char path[UNIX_PATH_MAX];
	mode_t mode;
	bool has_mode, has_group;
	gid_t group;
	char host[256], port[32];
};

static int __attribute__((format(printf, 3, 4)))
fail(char *error, int code, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(error, LISTEN_ERROR_MAX, format, ap);
	va_end(ap);
	return code;
}

static int
parse_group(
    const char *word, const char *name, struct wanted *want, char *error)
{
	struct group *group = getgrnam(name);
	if (group == NULL)
		return fail(error, -EINVAL,
		    "listen: %s: there is no group \"%s\"", word, name);
	want->group = group->gr_gid;
	want->has_group = true;
	return 0;
}

static int
parse_mode(const char *word, const char *text, struct wanted *want, char *error)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);
	if (*text == '\0' || *end != '\0' || mode > 0777)
		return fail(error, -EINVAL,
		    "listen: %s: \"%s\" is no mode; write it in octal, as 0660",
		    word, text);
	want->mode = (mode_t)mode;
	want->has_mode = true;
	return 0;
}

// PATH[:MODE[:GROUP]]
static int
parse_unix(const char *word, const char *spec, struct wanted *want, char *error)
{
	char copy[WORD_MAX];
	snprintf(copy, sizeof(copy), "%s", spec);
	char *rest = copy, *path = strsep(&rest, ":");
	char *mode = strsep(&rest, ":"), *group = strsep(&rest, ":");
	want->is_unix = true;
	if (*path != '/')
		return fail(error, -EINVAL,
		    "listen: %s: the path must begin with \"/\"", word);
	if (strlen(path) >= sizeof(want->path))
		return fail(error, -EINVAL,
		    "listen: %s: the path is longer than a unix socket may "
		    "have (%zu octets)",
		    word, sizeof(want->path) - 1);
	if (rest != NULL)
		return fail(error, -EINVAL,
		    "listen: %s: write unix:PATH:MODE:GROUP", word);
	snprintf(want->path, sizeof(want->path), "%s", path);
	if (mode != NULL && parse_mode(word, mode, want, error) != 0)
		return -EINVAL;
	if (group != NULL && parse_group(word, group, want, error) != 0)
		return -EINVAL;
	return 0;
}

// HOST:PORT or [V6]:PORT
static int
parse_inet(const char *word, const char *spec, struct wanted *want, char *error)
{
	const char *colon = strrchr(spec, ':');
	const char *end = colon;
	bool bracketed = *spec == '[';
	if (bracketed && colon != NULL && colon > spec && colon[-1] == ']') {
		spec++;
		end = colon - 1;
	} else if (bracketed) {
		colon = NULL;
	}
	if (colon == NULL || colon[1] == '\0' || end <= spec ||
	    (size_t)(end - spec) >= sizeof(want->host) ||
	    strlen(colon + 1) >= sizeof(want->port) ||
	    (!bracketed && memchr(spec, ':', (size_t)(end - spec)) != NULL))
		return fail(error, -EINVAL,
		    "listen: %s: write inet:HOST:PORT or inet:[V6]:PORT", word);
	snprintf(
	    want->host, sizeof(want->host), "%.*s", (int)(end - spec), spec);
	snprintf(want->port, sizeof(want->port), "%s", colon + 1);
	return 0;
}

static int
parse_word(const char *word, struct wanted *ret, char *error)
{
	struct wanted want = { .is_unix = false };
	int r;
	if (strncmp(word, "unix:", 5) == 0)
		r = parse_unix(word, word + 5, &want, error);
	else if (strncmp(word, "inet:", 5) == 0)
		r = parse_inet(word, word + 5, &want, error);
	else
		r = fail(error, -EINVAL,
		    "listen: %s: write unix:PATH[:MODE[:GROUP]], "
		    "inet:HOST:PORT or inet:[V6]:PORT",
		    word);
	if (r == 0)
		*ret = want;
	return r;
}

// Two processes on one socket would share questions at random: only a socket
// file that nobody answers on may be replaced.
static int
check_stale(const struct wanted *want, char *error)
{
	struct stat st;
	if (lstat(want->path, &st) != 0) {
		if (errno == ENOENT)
			return 0;
		return fail(error, -errno, "listen: unix:%s: %s", want->path,
		    strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return fail(error, -EEXIST,
		    "listen: unix:%s: is there already and is no socket: "
		    "remove it or choose another path",
		    want->path);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	memcpy(address.sun_path, want->path, sizeof(want->path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(
		    error, -errno, "listen: socket: %s", strerror(errno));
	int r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	bool alive = r == 0 || errno != ECONNREFUSED;
	close(fd);
	if (alive)
		return fail(error, -EADDRINUSE,
		    "listen: unix:%s: another process answers on it: stop it, "
		    "or choose another path",
		    want->path);
	return 0;
}

// Mode and group are set before the socket is to be found under its name.
static int
bind_unix(const struct wanted *want, int fd, char *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *slash = strrchr(want->path, '/');
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%.*s/.%x",
	    (int)(slash - want->path), want->path, (unsigned)getpid());
	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return fail(error, -ENAMETOOLONG,
		    "listen: unix:%s: the folder's name is too long",
		    want->path);
	unlink(address.sun_path);
	mode_t mode = want->has_mode ? want->mode : 0666;
	mode_t mask = umask(0177);
	int r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r == 0 && want->has_group)
		r = chown(address.sun_path, (uid_t)-1, want->group);
	if (r == 0)
		r = chmod(address.sun_path, mode);
	if (r == 0)
		r = listen(fd, LISTEN_BACKLOG);
	if (r == 0)
		r = rename(address.sun_path, want->path);
	if (r == 0)
		return 0;
	int saved = errno;
	unlink(address.sun_path);
	return fail(error, -saved, "listen: unix:%s: %s%s", want->path,
	    strerror(saved), saved == ENOENT ? ": the folder is missing" : "");
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
		return fail(
		    error, -E2BIG, "listen: more than %d sockets", LISTEN_MAX);
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
};

// A socket kept over a reload may have been given another mode or group.
static int
keep_unix(const struct wanted *want, const struct listener *kept,
    const struct opening *o)
{
	if ((want->has_group && chown(want->path, (uid_t)-1, want->group)) ||
	    (want->has_mode && chmod(want->path, want->mode)))
		return fail(o->error, -errno,
		    "listen: unix:%s: mode or group: %s (needs restart)",
		    want->path, strerror(errno));
	return add(o->list, kept, o->error);
}

static int
make_unix(const struct wanted *want, struct listener *one, char *error)
{
	struct stat st;
	one->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (one->fd < 0)
		return fail(
		    error, -errno, "listen: socket: %s", strerror(errno));
	int r = bind_unix(want, one->fd, error);
	if (r == 0 && lstat(want->path, &st) == 0) {
		one->dev = st.st_dev;
		one->ino = st.st_ino;
	}
	return r;
}

static int
open_unix(const struct wanted *want, const struct opening *o)
{
	struct listener one = { .fd = -1 };
	snprintf(one.name, sizeof(one.name), "unix:%s", want->path);
	if (find(o->list, one.name) != NULL)
		return fail(
		    o->error, -EINVAL, "listen: %s: named twice", one.name);
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
		return fail(
		    error, r, "listen: %s: %s", one->name, strerror(-r));
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
	return fail(error, -EINVAL,
	    "listen: %s: is no loopback address: anyone who reaches it could "
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

// Calls each for every address that the host has, until one fails.
static int
for_addresses(const struct wanted *want, char *error,
    int (*each)(const struct addrinfo *ai, void *arg), void *arg)
{
	struct addrinfo *all, hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE,
	};
	int r = getaddrinfo(want->host, want->port, &hints, &all);
	if (r != 0)
		return fail(error, -EINVAL, "listen: inet:%s:%s: %s",
		    want->host, want->port, gai_strerror(r));
	for (struct addrinfo *ai = all; ai != NULL && r == 0; ai = ai->ai_next)
		if (ai->ai_family == AF_INET || ai->ai_family == AF_INET6)
			r = each(ai, arg);
	freeaddrinfo(all);
	return r;
}

// Calls each for every word of `listen`, until one fails.
static int
for_words(const struct conf *conf, char *error,
    int (*each)(const struct wanted *want, void *arg), void *arg)
{
	const char *at = conf->listen;
	unsigned n = 0;
	while (*(at += strspn(at, " \t\n,")) != '\0') {
		size_t len = strcspn(at, " \t\n,");
		char word[WORD_MAX];
		struct wanted want;
		if (len >= sizeof(word))
			return fail(error, -EINVAL,
			    "listen: a word is longer than %d octets",
			    WORD_MAX - 1);
		memcpy(word, at, len);
		word[len] = '\0';
		int r = parse_word(word, &want, error);
		if (r == 0)
			r = each(&want, arg);
		if (r != 0)
			return r;
		at += len;
		n++;
	}
	if (n == 0)
		return fail(error, -EINVAL, "listen: names no socket");
	return 0;
}

static int
open_word(const struct wanted *want, void *arg)
{
	struct opening *o = arg;
	if (want->is_unix)
		return open_unix(want, o);
	return for_addresses(want, o->error, open_address, o);
}

// Sockets of systemd are asked for once: the environment is then cleared, and
// later configurations find them in `old`.
static bool
take_passed(const struct listeners *old, struct listeners *list)
{
	int fds[LISTEN_MAX];
	if (old != NULL) {
		if (old->n == 0 || strncmp(old->of[0].name, "systemd:", 8) != 0)
			return false;
		*list = *old;
		return true;
	}
	unsigned n = systemd_listen_fds(fds, LISTEN_MAX);
	for (unsigned i = 0; i < n; i++) {
		struct listener *one = &list->of[list->n++];
		*one = (struct listener){ .fd = fds[i] };
		snprintf(one->name, sizeof(one->name), "systemd:%u", i);
		int flags = fcntl(fds[i], F_GETFL);
		if (flags >= 0)
			fcntl(fds[i], F_SETFL, flags | O_NONBLOCK);
	}
	return n > 0;
}

int
listen_open(const struct conf *conf, const struct identity *identity,
    const struct listeners *old, struct listeners *ret,
    char ret_error[LISTEN_ERROR_MAX])
{
	struct listeners list = { .n = 0 };
	struct opening o = { conf, identity, old, &list, ret_error };
	if (!take_passed(old, &list)) {
		int r = for_words(conf, ret_error, open_word, &o);
		if (r != 0) {
			listen_close(&list, old);
			return r;
		}
	}
	*ret = list;
	return 0;
}

void
listen_close(struct listeners *listeners, const struct listeners *keep)
{
	for (unsigned i = 0; i < listeners->n; i++) {
		struct listener *one = &listeners->of[i];
		struct stat st;
		if (find(keep, one->name) != NULL)
			continue;
		if (one->ino != 0 && lstat(one->name + 5, &st) == 0 &&
		    st.st_dev == one->dev && st.st_ino == one->ino)
			unlink(one->name + 5);
		close(one->fd);
	}
	listeners->n = 0;
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
check_folder(const struct wanted *want, char *error)
{
	char folder[UNIX_PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", want->path);
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(folder, '/');
		if (slash == folder || slash == NULL)
			return 0;
		*slash = '\0';
		if (access(folder, F_OK) == 0)
			return 0;
	}
	return fail(error, -EINVAL, "listen: unix:%s: there is no folder %s",
	    want->path, folder);
}

static int
check_word(const struct wanted *want, void *arg)
{
	struct checking *c = arg;
	if (want->is_unix)
		return check_folder(want, c->error);
	return for_addresses(want, c->error, check_address, c);
}

int
listen_check(const struct conf *conf, char ret_error[LISTEN_ERROR_MAX])
{
	struct checking c = { conf, ret_error };
	return for_words(conf, ret_error, check_word, &c);
}
