// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// libunbound's account of a validation failure, cut down to its cause: a few
// words for a log line of 200 octets.
#pragma once

#include "dns/dns.h"
#include "policy/walk.h"

// "validation failure <a. A IN>: signature expired from 192.0.2.1 for key a.
// while building chain of trust" becomes "signature expired for key a". NULL
// or nothing of use: "not valid". Printable ASCII; returns ret.
const char *cause_distil(const char *why, char ret[WALK_CAUSE_MAX + 1]);

// Why the root cannot be trusted, and how to mend it. forward, anchor_file:
// the parameters, NULL for the defaults.
void cause_root(const struct walk_reply *reply, const char *forward,
    const char *anchor_file, char ret[DNS_ERROR_MAX]);
