// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One table of what is counted. A page that was never begun, or whose process
// has ended, is zero throughout and adds nothing.
#include "config.h"

#include "control/report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define ROW(member)                                            \
	{                                                      \
#member, offsetof(struct status_page, member), \
		    sizeof(((struct status_page *)0)->member)  \
	}

// The names are those of the page, without "n_".
static const struct {
	const char *member;
	size_t offset, size;
} rows[] = {
	ROW(n_connections),
	ROW(n_in_flight),
	ROW(n_in_line),
	ROW(n_requests),
	ROW(n_cached),
	ROW(n_asked),
	ROW(n_deferred),
	ROW(n_decisions),
	ROW(n_lookups),
	ROW(n_refused),
	ROW(anchored),
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t
value_at(const struct status_page *page, size_t offset, size_t size)
{
	const char *at = (const char *)page + offset;

	if (size == sizeof(uint64_t))
		return atomic_load_explicit(
		    (const _Atomic uint64_t *)(const void *)at,
		    memory_order_relaxed);
	return atomic_load_explicit(
	    (const _Atomic uint32_t *)(const void *)at, memory_order_relaxed);
}

static uint64_t
sum(const struct status_page *pages, unsigned n_pages, size_t offset,
    size_t size)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < n_pages; i++)
		total += value_at(&pages[i], offset, size);
	return total;
}

static unsigned
count_alive(const struct status_page *pages, unsigned n_pages)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_pages; i++)
		n += atomic_load_explicit(
			 &pages[i].heartbeat_ms, memory_order_relaxed) != 0;
	return n;
}

static const char *
name_of(const char *member)
{
	bool counts = member[0] == 'n' && member[1] == '_';

	return counts ? member + 2 : member;
}

// Twenty digits and a short name a row are far below REPORT_MAX.
size_t
report_write(
    const struct status_page *pages, unsigned n_pages, char ret[REPORT_MAX])
{
	int len = snprintf(ret, REPORT_MAX,
	    "{\"version\":\"" PACKAGE_VERSION "\",\"processes\":%u",
	    count_alive(pages, n_pages));

	for (size_t i = 0; i < N_ROWS; i++)
		len += snprintf(ret + len, REPORT_MAX - (size_t)len,
		    ",\"%s\":%" PRIu64, name_of(rows[i].member),
		    sum(pages, n_pages, rows[i].offset, rows[i].size));
	len += snprintf(ret + len, REPORT_MAX - (size_t)len, "}");
	return (size_t)len;
}
