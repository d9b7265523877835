// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What the cache rests on, as one digest: trust anchors, resolver_config, and
// the version of the decision. The parent opens the cache under it.
#pragma once

#include "cache/cache.h"
#include "dns/dns.h"

// 0 or -ENOMEM.
int trust_digest(
    const struct dns_source *source, uint8_t ret[CACHE_CONTEXT_LEN]);
