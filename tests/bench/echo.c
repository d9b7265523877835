// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The limit that danemapd is held against: a bare epoll echo of netstrings on
// a unix socket, in as many processes as danemapd has workers.
//
//	bench_echo PATH PROCESSES
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EVENTS_MAX 256

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int
listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	unlink(path);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 4096) != 0)
		die(path);
	return fd;
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static void
echo(int fd)
{
	char buf[65536];
	ssize_t n = read(fd, buf, sizeof(buf));
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close(fd);
		return;
	}
	if (write(fd, buf, (size_t)n) != n)
		close(fd);
}

static void
serve(int listener)
{
	struct epoll_event events[EVENTS_MAX];
	int epoll = epoll_create1(0);
	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS_MAX, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd != listener) {
				echo(fd);
				continue;
			}
			int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
			if (client >= 0)
				watch(epoll, client);
		}
	}
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: bench_echo PATH PROCESSES\n");
		return 64;
	}
	int listener = listen_on(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < atoi(argv[2]); i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			break;
		}
	serve(listener);
}
