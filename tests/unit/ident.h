// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The identity of a next-hop, from the name that a test writes.
#pragma once

#include "policy/nexthop.h"
#include "resolver/idmap.h"

// name: "example.org", or "[mx.example.org]" for a host in brackets.
struct ident ident_of(const char *name, uint8_t octets[NEXTHOP_ID_MAX]);
