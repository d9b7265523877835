// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// danemap query: asks the running daemon exactly as Postfix would, and prints
// its replies as they are.
#include "config.h"

#include "base/address.h"
#include "base/conf.h"
#include "base/reach.h"
#include "policy/dialect.h"
#include "tool/setup.h"
#include "tool/tool.h"
#include "wire/netstring.h"
#include "wire/socketmap.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

// As long as Postfix waits.
#define REPLY_TIMEOUT_S 100
#define BUFFER_SIZE     (DIALECT_REPLY_MAX + NETSTRING_EXTRA_MAX)

struct query {
	struct setup setup;
	const char *socket, *map;
	int fd;
	int status;
};

static int
try_internet(const struct addrinfo *ai, void *arg)
{
	int *fd = arg;
	if (*fd < 0)
		*fd = reach(ai->ai_addr, ai->ai_addrlen, REPLY_TIMEOUT_S);
	return 0;
}

// The first word of `listen` that can be reached.
static int
try_address(const struct address *want, void *arg)
{
	struct query *query = arg;
	char error[ADDRESS_ERROR_MAX];
	int fd = -ENOENT;
	if (query->fd >= 0)
		return 0;
	if (want->is_unix)
		fd = reach_unix(want->path, REPLY_TIMEOUT_S);
	else
		address_resolve(want, error, try_internet, &fd);
	query->fd = fd;
	return 0;
}

static int
fail_to_reach(const char *list, int error)
{
	const char *hint =
	    error == -EACCES ? "only root and the socket's group may: use sudo"
			     : "is danemapd running?";

	fprintf(stderr, "danemap: %s: %s: %s\n", list, strerror(-error), hint);
	return EX_UNAVAILABLE;
}

static int
open_socket(struct query *query)
{
	char error[ADDRESS_ERROR_MAX];
	struct conf *conf = NULL;
	const char *list = query->socket;
	int status = EX_OK;
	if (list == NULL) {
		status = setup_read(&query->setup, &conf);
		if (status != EX_OK)
			return status;
		list = conf->listen;
	}
	query->fd = -ENOENT;
	if (address_for_each(list, error, try_address, query) != 0) {
		fprintf(stderr, "danemap: %s\n", error);
		status = EX_USAGE;
	} else if (query->fd < 0) {
		status = fail_to_reach(list, query->fd);
	}
	conf_free(conf);
	return status;
}

static bool
send_request(const struct query *query, const char *key, size_t len)
{
	char request[NETSTRING_EXTRA_MAX + 2 * SOCKETMAP_REQUEST_MAX];
	size_t map_len = strlen(query->map);
	if (map_len + len > SOCKETMAP_REQUEST_MAX)
		len = SOCKETMAP_REQUEST_MAX - map_len;
	size_t at = netstring_head(map_len + 1 + len, request);
	memcpy(request + at, query->map, map_len);
	at += map_len;
	request[at++] = ' ';
	memcpy(request + at, key, len);
	at += len;
	request[at++] = NETSTRING_TAIL;
	return send(query->fd, request, at, MSG_NOSIGNAL) == (ssize_t)at;
}

static bool
read_reply(
    const struct query *query, char *buf, const char **ret, size_t *ret_len)
{
	size_t have = 0, used;
	for (;;) {
		ssize_t n = read(query->fd, buf + have, BUFFER_SIZE - have);
		if (n <= 0)
			return false;
		have += (size_t)n;
		switch (netstring_read(
		    buf, have, DIALECT_REPLY_MAX, ret, ret_len, &used)) {
		case NETSTRING_WHOLE:
			return true;
		case NETSTRING_PARTIAL:
			continue;
		default:
			return false;
		}
	}
}

// The worst status of all keys is that of the command.
static void
note(struct query *query, const char *reply, size_t len)
{
	int status = TOOL_CANNOT_TELL;
	if (len >= 3 && memcmp(reply, "OK ", 3) == 0)
		status = TOOL_YES;
	else if (len >= 8 && memcmp(reply, "NOTFOUND", 8) == 0)
		status = TOOL_NO;
	if (status > query->status)
		query->status = status;
}

static bool
ask(struct query *query, const char *key, size_t len)
{
	static char buf[BUFFER_SIZE];
	const char *reply;
	size_t reply_len;
	if (!send_request(query, key, len) ||
	    !read_reply(query, buf, &reply, &reply_len)) {
		fprintf(stderr, "danemap: the daemon closed the connection or "
				"did not answer\n");
		query->status = EX_UNAVAILABLE;
		return false;
	}
	note(query, reply, reply_len);
	printf("%.*s\t%.*s\n", (int)len, key, (int)reply_len, reply);
	return true;
}

static bool
ask_lines(struct query *query)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool going = true;
	while (going && (len = getline(&line, &size, stdin)) >= 0) {
		while (
		    len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			len--;
		if (len > 0)
			going = ask(query, line, (size_t)len);
		fflush(stdout);
	}
	free(line);
	return going;
}

static int
print_usage(void)
{
	fputs("usage: danemap query [-c FILE] [-o NAME=VALUE] [-s SOCKET] "
	      "[-m MAP] KEY...\n",
	    stderr);
	return EX_USAGE;
}

static int
read_options(struct query *query, int argc, char **argv)
{
	int c;
	while ((c = getopt(argc, argv, SETUP_OPTIONS "s:m:")) != -1) {
		if (c == 's')
			query->socket = optarg;
		else if (c == 'm' && strlen(optarg) < 256)
			query->map = optarg;
		else if (!setup_take(&query->setup, c, optarg))
			return print_usage();
	}
	return optind < argc ? EX_OK : print_usage();
}

int
query_command(int argc, char **argv)
{
	struct query query = { .map = "dane", .fd = -1 };
	int r = read_options(&query, argc, argv);
	if (r == EX_OK)
		r = open_socket(&query);
	if (r != EX_OK)
		return r;
	for (int i = optind; i < argc; i++) {
		bool going = strcmp(argv[i], "-") == 0
				 ? ask_lines(&query)
				 : ask(&query, argv[i], strlen(argv[i]));
		if (!going)
			break;
	}
	close(query.fd);
	return query.status;
}
