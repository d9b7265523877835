// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What systemd is told, read from a notification socket of our own, and what
// it tells us by the environment. Without libsystemd nothing happens at all.
#include "config.h"

#include "table.h"

#include "base/systemd.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

static const struct {
	const char *sentence;
	void (*say)(void);
	const char *heard; // the beginning
} rows[] = {
	{ "readiness is told", systemd_ready, "READY=1" },
	{ "a reload is told with its time", systemd_reloading,
	    "RELOADING=1\nMONOTONIC_USEC=" },
	{ "the end is told", systemd_stopping, "STOPPING=1" },
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

// A child of its own, whose descriptors 3 and 4 are what systemd would pass:
// one socket that listens and one that does not. Its exit status is how many
// it took, and 64 more if the environment still names them.
static int
count_passed(unsigned max)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		struct sockaddr_un any = { .sun_family = AF_UNIX };
		int fds[SYSTEMD_FDS_MAX], first, second;
		char pid[24];

		closefrom(3);
		first = socket(AF_UNIX, SOCK_STREAM, 0);
		second = socket(AF_UNIX, SOCK_STREAM, 0);
		// Bound by the kernel to an abstract name of its choice.
		if (first != 3 || second != 4 ||
		    bind(3, (struct sockaddr *)&any, sizeof(sa_family_t)) ||
		    listen(3, 1))
			_exit(128);
		snprintf(pid, sizeof(pid), "%ld", (long)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "2", 1);
		_exit((int)systemd_listen_fds(fds, max) +
		      (getenv("LISTEN_FDS") ? 64 : 0));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
take_sockets(void **state)
{
	(void)state;
#ifdef HAVE_SYSTEMD
	assert_int_equal(count_passed(SYSTEMD_FDS_MAX), 1);
	assert_int_equal(count_passed(0), 0);
#else
	assert_int_equal(count_passed(SYSTEMD_FDS_MAX), 64);
#endif
}

static void
take_no_sockets(void **state)
{
	int fds[1];

	(void)state;
	unsetenv("LISTEN_FDS");
	assert_int_equal(systemd_listen_fds(fds, 1), 0);
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
	table_add("of what is passed, sockets that listen are taken, and the "
		  "environment forgets them",
	    take_sockets, NULL);
	table_add("without any passed there are none", take_no_sockets, NULL);
	table_add("the watchdog is fed at half its interval, if it is ours",
	    halve_watchdog, NULL);
	table_add("the version has a number", name_version, NULL);
	return table_run("systemd");
}
