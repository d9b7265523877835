// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The keys that all trust begins with: those of the root that are built in,
// and those of a file in DS or DNSKEY form (RFC 1035 s. 5.1 presentation, as
// in Debian's root.key). Checks every record, because libunbound finds fault
// only later and says little.
#pragma once

#include <stddef.h>

#define ANCHORS_DEFAULT_FILE "/usr/share/dns/root.key"
#define ANCHORS_MAX          64   // records in use
#define ANCHORS_LINE_MAX     2048 // octets of one record, as handed on
#define ANCHORS_ERROR_MAX    512

struct anchors {
	unsigned n;
	char *lines[ANCHORS_MAX]; // "OWNER IN DS ..." or "OWNER IN DNSKEY ..."
};

// file NULL or empty: the built-in keys, and those of ANCHORS_DEFAULT_FILE if
// there is one. Else the keys of that file alone, of which one at least must
// be a usable key of the root. Keys that no validator could use (revoked, of
// an unknown algorithm) are left out. 0, or a negative errno and an error with
// FILE:LINE; ret needs anchors_free only after 0.
int anchors_read(
    const char *file, struct anchors *ret, char ret_error[ANCHORS_ERROR_MAX]);
void anchors_free(struct anchors *anchors);
