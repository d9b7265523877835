// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A socketmap request (socketmap_table(5)): map name, one space, key.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Postfix refuses longer requests of its own; so do we.
#define SOCKETMAP_REQUEST_MAX 10000

struct socketmap_request {
	const char *map; // borrowed
	size_t map_len;
	const char *key; // may hold spaces and any other octet
	size_t key_len;
};

// False if there is no space.
bool socketmap_split(
    const char *payload, size_t len, struct socketmap_request *ret);
