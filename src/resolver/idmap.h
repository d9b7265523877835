// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A set of things that each belong to one next-hop, found by its identity
// (nexthop_id). The names come from whoever sends mail, so the hash is keyed
// and the key is drawn anew in each process.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define IDMAP_BUCKETS 65536

struct ident {
	const uint8_t *octets; // borrowed
	size_t len;
};

// Lives inside the thing that is found; id's octets live as long as it does.
struct idmap_node {
	struct idmap_node *next;
	uint64_t hash;
	struct ident id;
};

struct idmap;

// 0 or -ENOMEM, or what getrandom says.
int idmap_new(struct idmap **ret);
struct idmap_node *idmap_find(const struct idmap *map, struct ident id);
// node->id is set, and not in the map yet.
void idmap_add(struct idmap *map, struct idmap_node *node);
void idmap_remove(struct idmap *map, struct idmap_node *node);
unsigned idmap_count(const struct idmap *map);
// The nodes belong to others: the map should be empty.
void idmap_free(struct idmap *map);
