// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A file that is cut while it is mapped, and bus errors that are not its.
#include "config.h"

#include "cache_stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/guard.h"

static struct cache *inherited;

static void
cut_file_turns_into_misses(void)
{
	struct cache *cache = open_to_write();

	assert_int_equal(put(cache, "a", "x", 1), 0);
	assert_false(cache_is_dead(cache));
	assert_int_equal(truncate(path, 0), 0);
	assert_true(misses(cache, "a"));
	assert_true(cache_is_dead(cache));
	assert_true(misses(cache, "a"));
	assert_int_equal(put(cache, "a", "y", 1), -EIO);
	struct cache *fresh = open_cache(CACHE_REPLACED);
	cache_close(cache);
	own_all(fresh);
	assert_int_equal(put(fresh, "a", "z", 1), 0);
	assert_true(holds(fresh, "a", "z", 1));
	assert_false(cache_is_dead(fresh));
	cache_close(fresh);
}

static void
cut_file_does_not_kill_a_writer(void)
{
	struct cache *cache = open_to_write();

	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(put(cache, "a", "x", 1), 0);
	assert_true(cache_is_dead(cache));
	assert_true(misses(cache, "a"));
	cache_close(cache);
}

static int
touch_another_cut_file(void)
{
	inherited = open_cache(CACHE_MADE); // the handler is installed
	FILE *file = tmpfile();
	volatile char *octets =
	    mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
	return octets[0];
}

static int
status_of_touch(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(touch_another_cut_file());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS ? 0 : 2;
}

static void
other_bus_errors_end_the_process(void)
{
	assert_int_equal(in_child(status_of_touch), 0);
}

static int
status_of_a_sent_one(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		inherited = open_cache(CACHE_MADE);
		kill(getpid(), SIGBUS);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS ? 0 : 2;
}

static void
sent_bus_errors_end_the_process(void)
{
	assert_int_equal(in_child(status_of_a_sent_one), 0);
}

static void
cut_file_leaves_others_alone(void)
{
	struct cache *whole = open_to_write(), *cut;
	char other[96], lock[128];

	assert_int_equal(put(whole, "a", "x", 1), 0);
	snprintf(other, sizeof(other), "%s/other", folder);
	snprintf(lock, sizeof(lock), "%s.lock", other);
	settings.path = other;
	cut = open_cache(CACHE_MADE);
	assert_int_equal(truncate(other, 0), 0);
	assert_true(misses(cut, "a"));
	assert_true(cache_is_dead(cut));
	assert_false(cache_is_dead(whole));
	assert_true(holds(whole, "a", "x", 1));
	cache_close(whole);
	cache_close(cut);
	assert_int_equal(unlink(lock), 0);
}

static void
guards_so_many_and_no_more(void)
{
	struct cache *caches[GUARD_MAPPINGS_MAX];

	for (int i = 0; i < GUARD_MAPPINGS_MAX; i++)
		caches[i] = open_cache(i == 0 ? CACHE_MADE : CACHE_KEPT);
	assert_int_equal(fails(), -EMFILE);
	for (int i = 0; i < GUARD_MAPPINGS_MAX; i++)
		cache_close(caches[i]);
	cache_close(open_cache(CACHE_KEPT));
}

static const struct stage_row rows[] = {
	{ "a file cut under a reader turns into misses and is dead",
	    cut_file_turns_into_misses },
	{ "a file cut under a writer does not kill it",
	    cut_file_does_not_kill_a_writer },
	{ "a file that was cut leaves other caches alone",
	    cut_file_leaves_others_alone },
	{ "a process maps so many caches at a time and no more",
	    guards_so_many_and_no_more },
	{ "a bus error elsewhere ends the process as ever",
	    other_bus_errors_end_the_process },
	{ "a bus error that somebody sent ends the process as ever",
	    sent_bus_errors_end_the_process },
};

int
main(void)
{
	TABLE_ADD(rows, run_in_folder);
	return table_run("guard");
}
