// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The cache file. One that differs in anything from what is asked for is never
// mended: a new one is made beside it and renamed over it, so that nobody ever
// sees half a file, and whoever has the old one mapped keeps it.
#include "config.h"

#include "cache/segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/guard.h"
#include "cache/lock.h"

#define BYTE_ORDER_MARK 0x01020304
#define BOOT_ID_FILE    "/proc/sys/kernel/random/boot_id"
#define SIZE_TEXT_MAX   32

static_assert(
    offsetof(struct segment_header, sum) + 8 == sizeof(struct segment_header),
    "the header has no padding that its sum would miss");

// As one writes it in the configuration.
static const char *
size_text(uint64_t size, char ret[SIZE_TEXT_MAX])
{
	const char *unit = "";

	if (size > 0 && size % (1 << 20) == 0) {
		size >>= 20;
		unit = "M";
	} else if (size > 0 && size % (1 << 10) == 0) {
		size >>= 10;
		unit = "K";
	}
	snprintf(ret, SIZE_TEXT_MAX, "%" PRIu64 "%s", size, unit);
	return ret;
}

static int
random_octets(void *ret, size_t len)
{
	return getrandom(ret, len, 0) == (ssize_t)len ? 0 : -EIO;
}

// Times in the cache count from the boot. Where the boot has no name, this
// start gets one: then no file is kept.
static int
read_boot_id(char ret[SEGMENT_BOOT_ID_LEN])
{
	char text[SEGMENT_BOOT_ID_LEN] = { 0 };
	int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t len = -1;

	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (len <= 0)
		return random_octets(ret, SEGMENT_BOOT_ID_LEN);
	memcpy(ret, text, sizeof(text));
	return 0;
}

static uint64_t
sum_header(const struct segment_header *header)
{
	static const uint8_t zeros[SIPHASH_KEY_LEN];

	return siphash(zeros, header, offsetof(struct segment_header, sum));
}

// What a file must say to be kept, and what a new one will say.
static int
make_header(const struct cache_settings *settings, struct segment_header *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->magic, SEGMENT_MAGIC, sizeof(SEGMENT_MAGIC));
	ret->version = SEGMENT_VERSION;
	ret->byte_order = BYTE_ORDER_MARK;
	ret->size = settings->size;
	ret->page_octets = PAGE_OCTETS;
	ret->n_parts = CACHE_PARTS;
	memcpy(ret->context, settings->context, CACHE_CONTEXT_LEN);
	int r = read_boot_id(ret->boot_id);
	if (r == 0)
		r = random_octets(&ret->secrets, sizeof(ret->secrets));
	ret->sum = sum_header(ret);
	return r;
}

// The judges say what is wrong in words that continue "the file there was".

static bool
file_is_ours(const struct stat *st, const struct cache_settings *settings,
    char why[CACHE_ERROR_MAX])
{
	if (st->st_uid != settings->owner && st->st_uid != 0)
		snprintf(why, CACHE_ERROR_MAX, "owned by user %ld, not %ld",
		    (long)st->st_uid, (long)settings->owner);
	else if ((st->st_mode & 077) != 0)
		snprintf(why, CACHE_ERROR_MAX, "open to others (mode %04o)",
		    (unsigned)st->st_mode & 07777);
	else
		return true;
	return false;
}

static bool
size_fits(const struct segment_header *found, uint64_t file_size,
    const struct segment_header *want, char why[CACHE_ERROR_MAX])
{
	char is[SIZE_TEXT_MAX], says[SIZE_TEXT_MAX];

	if (found->size != want->size)
		snprintf(why, CACHE_ERROR_MAX, "of size %s, cache_size says %s",
		    size_text(found->size, is), size_text(want->size, says));
	else if (found->size != file_size)
		snprintf(why, CACHE_ERROR_MAX,
		    "damaged: its size is %s, its header says %s",
		    size_text(file_size, is), size_text(found->size, says));
	else
		return true;
	return false;
}

