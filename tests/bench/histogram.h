// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Latencies in buckets of three percent: enough for a quantile, and no memory
// that grows with a run.
#pragma once

#include <stdint.h>

#define HISTOGRAM_SUB     32
#define HISTOGRAM_BUCKETS (64 * HISTOGRAM_SUB)

struct histogram {
	uint64_t n, max_ns;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline unsigned
histogram_bucket(uint64_t ns)
{
	if (ns < HISTOGRAM_SUB)
		return (unsigned)ns;
	unsigned top = 63 - (unsigned)__builtin_clzll(ns);
	return (top - 4) * HISTOGRAM_SUB +
	       (unsigned)((ns >> (top - 5)) & (HISTOGRAM_SUB - 1));
}

static inline void
histogram_add(struct histogram *h, uint64_t ns)
{
	h->n++;
	h->buckets[histogram_bucket(ns)]++;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

// The lower edge of the bucket that holds the quantile, in microseconds.
static inline double
histogram_quantile_us(const struct histogram *h, double q)
{
	uint64_t want = (uint64_t)(q * (double)h->n), seen = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen <= want)
			continue;
		if (i < HISTOGRAM_SUB)
			return i / 1000.0;
		unsigned top = i / HISTOGRAM_SUB + 4;
		uint64_t low = (1ull << top) |
			       ((uint64_t)(i % HISTOGRAM_SUB) << (top - 5));
		return (double)low / 1000.0;
	}
	return (double)h->max_ns / 1000.0;
}
