// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The clock that goes on, the wall clock that is set, and the status pages
// that carry the one's time between processes.
#include "config.h"

#include "refusal.h"
#include "table.h"

#include "base/clock.h"
#include "base/status.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

REFUSABLE(void *, mmap,
    (void *at, size_t len, int prot, int flags, int fd, off_t from),
    (at, len, prot, flags, fd, from), MAP_FAILED)

static const struct {
	const char *sentence;
	int64_t moved_ms; // how far the offset we knew is from the true one
	bool was_set;
} rows[] = {
	{ "an offset that still holds means no step", 0, false },
	{ "a step forward by less than 5 s is none", 4000, false },
	{ "a step back by less than 5 s is none", -4000, false },
	{ "a step forward by more than 5 s is one", 6000, true },
	{ "a step back by more than 5 s is one", -6000, true },
	{ "a step by years is one", 100000000000, true },
};

static void
run_row(void **state)
{
	const struct {
		const char *sentence;
		int64_t moved_ms;
		bool was_set;
	} *row = *state;

	int64_t offset_ms = 0;

	assert_false(clock_was_set(&offset_ms)); // the first call learns
	assert_true(offset_ms != 0);
	offset_ms += row->moved_ms;
	assert_int_equal(clock_is_off(offset_ms), row->was_set);
	assert_int_equal(clock_was_set(&offset_ms), row->was_set);
	assert_false(clock_is_off(offset_ms));
	assert_false(clock_was_set(&offset_ms)); // a step is reported once
}

static void
read_boottime(void **state)
{
	struct timespec before, after;
	uint64_t now_ms;

	(void)state;
	clock_gettime(CLOCK_BOOTTIME, &before);
	now_ms = clock_boot_ms();
	clock_gettime(CLOCK_BOOTTIME, &after);
	assert_true(now_ms >= (uint64_t)before.tv_sec * 1000);
	assert_true(now_ms <= ((uint64_t)after.tv_sec + 1) * 1000);
}

static void
share_pages(void **state)
{
	struct status_page *pages = status_new();
	int status;
	pid_t child;

	(void)state;
	assert_non_null(pages);
	assert_int_equal(pages[STATUS_CHILDREN_MAX - 1].heartbeat_ms, 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		status_beat(&pages[STATUS_CHILDREN_MAX - 1], 4711);
		atomic_fetch_add(&pages[0].n_requests, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(pages[STATUS_CHILDREN_MAX - 1].heartbeat_ms, 4711);
	assert_int_equal(pages[0].n_requests, 3);
	assert_int_equal(pages[1].n_requests, 0);
}

static void
have_no_pages(void **state)
{
	(void)state;
	refuse("mmap", 1, ENOMEM);
	assert_null(status_new());
	assert_true(refuse_no_more());
}

// --- How busy its process is ---

static const struct busy_row {
	const char *sentence;
	uint64_t used_ms, in_ms; // since the beat before; 0: there was none
	uint32_t least, most;
} busy_rows[] = {
	{ "half of a second used is half of a processor", 500, 1000, 500, 599 },
	{ "a second used in two is half as well", 1000, 2000, 500, 599 },
	{ "nothing used is no load", 0, 1000, 0, 99 },
	{ "no process is more than a processor", 5000, 1000, 1000, 1000 },
	{ "the first beat says nothing of the load", 5000, 0, 0, 0 },
};

static void
beat_busily(void **state)
{
	const struct busy_row *row = *state;
	struct status_page page;

	memset(&page, 0, sizeof(page));
	page.heartbeat_ms = row->in_ms > 0 ? 10000 : 0;
	page.cpu_ms = clock_cpu_ms() - row->used_ms;
	status_beat(&page, 10000 + row->in_ms);
	assert_in_range(page.busy_permille, row->least, row->most);
	assert_int_equal(page.heartbeat_ms, 10000 + row->in_ms);
	status_beat(&page, 10000 + row->in_ms); // no time has passed
	assert_in_range(page.busy_permille, row->least, row->most);
}

// --- The line about all of them ---

struct line_row {
	const char *sentence;
	struct status_page first, last;
	bool fine;
	const char *line;
};

static const struct line_row line_rows[] = {
	{ "before the first question the line has noughts", { 0 }, { 0 }, true,
	    "serving: 0 connections, 0 questions, 0 of them from the cache, "
	    "0 destinations in flight" },
	{ "the line has the sums of all processes",
	    { .n_connections = 1, .n_requests = 20, .n_cached = 300 },
	    { .n_connections = 4, .n_requests = 5, .n_in_flight = 6 }, true,
	    "serving: 5 connections, 25 questions, 300 of them from the cache, "
	    "6 destinations in flight" },
	{ "the line says that a process is missing", { .n_in_flight = 1 },
	    { .n_in_flight = 2 }, false,
	    "a process is being restarted: 0 connections, 0 questions, "
	    "0 of them from the cache, 3 destinations in flight" },
	{ "the largest numbers fit into the line",
	    { .n_connections = UINT32_MAX, .n_requests = UINT64_MAX },
	    { .n_cached = UINT64_MAX, .n_in_flight = UINT32_MAX }, false,
	    "a process is being restarted: 4294967295 connections, "
	    "18446744073709551615 questions, "
	    "18446744073709551615 of them from the cache, "
	    "4294967295 destinations in flight" },
};

static void
describe(void **state)
{
	const struct line_row *row = *state;
	struct status_page *pages = status_new();
	char line[STATUS_TEXT_MAX];

	assert_non_null(pages);
	memcpy(&pages[0], &row->first, sizeof(pages[0]));
	memcpy(&pages[STATUS_CHILDREN_MAX - 1], &row->last, sizeof(pages[0]));
	status_describe(pages, row->fine, line);
	assert_string_equal(line, row->line);
	munmap(pages, STATUS_CHILDREN_MAX * sizeof(pages[0]));
}

int
main(void)
{
	TABLE_ADD(rows, run_row);
	table_add("the time is that of CLOCK_BOOTTIME", read_boottime, NULL);
	table_add(
	    "a child's status page is read by its parent", share_pages, NULL);
	table_add(
	    "without memory there are no status pages", have_no_pages, NULL);
	TABLE_ADD(busy_rows, beat_busily);
	TABLE_ADD(line_rows, describe);
	return table_run("clock");
}
