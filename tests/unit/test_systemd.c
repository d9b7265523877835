// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What systemd is told, read from a notification socket of our own, and what
// it tells us by the environment. Without libsystemd nothing happens at all.
#include "config.h"

#include "table.h"

#include "base/systemd.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void
say_status(void)
{
	systemd_status("2 workers");
}

static void
say_errno(void)
{
	systemd_errno(13);
}

static void
say_end(void)
{
	systemd_stopping(25000);
}

static const struct {
	const char *sentence;
	void (*say)(void);
	const char *heard; // the beginning
} rows[] = {
	{ "readiness is told", systemd_ready, "READY=1" },
	{ "a reload is told with its time", systemd_reloading,
	    "RELOADING=1\nMONOTONIC_USEC=" },
	{ "the end is told, and when it comes at the latest", say_end,
	    "STOPPING=1\nEXTEND_TIMEOUT_USEC=25000000" },
	{ "a status is told", say_status, "STATUS=2 workers" },
	{ "an error is told", say_errno, "ERRNO=13" },
	{ "the watchdog is fed", systemd_watchdog, "WATCHDOG=1" },
};

static void
run_row(void **state)
{
	const struct {
		const char *sentence;
		void (*say)(void);
		const char *heard;
	} *row = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	char heard[128] = "", name[64];
	ssize_t n;

	// An abstract name: nothing to remove afterwards.
	n = snprintf(name, sizeof(name), "@test_systemd.%ld", (long)getpid());
	memcpy(address.sun_path, name, (size_t)n);
	address.sun_path[0] = '\0';
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    (size_t)n)),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	row->say();
	unsetenv("NOTIFY_SOCKET");
	n = recv(fd, heard, sizeof(heard) - 1, 0);
	close(fd);
#ifdef HAVE_SYSTEMD
	assert_true(n > 0);
	assert_memory_equal(heard, row->heard, strlen(row->heard));
#else
	assert_int_equal(n, -1);
#endif
}

static void
say_to_nobody(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	systemd_ready();
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	systemd_ready();
	unsetenv("NOTIFY_SOCKET");
}

// --- Sockets that are passed ---

// What a process that was passed descriptors from 3 on makes of them.
struct taking {
	const char *sentence;
	unsigned max;
	const char *pid, *n_passed; // NULL: its own; of all
	unsigned n;
	int fds[2];
	unsigned open;     // afterwards; a bit a descriptor
	const char *names; // NULL: as many as there are; "": none
	const char *first; // with other names: that of the first
};

#define LONG "a-name-that-is-longer-than-any-name-of-a-unit-should-be-at-all."

static const struct taking takings[] = {
	{ "of what is passed, sockets that listen are taken, and others closed",
	    .max = 8, .n = 2, .fds = { 3, 7 }, .open = 1u << 3 | 1u << 7 },
	{ "no more sockets are taken than fit, and others closed", .max = 1,
	    .n = 1, .fds = { 3 }, .open = 1u << 3 },
	{ "without room all are closed", .max = 0 },
	{ "descriptors beyond those passed are left alone", .max = 8,
	    .n_passed = "2", .n = 1, .fds = { 3 },
	    .open = 1u << 3 | 1u << 5 | 1u << 6 | 1u << 7 },
	{ "what is passed to another process is left alone", .max = 8,
	    .pid = "1", .open = 0xf8 },
	{ "a supervisor need not name what it passes", .max = 1, .n = 1,
	    .fds = { 3 }, .open = 1u << 3, .names = "", .first = "unknown" },
	{ "a name that is too long is cut", .max = 1, .n_passed = "1", .n = 1,
	    .fds = { 3 }, .open = 0xf8, .names = LONG "x", .first = LONG },
	{ "an empty name is a name", .max = 1, .n_passed = "2", .n = 1,
	    .fds = { 3 }, .open = 1u << 3 | 1u << 5 | 1u << 6 | 1u << 7,
	    .names = ":x", .first = "" },
};

struct taken {
	bool was_set_up;
	unsigned n, open, kept_by_exec;
	struct systemd_socket sockets[8];
	bool is_in_environment;
};

static const char *
names_of(const struct taking *row)
{
	if (row->names)
		return row->names;
	return row->n_passed ? "policy:x" : "policy:x:x:x:control";
}

