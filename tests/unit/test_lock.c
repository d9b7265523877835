// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One daemon a cache: who gets the lock, who is refused, and when it ends.
#include "config.h"

#include "cache_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/lock.h"

static void
refuses_a_linked_lock(void)
{
	char lock[96], other[80];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(symlink(other, lock), 0);
	assert_int_equal(fails(), -ELOOP);
	assert_int_equal(access(other, F_OK), -1);
}

static void
is_closed_to_others(void)
{
	struct stat st;
	char lock[96];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	mode_t before = umask(0);
	cache_close(open_cache(CACHE_MADE));
	umask(before);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
refuses_a_fifo(void)
{
	char lock[96];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	assert_int_equal(mkfifo(lock, 0600), 0);
	assert_int_equal(fails(), -EINVAL);
	assert_non_null(strstr(error, "not a regular file"));
	assert_non_null(strstr(error, lock));
}

static void
refuses_a_long_path(void)
{
	static char endless[PATH_MAX + 1];

	memset(endless, 'x', PATH_MAX - strlen(".lock"));
	settings.path = endless;
	assert_int_equal(fails(), -ENAMETOOLONG);
	assert_non_null(strstr(error, "cache_file is too long"));
}

static void
lock_lasts_while_any_is_open(void)
{
	struct cache *first = open_cache(CACHE_MADE);

	assert_int_equal(in_child(lock_is_held), 1);
	settings.context[0] ^= 1; // a reload with another trust anchor
	struct cache *second = open_cache(CACHE_REPLACED);
	cache_close(first);
	assert_int_equal(in_child(lock_is_held), 1);
	cache_close(second);
	assert_int_equal(in_child(lock_is_held), 0);
}

// A reload that moves the cache holds two; no process needs many.
static void
takes_so_many_and_no_more(void)
{
	struct cache *caches[LOCK_FILES_MAX];
	char own[LOCK_FILES_MAX + 1][96], lock[sizeof(own) + 8];

	for (int i = 0; i <= LOCK_FILES_MAX; i++)
		snprintf(own[i], sizeof(own[i]), "%s/%d", folder, i);
	for (int i = 0; i < LOCK_FILES_MAX; i++) {
		settings.path = own[i];
		caches[i] = open_cache(CACHE_MADE);
	}
	settings.path = own[LOCK_FILES_MAX];
	assert_int_equal(fails(), -EMFILE);
	assert_non_null(strstr(error, "too many caches"));
	assert_int_equal(access(own[LOCK_FILES_MAX], F_OK), -1);
	for (int i = 0; i < LOCK_FILES_MAX; i++) {
		cache_close(caches[i]);
		snprintf(lock, sizeof(lock), "%s.lock", own[i]);
		assert_int_equal(unlink(lock), 0);
		assert_int_equal(unlink(own[i]), 0);
	}
	settings.path = path;
	cache_close(open_cache(CACHE_MADE));
}

static void
removed_lock_is_made_anew(void)
{
	struct cache *first = open_cache(CACHE_MADE), *second;
	char lock[96];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	assert_int_equal(unlink(lock), 0);
	second = open_cache(CACHE_KEPT);
	assert_int_equal(in_child(lock_is_held), 1);
	cache_close(first);
	assert_int_equal(in_child(lock_is_held), 1);
	cache_close(second);
}

static struct cache *inherited;

static int
attach_and_close(void)
{
	if (cache_attach(inherited, false) != 0)
		return 1;
	cache_close(inherited);
	return 0;
}

static void
lock_outlives_children(void)
{
	inherited = open_cache(CACHE_MADE);
	assert_int_equal(in_child(attach_and_close), 0);
	assert_int_equal(in_child(lock_is_held), 1);
	cache_close(inherited);
}

// The number under which this process has the lock file open.
static int
number_of_lock(void)
{
	struct stat lock, st;
	char name[96];

	snprintf(name, sizeof(name), "%s.lock", path);
	if (stat(name, &lock) != 0)
		return -1;
	for (int fd = 0; fd < 1024; fd++)
		if (fstat(fd, &st) == 0 && st.st_dev == lock.st_dev &&
		    st.st_ino == lock.st_ino)
			return fd;
	return -1;
}

// A child that has closed what it does not want, and opened something since.
static int
attach_with_another_at_its_number(void)
{
	int number = number_of_lock();

	if (number < 0 || dup2(STDOUT_FILENO, number) != number)
		return 1;
	if (cache_attach(inherited, false) != 0)
		return 2;
	return fcntl(number, F_GETFD) >= 0 ? 0 : 3;
}

static int
attach_with_nothing_at_its_number(void)
{
	int number = number_of_lock();

	if (number < 0 || close(number) != 0)
		return 1;
	return cache_attach(inherited, false) == 0 ? 0 : 2;
}

static int
attach_closes_the_lock(void)
{
	if (number_of_lock() < 0 || cache_attach(inherited, false) != 0)
		return 1;
	return number_of_lock() < 0 ? 0 : 2;
}

static void
children_close_the_lock_alone(void)
{
	inherited = open_cache(CACHE_MADE);
	assert_int_equal(in_child(attach_closes_the_lock), 0);
	assert_int_equal(in_child(attach_with_another_at_its_number), 0);
	assert_int_equal(in_child(attach_with_nothing_at_its_number), 0);
	cache_close(inherited);
}

// Opens the cache, says so by a byte, and waits to be killed.
static pid_t
start_daemon(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct cache *cache;
		if (cache_open(&settings, &cache, &opened, why, error) != 0 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		alarm(60);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void
second_daemon_is_refused(void)
{
	char holder[32];
	pid_t pid = start_daemon();

	snprintf(holder, sizeof(holder), "process %ld", (long)pid);
	assert_int_equal(fails(), -EBUSY);
	assert_non_null(strstr(error, holder));
	assert_non_null(strstr(error, path));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cache_close(open_cache(CACHE_KEPT));
}

// A lock that belongs to an open file and not to a process.
static void
holder_without_a_number(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[96];

	snprintf(name, sizeof(name), "%s.lock", path);
	int fd = open(name, O_RDWR | O_CREAT, 0600);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(fails(), -EBUSY);
	assert_non_null(strstr(error, "in use by another process"));
	close(fd);
	cache_close(open_cache(CACHE_MADE));
}

static const struct stage_row rows[] = {
	{ "a symbolic link in place of the lock is refused",
	    refuses_a_linked_lock },
	{ "the lock is closed to others", is_closed_to_others },
	{ "a fifo in place of the lock is refused as such", refuses_a_fifo },
	{ "a path without room for .lock is refused", refuses_a_long_path },
	{ "the lock lasts while any cache at its path is open",
	    lock_lasts_while_any_is_open },
	{ "a process has so many caches at a time and no more",
	    takes_so_many_and_no_more },
	{ "a lock file that somebody removed is made anew",
	    removed_lock_is_made_anew },
	{ "the lock outlives a child that attaches and ends",
	    lock_outlives_children },
	{ "a child closes the lock and nothing else that has its number",
	    children_close_the_lock_alone },
	{ "a second daemon is refused and told who is there",
	    second_daemon_is_refused },
	{ "a holder that is no process is not given a number",
	    holder_without_a_number },
};

int
main(void)
{
	TABLE_ADD(rows, run_in_folder);
	return table_run("lock");
}
