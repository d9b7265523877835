// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A read() that fails once, where a test says: bad_read is its errno. Programs
// that include this are linked with $(BAD_READ_WRAP).
#pragma once

#include "table.h"

#include <errno.h>
#include <unistd.h>

static int bad_read; // 0: reads succeed, as they did

ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __wrap___read_chk(int fd, void *data, size_t len, size_t size);

ssize_t
__wrap_read(int fd, void *data, size_t len)
{
	if (bad_read == 0)
		return __real_read(fd, data, len);
	errno = bad_read;
	bad_read = 0;
	return -1;
}

// As _FORTIFY_SOURCE may name it.
ssize_t
__wrap___read_chk(int fd, void *data, size_t len, size_t size)
{
	assert_true(len <= size);
	return __wrap_read(fd, data, len);
}
