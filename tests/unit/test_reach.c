// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Connections to sockets in a folder of the test's own.
#include "config.h"

#include "base/reach.h"

#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/dmreach.XXXXXX";
static char path[64];

static int
bind_at(bool listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, sizeof(path));
	unlink(path);
	assert_int_equal(
	    0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	if (listens)
		assert_int_equal(0, listen(fd, 1));
	return fd;
}

static void
reaches(void **state)
{
	int listener = bind_at(true);
	char octet;

	(void)state;
	int fd = reach_unix(path, 1);
	assert_true(fd >= 0);
	assert_int_equal(FD_CLOEXEC, fcntl(fd, F_GETFD));
	assert_int_equal(-1, recv(fd, &octet, 1, 0));
	assert_int_equal(EAGAIN, errno);
	close(fd);
	close(listener);
}

static void
refused(void **state)
{
	int before = bind_at(false);

	(void)state;
	assert_int_equal(-ECONNREFUSED, reach_unix(path, 1));
	close(before);
	unlink(path);
	assert_int_equal(-ENOENT, reach_unix(path, 1));
	int after = dup(STDERR_FILENO); // where the lost ones would be
	assert_int_equal(before, after);
	close(after);
}

static void
impossible(void **state)
{
	char longer[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(-EINVAL, reach_unix("", 1));
	assert_int_equal(-EINVAL, reach_unix(longer, 1));
}

static void
strange(void **state)
{
	struct sockaddr address = { .sa_family = AF_UNSPEC };

	(void)state;
	assert_int_equal(-EAFNOSUPPORT, reach(&address, sizeof(address), 1));
}

int
main(void)
{
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	table_add("who listens is reached, and not waited for without an end",
	    reaches, NULL);
	table_add("where nobody listens nothing is left open", refused, NULL);
	table_add(
	    "no path, and one that is too long, are refused", impossible, NULL);
	table_add("an address of no family is refused", strange, NULL);
	int failed = table_run("reach");
	unlink(path);
	rmdir(folder);
	return failed;
}
