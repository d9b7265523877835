// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The lock files of this process. Knows nothing of what they protect.
#include "config.h"

#include "cache/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_OPEN (O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)

struct row {
	unsigned n_users; // 0: free
	int fd;
	dev_t device;
	ino_t inode;
};

static struct row rows[LOCK_FILES_MAX];

// Looks without opening, for closing would end the lock.
static int
find_held(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return -1;
	for (int i = 0; i < LOCK_FILES_MAX; i++)
		if (rows[i].n_users > 0 && rows[i].device == st.st_dev &&
		    rows[i].inode == st.st_ino)
			return i;
	return -1;
}

static int
find_free(void)
{
	for (int i = 0; i < LOCK_FILES_MAX; i++)
		if (rows[i].n_users == 0)
			return i;
	return -EMFILE;
}

static int
try_for_a_while(int fd, pid_t *ret_holder)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };
	struct flock lock;

	for (int waited_ms = 0;; waited_ms += LOCK_PAUSE_MS) {
		lock =
		    (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
		if (fcntl(fd, F_SETLK, &lock) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
		if (waited_ms >= LOCK_WAIT_MS)
			break;
		nanosleep(&pause, NULL);
	}
	*ret_holder = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK
			  ? lock.l_pid
			  : 0;
	return -EBUSY;
}

// The file stays when the daemon goes. One that root has made for another user
// must be that user's, who may start it next.
static int
make(const struct cache_settings *settings, const char *path)
{
	int fd = open(path, LOCK_OPEN | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return -errno;
	if (geteuid() != 0 || fchown(fd, settings->owner, settings->group) == 0)
		return fd;
	int r = -errno;
	close(fd);
	unlink(path);
	return r;
}

static int
open_or_make(const struct cache_settings *settings, const char *path)
{
	int fd = open(path, LOCK_OPEN);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return -errno;
	fd = make(settings, path);
	if (fd != -EEXIST)
		return fd;
	fd = open(path, LOCK_OPEN); // somebody else was quicker
	return fd < 0 ? -errno : fd;
}

static void
say_closed(const char *path, int r, char error[CACHE_ERROR_MAX])
{
	struct stat st;

	if (r == -EACCES && lstat(path, &st) == 0)
		snprintf(error, CACHE_ERROR_MAX,
		    "the lock file %.128s is of user %ld: give it to the "
		    "user of this daemon, or remove it while none runs",
		    path, (long)st.st_uid);
	else
		snprintf(error, CACHE_ERROR_MAX,
		    "cannot open the lock file %.128s: %s; its folder must be "
		    "there and writable (cache_file)",
		    path, strerror(-r));
}

static int
open_regular(const struct cache_settings *settings, const char *path,
    struct stat *ret, char error[CACHE_ERROR_MAX])
{
	int fd = open_or_make(settings, path);

	int r = fd < 0 ? fd : fstat(fd, ret) != 0 ? -errno : 0;
	if (r == 0 && S_ISREG(ret->st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	if (r != 0) {
		say_closed(path, r, error);
		return r;
	}
	snprintf(error, CACHE_ERROR_MAX,
	    "the lock file %.128s is not a regular file: set cache_file to a "
	    "place of its own",
	    path);
	return -EINVAL;
}

// A holder in another namespace, or one that is no single process, has no
// number here.
static void
say_busy(const char *path, pid_t holder, char error[CACHE_ERROR_MAX])
{
	char who[32] = "another process";

	if (holder > 0)
		snprintf(who, sizeof(who), "process %ld", (long)holder);
	snprintf(error, CACHE_ERROR_MAX,
	    "the cache %.128s is in use by %s: stop it, or give this daemon "
	    "another cache_file",
	    path, who);
}

static int
lock_new(const struct cache_settings *settings, const char *path, int number,
    char error[CACHE_ERROR_MAX])
{
	struct stat st;
	pid_t holder = 0;
	int fd = open_regular(settings, path, &st, error);

	if (fd < 0)
		return fd;
	int r = try_for_a_while(fd, &holder);
	if (r == 0) {
		rows[number] = (struct row){ 1, fd, st.st_dev, st.st_ino };
		return number;
	}
	close(fd);
	if (r == -EBUSY)
		say_busy(settings->path, holder, error);
	else
		snprintf(error, CACHE_ERROR_MAX,
		    "cannot lock %.128s: %s (cache_file must be where files "
		    "can be locked)",
		    path, strerror(-r));
	return r;
}

int
lock_take(const struct cache_settings *settings, char error[CACHE_ERROR_MAX])
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s.lock", settings->path);

	if ((size_t)len >= sizeof(path)) {
		snprintf(error, CACHE_ERROR_MAX, "cache_file is too long");
		return -ENAMETOOLONG;
	}
	int number = find_held(path);
	if (number >= 0) {
		rows[number].n_users++;
		return number;
	}
	number = find_free();
	if (number < 0) {
		snprintf(
		    error, CACHE_ERROR_MAX, "too many caches are open at once");
		return number;
	}
	return lock_new(settings, path, number, error);
}

void
lock_release(int number)
{
	if (--rows[number].n_users == 0)
		close(rows[number].fd);
}

// A child that has closed all it does not want may have given the number to
// something else by now.
void
lock_forget(void)
{
	struct stat st;

	for (int i = 0; i < LOCK_FILES_MAX; i++) {
		struct row *row = &rows[i];
		if (row->n_users > 0 && fstat(row->fd, &st) == 0 &&
		    st.st_dev == row->device && st.st_ino == row->inode)
			close(row->fd);
		row->n_users = 0;
	}
}
