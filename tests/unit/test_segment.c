// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The cache as a file: kept, replaced, refused, cut, and fought over by two
// daemons.
#include "config.h"

#include "cache_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/segment.h"

// What starts empty, and why.

static void
patch_header(void (*change)(struct segment_header *header))
{
	struct segment_header header;
	static const uint8_t zeros[SIPHASH_KEY_LEN];
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	change(&header);
	header.sum =
	    siphash(zeros, &header, offsetof(struct segment_header, sum));
	assert_int_equal(
	    pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	close(fd);
}

static void
set_version(struct segment_header *header)
{
	header->version++;
}

static void
set_boot(struct segment_header *header)
{
	header->boot_id[0] ^= 1;
}

static void
set_layout(struct segment_header *header)
{
	header->page_octets *= 2;
}

static void
of_another_version(void)
{
	patch_header(set_version);
}

static void
of_another_boot(void)
{
	patch_header(set_boot);
}

static void
of_another_layout(void)
{
	patch_header(set_layout);
}

static void
of_another_context(void)
{
	settings.context[31] ^= 1;
}

static void
of_another_size(void)
{
	settings.size = 8u << 20;
}

static void
open_to_all(void)
{
	assert_int_equal(chmod(path, 0640), 0);
}

static void
of_another_owner(void)
{
	if (geteuid() != 0) {
		remove_folder();
		skip();
	}
	assert_int_equal(chown(path, 4711, 4711), 0);
}

static void
cut_to_nothing(void)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void
cut_a_little(void)
{
	assert_int_equal(truncate(path, CACHE_SIZE_MIN - 1), 0);
}

static void
a_text_file(void)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "hello, world\n", 13), 13);
	close(fd);
}

static void
a_link(void)
{
	char other[80];

	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
}

static const struct {
	const char *sentence;
	void (*change)(void);
	const char *why;
} replaced[] = {
	{ "a cache of another version starts empty", of_another_version,
	    "of another version" },
	{ "a cache from before a reboot starts empty", of_another_boot,
	    "from before a reboot" },
	{ "a cache of another layout starts empty", of_another_layout,
	    "of another layout" },
	{ "a cache made for other trust anchors starts empty",
	    of_another_context, "made for other trust anchors" },
	{ "a cache of another size starts empty", of_another_size,
	    "of size 4M, cache_size says 8M" },
	{ "a cache that others may read starts empty", open_to_all,
	    "open to others (mode 0640)" },
	{ "a cache of another user starts empty", of_another_owner,
	    "owned by user 4711" },
	{ "a cache cut to nothing starts empty", cut_to_nothing,
	    "damaged: it has no header" },
	{ "a cache cut by an octet starts empty", cut_a_little,
	    "damaged: its size is 4194303" },
	{ "a text file in place of the cache starts empty", a_text_file,
	    "not a cache" },
	{ "a symbolic link in place of the cache starts empty", a_link,
	    "a symbolic link" },
};

static void
starts_empty(void **state)
{
	size_t row = 0;
	struct stat st;

	while (*state != (const void *)&replaced[row])
		row++;
	new_folder();
	struct cache *cache = open_to_write();
	assert_int_equal(put(cache, "a", "x", 1), 0);
	cache_close(cache);
	replaced[row].change();
	cache = open_cache(CACHE_REPLACED);
	assert_non_null(strstr(why, replaced[row].why));
	assert_true(misses(cache, "a"));
	cache_close(cache);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, settings.owner);
	assert_int_equal(st.st_size, settings.size);
	cache = open_cache(CACHE_KEPT);
	cache_close(cache);
	remove_folder();
}

static void
keeps_what_was_never_a_cache(void)
{
	char saved[96], text[16];

	if (geteuid() != 0) {
		remove_folder();
		skip();
	}
	settings.owner = 4711;
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "root:x:0:0::/", 13), 13);
	close(fd);
	cache_close(open_cache(CACHE_REPLACED));
	assert_non_null(strstr(why, "it is kept as "));
	snprintf(saved, sizeof(saved), "%s.saved", path);
	fd = open(saved, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 13);
	assert_memory_equal(text, "root:x:0:0::/", 13);
	close(fd);
	unlink(saved);
}

static void
root_gives_the_file_away(void)
{
	struct stat st;

	if (geteuid() != 0) {
		remove_folder();
		skip();
	}
	settings.owner = 4711;
	settings.group = 4712;
	cache_close(open_cache(CACHE_MADE));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 4712);
	cache_close(open_cache(CACHE_KEPT));
}

static void
flipped_header_starts_empty(void)
{
	cache_close(open_cache(CACHE_MADE));
	for (size_t i = 0; i < sizeof(struct segment_header); i++) {
		uint8_t octet;
		int fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, &octet, 1, (off_t)i), 1);
		octet ^= (uint8_t)(1 << (i * 5 % 8));
		assert_int_equal(pwrite(fd, &octet, 1, (off_t)i), 1);
		close(fd);
		cache_close(open_cache(CACHE_REPLACED));
	}
	cache_close(open_cache(CACHE_KEPT));
}