static const char *
header_fault(
    const struct segment_header *found, const struct segment_header *want)
{
	if (memcmp(found->magic, want->magic, sizeof(want->magic)) != 0)
		return "not a cache of this program, or its header was damaged";
	if (found->version != want->version)
		return "of another version";
	if (found->sum != sum_header(found))
		return "damaged: its header does not add up";
	if (found->byte_order != want->byte_order ||
	    found->page_octets != want->page_octets ||
	    found->n_parts != want->n_parts)
		return "of another layout";
	if (memcmp(found->boot_id, want->boot_id, sizeof(want->boot_id)) != 0)
		return "from before a reboot";
	if (memcmp(found->context, want->context, sizeof(want->context)) != 0)
		return "made for other trust anchors or another "
		       "resolver_config";
	return NULL;
}

static bool
file_fits(int fd, const struct stat *st, const struct cache_settings *settings,
    struct segment_header *header, char why[CACHE_ERROR_MAX])
{
	struct segment_header found;

	if (!file_is_ours(st, settings, why))
		return false;
	if (pread(fd, &found, sizeof(found), 0) != sizeof(found)) {
		snprintf(why, CACHE_ERROR_MAX, "damaged: it has no header");
		return false;
	}
	const char *fault = header_fault(&found, header);
	if (fault != NULL) {
		snprintf(why, CACHE_ERROR_MAX, "%s", fault);
		return false;
	}
	if (!size_fits(&found, (uint64_t)st->st_size, header, why))
		return false;
	*header = found;
	return true;
}

static int
fail(const char *path, const char *what, int r, char error[CACHE_ERROR_MAX])
{
	snprintf(error, CACHE_ERROR_MAX, "cannot %s the cache %.128s: %s (%s)",
	    what, path, strerror(-r), "see cache_file");
	return r;
}

// A file of somebody else's that was never a cache: a slip in cache_file must
// not cost it. Whatever bears our mark, or is the daemon's own, is not missed.
static void
set_aside_strangers(int fd, const struct stat *st,
    const struct cache_settings *settings, char why[CACHE_ERROR_MAX])
{
	char path[PATH_MAX], magic[sizeof(SEGMENT_MAGIC)];
	int len = snprintf(path, sizeof(path), "%s.saved", settings->path);

	if (st->st_uid == settings->owner || st->st_size == 0 || len < 0 ||
	    (size_t)len >= sizeof(path))
		return;
	if (pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	    memcmp(magic, SEGMENT_MAGIC, sizeof(magic)) == 0)
		return;
	if (renameat2(AT_FDCWD, settings->path, AT_FDCWD, path,
		RENAME_NOREPLACE) == 0)
		snprintf(why, CACHE_ERROR_MAX,
		    "not a cache of this program; it is kept as %.128s", path);
}

// The descriptor of a file to keep; -ENOENT: there is none, and why is empty,
// or none that may be kept.
static int
keep(const struct cache_settings *settings, struct segment_header *header,
    char why[CACHE_ERROR_MAX], char error[CACHE_ERROR_MAX])
{
	struct stat st;
	int fd = open(settings->path,
	    O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && (errno == ELOOP || errno == EACCES)) {
		snprintf(why, CACHE_ERROR_MAX, "%s",
		    errno == ELOOP ? "a symbolic link" : "closed to this user");
		return -ENOENT;
	}
	if (fd < 0)
		return fail(settings->path, "open", -errno, error);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if (file_fits(fd, &st, settings, header, why))
			return fd;
		set_aside_strangers(fd, &st, settings, why);
		close(fd);
		return -ENOENT;
	}
	close(fd);
	snprintf(error, CACHE_ERROR_MAX,
	    "%.128s is not a regular file: set cache_file to a place of its "
	    "own",
	    settings->path);
	return -EINVAL;
}

static int
allocate(
    int fd, const struct cache_settings *settings, char error[CACHE_ERROR_MAX])
{
	char size[SIZE_TEXT_MAX];
	int r = posix_fallocate(fd, 0, (off_t)settings->size);

	if (r == 0)
		return 0;
	snprintf(error, CACHE_ERROR_MAX,
	    "no room for the cache %.128s of %s: %s; lower cache_size, or set "
	    "cache_file to a larger file system",
	    settings->path, size_text(settings->size, size), strerror(r));
	return -r;
}

