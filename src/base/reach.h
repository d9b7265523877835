// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Connections to a danemapd that runs: of administrators, and of its successor.
#pragma once

#include <sys/socket.h>

// A blocking connection whose reads fail with EAGAIN after timeout_s, or a
// negative errno. -ENOENT, -ECONNREFUSED: nobody is there.
int reach(const struct sockaddr *address, socklen_t len, int timeout_s);

// To a unix socket. -EINVAL for no path, or one that no socket can have.
int reach_unix(const char *path, int timeout_s);
