// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The memory behind the status pages. Each page is written by one process and
// read by any, so relaxed atomics are enough: no value depends on another.
#include "config.h"

#include "base/status.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/clock.h"

struct status_page *
status_new(void)
{
	void *pages =
	    mmap(NULL, STATUS_CHILDREN_MAX * sizeof(struct status_page),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

static uint32_t
permille(uint64_t part, uint64_t whole)
{
	return part < whole ? (uint32_t)(part * 1000 / whole) : 1000;
}

// Only its own process writes a page, so what was stored is what is known.
void
status_beat(struct status_page *page, uint64_t now_ms)
{
	uint64_t cpu_ms = clock_cpu_ms();
	uint64_t since_ms = page->heartbeat_ms;

	if (since_ms != 0 && since_ms < now_ms)
		atomic_store_explicit(&page->busy_permille,
		    permille(cpu_ms - page->cpu_ms, now_ms - since_ms),
		    memory_order_relaxed);
	atomic_store_explicit(&page->cpu_ms, cpu_ms, memory_order_relaxed);
	atomic_store_explicit(
	    &page->heartbeat_ms, now_ms, memory_order_relaxed);
}

void
status_describe(
    const struct status_page *pages, bool fine, char ret[STATUS_TEXT_MAX])
{
	uint64_t requests = 0, cached = 0;
	unsigned connections = 0, in_flight = 0;
	for (const struct status_page *page = pages;
	     page < pages + STATUS_CHILDREN_MAX; page++) {
		requests += page->n_requests;
		cached += page->n_cached;
		connections += page->n_connections;
		in_flight += page->n_in_flight;
	}
	snprintf(ret, STATUS_TEXT_MAX,
	    "%s: %u connections, %" PRIu64 " questions, %" PRIu64
	    " of them from the cache, %u destinations in flight",
	    fine ? "serving" : "a process is being restarted", connections,
	    requests, cached, in_flight);
}
