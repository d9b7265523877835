// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// TCP service names, read once from /etc/services before a process gives up
// its right to open files; smtp, submission, submissions, smtps and lmtp are
// built in.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SERVICES_MAX 1024

void services_read(void);
// For struct nexthop_env. 0 or -ENOENT; case-insensitive.
int services_port(const char *name, size_t len, uint16_t *ret_port);
