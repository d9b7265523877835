// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a process gives up once it has all that it needs: the only file that
// knows seccomp and Landlock. Nothing given up can be had again, and what a
// process starts is bound likewise.
//
// A call that is not allowed fails with EPERM, and the process goes on: an odd
// call of some C library must not stop mail.
#pragma once

#include <stdbool.h>

enum sandbox_kind {
	// Descriptors it was born with and those that come over them. No file,
	// no new socket, no other process.
	SANDBOX_WORKER = 0,
	// As a worker; and IPv4 and IPv6 sockets, but none that listens.
	SANDBOX_RESOLVER,
	// As a worker.
	SANDBOX_CONTROL,
	// Forks, waits and signals; reads files, makes sockets and the cache.
	// Starts no other program, and meddles with no other process.
	SANDBOX_PARENT,
};

struct sandbox_settings {
	enum sandbox_kind kind;
	// The one descriptor that may be connected anew (to syslog); -1: none.
	int log_fd;
	// Paths that may be read by a resolver, and all below them, ended by
	// NULL; NULL: none.
	const char *const *readable;
};

// How much of it could be had: less with an older kernel, or without
// libseccomp. Capabilities are gone and the process cannot be traced or dumped
// in any case.
struct sandbox_got {
	bool seccomp;
	unsigned landlock; // version of the kernel's interface; 0: none, or the
			   // kind needs none
};

// The last thing before the first octet of a peer.
void sandbox_enter(
    const struct sandbox_settings *settings, struct sandbox_got *ret);

// "libseccomp 2.5.4", "without libseccomp"
const char *sandbox_version(void);
