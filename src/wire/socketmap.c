// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Takes a socketmap request apart at its first space. Refuses to judge map
// names and keys: those are the dialect's and the next-hop's business.
#include "config.h"

#include "wire/socketmap.h"

#include <string.h>

bool
socketmap_split(const char *payload, size_t len, struct socketmap_request *ret)
{
	const char *space = len > 0 ? memchr(payload, ' ', len) : NULL;

	if (space == NULL)
		return false;
	ret->map = payload;
	ret->map_len = (size_t)(space - payload);
	ret->key = space + 1;
	ret->key_len = len - ret->map_len - 1;
	return true;
}
