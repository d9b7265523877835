// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A system that refuses: whatever call fails while a cache is opened or
// attached, the error is the system's, nothing is left open or lying about, and
// the file that was there is untouched.
#include "config.h"

#include "cache_stage.h"
#include "refusal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/segment.h"

REFUSABLE(void *, calloc, (size_t n, size_t size), (n, size), NULL)
REFUSABLE(int, fstat, (int fd, struct stat *ret), (fd, ret), -1)
REFUSABLE(ssize_t, read, (int fd, void *to, size_t len), (fd, to, len),
    REFUSED_OCTETS)
REFUSABLE(ssize_t, pread, (int fd, void *to, size_t len, off_t at),
    (fd, to, len, at), REFUSED_OCTETS)
REFUSABLE(ssize_t, pwrite, (int fd, const void *from, size_t len, off_t at),
    (fd, from, len, at), REFUSED_OCTETS)
REFUSABLE(ssize_t, getrandom, (void *to, size_t len, unsigned flags),
    (to, len, flags), REFUSED_OCTETS)
REFUSABLE(int, unlink, (const char *name), (name), -1)
REFUSABLE(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
REFUSABLE(
    int, fchown, (int fd, uid_t owner, gid_t group), (fd, owner, group), -1)
// "Refused", it is the user of that number.
REFUSABLE(uid_t, geteuid, (void), (), (uid_t)errno)
REFUSABLE(
    int, posix_fallocate, (int fd, off_t at, off_t len), (fd, at, len), errno)
REFUSABLE(void *, mmap,
    (void *at, size_t len, int may, int flags, int fd, off_t from),
    (at, len, may, flags, fd, from), MAP_FAILED)
REFUSABLE(int, sigaction,
    (int number, const struct sigaction *is, struct sigaction *was),
    (number, is, was), -1)
REFUSABLE(int, link, (const char *from, const char *to), (from, to), -1)
REFUSABLE(int, rename, (const char *from, const char *to), (from, to), -1)
REFUSABLE(int, renameat2,
    (int from_fd, const char *from, int to_fd, const char *to, unsigned flags),
    (from_fd, from, to_fd, to, flags), -1)

int __real_open(const char *name, int flags, ...);
int __wrap_open(const char *name, int flags, ...);

int
__wrap_open(const char *name, int flags, ...)
{
	va_list more;

	va_start(more, flags);
	mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
	va_end(more);
	return is_refused("open") ? -1 : __real_open(name, flags, mode);
}

// All that the cache asks of it has to do with locks.
int __real_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...);

int
__wrap_fcntl(int fd, int what, ...)
{
	va_list more;

	va_start(more, what);
	struct flock *lock = va_arg(more, struct flock *);
	va_end(more);
	return is_refused("fcntl") ? -1 : __real_fcntl(fd, what, lock);
}

// The death of a process that is to tell of it.
#define RAISED 93

int __wrap_raise(int number);

int
__wrap_raise(int number)
{
	_exit(signal(number, SIG_DFL) == SIG_DFL ? RAISED : 1);
}

// What a test finds before and after.
struct scene {
	unsigned n_descriptors, n_mappings;
	ino_t inode; // 0: there is no file
	off_t size;
	uint64_t sum; // of its octets
};

static unsigned
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static unsigned
count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		n += strstr(line, folder) != NULL;
	fclose(file);
	return n;
}

static uint64_t
sum_file(size_t size)
{
	static const uint8_t zeros[SIPHASH_KEY_LEN];
	uint8_t *octets = malloc(size + 1);
	int fd = open(path, O_RDONLY);

	assert_non_null(octets);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, octets, size), (ssize_t)size);
	close(fd);
	uint64_t sum = siphash(zeros, octets, size);
	free(octets);
	return sum;
}

static struct scene
look(void)
{
	struct scene scene = { .n_descriptors = count_descriptors(),
		.n_mappings = count_mappings() };
	struct stat st;

	if (lstat(path, &st) != 0)
		return scene;
	scene.inode = st.st_ino;
	scene.size = st.st_size;
	scene.sum = sum_file((size_t)st.st_size);
	return scene;
}

