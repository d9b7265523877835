// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The parent: opens sockets and cache, forks the children, starts them again
// when they die, reloads, and waits. Never parses an octet from a peer.
#pragma once

#include "base/conf.h"

struct parent_settings {
	const char *config_file;      // NULL: the default
	const char *const *overrides; // NAME=VALUE, borrowed
	size_t n_overrides;
	bool replace; // a danemapd that runs: its sockets are taken over
};

// The daemon, until SIGTERM or SIGINT. conf is the first configuration,
// already read; the parent frees it. Returns an exit status of sysexits.h:
// EX_CONFIG for what the administrator must mend, EX_UNAVAILABLE where a socket
// or the cache is taken, EX_OSERR, EX_NOPERM.
int parent_run(const struct parent_settings *settings, struct conf *conf);

// What danemapd -t checks beyond the grammar. Says each fault on stderr.
// EX_OK or EX_CONFIG.
int parent_check(const struct conf *conf);
