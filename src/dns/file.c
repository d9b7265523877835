// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Reads regular files of bounded size, and nothing that could block or lie
// about its length.
#include "config.h"

#include "dns/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
read_whole(int fd, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(fd, buf + len, size - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

static int
read_regular(int fd, char **ret, size_t *ret_len)
{
	struct stat st;
	size_t len = 0;
	char *buf;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	buf = malloc(FILE_SIZE_MAX + 1);
	if (buf == NULL)
		return -ENOMEM;
	r = read_whole(fd, buf, FILE_SIZE_MAX + 1, &len);
	if (r == 0 && len > FILE_SIZE_MAX)
		r = -EFBIG;
	if (r == 0 && memchr(buf, '\0', len) != NULL)
		r = -EINVAL;
	if (r < 0) {
		free(buf);
		return r;
	}
	buf[len] = '\0';
	*ret = buf;
	*ret_len = len;
	return 0;
}

int
file_read(const char *path, char **ret, size_t *ret_len)
{
	int fd, r;

	// A FIFO must not keep us waiting for a writer.
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	r = read_regular(fd, ret, ret_len);
	close(fd);
	return r;
}