static void
expect_same(const struct scene *before)
{
	struct scene after = look();
	char name[96];

	assert_int_equal(after.n_descriptors, before->n_descriptors);
	assert_int_equal(after.n_mappings, before->n_mappings);
	assert_int_equal(after.inode, before->inode);
	assert_int_equal(after.size, before->size);
	assert_int_equal(after.sum, before->sum);
	snprintf(name, sizeof(name), "%s.new", path);
	assert_int_equal(access(name, F_OK), -1);
}

// What is there before it is opened.

static void
nothing(void)
{
}

static void
a_cache(void)
{
	struct cache *cache = open_to_write();

	assert_int_equal(put(cache, "a", "x", 1), 0);
	cache_close(cache);
}

static void
a_cache_for_others(void)
{
	a_cache();
	settings.context[0] ^= 1;
}

static void
a_text(void)
{
	write_text(path, "precious");
}

static void
a_lock(void)
{
	char name[96];

	snprintf(name, sizeof(name), "%s.lock", path);
	write_text(name, "");
}

struct row {
	const char *sentence;
	void (*before)(void);

	struct {
		const char *call;
		unsigned turn;
		int error;
	} refused[REFUSALS_MAX];

	const char *says; // as error or why
	int want;         // negative errno or enum cache_opened
};

static const struct row rows[] = {
	{ "without memory nothing is opened", nothing,
	    { { "calloc", 1, ENOMEM } }, "no memory", -ENOMEM },

	// The lock.
	{ "a lock file that may not be opened is named", nothing,
	    { { "open", 1, EACCES } }, "cannot open the lock file", -EACCES },
	{ "a lock file that cannot be looked at is named", nothing,
	    { { "fstat", 1, EIO } }, "cannot open the lock file", -EIO },
	{ "where nothing can be locked, it says so", nothing,
	    { { "fcntl", 1, ENOLCK } },
	    ": No locks available (cache_file must be where files can be",
	    -ENOLCK },
	{ "a lock that is given up soon is waited for", nothing,
	    { { "fcntl", 1, EAGAIN } }, "", CACHE_MADE },
	{ "a lock whose holder cannot be found is in use nevertheless", a_cache,
	    { { "fcntl", 0, EACCES } }, "in use by another process", -EBUSY },

	{ "a lock file that another has just made is opened", a_lock,
	    { { "open", 1, ENOENT } }, "", CACHE_MADE },
	{ "a lock file that is gone again is named", a_cache,
	    { { "open", 1, ENOENT }, { "open", 2, ENOENT } },
	    "cannot open the lock file", -ENOENT },
	{ "a lock file that another has made and locked away is named", a_cache,
	    { { "open", 1, ENOENT }, { "open", 3, EACCES } },
	    ".lock is of user ", -EACCES },
	{ "a lock file that is another user's is named, with the remedy",
	    a_cache, { { "open", 1, EACCES } }, ": give it to the user of this",
	    -EACCES },
	{ "a lock file that root cannot give away is named", nothing,
	    { { "geteuid", 1, 0 }, { "fchown", 1, EPERM } },
	    "cannot open the lock file", -EPERM },

	// The header.
	{ "a boot without a name gets one", nothing, { { "open", 3, ENOENT } },
	    "", CACHE_MADE },
	{ "a cache is not kept over a boot without a name", a_cache,
	    { { "open", 2, ENOENT } }, "from before a reboot", CACHE_REPLACED },
	{ "a boot whose name cannot be read gets one", a_cache,
	    { { "read", 1, EIO } }, "from before a reboot", CACHE_REPLACED },
	{ "a boot with an empty name gets one", a_cache, { { "read", 1, 0 } },
	    "from before a reboot", CACHE_REPLACED },
	{ "without randomness no boot is named", a_cache,
	    { { "open", 2, ENOENT }, { "getrandom", 1, EIO } }, "randomness",
	    -EIO },
	{ "without randomness there are no secrets", a_cache,
	    { { "getrandom", 1, ENOSYS } }, "randomness", -EIO },
	{ "with too little randomness there are no secrets", a_cache,
	    { { "getrandom", 1, 0 } }, "randomness", -EIO },

	// The file there was.
	{ "a file that cannot be opened is kept", a_cache,
	    { { "open", 3, EMFILE } }, "cannot open the cache", -EMFILE },
	{ "a file that cannot be looked at is kept", a_cache,
	    { { "fstat", 2, EIO } }, "cannot look at the cache", -EIO },
	{ "a file that cannot be mapped is kept", a_cache,
	    { { "mmap", 1, ENOMEM } }, "cannot map the cache", -ENOMEM },
	{ "a file that cannot be guarded is kept", a_cache,
	    { { "sigaction", 1, EINVAL } }, "cannot map the cache", -EINVAL },
	{ "a file whose header cannot be read is replaced", a_cache,
	    { { "pread", 1, EIO } }, "it has no header", CACHE_REPLACED },
	{ "a file that is closed to the daemon is kept aside", a_text,
	    { { "open", 4, EACCES } }, "closed to this user; it is kept as /",
	    CACHE_REPLACED },

	// A new one beside it.
	{ "what a killed daemon left and cannot be removed is named",
	    a_cache_for_others, { { "unlink", 1, EPERM } }, "cannot remove",
	    -EPERM },
	{ "where no file can be made, the old one stays", a_cache_for_others,
	    { { "open", 4, EROFS } }, "cannot make the cache", -EROFS },
	{ "where no mode can be set, the old one stays", a_cache_for_others,
	    { { "fchmod", 1, EPERM } }, "cannot set the mode", -EPERM },
	{ "where root can give nothing away, the old one stays",
	    a_cache_for_others, { { "geteuid", 1, 0 }, { "fchown", 1, EPERM } },
	    "cannot give away the cache", -EPERM },
	{ "without room the old one stays", a_cache_for_others,
	    { { "posix_fallocate", 1, ENOSPC } }, "lower cache_size", -ENOSPC },
	{ "where nothing can be written, the old one stays", a_cache_for_others,
	    { { "pwrite", 1, EIO } }, "cannot write the cache", -EIO },
	{ "where half a header is written, the old one stays",
	    a_cache_for_others, { { "pwrite", 1, 0 } },
	    "cannot write the cache", -EIO },
	{ "where the new one cannot be mapped, the old one stays",
	    a_cache_for_others, { { "mmap", 1, ENOMEM } },
	    "cannot map the cache", -ENOMEM },
	{ "where the new one cannot be guarded, the old one stays",
	    a_cache_for_others, { { "sigaction", 1, EINVAL } },
	    "cannot map the cache", -EINVAL },
	{ "where the new one cannot take its place, the old one stays",
	    a_cache_for_others, { { "rename", 1, EACCES } },
	    "cannot put in place the cache", -EACCES },
	{ "where the first one cannot take its place, there is none", nothing,
	    { { "rename", 1, EACCES } }, "cannot put in place the cache",
	    -EACCES },

	// A file that was never a cache.
	{ "where nothing can be linked, what was no cache is renamed", a_text,
	    { { "link", 1, EPERM } }, "it is kept as /", CACHE_REPLACED },
	{ "where nothing can be renamed either, it stays", a_text,
	    { { "link", 1, EPERM }, { "renameat2", 1, EINVAL } },
	    "which is no cache", -EINVAL },
	{ "what cannot be read is no cache", a_text, { { "pread", 1, EIO } },
	    "it is kept as /", CACHE_REPLACED },
	{ "what was no cache stays if a new one cannot take its place", a_text,
	    { { "rename", 1, EACCES } }, "cannot put in place the cache",
	    -EACCES },
};

