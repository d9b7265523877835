// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What the cache rests on, as one digest: trust anchors, resolver_config, and
// the version of the decision. The parent opens the cache under it, and a
// resolver that reads the files anew holds them against it: entries that were
// made under other keys would pass for those of the parent's.
#pragma once

#include "cache/cache.h"
#include "dns/dns.h"

// 0, or a negative errno and an error.
int trust_digest(const struct dns_settings *settings,
    uint8_t ret[CACHE_CONTEXT_LEN], char ret_error[DNS_ERROR_MAX]);
