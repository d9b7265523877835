// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Each kind of process, once locked in, tries what it may and may not do. An
// attempt is made in a process of its own, which tells by its exit status.
#include "config.h"

#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/sandbox.h"

// Exit statuses that are no errno.
#define DIED    250 // ended by abort()
#define KILLED  251 // ended by another signal
#define UNBOUND 252 // this kernel or build has not what would refuse it

// What the process was born with.
static struct {
	int listener, pair[2], log, spare;
	pid_t bystander;
	char file[64], hidden[64];
} born;

// Each returns 0 or an errno.
typedef int attempt(void);

static int
result(long r)
{
	return r < 0 ? errno : 0;
}

static int
open_to_read(void)
{
	return result(open("/etc/passwd", O_RDONLY));
}

static int
open_to_write(void)
{
	return result(open(born.file, O_WRONLY));
}

static int
create_a_file(void)
{
	return result(open("/tmp/danemap-test-new", O_CREAT | O_RDWR, 0600));
}

static int
open_what_it_may_read(void)
{
	char c;
	int fd = open(born.file, O_RDONLY);

	return fd < 0 ? errno : result(read(fd, &c, 1));
}

static int
open_its_neighbour(void)
{
	return result(open(born.hidden, O_RDONLY));
}

static int
remove_a_file(void)
{
	return result(unlink(born.file));
}

static int
open_a_memory_file(void)
{
	char path[32], c;
	int fd = memfd_create("test", 0);

	if (fd < 0 || write(fd, "x", 1) != 1)
		return errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDONLY);
	return fd < 0 ? errno : result(read(fd, &c, 1));
}

static int
socket_inet(void)
{
	return result(socket(AF_INET, SOCK_DGRAM, 0));
}

static int
socket_inet6(void)
{
	return result(socket(AF_INET6, SOCK_STREAM, 0));
}

static int
socket_unix(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
socket_packet(void)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int
connect_elsewhere(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = "/nonexistent" };

	return result(
	    connect(born.spare, (struct sockaddr *)&address, sizeof(address)));
}

// ENOENT: the call was let through.
static int
connect_the_log(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = "/nonexistent" };

	return result(
	    connect(born.log, (struct sockaddr *)&address, sizeof(address)));
}

static int
listen_on_a_socket(void)
{
	return result(listen(born.spare, 1));
}

static int
fork_once(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(0);
	return result(waitpid(pid, NULL, 0));
}

static int
start_a_program(void)
{
	char name[] = "true";
	char *const arguments[] = { name, NULL };

	return result(execv("/bin/true", arguments));
}

static int
trace_another(void)
{
	return result(ptrace(PTRACE_ATTACH, born.bystander, NULL, NULL));
}

static int
signal_another(void)
{
	return result(kill(born.bystander, 0));
}

static int
map_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? errno : 0;
}

static int
make_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? 0 : result(mprotect(at, 4096, PROT_EXEC));
}

static int
become_root(void)
{
	return result(setuid(0));
}

static int
mount_something(void)
{
	return result(mount("none", "/mnt", "tmpfs", 0, NULL));
}

static int
make_namespaces(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int
type_into_a_terminal(void)
{
	return result(ioctl(born.spare, TIOCSTI, "x"));
}

static int
take_memory(void)
{
	char *at = malloc(8 << 20);

	if (at == NULL)
		return ENOMEM;
	memset(at, 1, 8 << 20);
	at = realloc(at, 16 << 20);
	if (at == NULL)
		return ENOMEM;
	free(at);
	return 0;
}

static int
wait_on_descriptors(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, born.pair[0], &event) != 0)
		return errno;
	return result(epoll_wait(fd, &event, 1, 0));
}

static int
accept_a_client(void)
{
	return result(accept4(born.listener, NULL, NULL, SOCK_CLOEXEC));
}

static int
pass_a_descriptor(void)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };

	char octet = 0;
	struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space) };

	control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(&control.head), &born.spare, sizeof(int));
	if (sendmsg(born.pair[0], &msg, 0) < 0)
		return errno;
	return result(recvmsg(born.pair[1], &msg, 0));
}

static int
look_at_a_descriptor(void)
{
	struct stat status;

	return result(fstat(born.spare, &status));
}

static int
look_at_a_path(void)
{
	struct stat status;

	return result(stat("/etc/passwd", &status));
}

