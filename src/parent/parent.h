// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The parent: reads the configuration, opens sockets and cache, forks the
// children, starts them again when they die, reloads, and waits. Never parses
// an octet from a peer.
#pragma once

#include "base/conf.h"

struct parent_settings {
	const char *config_file; // NULL: the default
	const char *const *overrides;
	size_t n_overrides;
};

// The daemon, until SIGTERM or SIGINT. conf is the first configuration, already
// read; the parent frees it. Returns an exit status of sysexits.h.
int parent_run(const struct parent_settings *settings, struct conf *conf);

// What danemapd -t checks beyond the grammar: paths, users, groups, listeners,
// trust anchor, resolver_config. Says each fault on stderr; 0 or EX_CONFIG.
int parent_check(const struct parent_settings *settings,
    const struct conf *conf);
