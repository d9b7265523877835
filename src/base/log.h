// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One event, one line, key=value as Postfix writes them; to the journal, to
// syslog (mail facility) or to stderr, through a descriptor that is opened
// once. Only processes log: pure and library code returns reasons.
#pragma once

#include "base/conf.h"

#include <syslog.h>

// role: "parent", "worker 1"; "" for none. Opens the target; may be called
// again (after fork: a new role; at reload: a new level), and then opens only
// what has changed or was closed. A target that cannot be reached is replaced
// by stderr, with one warning. Before the first call lines go to stderr, from
// LOG_INFO up. From the first call on SIGPIPE is ignored.
void dlog_open(enum conf_log_target target, int level, const char *role);

// The descriptor that lines go through, for the list of those a child keeps. A
// child that closes it calls dlog_open before it logs.
int dlog_fd(void);

bool dlog_wants(int priority);

// priority is LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG. Control
// characters in the finished line are escaped, and its end is cut past
// SINK_LINE_MAX. Keeps errno; blocks for SINK_WAIT_MS at most (base/sink.h).
void dlog(int priority, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// At most one line in `every_s` seconds for each of these; the next one says
// how many were left out. For what a peer can cause at will.
struct dlog_limit {
	uint64_t next_ms;
	unsigned n_left_out;
};
void dlog_limited(struct dlog_limit *limit, unsigned every_s, int priority,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

// A value from a peer, fit for key=value: quoted and escaped where needed.
// What is too long is cut, marked by "...". ret is NUL-terminated, size at least
// 16; returns ret.
const char *dlog_quote(const char *text, size_t len, char *ret, size_t size);
