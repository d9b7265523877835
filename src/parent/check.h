// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a configuration needs of the machine, checked before it is used: at
// danemapd -t, at start and at each reload.
#pragma once

#include "base/conf.h"
#include "cache/cache.h"
#include "dns/dns.h"

#include <stdbool.h>

#define CHECK_ERROR_MAX 640

typedef void check_say(bool is_fault, const char *text);

// What a configuration says of the DNS; borrows from conf.
struct dns_settings check_dns_settings(const struct conf *conf);

// Says every fault and every warning; true if there was no fault. source: what
// dns_source_read gave for the same configuration; NULL: it has been found
// fault with. passed: systemd has passed sockets, `listen` means nothing.
bool check_conf(const struct conf *conf, const struct dns_source *source,
    bool passed, check_say *say);

// check_conf in a process of its own: libunbound may exit() on a bad file, and
// what it leaves behind in memory is no business of the parent.
bool check_conf_apart(const struct conf *conf, const struct dns_source *source,
    bool passed, check_say *say);
