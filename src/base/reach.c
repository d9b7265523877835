// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Connects. Refuses to know what is said then.
#include "config.h"

#include "base/reach.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int
reach(const struct sockaddr *address, socklen_t len, int timeout_s)
{
	struct timeval timeout = { .tv_sec = timeout_s };

	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, address, len) == 0)
		return fd;
	int saved = errno;
	close(fd);
	return -saved;
}

int
reach_unix(const char *path, int timeout_s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, len);
	return reach((struct sockaddr *)&address, sizeof(address), timeout_s);
}
