// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Listening sockets: made before the identity changes, kept by descriptor over
// reloads, or taken from systemd. Knows nothing of who accepts on them.
#pragma once

#include "base/address.h"
#include "base/conf.h"
#include "parent/endpoint.h"
#include "parent/identity.h"

#include <stdbool.h>
#include <sys/types.h>

#define LISTEN_MAX       32
#define LISTEN_ERROR_MAX ADDRESS_ERROR_MAX
// How long a start waits for a socket that another process has, and how often
// it looks.
#define LISTEN_WAIT_MS   1000
#define LISTEN_TRY_MS    50

struct listener {
	int fd;
	// What two configurations compare: "unix:PATH", "inet:ADDRESS:PORT", or
	// "systemd:N", "systemd:control".
	char name[LISTEN_NAME_MAX];
	dev_t dev; // of the socket file, to remove no other's
	ino_t ino;
	struct address_rights before; // of one taken over, if they were changed
};

struct listeners {
	unsigned n;
	struct listener of[LISTEN_MAX];
	bool has_control;
	struct listener control; // for administrators, of none of the workers
};

// All sockets that conf wants, or those that systemd passed: the one that has
// the name "control" for administrators, all others for Postfix. Those that
// `old` has already (may be NULL) are taken over by descriptor. A folder that
// is made for a socket belongs to identity. 0, or a negative errno with an
// error that says which socket and how to mend it; then nothing new is left
// open.
int listen_open(const struct conf *conf, const struct identity *identity,
    const struct listeners *old, struct listeners *ret,
    char ret_error[LISTEN_ERROR_MAX]);

// Gives the sockets that were taken over the rights that they had before, where
// nothing comes of what they were opened for.
void listen_restore(const struct listeners *listeners);

// control_socket, unless systemd passed one: made like the others, after them,
// for identity alone. Without
// it Postfix is still answered: what is wrong is said, and has_control false.
void listen_open_control(const struct conf *conf,
    const struct identity *identity, const struct listeners *old,
    struct listeners *ret, char ret_error[LISTEN_ERROR_MAX]);

// Closes those that `keep` (may be NULL) does not have; socket files of ours
// are removed.
void listen_close(struct listeners *listeners, const struct listeners *keep);

// Whether they came from systemd: then `listen` means nothing.
bool listen_are_passed(const struct listeners *listeners);

// The grammar, the groups, the folders and what stands in a socket's place,
// without making anything. 0, or a negative errno with an error.
int listen_check(const struct conf *conf, char ret_error[LISTEN_ERROR_MAX]);
int listen_check_control(
    const struct conf *conf, char ret_error[LISTEN_ERROR_MAX]);
