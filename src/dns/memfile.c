// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Memory files, named by their descriptor. What is in them is no business of
// this file.
#include "config.h"

#include "dns/memfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int
memfile_open(const char *text, struct memfile *ret)
{
	struct memfile file = { .fd = memfd_create("text", MFD_CLOEXEC) };

	*ret = (struct memfile)MEMFILE_NONE;
	if (file.fd < 0)
		return -errno;
	int r = write_all(file.fd, text);
	if (r == 0)
		r = write_all(file.fd, "\n");
	(void)snprintf(
	    file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	if (r == 0 && access(file.path, R_OK) != 0)
		r = -errno;
	if (r < 0)
		close(file.fd);
	else
		*ret = file;
	return r;
}

void
memfile_close(struct memfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
