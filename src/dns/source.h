// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// All that contexts are made from, read and checked before libunbound sees any
// of it. Knows the files and parameters; libunbound it does not know.
#pragma once

#include "dns/anchors.h"
#include "dns/dns.h"
#include "dns/upstream.h"

#define SOURCE_FILES_MAX 64

struct dns_source {
	const struct dns_settings *settings; // borrowed
	struct anchors anchors;
	struct upstream upstream;
	char *fragment; // text of resolver_config; NULL: none
	char *files[SOURCE_FILES_MAX + 1]; // it names; ended by NULL
	bool wants_tls;                    // the fragment does
};

// Sockets to ask servers with: as many as the domains want, and the process
// may have open.
unsigned source_outgoing_range(unsigned concurrency);

// Neither NULL nor empty.
bool source_is_set(const char *text);
