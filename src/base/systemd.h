// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// All that we ask of systemd. Without libsystemd each of these does nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSTEMD_NAME_MAX 64

struct systemd_socket {
	int fd;
	// FileDescriptorName of its unit, by default the unit's own name; a
	// longer one is cut.
	char name[SYSTEMD_NAME_MAX];
};

// Listening sockets passed by systemd, at most max; returns how many. They are
// close-on-exec, and the environment forgets them.
unsigned systemd_listen_fds(struct systemd_socket ret[], unsigned max);

// Whether there are any that have not been taken yet.
bool systemd_has_sockets(void);

// Whether a start on this machine may find some: systemd runs it, or us.
bool systemd_may_pass_sockets(void);

void systemd_ready(void);
void systemd_reloading(void);
// The end is at most that far away.
void systemd_stopping(uint64_t max_ms);
void systemd_status(const char *text);
void systemd_errno(int error);
void systemd_watchdog(void);
// Half of the interval that the service manager wants to be fed at; 0: none.
uint64_t systemd_watchdog_ms(void);

// "libsystemd 252", or "without libsystemd".
const char *systemd_version(void);
