// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// No parsing: tests write names as they are looked up.
#include "config.h"

#include "ident.h"

#include <string.h>

struct ident
ident_of(const char *name, uint8_t octets[NEXTHOP_ID_MAX])
{
	struct nexthop nexthop = { .kind = NEXTHOP_DOMAIN,
		.bare = true,
		.port = NEXTHOP_DEFAULT_PORT };
	size_t len = strlen(name);

	if (name[0] == '[') {
		nexthop.kind = NEXTHOP_HOST;
		nexthop.bare = false;
		name++;
		len -= 2;
	}
	memcpy(nexthop.name, name, len);
	nexthop.name_len = (uint8_t)len;
	return (struct ident){ octets, nexthop_id(&nexthop, octets) };
}
