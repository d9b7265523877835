// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What Postfix may ask for: any octets. A name that comes out must be one that
// DNS can be asked for, in one spelling; its identity and its key in a policy
// file must lead back to it.
//
// Under test: src/policy/nexthop.c
#include "config.h"

#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/nexthop.h"
#include "policy/rules_block.h"

// The worst that a library might give back: too long, empty, dots, no end.
static int
label_to_ascii(const char *label, size_t len, char ret[64])
{
	memset(ret, 'a', 64);
	switch (label[0]) {
	case '\xff':
		return -EINVAL;
	case '\xfe':
		return 0;
	case '\xfd':
		ret[1] = '.';
		break;
	case '\xfc':
		ret[0] = '\0';
		break;
	default:
		break;
	}
	ret[len < 63 ? len : 63] = '\0';
	return 0;
}

static int
service_port(const char *name, size_t len, uint16_t *ret_port)
{
	*ret_port = len > 0 ? (uint16_t)(unsigned char)name[0] : 0;
	return len < 3 ? 0 : -ENOENT;
}

static const struct nexthop_env env = { label_to_ascii, service_port };

static void
check_name(const struct nexthop *nexthop)
{
	REQUIRE(nexthop->name_len > 0);
	REQUIRE(strlen(nexthop->name) == nexthop->name_len);
	REQUIRE(nexthop->port != 0);
	for (const char *at = nexthop->name; *at != '\0'; at++)
		REQUIRE((*at >= 'a' && *at <= 'z') ||
			(*at >= '0' && *at <= '9') ||
			strchr("-_.:", *at) != NULL);
}

static void
check_id(const struct nexthop *nexthop)
{
	uint8_t id[NEXTHOP_ID_MAX];
	struct nexthop again;
	size_t len = nexthop_id(nexthop, id);

	REQUIRE(nexthop_from_id(id, len, &again) == 0);
	REQUIRE(again.kind == nexthop->kind && again.port == nexthop->port);
	REQUIRE(strcmp(again.name, nexthop->name) == 0);
}

static void
check_key(const struct nexthop *nexthop)
{
	char buffer[RULES_KEY_MAX];
	struct nexthop again;
	size_t len;
	const char *key = rules_key(nexthop, buffer, &len);

	REQUIRE(len < RULES_KEY_MAX && strlen(key) == len);
	nexthop_parse(key, len, &env, &again);
	REQUIRE(again.kind == nexthop->kind && again.port == nexthop->port);
	REQUIRE(strcmp(again.name, nexthop->name) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nexthop nexthop;

	nexthop_parse((const char *)data, size, &env, &nexthop);
	if (nexthop.kind == NEXTHOP_UNPARSABLE ||
	    nexthop.kind == NEXTHOP_UNCONVERTIBLE) {
		REQUIRE(nexthop.name_len == 0 && nexthop.name[0] == '\0');
		return 0;
	}
	check_name(&nexthop);
	check_key(&nexthop);
	if (nexthop.kind == NEXTHOP_DOMAIN || nexthop.kind == NEXTHOP_HOST)
		check_id(&nexthop);
	nexthop_valid_hostname(nexthop.name);
	return 0;
}
