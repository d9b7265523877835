// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The door to libsystemd, and the only place where it may be missing. What
// systemd does with our words is its own business: nothing here can fail.
#include "config.h"

#include "base/systemd.h"

#ifdef HAVE_SYSTEMD

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

static bool
keep(int fd, const char *name, struct systemd_socket *ret)
{
	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
		return false;
	ret->fd = fd;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return true;
}

unsigned
systemd_listen_fds(struct systemd_socket ret[], unsigned max)
{
	char **names = NULL;
	int n_passed = sd_listen_fds_with_names(1, &names);
	unsigned n = 0;

	for (int i = 0; i < n_passed; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (n < max && keep(fd, names[i], &ret[n]))
			n++;
		else
			close(fd);
		free(names[i]);
	}
	free(names);
	return n;
}

bool
systemd_has_sockets(void)
{
	return sd_listen_fds(0) > 0;
}

// In a root directory of its own a service does not see what sd_booted looks
// for, but it has the number of its invocation.
bool
systemd_may_pass_sockets(void)
{
	return sd_booted() > 0 || getenv("INVOCATION_ID") != NULL;
}

void
systemd_ready(void)
{
	sd_notify(0, "READY=1");
}

void
systemd_reloading(void)
{
	struct timespec now = { 0 };

	// Type=notify-reload wants to know when, by this very clock.
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void
systemd_stopping(uint64_t max_ms)
{
	sd_notifyf(
	    0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64, max_ms * 1000);
}

void
systemd_status(const char *text)
{
	sd_notifyf(0, "STATUS=%s", text);
}

void
systemd_errno(int error)
{
	sd_notifyf(0, "ERRNO=%d", error);
}

void
systemd_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}

uint64_t
systemd_watchdog_ms(void)
{
	uint64_t interval_us;

	if (sd_watchdog_enabled(0, &interval_us) <= 0)
		return 0;
	// Rounded up: 0 would mean that nobody waits.
	return (interval_us / 2 + 999) / 1000;
}

const char *
systemd_version(void)
{
	return "libsystemd " SYSTEMD_VERSION;
}

#else

unsigned
systemd_listen_fds(struct systemd_socket ret[], unsigned max)
{
	(void)ret;
	(void)max;
	return 0;
}

bool
systemd_has_sockets(void)
{
	return false;
}

bool
systemd_may_pass_sockets(void)
{
	return false;
}

void
systemd_ready(void)
{
}

void
systemd_reloading(void)
{
}

void
systemd_stopping(uint64_t max_ms)
{
	(void)max_ms;
}

void
systemd_status(const char *text)
{
	(void)text;
}

void
systemd_errno(int error)
{
	(void)error;
}

void
systemd_watchdog(void)
{
}

uint64_t
systemd_watchdog_ms(void)
{
	return 0;
}

const char *
systemd_version(void)
{
	return "without libsystemd";
}

#endif
