// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Listening sockets, made for real in a folder of the test's own.
#include "config.h"

#include "parent/listen.h"

#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/dmlisten.XXXXXX";
static char list_text[2048];
static struct conf conf = { .listen = list_text };
static struct identity identity;
static char error[LISTEN_ERROR_MAX];

static const char *
path_of(const char *name)
{
	static char path[ADDRESS_PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
want(const char *format, const char *name)
{
	char spec[256];
	snprintf(spec, sizeof(spec), "unix:%s", path_of(name));
	list_text[0] = '\0';
	// The formats are the tests' own literals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(list_text, sizeof(list_text), format, spec);
#pragma GCC diagnostic pop
	error[0] = '\0';
}

static int
connect_to(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", path_of(name));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	if (r != 0)
		r = -errno;
	close(fd);
	return r;
}

static mode_t
mode_of(const char *name)
{
	struct stat st;
	assert_int_equal(lstat(path_of(name), &st), 0);
	return st.st_mode & 07777;
}

static void
check_mode(void **state)
{
	struct listeners got;
	(void)state;
	want("%s:0640", "mode");
	assert_int_equal(listen_open(&conf, &identity, NULL, &got, error), 0);
	assert_int_equal(mode_of("mode"), 0640);
	assert_int_equal(connect_to("mode"), 0);
	listen_close(&got, NULL);
	assert_int_equal(access(path_of("mode"), F_OK), -1);
}

static void
check_restore(void **state)
{
	struct listeners got, next = { .n = 7 };
	(void)state;
	want("%s:0640", "kept");
	assert_int_equal(listen_open(&conf, &identity, NULL, &got, error), 0);
	want("%s:0600 unix:/nowhere/at/all", "kept");
	assert_int_not_equal(
	    listen_open(&conf, &identity, &got, &next, error), 0);
	assert_int_equal(mode_of("kept"), 0640);
	want("%s:0600", "kept");
	assert_int_equal(listen_open(&conf, &identity, &got, &next, error), 0);
	assert_int_equal(mode_of("kept"), 0600);
	listen_restore(&next);
	assert_int_equal(mode_of("kept"), 0640);
	listen_close(&next, &got);
	assert_int_equal(connect_to("kept"), 0);
	listen_close(&got, NULL);
}

// The folder may be another's than ours: we are root, or were.
static void
check_link(void **state)
{
	struct listeners got, next = { .n = 7 };
	(void)state;
	want("%s:0600", "linked");
	assert_int_equal(listen_open(&conf, &identity, NULL, &got, error), 0);
	close(open(path_of("target"), O_CREAT | O_WRONLY, 0600));
	assert_int_equal(unlink(path_of("linked")), 0);
	assert_int_equal(symlink("target", path_of("linked")), 0);
	want("%s:0666", "linked");
	assert_int_equal(
	    listen_open(&conf, &identity, &got, &next, error), -ENOTSOCK);
	assert_non_null(strstr(error, "mode or group"));
	assert_int_equal(mode_of("target"), 0600);
	listen_close(&got, NULL);
	unlink(path_of("linked"));
	unlink(path_of("target"));
}

static void
check_stale(void **state)
{
	struct listeners got;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	(void)state;
	snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", path_of("stale"));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd); // the file stays, nobody answers
	want("%s", "stale");
	assert_int_equal(listen_open(&conf, &identity, NULL, &got, error), 0);
	assert_int_equal(connect_to("stale"), 0);
	listen_close(&got, NULL);
}

static void
check_alive(void **state)
{
	struct listeners first, second = { .n = 7 };
	(void)state;
	want("%s", "alive");
	assert_int_equal(listen_open(&conf, &identity, NULL, &first, error), 0);
	assert_int_equal(
	    listen_open(&conf, &identity, NULL, &second, error), -EADDRINUSE);
	assert_non_null(strstr(error, "listen: "));
	assert_non_null(strstr(error, "another process answers on it"));
	assert_int_equal(second.n, 7);
	assert_int_equal(connect_to("alive"), 0);
	listen_close(&first, NULL);
}

// Somebody who holds the sockets for so long after their maker is gone.
static pid_t
leave_orphan(const struct listeners *made, long ms)
{
	const struct timespec pause = { .tv_nsec = ms * 1000000 };
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		nanosleep(&pause, NULL);
		_exit(0);
	}
	close(made->of[0].fd);
	close(made->control.fd);
	return pid;
}

static void
check_orphan(void **state)
{
	char control[ADDRESS_PATH_MAX];
	struct listeners first, second = { .n = 0 }, third;
	(void)state;
	snprintf(control, sizeof(control), "%s", path_of("control"));
	conf.control_socket = control;
	want("%s", "orphan");
	assert_int_equal(listen_open(&conf, &identity, NULL, &first, error), 0);
	listen_open_control(&conf, &identity, NULL, &first, error);
	pid_t pid = leave_orphan(&first, 300);
	listen_open_control(&conf, &identity, NULL, &second, error);
	assert_string_equal(error, "");
	listen_close(&second, NULL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	assert_int_equal(listen_open(&conf, &identity, NULL, &first, error), 0);
	listen_open_control(&conf, &identity, NULL, &first, error);
	pid = leave_orphan(&first, 300);
	assert_int_equal(listen_open(&conf, &identity, NULL, &third, error), 0);
	assert_int_equal(connect_to("orphan"), 0);
	listen_close(&third, NULL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	unlink(control);
	conf.control_socket = NULL;
}

static void
check_no_socket(void **state)
{
	struct listeners got;
	(void)state;
	close(open(path_of("file"), O_CREAT | O_WRONLY, 0600));
	want("%s", "file");
	assert_int_equal(
	    listen_open(&conf, &identity, NULL, &got, error), -EEXIST);
	assert_non_null(strstr(error, "is no socket"));
	assert_int_equal(access(path_of("file"), F_OK), 0);
}

static void
check_folder(void **state)
{
	struct listeners got;
	(void)state;
	want("%s", "new/socket");
	assert_int_equal(listen_open(&conf, &identity, NULL, &got, error), 0);
	assert_int_equal(connect_to("new/socket"), 0);
	listen_close(&got, NULL);
	rmdir(path_of("new"));
}

static void
check_kept(void **state)
{
	struct listeners first, second;
	(void)state;
	want("%s", "kept");
	assert_int_equal(listen_open(&conf, &identity, NULL, &first, error), 0);
	want("%s inet:127.0.0.1:0", "kept");
	assert_int_equal(
	    listen_open(&conf, &identity, &first, &second, error), 0);
	assert_int_equal(second.n, 2);
	assert_int_equal(second.of[0].fd, first.of[0].fd);
	listen_close(&first, &second);
	assert_int_equal(connect_to("kept"), 0);
	listen_close(&second, NULL);
	assert_int_equal(connect_to("kept"), -ENOENT);
}

static void
check_all_or_nothing(void **state)
{
	struct listeners got;
	(void)state;
	want("%s unix:/no/such/folder/socket", "first");
	assert_true(listen_open(&conf, &identity, NULL, &got, error) < 0);
	assert_int_equal(access(path_of("first"), F_OK), -1);
}

static void
check_twice(void **state)
{
	struct listeners got;
	(void)state;
	want("%1$s %1$s", "twice");
	assert_int_equal(
	    listen_open(&conf, &identity, NULL, &got, error), -EINVAL);
	assert_non_null(strstr(error, "named twice"));
	assert_int_equal(listen_check(&conf, error), -EINVAL);
	assert_non_null(strstr(error, "named twice"));
}

static void
check_too_many(void **state)
{
	struct listeners got;
	size_t n = 0;
	(void)state;
	for (int i = 0; i <= LISTEN_MAX; i++)
		n += (size_t)snprintf(list_text + n, sizeof(list_text) - n,
		    "unix:%s/%d ", folder, i);
	assert_true(n < sizeof(list_text));
	assert_int_equal(listen_check(&conf, error), -E2BIG);
	assert_int_equal(
	    listen_open(&conf, &identity, NULL, &got, error), -E2BIG);
	assert_string_equal(error, "listen: more than 32 sockets");
	assert_int_equal(access(path_of("0"), F_OK), -1);
	assert_int_equal(access(path_of("32"), F_OK), -1);
}

static void
check_remote(void **state)
{
	struct listeners got;
	(void)state;
	snprintf(list_text, sizeof(list_text), "inet:0.0.0.0:0");
	assert_int_equal(
	    listen_open(&conf, &identity, NULL, &got, error), -EINVAL);
	assert_non_null(strstr(error, "allow_remote"));
	assert_int_equal(listen_check(&conf, error), -EINVAL);
	assert_non_null(strstr(error, "allow_remote"));
}

static void
check_other_socket_is_left(void **state)
{
	struct listeners got;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	(void)state;
	want("%s", "other");
	assert_int_equal(listen_open(&conf, &identity, NULL, &got, error), 0);
	snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", path_of("other"));
	unlink(address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	listen_close(&got, NULL);
	assert_int_equal(access(address.sun_path, F_OK), 0);
	close(fd);
}

static int
clean(void **state)
{
	(void)state;
	unlink(path_of("file"));
	unlink(path_of("other"));
	rmdir(folder);
	return 0;
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	identity = (struct identity){ geteuid(), getegid() };
	table_add("a unix socket has the mode that was asked for, and is "
		  "removed at the end",
	    check_mode, NULL);
	table_add("a socket kept has its mode again where another cannot be "
		  "opened, or all is undone",
	    check_restore, NULL);
	table_add("a link in the place of a kept socket is not followed",
	    check_link, NULL);
	table_add("a socket file that nobody answers on is replaced",
	    check_stale, NULL);
	table_add("a socket that somebody answers on is left alone and named",
	    check_alive, NULL);
	table_add("a start waits for those whose parent was killed to be gone",
	    check_orphan, NULL);
	table_add("a file that is no socket is never replaced", check_no_socket,
	    NULL);
	table_add("a missing folder is made where the one above it is there",
	    check_folder, NULL);
	table_add("a reload keeps sockets by descriptor and closes those left "
		  "out",
	    check_kept, NULL);
	table_add("one socket that cannot be made leaves none behind",
	    check_all_or_nothing, NULL);
	table_add("a socket named twice is a fault", check_twice, NULL);
	table_add("one socket more than there may be is a fault",
	    check_too_many, NULL);
	table_add(
	    "an address off loopback needs allow_remote", check_remote, NULL);
	table_add("a socket file that is another's by now is left",
	    check_other_socket_is_left, NULL);
	int failed = table_run("listen");
	clean(NULL);
	return failed;
}
