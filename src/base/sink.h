// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Where finished log lines go: a datagram socket of the journal or of syslog,
// or a descriptor such as stderr. A sink never blocks for long: one that takes
// nothing is waited for once, SINK_WAIT_MS, and then loses lines until it takes
// some again; the first line it takes says how many were lost.
//
// The protocols are spoken here rather than by syslog(3) and sd_journal_send,
// because those block without end when their reader hangs, and keep a
// descriptor that nobody can name when a child closes all but those on its
// list.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SINK_LINE_MAX   2048 // octets of one line, all else included
#define SINK_FIELD_MAX  600  // octets of the value of a field, cut beyond
// Octets of all fields of a line: a domain, an answer, a reason, an id.
#define SINK_FIELDS_MAX 2048
#define SINK_WAIT_MS    50
#define SINK_PROGRAM    "danemapd"

enum sink_kind { SINK_STREAM = 0, SINK_JOURNAL, SINK_SYSLOG };

struct sink {
	enum sink_kind kind;
	int fd;
	int given_fd;     // streams: what the caller named
	bool is_own;      // closed with the sink
	bool is_socket;   // takes MSG_DONTWAIT
	const char *path; // of a datagram socket
	dev_t dev; // what fd was when it was opened: another's descriptor
	ino_t ino; // may have its number by now
	unsigned n_lost;
};

#define SINK_JOURNAL_PATH "/run/systemd/journal/socket"
#define SINK_SYSLOG_PATH  "/dev/log"

// kind is JOURNAL or SYSLOG; path must outlive the sink. 0 or a negative errno.
int sink_open_socket(struct sink *sink, enum sink_kind kind, const char *path);
// Never fails; fd remains the caller's.
void sink_open_stream(struct sink *sink, int fd);
// Whether the sink's descriptor is still the one that was opened, and a
// stream's given one still leads where it did.
bool sink_is_open(const struct sink *sink);
// A descriptor that has meanwhile become another's is left alone.
void sink_close(struct sink *sink);

// "NAME=VALUE\n" of any octets of value: those that would end the field or the
// record are escaped, and its end is cut past SINK_FIELD_MAX. Nothing if value
// is NULL, or size too small. Returns the length.
size_t sink_field(const char *name, const char *value, char *ret, size_t size);

// One line, without control characters and without a newline. fields: for the
// journal, whole lines "NAME=VALUE\n", or "". SIGPIPE must be ignored.
void sink_write(
    struct sink *sink, int priority, const char *line, const char *fields);