static void
expect_failure(const struct row *row, int r, const struct scene *before)
{
	struct cache *cache;

	assert_int_equal(r, row->want);
	assert_non_null(strstr(error, row->says));
	expect_same(before);
	if (access(path, F_OK) == 0)
		assert_int_equal(in_child(lock_is_held), 0);
	// It was the system, and only then.
	assert_int_equal(cache_open(&settings, &cache, &opened, why, error), 0);
	if (row->before == a_cache)
		assert_true(holds(cache, "a", "x", 1));
	cache_close(cache);
}

static void
expect_success(const struct row *row, int r, struct cache *cache,
    const struct scene *before)
{
	assert_int_equal(r, 0);
	assert_int_equal(opened, row->want);
	assert_non_null(strstr(why, row->says));
	assert_int_equal(count_descriptors(), before->n_descriptors + 2);
	own_all(cache);
	assert_true(misses(cache, "a"));
	assert_int_equal(put(cache, "a", "y", 1), 0);
	assert_true(holds(cache, "a", "y", 1));
	cache_close(cache);
	assert_int_equal(count_descriptors(), before->n_descriptors);
	assert_int_equal(count_mappings(), before->n_mappings);
}

static void
check(void **state)
{
	const struct row *row = *state;
	struct cache *cache = NULL;

	new_folder();
	row->before();
	struct scene before = look();
	for (size_t i = 0; i < REFUSALS_MAX; i++)
		if (row->refused[i].call != NULL)
			refuse(row->refused[i].call, row->refused[i].turn,
			    row->refused[i].error);
	int r = cache_open(&settings, &cache, &opened, why, error);
	assert_true(refuse_no_more());
	if (row->want < 0)
		expect_failure(row, r, &before);
	else
		expect_success(row, r, cache, &before);
	remove_folder();
}

