// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// All that a context is made from, read and checked before libunbound sees any
// of it. Knows the files and parameters; libunbound it does not know.
#pragma once

#include "dns/anchors.h"
#include "dns/dns.h"
#include "dns/upstream.h"

struct source {
	const struct dns_settings *settings; // borrowed
	struct anchors anchors;
	struct upstream upstream;
	char *fragment; // text of resolver_config; NULL: none
	bool wants_tls; // the fragment does
};

// 0, or a negative errno and an error; source_free after 0 only.
int source_read(const struct dns_settings *settings, struct source *ret,
    char error[DNS_ERROR_MAX]);
void source_free(struct source *source);

// Sockets to ask servers with: as many as the domains want, and the process
// may have open.
unsigned source_outgoing_range(unsigned concurrency);

// Neither NULL nor empty.
bool source_is_set(const char *text);
