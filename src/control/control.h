// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The process that administrators and monitoring talk to, over control_socket.
// It sees neither the DNS nor Postfix, and whatever its clients do, those who
// answer Postfix never wait for it.
//
// A request is a line, and so is its reply; of several on one connection the
// replies come in order:
//
//	status	one JSON object: counts since each process was started
//	reload	"ok", once the configuration read after this request is in
//		force; "failed" if it was refused, for the reason in the log;
//		"again" if this process had to go before that was decided
//	replace	from another danemapd: the connection goes to the parent, which
//		answers in the language of parent/succession.h
//
// All else is answered "error WHY". A line that is too long is answered so and
// ends the connection.
#pragma once

#include "base/conf.h"
#include "base/status.h"

#define CONTROL_CLIENTS_MAX 64
#define CONTROL_LINE_MAX    256 // octets of a request
#define CONTROL_IDLE_S      60  // then a client without a request is left

struct control_settings {
	const struct conf *conf;
	int parent;                      // order.h channel
	int listener;                    // non-blocking
	struct status_page *page;        // its own
	const struct status_page *pages; // of all children
	unsigned n_pages;
};

// The process. Returns its exit status.
int control_main(const struct control_settings *settings);