static void
check_not_root(void **state)
{
	struct stat st;

	(void)state;
	new_folder();
	settings.owner = 4711;
	refuse("geteuid", 0, 4711);
	struct cache *cache = open_cache(CACHE_MADE);
	assert_true(refuse_no_more());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, getuid());
	cache_close(cache);
	remove_folder();
}

// Long enough for .lock, but not for .saved.1.
static void
check_no_name_left(void **state)
{
	static char roundabout[PATH_MAX];
	const size_t len = PATH_MAX - sizeof(".saved.1") + 1;
	size_t at;

	(void)state;
	new_folder();
	a_text();
	at = (size_t)snprintf(roundabout, sizeof(roundabout), "%s", folder);
	while (at < len - strlen("/cache"))
		roundabout[at++] = '/';
	strcpy(roundabout + at, "/cache");
	settings.path = roundabout;
	struct scene before = look();
	assert_int_equal(fails(), -ENAMETOOLONG);
	expect_same(&before);
	remove_folder();
}

static const struct {
	const char *sentence, *call;
	int error;
} attach_rows[] = {
	{ "a child that cannot map a cache keeps its parent's", "mmap",
	    ENOMEM },
	{ "a child that cannot guard a cache keeps its parent's", "sigaction",
	    EINVAL },
};

static void
check_attach(void **state)
{
	size_t row = *state == (const void *)&attach_rows[0] ? 0 : 1;

	new_folder();
	struct cache *cache = open_to_write();
	assert_int_equal(put(cache, "a", "x", 1), 0);
	struct scene before = look();
	refuse(attach_rows[row].call, 1, attach_rows[row].error);
	assert_int_equal(cache_attach(cache, true), -attach_rows[row].error);
	assert_true(refuse_no_more());
	expect_same(&before);
	assert_true(cache_fd(cache) >= 0);
	assert_int_equal(put(cache, "b", "y", 1), 0);
	assert_int_equal(cache_attach(cache, true), 0);
	assert_true(holds(cache, "b", "y", 1));
	assert_int_equal(count_descriptors(), before.n_descriptors - 2);
	cache_close(cache);
	remove_folder();
}

// Bus errors that are not, or cannot be, covered with zeros.

static struct cache *cut;

static int
touch_what_cannot_be_covered(void)
{
	refuse("mmap", 0, ENOMEM);
	return misses(cut, "a") ? 2 : 3;
}

static int
touch_what_is_not_guarded(void)
{
	FILE *file = tmpfile();
	volatile char *octets =
	    mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);

	return octets[0];
}

static int
send_one(void)
{
	return kill(getpid(), SIGBUS) == 0 ? 2 : 3;
}

static const struct {
	const char *sentence;
	int (*work)(void);
} deaths[] = {
	{ "a cut file that cannot be covered ends the process",
	    touch_what_cannot_be_covered },
	{ "a bus error elsewhere ends the process by itself",
	    touch_what_is_not_guarded },
	{ "a bus error that was sent ends the process by itself", send_one },
};

static void
check_death(void **state)
{
	size_t row = 0;

	while (*state != (const void *)&deaths[row])
		row++;
	new_folder();
	cut = open_cache(CACHE_MADE);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(in_child(deaths[row].work), RAISED);
	cache_close(cut);
	remove_folder();
}

int
main(void)
{
	TABLE_ADD(rows, check);
	table_add("who is not root gives nothing away", check_not_root, NULL);
	table_add("what was no cache stays where no name is left for it",
	    check_no_name_left, NULL);
	TABLE_ADD(attach_rows, check_attach);
	TABLE_ADD(deaths, check_death);
	return table_run("cache_system");
}