static void
link_is_not_followed(void)
{
	struct stat before, after;
	char other[80];

	cache_close(open_cache(CACHE_MADE));
	a_link();
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(stat(other, &before), 0);
	struct cache *cache = open_cache(CACHE_REPLACED);
	own_all(cache);
	assert_int_equal(put(cache, "a", "x", 1), 0);
	cache_close(cache);
	assert_int_equal(stat(other, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

// What is refused, with words that help.

static int
fails(void)
{
	struct cache *cache = NULL;

	error[0] = '\0';
	int r = cache_open(&settings, &cache, &opened, why, error);
	assert_true(r < 0);
	assert_null(cache);
	assert_true(error[0] != '\0');
	return r;
}

static void
refuses_a_folder(void)
{
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(fails() < 0);
	assert_non_null(strstr(error, path));
	assert_non_null(strstr(error, "cache_file"));
}

static void
refuses_a_fifo(void)
{
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(fails(), -EINVAL);
	assert_non_null(strstr(error, "not a regular file"));
}

static void
refuses_a_missing_folder(void)
{
	char nowhere[100];

	snprintf(nowhere, sizeof(nowhere), "%s/not/there", folder);
	settings.path = nowhere;
	assert_int_equal(fails(), -ENOENT);
	assert_non_null(strstr(error, nowhere));
}

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
refuses_the_small(void)
{
	settings.size = CACHE_SIZE_MIN - 1;
	assert_int_equal(fails(), -EINVAL);
	assert_non_null(strstr(error, "cache_size"));
}

#define CANNOT_TRY 77

static int
open_on_a_small_disk(void)
{
	struct cache *cache;
	char name[96];

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", folder, "tmpfs", 0, "size=5m,mode=0700") != 0)
		return CANNOT_TRY;
	settings.size = 8u << 20;
	if (cache_open(&settings, &cache, &opened, why, error) != -ENOSPC ||
	    strstr(error, "cache_size") == NULL || strstr(error, path) == NULL)
		return 1;
	snprintf(name, sizeof(name), "%s.new", path);
	if (access(path, F_OK) == 0 || access(name, F_OK) == 0)
		return 2;
	settings.size = CACHE_SIZE_MIN;
	return cache_open(&settings, &cache, &opened, why, error) == 0 ? 0 : 3;
}

static void
full_disk_is_refused(void)
{
	int status = in_child(open_on_a_small_disk);

	if (status == CANNOT_TRY) {
		remove_folder();
		skip();
	}
	assert_int_equal(status, 0);
}

// 0 if the lock is free, 1 if another process holds it.
static int
lock_is_held(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[96];

	snprintf(name, sizeof(name), "%s.lock", path);
	int fd = open(name, O_RDWR);
	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
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

// A file cut under its readers.

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

static const struct {
	const char *sentence;
	void (*check)(void);
} rows[] = {
	{ "a flipped bit in any octet of the header starts empty",
	    flipped_header_starts_empty },
	{ "root gives the file to its owner", root_gives_the_file_away },
	{ "a file of somebody else's that was never a cache is kept aside",
	    keeps_what_was_never_a_cache },
	{ "a symbolic link in place of the cache is not followed",
	    link_is_not_followed },
	{ "a folder in place of the cache is refused", refuses_a_folder },
	{ "a fifo in place of the cache is refused", refuses_a_fifo },
	{ "a missing folder is named", refuses_a_missing_folder },
	{ "a symbolic link in place of the lock is refused",
	    refuses_a_linked_lock },
	{ "a size below the least is refused", refuses_the_small },
	{ "a full disk is refused at the start, by the name of cache_size",
	    full_disk_is_refused },
	{ "the lock lasts while any cache at its path is open",
	    lock_lasts_while_any_is_open },
	{ "the lock outlives a child that attaches and ends",
	    lock_outlives_children },
	{ "a second daemon is refused and told who is there",
	    second_daemon_is_refused },
	{ "a file cut under a reader turns into misses and is dead",
	    cut_file_turns_into_misses },
	{ "a file cut under a writer does not kill it",
	    cut_file_does_not_kill_a_writer },
	{ "a bus error elsewhere ends the process as ever",
	    other_bus_errors_end_the_process },
};

static void
run(void **state)
{
	size_t row = 0;

	while (*state != (const void *)&rows[row])
		row++;
	new_folder();
	rows[row].check();
	remove_folder();
}

int
main(void)
{
	TABLE_ADD(rows, run);
	TABLE_ADD(replaced, starts_empty);
	return table_run("segment");
}
