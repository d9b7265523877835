// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The lists of what each kind of process may do, and the two ways of telling
// the kernel. Allowed is what is listed; names that a machine's kernel or
// libseccomp does not know are passed over.
#include "config.h"

#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { { 0 } };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	syscall(SYS_capset, &head, none);
}

// --- Landlock: files and, from version 4 on, TCP; from 6 on, signals ---

// Headers older than the kernel name fewer of these; the kernel's own version
// says which it takes.
#define FS_READ     (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_V1       ((UINT64_C(1) << 13) - 1)
#define FS_REFER    (UINT64_C(1) << 13) // version 2
#define FS_CUT      (UINT64_C(1) << 14) // version 3
#define FS_IOCTL    (UINT64_C(1) << 15) // version 5
#define TCP_BIND    (UINT64_C(1) << 0)
#define TCP_CONNECT (UINT64_C(1) << 1)
#define SCOPE_ALL   (UINT64_C(3)) // abstract sockets, signals

struct ruleset {
	uint64_t fs, net, scoped;
};

static uint64_t
all_of_fs(long version)
{
	return FS_V1 | (version >= 2 ? FS_REFER : 0) |
	       (version >= 3 ? FS_CUT : 0) | (version >= 5 ? FS_IOCTL : 0);
}

// The kernel refuses a size that it does not know, unless the rest is zero.
static size_t
size_of(long version)
{
	if (version >= 6)
		return sizeof(struct ruleset);
	return version >= 4 ? offsetof(struct ruleset, scoped)
			    : offsetof(struct ruleset, net);
}

// A path that is not there needs no rule.
static void
let_read(int rules, const char *path)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = FS_READ,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};

	if (beneath.parent_fd < 0)
		return;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		&beneath, 0) != 0) {
		// No folder: only what can be done to a file may be allowed.
		beneath.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
		syscall(SYS_landlock_add_rule, rules,
		    LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	}
	close(beneath.parent_fd);
}

static unsigned
leave_files(const struct sandbox_settings *settings)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 1)
		return 0;
	struct ruleset all = { .fs = all_of_fs(version), .scoped = SCOPE_ALL };
	if (settings->kind != SANDBOX_RESOLVER)
		all.net = TCP_BIND | TCP_CONNECT;
	int rules = (int)syscall(
	    SYS_landlock_create_ruleset, &all, size_of(version), 0);
	if (rules < 0)
		return 0;
	for (const char *const *path = settings->readable;
	     path != NULL && *path != NULL; path++)
		let_read(rules, *path);
	long r = syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
	return r == 0 ? (unsigned)version : 0;
}

// --- seccomp: calls ---

#ifdef HAVE_SECCOMP

#include <seccomp.h>

// Of every process. None of these looks at an argument where a question passes
// by, so that the kernel need not either.
static const char *const common[] = { "read", "readv", "write", "writev",
	"close", "lseek", "pread64", "fstat", "fcntl", "dup", "dup2", "dup3",
	"poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1",
	"epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
	"pipe", "pipe2", "socketpair", "recv", "recvfrom", "recvmsg",
	"recvmmsg", "send", "sendto", "sendmsg", "sendmmsg", "shutdown",
	"getsockname", "getpeername", "getsockopt", "setsockopt", "accept",
	"accept4", "clock_gettime", "clock_gettime64", "clock_getres",
	"clock_nanosleep", "nanosleep", "gettimeofday", "time", "times",
	"getrusage", "getpid", "getppid", "gettid", "getuid", "geteuid",
	"getgid", "getegid", "getresuid", "getresgid", "getrandom", "getrlimit",
	"ugetrlimit", "sysinfo", "uname", "getcpu", "sched_getaffinity",
	"sched_yield", "brk", "munmap", "mremap", "madvise", "rt_sigaction",
	"rt_sigprocmask", "rt_sigpending", "rt_sigreturn", "sigreturn",
	"sigaltstack", "alarm", "setitimer", "futex", "futex_time64",
	"set_robust_list", "rseq", "membarrier", "restart_syscall", "exit",
	"exit_group", NULL };

// bind is for an administrator's outgoing-interface and for random ports.
static const char *const of_resolver[] = { "bind", "connect", "memfd_create",
	"access", "faccessat", "faccessat2", NULL };

static const char *const of_parent[] = { "bind", "connect", "listen",
	"signalfd", "signalfd4", "wait4", "waitid", "kill", "open", "openat",
	"openat2", "creat", "stat", "lstat", "newfstatat", "fstatat64", "statx",
	"statfs", "fstatfs", "access", "faccessat", "faccessat2", "readlink",
	"readlinkat", "getcwd", "getdents64", "mkdir", "mkdirat", "unlink",
	"unlinkat", "rename", "renameat", "renameat2", "link", "linkat",
	"chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown",
	"umask", "ftruncate", "fallocate", "fsync", "fdatasync", "flock",
	"pwrite64", "memfd_create", "getgroups", "getpgrp", "prlimit64",
	"setrlimit", "prctl", "capget", "capset", "seccomp",
	"landlock_create_ruleset", "landlock_add_rule",
	"landlock_restrict_self", "set_tid_address", "close_range",
	"sched_setaffinity", "getpriority", NULL };

