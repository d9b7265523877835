// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One listening socket, of the many that listen.h keeps: made, looked at
// before, given its rights. Errors are a negative errno and a text that names
// the socket and says how to mend it.
#pragma once

#include "base/address.h"

#include <stdbool.h>

// A burst of connects must not be refused: on a unix socket a full backlog is
// an immediate lookup error for Postfix.
#define LISTEN_BACKLOG  4096
#define LISTEN_NAME_MAX 160
// Who may connect where `listen` does not say.
#define ENDPOINT_MODE   0666

struct addrinfo;

// Whether the file can be made, as far as can be seen without making anything.
int endpoint_check_place(
    const struct address *want, char error[ADDRESS_ERROR_MAX]);

// Two processes on one socket would share questions at random: only a socket
// file that nobody answers on may be replaced. -EADDRINUSE: somebody does.
int endpoint_check_stale(
    const struct address *want, char error[ADDRESS_ERROR_MAX]);

// The descriptor, listening under its path with its rights, close-on-exec and
// not blocking.
int endpoint_make_unix(
    const struct address *want, char error[ADDRESS_ERROR_MAX]);

// Gives a socket file the rights that it has not, and what was changed to
// ret_before, as it had been. 0 or a negative errno.
int endpoint_set_rights(const char *path, const struct address_rights *want,
    struct address_rights *ret_before);

// "inet:ADDRESS:PORT", with brackets around IPv6.
void endpoint_name(const struct addrinfo *ai, char ret[LISTEN_NAME_MAX]);
bool endpoint_is_loopback(const struct addrinfo *ai);
// As endpoint_make_unix. -EADDRNOTAVAIL or -EAFNOSUPPORT: this machine has no
// such address.
int endpoint_make_inet(
    const struct addrinfo *ai, char error[ADDRESS_ERROR_MAX]);
