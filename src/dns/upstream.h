// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Whom to ask: the parameter `forward` and the file of root hints, checked for
// what libunbound would only notice by silence.
#pragma once

#include <stdbool.h>

#define UPSTREAM_FORWARDERS_MAX 32
#define UPSTREAM_ADDRESS_MAX    64
#define UPSTREAM_ERROR_MAX      512

struct upstream {
	unsigned n;
	char addresses[UPSTREAM_FORWARDERS_MAX][UPSTREAM_ADDRESS_MAX];
	// One of them is on this machine: libunbound must be told that this is
	// meant (do-not-query-localhost).
	bool loopback;
	char *hints; // text of root_hints_file; NULL: libunbound's own
};

// forward: white-space separated ADDRESS[@PORT], NULL or empty for none.
// hints_file: as the parameter root_hints_file, NULL or empty for none; must
// hold the address of a server. 0, or a negative errno and an error; ret needs
// upstream_free only after 0.
int upstream_read(const char *forward, const char *hints_file,
    struct upstream *ret, char ret_error[UPSTREAM_ERROR_MAX]);
void upstream_free(struct upstream *upstream);
