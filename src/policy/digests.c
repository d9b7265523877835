// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Sorted sets of digests. Knows nothing of what they are digests of.
#include "config.h"

#include "policy/digests.h"

#include <string.h>

bool
digests_reserve(const struct digests_memory *memory, struct digests *digests,
    unsigned width, size_t n)
{
	digests->width = width;
	if (n <= digests->n_max)
		return true;
	digests->n = digests->n_max = 0;
	digests->data = memory->get(memory->arg, n * width);
	if (digests->data == NULL)
		return false;
	digests->n_max = (unsigned)n;
	return true;
}

static const uint8_t *
digests_at(const struct digests *digests, unsigned i)
{
	return digests->data + (size_t)i * digests->width;
}

// How many are less than digest.
static unsigned
digests_search(const struct digests *digests, const uint8_t *digest)
{
	unsigned low = 0, high = digests->n;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (memcmp(digests_at(digests, middle), digest,
			digests->width) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
digests_add(struct digests *digests, const uint8_t *digest)
{
	unsigned i = digests_search(digests, digest);
	size_t width = digests->width;
	uint8_t *at;

	if (i < digests->n &&
	    memcmp(digests_at(digests, i), digest, width) == 0)
		return;
	if (i == digests->n_max)
		return;
	if (digests->n == digests->n_max)
		digests->n--;
	at = digests->data + i * width;
	memmove(at + width, at, (digests->n - i) * width);
	memcpy(at, digest, width);
	digests->n++;
}

// The least digest over all sets (one at least) that is not below the places
// reached; each set that holds it moves on. NULL: there is none left.
static const uint8_t *
merge_step(
    const struct digests *const sets[], unsigned n_sets, unsigned places[])
{
	const uint8_t *least = NULL;
	size_t width = sets[0]->width;

	for (unsigned i = 0; i < n_sets; i++) {
		if (places[i] == sets[i]->n)
			continue;
		const uint8_t *digest = digests_at(sets[i], places[i]);

		if (least == NULL || memcmp(digest, least, width) < 0)
			least = digest;
	}
	for (unsigned i = 0; least != NULL && i < n_sets; i++)
		if (places[i] < sets[i]->n &&
		    memcmp(digests_at(sets[i], places[i]), least, width) == 0)
			places[i]++;
	return least;
}

bool
digests_merge(const struct digests_memory *memory,
    const struct digests *const sets[], unsigned n_sets, size_t n_max,
    struct digests *ret)
{
	unsigned places[DIGESTS_SETS_MAX] = { 0 };
	size_t total = 0;
	const uint8_t *digest;

	for (unsigned i = 0; i < n_sets; i++)
		total += sets[i]->n;
	if (total > n_max)
		total = n_max;
	if (total > 0 && !digests_reserve(memory, ret, sets[0]->width, total))
		return false;
	ret->n = 0;
	while (ret->n < total &&
	       (digest = merge_step(sets, n_sets, places)) != NULL)
		memcpy(ret->data + (size_t)ret->n++ * ret->width, digest,
		    ret->width);
	return true;
}