// A filter under construction. libseccomp's errors are kept, not looked at
// each: only a filter without any is loaded.
struct filter {
	scmp_filter_ctx ctx;
	int error;
};

static void
note(struct filter *filter, int r)
{
	if (r < 0 && filter->error == 0)
		filter->error = r;
}

// A name that is unknown here cannot be called here.
static void
allow_if(
    struct filter *filter, const char *name, const struct scmp_arg_cmp *if_)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return;
	int r = seccomp_rule_add_array(
	    filter->ctx, SCMP_ACT_ALLOW, number, if_ != NULL, if_);
	if (r != -EDOM) // it has no number on this architecture
		note(filter, r);
}

static void
allow(struct filter *filter, const char *const names[])
{
	for (; *names != NULL; names++)
		allow_if(filter, *names, NULL);
}

static void
allow_values(struct filter *filter, const char *name, unsigned arg,
    const uint64_t values[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct scmp_arg_cmp is =
		    SCMP_CMP(arg, SCMP_CMP_EQ, values[i], 0);
		allow_if(filter, name, &is);
	}
}

// No bit of mask may be set in the argument.
static void
allow_without(
    struct filter *filter, const char *name, unsigned arg, uint64_t mask)
{
	struct scmp_arg_cmp none = SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, 0);

	allow_if(filter, name, &none);
}

// Of every process, but in one way only: memory that is no code, questions
// about its own descriptors, signals to itself (abort).
static void
allow_bounded(struct filter *filter)
{
	static const uint64_t requests[] = { FIONBIO, FIONREAD };
	const uint64_t self = (uint64_t)getpid();
	struct scmp_arg_cmp of_fd =
	    SCMP_CMP(3, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH);

	allow_without(filter, "mmap", 2, PROT_EXEC);
	allow_without(filter, "mmap2", 2, PROT_EXEC);
	allow_without(filter, "mprotect", 2, PROT_EXEC);
	allow_values(filter, "ioctl", 1, requests, 2);
	allow_values(filter, "tgkill", 0, &self, 1);
	allow_if(filter, "newfstatat", &of_fd);
}

static void
allow_resolver(struct filter *filter)
{
	static const uint64_t families[] = { AF_INET, AF_INET6 };
	const uint64_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

	allow(filter, of_resolver);
	allow_values(filter, "socket", 0, families, 2);
	// Memory files, and what resolver_config names; Landlock sees to that.
	allow_without(filter, "open", 1, writing);
	allow_without(filter, "openat", 2, writing);
}

// fork is clone in today's C libraries; in its newer form its flags are out of
// sight, and libraries fall back.
static void
allow_parent(struct filter *filter)
{
	static const uint64_t families[] = { AF_UNIX, AF_INET, AF_INET6,
		AF_NETLINK };

	allow(filter, of_parent);
	allow_values(filter, "socket", 0, families, 4);
	allow_if(filter, "fork", NULL);
	allow_without(filter, "clone", 0,
	    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET);
	note(filter, seccomp_rule_add(filter->ctx, SCMP_ACT_ERRNO(ENOSYS),
			 SCMP_SYS(clone3), 0));
	// Of children, which are bound by this filter too.
	allow_if(filter, "tgkill", NULL);
	allow_if(filter, "ioctl", NULL);
}

static void
allow_kind(struct filter *filter, const struct sandbox_settings *settings)
{
	const uint64_t log_fd = (uint64_t)(unsigned)settings->log_fd;

	allow(filter, common);
	if (settings->kind == SANDBOX_PARENT) {
		allow_parent(filter);
		allow_without(filter, "mmap", 2, PROT_EXEC);
		allow_without(filter, "mmap2", 2, PROT_EXEC);
		allow_without(filter, "mprotect", 2, PROT_EXEC);
		return;
	}
	allow_bounded(filter);
	if (settings->kind == SANDBOX_RESOLVER)
		allow_resolver(filter);
	else if (settings->log_fd >= 0)
		allow_values(filter, "connect", 0, &log_fd, 1);
}

static bool
leave_calls(const struct sandbox_settings *settings)
{
	struct filter filter = { .ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM)) };

	if (filter.ctx == NULL)
		return false;
	allow_kind(&filter, settings);
	// A tree instead of a list: with hundreds of calls that counts.
	(void)seccomp_attr_set(filter.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (filter.error == 0)
		note(&filter, seccomp_load(filter.ctx));
	seccomp_release(filter.ctx);
	return filter.error == 0;
}

const char *
sandbox_version(void)
{
	static char text[48];
	const struct scmp_version *version = seccomp_version();

	(void)snprintf(text, sizeof(text), "libseccomp %u.%u.%u",
	    version->major, version->minor, version->micro);
	return text;
}

#else

static bool
leave_calls(const struct sandbox_settings *settings)
{
	(void)settings;
	return false;
}

const char *
sandbox_version(void)
{
	return "without libseccomp";
}

#endif

void
sandbox_enter(const struct sandbox_settings *settings, struct sandbox_got *ret)
{
	struct sandbox_got got = { 0 };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (settings->kind != SANDBOX_PARENT) {
		drop_capabilities();
		got.landlock = leave_files(settings);
	}
	got.seccomp = leave_calls(settings);
	*ret = got;
}
