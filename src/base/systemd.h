// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// All that we ask of systemd. Without libsystemd each of these does nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SYSTEMD_FDS_MAX 32

// Listening sockets passed by systemd, at most max; returns how many. They are
// close-on-exec, and the environment forgets them.
unsigned systemd_listen_fds(int fds[], unsigned max);

void systemd_ready(void);
void systemd_reloading(void);
void systemd_stopping(void);
void systemd_status(const char *text);
void systemd_errno(int error);
void systemd_watchdog(void);
// Half of the interval that the service manager wants to be fed at; 0: none.
uint64_t systemd_watchdog_ms(void);

// "libsystemd 252", or "without libsystemd".
const char *systemd_version(void);
