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

// Names for files set aside: PATH.saved.1 and so on. Past them, a person has
// to look.
#define SAVED_MAX 10

// The file there was, where it is not kept.
struct former {
	char why[CACHE_ERROR_MAX]; // empty: there was none
	bool is_missed;
};

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

// A slip in cache_file must not cost a file that was never a cache. What bears
// our mark, or what is left of it, is not missed, nor what is as we make it but
// for a damaged mark.
static bool
is_missed(int fd, const struct stat *st, const struct cache_settings *settings)
{
	char magic[sizeof(SEGMENT_MAGIC)];

	if (st->st_uid == settings->owner && (st->st_mode & 077) == 0 &&
	    (uint64_t)st->st_size == settings->size)
		return false;
	ssize_t n = pread(fd, magic, sizeof(magic), 0);
	return n < 0 || memcmp(magic, SEGMENT_MAGIC, (size_t)n) != 0;
}

static int
find_regular(int fd, const struct cache_settings *settings, struct stat *ret,
    char error[CACHE_ERROR_MAX])
{
	if (fstat(fd, ret) != 0)
		return fail(settings->path, "look at", -errno, error);
	if (S_ISREG(ret->st_mode))
		return 0;
	snprintf(error, CACHE_ERROR_MAX,
	    "%.128s is not a regular file: set cache_file to a place of its "
	    "own",
	    settings->path);
	return -EINVAL;
}

// Nobody misses a link; of what cannot be read, who knows.
static int
not_opened(int r, const struct cache_settings *settings, struct former *former,
    char error[CACHE_ERROR_MAX])
{
	switch (r) {
	case -ENOENT:
		return -ENOENT;
	case -ELOOP:
		snprintf(former->why, CACHE_ERROR_MAX, "a symbolic link");
		return -ENOENT;
	case -EACCES:
		snprintf(former->why, CACHE_ERROR_MAX, "closed to this user");
		former->is_missed = true;
		return -ENOENT;
	default:
		return fail(settings->path, "open", r, error);
	}
}

// The descriptor of a file to keep; -ENOENT: there is none that may be kept.
static int
keep(const struct cache_settings *settings, struct segment_header *header,
    struct former *former, char error[CACHE_ERROR_MAX])
{
	struct stat st;
	int fd = open(settings->path,
	    O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return not_opened(-errno, settings, former, error);
	int r = find_regular(fd, settings, &st, error);
	if (r == 0 && file_fits(fd, &st, settings, header, former->why))
		return fd;
	if (r == 0) {
		former->is_missed = is_missed(fd, &st, settings);
		r = -ENOENT;
	}
	close(fd);
	return r;
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
create(const char *path, char error[CACHE_ERROR_MAX])
{
	if (unlink(path) != 0 && errno != ENOENT)
		return fail(path, "remove", -errno, error);
	int fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : fail(path, "make", -errno, error);
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

// The descriptor is the segment's if this works.
static int
take(int fd, const struct cache_settings *settings,
    const struct segment_header *header, struct segment *ret,
    char error[CACHE_ERROR_MAX])
{
	int r = map(fd, settings->size, true, ret);

	if (r != 0)
		return fail(settings->path, "map", r, error);
	ret->fd = fd;
	ret->secrets = header->secrets;
	return 0;
}

// Replaces nothing. A file system may know only one of these two, and a link
// to what belongs to others may be forbidden.
static int
give_name(const char *path, const char *name)
{
	if (link(path, name) == 0)
		return 0;
	if (errno == EEXIST ||
	    renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) != 0)
		return -errno;
	return 0;
}

static int
set_aside(const char *path, struct former *former, char error[CACHE_ERROR_MAX])
{
	char name[PATH_MAX];
	size_t len = strlen(former->why);
	int r = -EEXIST;

	for (int i = 1; r == -EEXIST && i <= SAVED_MAX; i++)
		r = (size_t)snprintf(name, sizeof(name), "%s.saved.%d", path,
			i) < sizeof(name)
			? give_name(path, name)
			: -ENAMETOOLONG;
	if (r == 0)
		snprintf(former->why + len, CACHE_ERROR_MAX - len,
		    "; it is kept as %.128s", name);
	else
		snprintf(error, CACHE_ERROR_MAX,
		    "cannot keep %.128s, which is no cache, as .saved.1 to "
		    ".saved.%d beside it: %s; set cache_file to a place of "
		    "its own",
		    path, SAVED_MAX, strerror(-r));
	return r;
}

static int
put_in_place(const char *from, const struct cache_settings *settings,
    struct former *former, char error[CACHE_ERROR_MAX])
{
	int r = 0;

	if (former->is_missed)
		r = set_aside(settings->path, former, error);
	if (r == 0 && rename(from, settings->path) != 0)
		r = fail(settings->path, "put in place", -errno, error);
	return r;
}

// The old file is not touched before all else has worked.
static int
make(const struct cache_settings *settings, const struct segment_header *header,
    struct former *former, struct segment *ret, char error[CACHE_ERROR_MAX])
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s.new", settings->path);

	assert(len > 0 && len < PATH_MAX); // the lock's name is longer
	(void)len;
	int fd = create(path, error);
	if (fd < 0)
		return fd;
	int r = fill(fd, settings, header, error);
	if (r == 0)
		r = take(fd, settings, header, ret, error);
	if (r != 0)
		goto out;
	r = put_in_place(path, settings, former, error);
	if (r == 0)
		return 0;
	unmap(ret);
out:
	unlink(path);
	close(fd);
	return r;
}

// The lock is held by now.
static int
find_or_make(const struct cache_settings *settings, struct segment *ret,
    enum cache_opened *ret_opened, struct former *former,
    char error[CACHE_ERROR_MAX])
{
	struct segment_header header;
	enum cache_opened opened = CACHE_KEPT;
	int r = make_header(settings, &header);

	if (r != 0)
		return fail(settings->path, "find randomness for", r, error);
	int fd = keep(settings, &header, former, error);
	if (fd >= 0) {
		r = take(fd, settings, &header, ret, error);
		if (r != 0)
			close(fd);
	} else if (fd == -ENOENT) {
		opened = former->why[0] == '\0' ? CACHE_MADE : CACHE_REPLACED;
		r = make(settings, &header, former, ret, error);
	} else {
		r = fd;
	}
	if (r == 0)
		*ret_opened = opened;
	return r;
}

static int
check_size(uint64_t size, char error[CACHE_ERROR_MAX])
{
	char least[SIZE_TEXT_MAX];

	if (size < CACHE_SIZE_MIN)
		snprintf(error, CACHE_ERROR_MAX,
		    "cache_size must be at least %s",
		    size_text(CACHE_SIZE_MIN, least));
	else if (size > SSIZE_MAX)
		snprintf(error, CACHE_ERROR_MAX,
		    "cache_size is more than this machine can map");
	else
		return 0;
	return -EINVAL;
}

int
segment_open(const struct cache_settings *settings, struct segment *ret,
    enum cache_opened *ret_opened, char ret_why[CACHE_ERROR_MAX],
    char ret_error[CACHE_ERROR_MAX])
{
	struct former former = { .is_missed = false };
	int r = check_size(settings->size, ret_error);

	if (r != 0)
		return r;
	int lock = lock_take(settings, ret_error);
	if (lock < 0)
		return lock;
	r = find_or_make(settings, ret, ret_opened, &former, ret_error);
	if (r != 0) {
		lock_release(lock);
		return r;
	}
	ret->lock = lock;
	memcpy(ret_why, former.why, sizeof(former.why));
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
