// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The memory behind the status pages. Each page is written by one process and
// read by any, so relaxed atomics are enough: no value depends on another.
#include "config.h"

#include "base/status.h"

#include <stddef.h>
#include <sys/mman.h>

struct status_page *
status_new(void)
{
	void *pages =
	    mmap(NULL, STATUS_CHILDREN_MAX * sizeof(struct status_page),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

void
status_beat(struct status_page *page, uint64_t now_ms)
{
	atomic_store_explicit(
	    &page->heartbeat_ms, now_ms, memory_order_relaxed);
}