static int
cover_memory(void)
{
	void *at =
	    mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	at = mmap(at, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	return at == MAP_FAILED ? errno : 0;
}

static int
abort_itself(void)
{
	abort();
}

#define WORKER   (1u << SANDBOX_WORKER)
#define RESOLVER (1u << SANDBOX_RESOLVER)
#define CONTROL  (1u << SANDBOX_CONTROL)
#define PARENT   (1u << SANDBOX_PARENT)
#define ALL      (WORKER | RESOLVER | CONTROL | PARENT)
#define CHILDREN (WORKER | RESOLVER | CONTROL)

static const struct rule {
	const char *doing;
	attempt *attempt;
	unsigned may; // those kinds; for all others it is refused
	int meaning;  // what it ends with if it is let through
} rules[] = {
	{ "read a file", open_to_read, PARENT, 0 },
	{ "write to a file", open_to_write, PARENT, 0 },
	{ "make a file", create_a_file, PARENT, 0 },
	{ "remove a file", remove_a_file, PARENT, 0 },
	{ "read what resolver_config names", open_what_it_may_read,
	    RESOLVER | PARENT, 0 },
	{ "read what lies beside it", open_its_neighbour, PARENT, 0 },
	{ "open a memory file", open_a_memory_file, RESOLVER | PARENT, 0 },
	{ "look at a path", look_at_a_path, PARENT, 0 },
	{ "look at a descriptor", look_at_a_descriptor, ALL, 0 },
	{ "make an IPv4 socket", socket_inet, RESOLVER | PARENT, 0 },
	{ "make an IPv6 socket", socket_inet6, RESOLVER | PARENT, 0 },
	{ "make a unix socket", socket_unix, PARENT, 0 },
	{ "make a packet socket", socket_packet, 0, 0 },
	{ "connect a socket", connect_elsewhere, RESOLVER | PARENT, ENOENT },
	{ "connect its log anew", connect_the_log, ALL, ENOENT },
	{ "listen on a socket", listen_on_a_socket, PARENT, EINVAL },
	{ "start a process", fork_once, PARENT, 0 },
	{ "start a program", start_a_program, 0, 0 },
	{ "trace another process", trace_another, 0, 0 },
	{ "signal another process", signal_another, PARENT, 0 },
	{ "map code", map_code, 0, 0 },
	{ "turn memory into code", make_code, 0, 0 },
	{ "become root", become_root, 0, 0 },
	{ "mount a file system", mount_something, 0, 0 },
	{ "make namespaces", make_namespaces, 0, 0 },
	{ "take and give back memory", take_memory, ALL, 0 },
	{ "wait on descriptors", wait_on_descriptors, ALL, 0 },
	{ "accept a client", accept_a_client, ALL, 0 },
	{ "pass a descriptor", pass_a_descriptor, ALL, 0 },
	{ "put zeros over a mapping", cover_memory, ALL, 0 },
	{ "end by abort()", abort_itself, ALL, DIED },
	{ "type into a terminal", type_into_a_terminal, PARENT, ENOTTY },
};

static const char *const kinds[] = {
	[SANDBOX_WORKER] = "a worker",
	[SANDBOX_RESOLVER] = "a resolver",
	[SANDBOX_CONTROL] = "the control process",
	[SANDBOX_PARENT] = "the parent",
};

struct row {
	enum sandbox_kind kind;
	const struct rule *rule;
};

static void
make_file(char ret[64])
{
	snprintf(ret, 64, "/tmp/danemap-test-XXXXXX");
	int fd = mkstemp(ret);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	close(fd);
}

static void
be_born(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	make_file(born.file);
	make_file(born.hidden);
	born.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(born.listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(born.listener, 4), 0);
	assert_int_equal(
	    getsockname(born.listener, (struct sockaddr *)&address, &len), 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, born.pair), 0);
	born.log = socket(AF_UNIX, SOCK_DGRAM, 0);
	born.spare = socket(AF_UNIX, SOCK_STREAM, 0);
	born.bystander = fork();
	if (born.bystander == 0) {
		alarm(60);
		pause();
		_exit(0);
	}
}

static void
be_buried(void)
{
	kill(born.bystander, SIGKILL);
	waitpid(born.bystander, NULL, 0);
	unlink(born.file);
	unlink(born.hidden);
	unlink("/tmp/danemap-test-new");
	for (int fd = born.listener; fd <= born.spare; fd++)
		close(fd);
}

static bool
is_bound(const struct row *row, const struct sandbox_got *got)
{
	// Nothing but Landlock tells one file from another.
	if (row->kind == SANDBOX_RESOLVER &&
	    (row->rule->attempt == open_to_read ||
		row->rule->attempt == open_its_neighbour))
		return got->landlock > 0;
	return got->seccomp;
}

static int
attempt_in_sandbox(const struct row *row)
{
	const char *const readable[] = { born.file, "/nonexistent", NULL };
	struct sandbox_settings settings = {
		.kind = row->kind, .log_fd = born.log, .readable = readable
	};
	struct sandbox_got got;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		sandbox_enter(&settings, &got);
		_exit(is_bound(row, &got) ? row->rule->attempt() : UNBOUND);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGABRT ? DIED : KILLED;
	return WEXITSTATUS(status);
}

static void
run(void **state)
{
	const struct row *row = *state;
	bool may = (row->rule->may & (1u << row->kind)) != 0;

	be_born();
	int got = attempt_in_sandbox(row);
	be_buried();
	if (got == UNBOUND)
		skip();
	if (may)
		assert_int_equal(got, row->rule->meaning);
	else if (got != EACCES) // Landlock's word
		assert_int_equal(got, EPERM);
}

#define N_RULES (sizeof(rules) / sizeof(rules[0]))
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

int
main(void)
{
	static struct row rows[N_KINDS * N_RULES];
	static char sentences[N_KINDS * N_RULES][96];

	for (size_t i = 0; i < N_KINDS * N_RULES; i++) {
		rows[i] = (struct row){ (enum sandbox_kind)(i / N_RULES),
			&rules[i % N_RULES] };
		bool may = (rows[i].rule->may & (1u << rows[i].kind)) != 0;
		snprintf(sentences[i], sizeof(sentences[i]), "%s %s %s",
		    kinds[rows[i].kind], may ? "may" : "cannot",
		    rows[i].rule->doing);
		table_add(sentences[i], run, &rows[i]);
	}
	return table_run("sandbox");
}