// 3 to 7: a socket that listens, one that does not, one of packets that
// listens, one end of a pipe, and another socket that listens.
static bool
be_passed(const struct taking *row)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	struct sockaddr_in loopback = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int ends[2];
	char pid[24];

	closefrom(3);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", row->pid ? row->pid : pid, 1);
	setenv("LISTEN_FDS", row->n_passed ? row->n_passed : "5", 1);
	setenv("LISTEN_FDNAMES", names_of(row), 1);
	if (row->names && row->names[0] == '\0')
		unsetenv("LISTEN_FDNAMES");
	// Bound by the kernel to an abstract name of its choice.
	return socket(AF_UNIX, SOCK_STREAM, 0) == 3 &&
	       bind(3, (struct sockaddr *)&any, sizeof(sa_family_t)) == 0 &&
	       listen(3, 1) == 0 && socket(AF_UNIX, SOCK_STREAM, 0) == 4 &&
	       socket(AF_UNIX, SOCK_SEQPACKET, 0) == 5 &&
	       bind(5, (struct sockaddr *)&any, sizeof(sa_family_t)) == 0 &&
	       listen(5, 1) == 0 && pipe(ends) == 0 && dup2(ends[0], 6) == 6 &&
	       close(ends[1]) == 0 && socket(AF_INET, SOCK_STREAM, 0) == 7 &&
	       bind(7, (struct sockaddr *)&loopback, sizeof(loopback)) == 0 &&
	       listen(7, 1) == 0;
}

static void
take(const struct taking *row, struct taken *ret)
{
	ret->was_set_up = be_passed(row);
	ret->n = systemd_listen_fds(ret->sockets, row->max);
	ret->is_in_environment = getenv("LISTEN_FDS") || getenv("LISTEN_PID");
	for (int fd = 3; fd < 8; fd++) {
		int flags = fcntl(fd, F_GETFD);

		ret->open |= flags >= 0 ? 1u << fd : 0;
		ret->kept_by_exec |= flags == 0 ? 1u << fd : 0;
	}
}

// In a child, whose descriptors are like those of a process that systemd
// starts. It ends by exit, so that a build for coverage counts it.
static void
take_in_child(const struct taking *row, struct taken *ret)
{
	struct taken *shared = mmap(NULL, sizeof(*shared),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	assert_true(shared != MAP_FAILED);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		take(row, shared);
		exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	*ret = *shared;
	munmap(shared, sizeof(*shared));
}

static void
run_taking(void **state)
{
	const struct taking *row = *state;
	struct taken taken;

	take_in_child(row, &taken);
	assert_true(taken.was_set_up);
#ifdef HAVE_SYSTEMD
	assert_int_equal(taken.n, row->n);
	for (unsigned i = 0; i < row->n; i++) {
		assert_int_equal(taken.sockets[i].fd, row->fds[i]);
		assert_string_equal(
		    taken.sockets[i].name, row->names         ? row->first
					   : row->fds[i] == 3 ? "policy"
							      : "control");
		assert_false(taken.kept_by_exec & (1u << row->fds[i]));
	}
	assert_int_equal(taken.open, row->open);
	assert_false(taken.is_in_environment);
#else
	assert_int_equal(taken.n, 0);
	assert_int_equal(taken.open, 0xf8);
#endif
}

static void
take_no_sockets(void **state)
{
	struct systemd_socket sockets[1];

	(void)state;
	unsetenv("LISTEN_FDS");
	assert_int_equal(systemd_listen_fds(sockets, 1), 0);
}

static void
halve_watchdog(void **state)
{
	(void)state;
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(systemd_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
#ifdef HAVE_SYSTEMD
	assert_int_equal(systemd_watchdog_ms(), 15000);
	setenv("WATCHDOG_USEC", "1000", 1);
	assert_int_equal(systemd_watchdog_ms(), 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(systemd_watchdog_ms(), 0);
#else
	assert_int_equal(systemd_watchdog_ms(), 0);
#endif
}

static void
name_version(void **state)
{
	(void)state;
#ifdef HAVE_SYSTEMD
	int version = 0;

	assert_int_equal(
	    sscanf(systemd_version(), "libsystemd %d", &version), 1);
	assert_true(version >= 219);
#else
	assert_string_equal(systemd_version(), "without libsystemd");
#endif
}

int
main(void)
{
	TABLE_ADD(rows, run_row);
	table_add("nobody need listen", say_to_nobody, NULL);
	TABLE_ADD(takings, run_taking);
	table_add("without any passed there are none", take_no_sockets, NULL);
	table_add("the watchdog is fed at half its interval, if it is ours",
	    halve_watchdog, NULL);
	table_add("the version has a number", name_version, NULL);
	return table_run("systemd");
}
