// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// danemap reload: checks the configuration first, here, where its faults can
// be shown to whoever made them; then asks the daemon, and waits until it is in
// force or refused.
#include "config.h"

#include "base/reach.h"
#include "parent/parent.h"
#include "tool/setup.h"
#include "tool/tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

// An earlier reload may have to end first, which takes query_timeout and a
// little more; a new one comes to serve in 15 s, or not at all.
#define REPLY_TIMEOUT_S 150
#define REPLY_MAX       256
// Each further try is after another reload that somebody else has wished.
#define TRIES_MAX       5

// One line without its newline. 0, -ECONNRESET if the other side has gone, or
// another negative errno.
static int
read_line(int fd, char ret[REPLY_MAX])
{
	size_t have = 0;
	char *end = NULL;

	while (end == NULL) {
		ssize_t n = read(fd, ret + have, REPLY_MAX - have);
		if (n <= 0)
			return n == 0 ? -ECONNRESET : -errno;
		end = memchr(ret + have, '\n', (size_t)n);
		have += (size_t)n;
		if (end == NULL && have == REPLY_MAX)
			return -EPROTO;
	}
	*end = '\0';
	return 0;
}

static int
exchange(int fd, char ret[REPLY_MAX])
{
	static const char request[] = "reload\n";

	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		return errno == EPIPE ? -ECONNRESET : -errno;
	return read_line(fd, ret);
}

static const char no_outcome[] = "no outcome came: danemapd's log has it";

static int
fail(int status, const char *path, const char *why)
{
	fprintf(stderr, "danemap: %s: %s\n", path, why);
	return status;
}

static int
fail_to_reach(const char *path, int error)
{
	const char *hint = error == -EACCES
			       ? "only root and danemapd's user may: use sudo"
			       : "is danemapd running?";

	fprintf(stderr, "danemap: %s: %s: %s\n", path, strerror(-error), hint);
	return EX_UNAVAILABLE;
}

// An exit status; or -EAGAIN or -ECONNRESET: the process that was asked had to
// go before it could tell, and the next one may.
static int
ask(const char *path)
{
	char reply[REPLY_MAX];
	if (*path == '\0')
		return fail(EX_UNAVAILABLE, "control_socket",
		    "there is none in the configuration: send SIGHUP");
	int fd = reach_unix(path, REPLY_TIMEOUT_S);
	if (fd < 0)
		return fail_to_reach(path, fd);
	int error = exchange(fd, reply);
	close(fd);
	if (error == -ECONNRESET)
		return error;
	if (error != 0)
		return fail(TOOL_CANNOT_TELL, path, no_outcome);
	if (strcmp(reply, "again") == 0)
		return -EAGAIN;
	if (strcmp(reply, "ok") == 0)
		return TOOL_YES;
	if (strcmp(reply, "failed") == 0)
		return fail(TOOL_NO, path,
		    "refused, for the reason in danemapd's log: the old "
		    "configuration stays in force");
	return fail(EX_UNAVAILABLE, path, reply);
}

static int
reload(const struct conf *conf)
{
	int status = parent_check(conf);
	if (status != EX_OK)
		return status;
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		status = ask(conf->control_socket);
		if (status == TOOL_YES)
			puts("the configuration is in force");
		if (status != -EAGAIN && status != -ECONNRESET)
			return status;
	}
	return fail(TOOL_CANNOT_TELL, conf->control_socket,
	    status == -EAGAIN ? "others reload it all the time" : no_outcome);
}

static int
print_usage(void)
{
	fputs("usage: danemap reload [-c FILE] [-o NAME=VALUE]\n", stderr);
	return EX_USAGE;
}

int
reload_command(int argc, char **argv)
{
	struct setup setup = { 0 };
	struct conf *conf;
	int c;

	while ((c = getopt(argc, argv, SETUP_OPTIONS)) != -1)
		if (!setup_take(&setup, c, optarg))
			return print_usage();
	if (optind < argc)
		return print_usage();
	int status = setup_read(&setup, &conf);
	if (status != EX_OK)
		return status;
	status = reload(conf);
	conf_free(conf);
	return status;
}