static int
fill(int fd, const struct cache_settings *settings,
    const struct segment_header *header, char error[CACHE_ERROR_MAX])
{
	if (fchmod(fd, 0600) != 0)
		return fail(settings->path, "set the mode of", -errno, error);
	if (geteuid() == 0 && fchown(fd, settings->owner, settings->group) != 0)
		return fail(settings->path, "give away", -errno, error);
	int r = allocate(fd, settings, error);
	if (r != 0)
		return r;
	ssize_t n = pwrite(fd, header, sizeof(*header), 0);
	if (n != sizeof(*header))
		return fail(
		    settings->path, "write", n < 0 ? -errno : -EIO, error);
	return 0;
}

// The lock is ours, so a file of that name is what a killed daemon left.
static int
make(const struct cache_settings *settings, const struct segment_header *header,
    char error[CACHE_ERROR_MAX])
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s.new", settings->path);

	if (len < 0 || (size_t)len >= sizeof(path))
		return fail(settings->path, "make", -ENAMETOOLONG, error);
	if (unlink(path) != 0 && errno != ENOENT)
		return fail(path, "remove", -errno, error);
	int fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(path, "make", -errno, error);
	int r = fill(fd, settings, header, error);
	if (r == 0 && rename(path, settings->path) != 0)
		r = fail(settings->path, "put in place", -errno, error);
	if (r == 0)
		return fd;
	unlink(path);
	close(fd);
	return r;
}

static int
map(int fd, uint64_t size, bool writable, struct segment *ret)
{
	void *base = mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0),
	    MAP_SHARED, fd, 0);

	if (base == MAP_FAILED)
		return -errno;
	int guard = guard_add(base, size);
	if (guard < 0) {
		munmap(base, size);
		return guard;
	}
	ret->base = base;
	ret->size = size;
	ret->guard = guard;
	ret->writable = writable;
	return 0;
}

static void
unmap(const struct segment *segment)
{
	guard_remove(segment->guard);
	munmap(segment->base, segment->size);
}

// The lock is held by now.
static int
find_or_make(const struct cache_settings *settings, struct segment *ret,
    enum cache_opened *ret_opened, char why[CACHE_ERROR_MAX],
    char error[CACHE_ERROR_MAX])
{
	struct segment_header header;
	enum cache_opened opened = CACHE_KEPT;
	int r = make_header(settings, &header);

	if (r != 0)
		return fail(settings->path, "find randomness for", r, error);
	int fd = keep(settings, &header, why, error);
	if (fd == -ENOENT) {
		opened = why[0] == '\0' ? CACHE_MADE : CACHE_REPLACED;
		fd = make(settings, &header, error);
	}
	if (fd < 0)
		return fd;
	r = map(fd, settings->size, true, ret);
	if (r != 0) {
		close(fd);
		return fail(settings->path, "map", r, error);
	}
	ret->fd = fd;
	ret->secrets = header.secrets;
	*ret_opened = opened;
	return 0;
}

int
segment_open(const struct cache_settings *settings, struct segment *ret,
    enum cache_opened *ret_opened, char ret_why[CACHE_ERROR_MAX],
    char ret_error[CACHE_ERROR_MAX])
{
	char why[CACHE_ERROR_MAX] = "";

	if (settings->size < CACHE_SIZE_MIN || settings->size > SSIZE_MAX) {
		snprintf(ret_error, CACHE_ERROR_MAX,
		    "cache_size must be at least %u octets", CACHE_SIZE_MIN);
		return -EINVAL;
	}
	int lock = lock_take(settings, ret_error);
	if (lock < 0)
		return lock;
	int r = find_or_make(settings, ret, ret_opened, why, ret_error);
	if (r != 0) {
		lock_release(lock);
		return r;
	}
	ret->lock = lock;
	memcpy(ret_why, why, sizeof(why));
	return 0;
}

int
segment_attach(struct segment *segment, bool writable)
{
	struct segment fresh = *segment;
	int r = map(segment->fd, segment->size, writable, &fresh);

	if (r != 0)
		return r;
	unmap(segment);
	close(segment->fd);
	lock_forget();
	fresh.fd = -1;
	fresh.lock = -1;
	*segment = fresh;
	return 0;
}

void
segment_close(struct segment *segment)
{
	unmap(segment);
	if (segment->fd >= 0)
		close(segment->fd);
	if (segment->lock >= 0)
		lock_release(segment->lock);
}
