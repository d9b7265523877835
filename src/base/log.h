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

// Kinds of events that somebody may want to be told of: `journalctl
// MESSAGE_ID=...`. Listed in danemapd(8), and never changed.
#define DLOG_ID_CHANGED "e8c2cbb88b814418b6947ac712e0f8c1" // another answer
#define DLOG_ID_LOST    "cfdf8ea17adb474783e3a9cfcf2a9cb6" // a child has died
#define DLOG_ID_ANCHOR \
	"9ac1b3c686c84ecf963670098d0d62d2" // the root does not validate
#define DLOG_ID_EXPIRED "5893efac51434408b0d8028492919bb8" // rules that end

// What the journal is told besides the line; NULL: nothing of that kind. Any
// octets will do.
struct dlog_fields {
	const char *message_id;
	const char *domain, *answer, *reason; // DANEMAP_DOMAIN, ...
};

// priority is LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG. Control
// characters in the finished line are escaped, and its end is cut past
// SINK_LINE_MAX. Keeps errno; blocks for SINK_WAIT_MS at most (base/sink.h).
void dlog(int priority, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void dlog_event(int priority, const struct dlog_fields *fields,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

// At most one line in `every_s` seconds for each of these; the next one says
// how many were left out. For what a peer can cause at will.
struct dlog_limit {
	const char *message_id; // of those lines; NULL: none
	uint64_t next_ms;
	unsigned n_left_out;
};

void dlog_limited(struct dlog_limit *limit, unsigned every_s, int priority,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

// A value from a peer, fit for key=value: quoted and escaped where needed.
// What is too long is cut, marked by "...". ret is NUL-terminated, size at
// least 16; returns ret.
const char *dlog_quote(const char *text, size_t len, char *ret, size_t size);
