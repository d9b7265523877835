// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Chains in a fixed number of buckets: what is kept here has limits of its own
// that the buckets were chosen for. Knows nothing of what the nodes are part
// of.
#include "config.h"

#include "resolver/idmap.h"

#include <sys/random.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cache/siphash.h"

struct idmap {
	uint8_t key[SIPHASH_KEY_LEN];
	unsigned n_nodes;
	struct idmap_node *buckets[IDMAP_BUCKETS];
};

int
idmap_new(struct idmap **ret)
{
	struct idmap *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	if (getrandom(map->key, sizeof(map->key), 0) != sizeof(map->key)) {
		free(map);
		return -EIO;
	}
	*ret = map;
	return 0;
}

static uint64_t
hash_id(const struct idmap *map, struct ident id)
{
	return siphash(map->key, id.octets, id.len);
}

struct idmap_node *
idmap_find(const struct idmap *map, struct ident id)
{
	uint64_t hash = hash_id(map, id);
	struct idmap_node *node = map->buckets[hash % IDMAP_BUCKETS];

	for (; node; node = node->next)
		if (node->hash == hash && node->id.len == id.len &&
		    memcmp(node->id.octets, id.octets, id.len) == 0)
			return node;
	return NULL;
}

void
idmap_add(struct idmap *map, struct idmap_node *node)
{
	node->hash = hash_id(map, node->id);

	struct idmap_node **bucket = &map->buckets[node->hash % IDMAP_BUCKETS];

	node->next = *bucket;
	*bucket = node;
	map->n_nodes++;
}

void
idmap_remove(struct idmap *map, struct idmap_node *node)
{
	struct idmap_node **at = &map->buckets[node->hash % IDMAP_BUCKETS];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	map->n_nodes--;
}

unsigned
idmap_count(const struct idmap *map)
{
	return map->n_nodes;
}

void
idmap_free(struct idmap *map)
{
	free(map);
}
