// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// SipHash-1-3 (Aumasson, Bernstein): a keyed hash for keys that an attacker
// may choose, and the checksum of what is kept under them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LEN 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY_LEN], const void *data,
    size_t len);
