// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A client that asks as Postfix does: one request outstanding a connection,
// as many connections as wanted. Prints one line: rate and latency.
//
//	bench_load -s PATH [-c CONNECTIONS] [-t SECONDS] [-n REQUESTS]
//	    [-m MAP] [-k FILE-OF-KEYS | KEY]
//
// With -k every request takes the next key of the file; -n ends the run after
// so many answers, -t after so many seconds.
#include "config.h"

#include "histogram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX  256
#define REQUEST_MAX 512

struct client {
	int fd;
	uint64_t sent_ns;
};

static struct {
	const char *path, *map, *key;
	unsigned n_connections, seconds;
	uint64_t n_requests;
	char *keys, *next_key;
} options = { .map = "dane", .n_connections = 1, .seconds = 5 };

static struct histogram latencies;
static uint64_t n_temp, n_errors, n_asked, n_answered;

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
read_keys(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	options.keys = calloc(1, (size_t)st.st_size + 1);
	if (options.keys == NULL ||
	    read(fd, options.keys, (size_t)st.st_size) != st.st_size)
		die(path);
	options.next_key = options.keys;
	close(fd);
}

// The next line of the file, from its start again at the end.
static size_t
take_key(const char **ret)
{
	if (options.keys == NULL) {
		*ret = options.key;
		return strlen(options.key);
	}
	if (*options.next_key == '\0')
		options.next_key = options.keys;
	size_t len = strcspn(options.next_key, "\n");
	*ret = options.next_key;
	options.next_key += len + (options.next_key[len] == '\n');
	return len;
}

static void
ask(struct client *client)
{
	char request[REQUEST_MAX];
	const char *key;
	size_t len = take_key(&key);
	int n = snprintf(request, sizeof(request), "%zu:%s %.*s,",
	    strlen(options.map) + 1 + len, options.map, (int)len, key);
	client->sent_ns = now_ns();
	if (write(client->fd, request, (size_t)n) != n)
		n_errors++;
	n_asked++;
}

static void
connect_all(struct client *clients, int epoll)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", options.path);
	for (unsigned i = 0; i < options.n_connections; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&address,
				  sizeof(address)) != 0)
			die(options.path);
		struct epoll_event event = { .events = EPOLLIN,
			.data.ptr = &clients[i] };
		clients[i].fd = fd;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			die("epoll_ctl");
	}
}

// One reply a read: only one request is outstanding.
static bool
take_answer(struct client *client)
{
	char reply[4096];
	ssize_t n = read(client->fd, reply, sizeof(reply));
	if (n <= 0) {
		n_errors++;
		close(client->fd);
		return false;
	}
	histogram_add(&latencies, now_ns() - client->sent_ns);
	n_answered++;
	const char *text = memchr(reply, ':', (size_t)n);
	if (text != NULL && strncmp(text, ":TEMP", 5) == 0)
		n_temp++;
	return true;
}

static bool
more_wanted(uint64_t end_ns)
{
	if (options.n_requests != 0)
		return n_asked < options.n_requests;
	return now_ns() < end_ns;
}

static double
run(struct client *clients, int epoll)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t start_ns = now_ns(),
		 end_ns = start_ns + options.seconds * 1000000000ull;
	for (unsigned i = 0; i < options.n_connections; i++)
		ask(&clients[i]);
	while (n_answered + n_errors < n_asked) {
		int n = epoll_wait(epoll, events, EVENTS_MAX, 60000);
		if (n <= 0)
			break;
		for (int i = 0; i < n; i++)
			if (take_answer(events[i].data.ptr) &&
			    more_wanted(end_ns))
				ask(events[i].data.ptr);
	}
	return (double)(now_ns() - start_ns) / 1e9;
}

static void
read_options(int argc, char **argv)
{
	int c;
	while ((c = getopt(argc, argv, "s:c:t:n:m:k:")) != -1) {
		if (c == 's')
			options.path = optarg;
		else if (c == 'c')
			options.n_connections = (unsigned)atoi(optarg);
		else if (c == 't')
			options.seconds = (unsigned)atoi(optarg);
		else if (c == 'n')
			options.n_requests = strtoull(optarg, NULL, 10);
		else if (c == 'm')
			options.map = optarg;
		else if (c == 'k')
			read_keys(optarg);
		else
			exit(64);
	}
	if (optind < argc)
		options.key = argv[optind];
	if (options.path == NULL ||
	    (options.key == NULL) == (options.keys == NULL)) {
		fprintf(stderr, "usage: bench_load -s PATH [-c CONNECTIONS] "
				"[-t SECONDS] [-n REQUESTS] [-m MAP] "
				"[-k FILE | KEY]\n");
		exit(64);
	}
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	struct rlimit files = { 65536, 65536 };
	setrlimit(RLIMIT_NOFILE, &files);
	struct client *clients =
	    calloc(options.n_connections, sizeof(*clients));
	int epoll = epoll_create1(0);
	if (clients == NULL || epoll < 0)
		die("memory");
	connect_all(clients, epoll);
	double seconds = run(clients, epoll);
	printf("connections=%u answers=%llu seconds=%.3f rate=%.0f "
	       "p50_us=%.1f p99_us=%.1f max_us=%.1f temp=%llu errors=%llu\n",
	    options.n_connections, (unsigned long long)n_answered, seconds,
	    (double)n_answered / seconds,
	    histogram_quantile_us(&latencies, 0.50),
	    histogram_quantile_us(&latencies, 0.99),
	    (double)latencies.max_ns / 1000.0, (unsigned long long)n_temp,
	    (unsigned long long)n_errors);
	return n_errors != 0;
}
