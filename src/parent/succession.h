// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How a danemapd that starts takes the listening sockets of one that runs, so
// that a restart without systemd refuses no connection. Both halves are here,
// and nobody else knows their language; it has a number, for the two may be of
// different versions.
//
//	successor                     predecessor
//	"replace" on control_socket ->  control process -> parent
//	                            <-  the sockets by descriptor, their names
//	opens what else it wants
//	"go"                        ->  stops as by SIGTERM, removes no file
//	                            <-  end of file: its last process is gone
//	opens the cache, serves
//
// Whoever connects meanwhile waits in the backlog. Until "go" nothing has
// happened: a successor that fails leaves its predecessor as it was. In place
// of the sockets, and of the end of file, a predecessor may say "error WHY", or
// "again WHY" where it is worth to ask once more: a reload or a stop that comes
// between takes the offer back.
#pragma once

#include "base/conf.h"
#include "parent/identity.h"
#include "parent/listen.h"

// A finished question, an ended reload and some seconds.
#define SUCCESSION_WAIT_S  150
// For a predecessor without a control_socket: it may be somebody's successor
// itself and about to open it, or about to end.
#define SUCCESSION_SOON_MS 20000
#define SUCCESSION_TRY_MS  100

// The successor's side: what listen_open() does, but with the sockets of the
// danemapd that answers on conf's control_socket, which is gone afterwards.
// Where none answers it is listen_open(). Waits for SUCCESSION_WAIT_S at most
// at each step, and no longer once SIGTERM or SIGINT, which are blocked, is
// pending. 0, or a negative errno with an error; then no socket is left open,
// and no file that was not there.
int succession_take(const struct conf *conf, const struct identity *identity,
    struct listeners *ret, char ret_error[LISTEN_ERROR_MAX]);

// The predecessor's side, none of which blocks or closes fd.

// False: the successor is not to be waited for.
bool succession_offer(int fd, const struct listeners *listeners);

// It cannot have the sockets, or not those that it was offered. later: it may
// ask again.
void succession_refuse(int fd, bool later, const char *why);

// Something came from a successor. True: "go"; false: it has gone away.
bool succession_is_wanted(int fd);
