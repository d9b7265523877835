// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The cache as a file: kept, replaced, or refused.
#include "config.h"

#include "cache_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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
set_page_octets(struct segment_header *header)
{
	header->page_octets *= 2;
}

static void
set_byte_order(struct segment_header *header)
{
	header->byte_order = 0x04030201;
}

static void
set_parts(struct segment_header *header)
{
	header->n_parts--;
}

static void
set_no_size(struct segment_header *header)
{
	header->size = 0;
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
of_other_pages(void)
{
	patch_header(set_page_octets);
}

static void
of_another_byte_order(void)
{
	patch_header(set_byte_order);
}

static void
of_other_parts(void)
{
	patch_header(set_parts);
}

static void
of_no_size(void)
{
	patch_header(set_no_size);
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
of_an_odd_number_of_m(void)
{
	settings.size = 5u << 20;
}

static void
of_a_size_in_k(void)
{
	settings.size = CACHE_SIZE_MIN + 16384;
}

static void
of_an_odd_size(void)
{
	settings.size = CACHE_SIZE_MIN + 1;
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
cut_in_its_mark(void)
{
	assert_int_equal(truncate(path, 3), 0);
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
	{ "a cache of other pages starts empty", of_other_pages,
	    "of another layout" },
	{ "a cache of other parts starts empty", of_other_parts,
	    "of another layout" },
	{ "a cache of another byte order starts empty", of_another_byte_order,
	    "of another layout" },
	{ "a cache made for other trust anchors starts empty",
	    of_another_context, "made for other trust anchors" },
	{ "a cache of another size starts empty", of_another_size,
	    "of size 4M, cache_size says 8M" },
	{ "a cache of another size in odd megabytes starts empty",
	    of_an_odd_number_of_m, "of size 4M, cache_size says 5M" },
	{ "a cache of another size in kilobytes starts empty", of_a_size_in_k,
	    "of size 4M, cache_size says 4112K" },
	{ "a cache of another size in octets starts empty", of_an_odd_size,
	    "of size 4M, cache_size says 4194305" },
	{ "a cache that says it has no size starts empty", of_no_size,
	    "of size 0, cache_size says 4M" },
	{ "a cache that others may read starts empty", open_to_all,
	    "open to others (mode 0640)" },
	{ "a cache of another user starts empty", of_another_owner,
	    "owned by user 4711" },
	{ "a cache cut to nothing starts empty", cut_to_nothing,
	    "damaged: it has no header" },
	{ "a cache cut to three octets starts empty", cut_in_its_mark,
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
	assert_int_equal(strstr(why, "; it is kept as ") != NULL,
	    replaced[row].change == a_text_file);
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

#define PASSWD "root:x:0:0::/"

static void
keeps_what_was_never_a_cache(void)
{
	char saved[128];

	if (geteuid() != 0) {
		remove_folder();
		skip();
	}
	settings.owner = 4711;
	write_text(path, PASSWD);
	cache_close(open_cache(CACHE_REPLACED));
	snprintf(saved, sizeof(saved), "it is kept as %s.saved.1", path);
	assert_non_null(strstr(why, saved));
	snprintf(saved, sizeof(saved), "%s.saved.1", path);
	assert_true(says(saved, PASSWD));
}

// Whoever runs it as himself may name one of his own files.
static void
keeps_what_its_user_wrote(void)
{
	char saved[96];

	write_text(path, PASSWD);
	cache_close(open_cache(CACHE_REPLACED));
	assert_non_null(strstr(why, "it is kept as "));
	snprintf(saved, sizeof(saved), "%s.saved.1", path);
	assert_true(says(saved, PASSWD));
}

// Files of somebody else's, where the test can make them such.
static void
keeps_every_one(void)
{
	char saved[96];

	if (geteuid() == 0)
		settings.owner = 4711;
	write_text(path, "one");
	cache_close(open_cache(CACHE_REPLACED));
	write_text(path, "two");
	cache_close(open_cache(CACHE_REPLACED));
	assert_non_null(strstr(why, ".saved.2"));
	snprintf(saved, sizeof(saved), "%s.saved.1", path);
	assert_true(says(saved, "one"));
	snprintf(saved, sizeof(saved), "%s.saved.2", path);
	assert_true(says(saved, "two"));
}

static void
refuses_to_keep_an_eleventh(void)
{
	char name[96], text[8];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		write_text(path, text);
		cache_close(open_cache(CACHE_REPLACED));
	}
	write_text(path, PASSWD);
	assert_int_equal(fails(), -EEXIST);
	assert_non_null(strstr(error, path));
	assert_non_null(strstr(error, "set cache_file"));
	assert_true(says(path, PASSWD));
	snprintf(name, sizeof(name), "%s.new", path);
	assert_int_equal(access(name, F_OK), -1);
	snprintf(name, sizeof(name), "%s.saved.10", path);
	assert_true(says(name, "9"));
}

// Of the size that was asked for: the mark is what was damaged.
static void
damaged_mark_is_not_kept(void)
{
	char saved[96];

	cache_close(open_cache(CACHE_MADE));
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "D", 1, 0), 1);
	close(fd);
	cache_close(open_cache(CACHE_REPLACED));
	assert_null(strstr(why, "kept as"));
	snprintf(saved, sizeof(saved), "%s.saved.1", path);
	assert_int_equal(access(saved, F_OK), -1);
}

static void
kept_file_has_its_descriptor(void)
{
	struct stat st, kept;

	cache_close(open_cache(CACHE_MADE));
	struct cache *cache = open_cache(CACHE_KEPT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(fstat(cache_fd(cache), &kept), 0);
	assert_int_equal(kept.st_ino, st.st_ino);
	assert_int_equal(cache_attach(cache, true), 0);
	cache_close(cache);
}

// Of the two whom a user must trust.
static void
keeps_what_root_has_made(void)
{
	if (geteuid() != 0) {
		remove_folder();
		skip();
	}
	cache_close(open_cache(CACHE_MADE));
	settings.owner = 4711;
	cache_close(open_cache(CACHE_KEPT));
	assert_int_equal(chown(path, 1, 1), 0);
	cache_close(open_cache(CACHE_REPLACED));
	assert_non_null(strstr(why, "owned by user 1, not 4711"));
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
removes_what_is_half_made(void)
{
	char name[96];

	snprintf(name, sizeof(name), "%s.new", path);
	write_text(name, "half");
	cache_close(open_cache(CACHE_MADE));
	assert_int_equal(access(name, F_OK), -1);
	cache_close(open_cache(CACHE_KEPT));
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
refuses_the_small(void)
{
	settings.size = CACHE_SIZE_MIN - 1;
	assert_int_equal(fails(), -EINVAL);
	assert_non_null(strstr(error, "cache_size must be at least 4M"));
}

static void
refuses_the_huge(void)
{
	settings.size = UINT64_MAX;
	assert_int_equal(fails(), -EINVAL);
	assert_non_null(strstr(error, "cache_size is more than"));
}

// A daemon that was started with its input closed: each file in turn has the
// number 0 of a descriptor.
static int
open_at_number_0(void)
{
	struct cache *first, *second;

	close(0);
	if (cache_open(&settings, &first, &opened, why, error) != 0)
		return 1;
	cache_close(first); // whose lock had it
	if (fcntl(0, F_GETFD) >= 0)
		return 2;
	if (open("/dev/null", O_RDWR) != 0 ||
	    cache_open(&settings, &first, &opened, why, error) != 0)
		return 3;
	for (int i = 0; i < 2; i++) {
		close(0);
		if (cache_open(&settings, &second, &opened, why, error) != 0 ||
		    opened != (i == 0 ? CACHE_KEPT : CACHE_REPLACED) ||
		    cache_fd(second) != 0)
			return 4 + i;
		own_all(second);
		if (put(second, "a", "x", 1) != 0 ||
		    !holds(second, "a", "x", 1))
			return 8 + i;
		cache_close(second);
		if (fcntl(0, F_GETFD) >= 0)
			return 6 + i;
		settings.context[0] ^= 1;
	}
	return 0;
}

static void
opens_at_number_0(void)
{
	assert_int_equal(in_child(open_at_number_0), 0);
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

static const struct stage_row rows[] = {
	{ "a flipped bit in any octet of the header starts empty",
	    flipped_header_starts_empty },
	{ "root gives the file to its owner", root_gives_the_file_away },
	{ "a file that is kept has its descriptor",
	    kept_file_has_its_descriptor },
	{ "a file of root's is kept, one of another user's is not",
	    keeps_what_root_has_made },
	{ "a file of somebody else's that was never a cache is kept aside",
	    keeps_what_was_never_a_cache },
	{ "a file of its user's that was never a cache is kept aside",
	    keeps_what_its_user_wrote },
	{ "a second one is kept beside the first", keeps_every_one },
	{ "where ten are kept, the next is refused and left alone",
	    refuses_to_keep_an_eleventh },
	{ "a cache whose mark was damaged is not kept",
	    damaged_mark_is_not_kept },
	{ "a symbolic link in place of the cache is not followed",
	    link_is_not_followed },
	{ "a folder in place of the cache is refused", refuses_a_folder },
	{ "a fifo in place of the cache is refused", refuses_a_fifo },
	{ "what a killed daemon left half made is removed",
	    removes_what_is_half_made },
	{ "a missing folder is named", refuses_a_missing_folder },
	{ "a size below the least is refused", refuses_the_small },
	{ "a size beyond all memory is refused as too large",
	    refuses_the_huge },
	{ "a file may have the number 0 of a descriptor", opens_at_number_0 },
	{ "a full disk is refused at the start, by the name of cache_size",
	    full_disk_is_refused },
};

int
main(void)
{
	TABLE_ADD(rows, run_in_folder);
	TABLE_ADD(replaced, starts_empty);
	return table_run("segment");
}
