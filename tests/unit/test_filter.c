// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The filter that each kind of process hands to the kernel, taken at the door
// and run here: what it says to a call with these arguments. And what becomes
// of a filter that cannot be had whole. That the kernel does as the filter says
// is seen in test_sandbox.c.
#include "config.h"

#include "table.h"

#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define LOG_FD    7
#define STEPS_MAX 4096

struct filter {
	struct sock_filter steps[STEPS_MAX];
	size_t n_steps; // 0: none was loaded
};

static struct filter loaded;

// What is refused, and how; and how many filters were neither loaded nor
// given back.
static struct {
	bool no_filter;
	const char *unknown, *numberless, *unfit;
	int load_error;
	int n_held;
} refused;

// Nothing of this is to happen to the tests themselves.
int __wrap_prctl(int option, ...);
long __wrap_syscall(long number, ...);

int
__wrap_prctl(int option, ...)
{
	(void)option;
	return 0;
}

long
__wrap_syscall(long number, ...)
{
	(void)number;
	errno = ENOSYS;
	return -1;
}

#ifdef HAVE_SECCOMP

#include <seccomp.h>

scmp_filter_ctx __real_seccomp_init(uint32_t fallback);
scmp_filter_ctx __wrap_seccomp_init(uint32_t fallback);
void __real_seccomp_release(scmp_filter_ctx ctx);
void __wrap_seccomp_release(scmp_filter_ctx ctx);
int __real_seccomp_syscall_resolve_name(const char *name);
int __wrap_seccomp_syscall_resolve_name(const char *name);
int __real_seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action,
    int number, unsigned n, const struct scmp_arg_cmp *array);
int __wrap_seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action,
    int number, unsigned n, const struct scmp_arg_cmp *array);
int __wrap_seccomp_load(const scmp_filter_ctx ctx);

scmp_filter_ctx
__wrap_seccomp_init(uint32_t fallback)
{
	if (refused.no_filter)
		return NULL;
	refused.n_held++;
	return __real_seccomp_init(fallback);
}

void
__wrap_seccomp_release(scmp_filter_ctx ctx)
{
	refused.n_held--;
	__real_seccomp_release(ctx);
}

int
__wrap_seccomp_syscall_resolve_name(const char *name)
{
	if (refused.unknown && strcmp(name, refused.unknown) == 0)
		return __NR_SCMP_ERROR;
	return __real_seccomp_syscall_resolve_name(name);
}

static bool
is_call(const char *name, int number)
{
	return name && __real_seccomp_syscall_resolve_name(name) == number;
}

int
__wrap_seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action, int number,
    unsigned n, const struct scmp_arg_cmp *array)
{
	if (is_call(refused.numberless, number))
		return -EDOM;
	if (is_call(refused.unfit, number))
		return -ENOMEM;
	return __real_seccomp_rule_add_array(ctx, action, number, n, array);
}

int
__wrap_seccomp_load(const scmp_filter_ctx ctx)
{
	if (refused.load_error)
		return refused.load_error;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	ssize_t n = pread(fd, loaded.steps, sizeof(loaded.steps), 0);
	close(fd);
	assert_true(n > 0 && (size_t)n < sizeof(loaded.steps));
	loaded.n_steps = (size_t)n / sizeof(loaded.steps[0]);
	return 0;
}

static bool
enter(enum sandbox_kind kind, int log_fd)
{
	struct sandbox_settings settings = { .kind = kind, .log_fd = log_fd };
	struct sandbox_got got = { .landlock = 99 };

	loaded.n_steps = 0;
	sandbox_enter(&settings, &got);
	assert_int_equal(got.landlock, 0);
	assert_int_equal(refused.n_held, 0);
	assert_int_equal(got.seccomp, loaded.n_steps > 0);
	return got.seccomp;
}

static bool
is_jump(const struct sock_filter *step, uint32_t value)
{
	switch (BPF_OP(step->code)) {
	case BPF_JEQ:
		return value == step->k;
	case BPF_JGT:
		return value > step->k;
	case BPF_JGE:
		return value >= step->k;
	case BPF_JSET:
		return (value & step->k) != 0;
	}
	fail_msg("a jump of unknown kind: %#x", step->code);
	return false;
}

// What the kernel would read off the filter (Documentation/networking/
// filter.rst): only those instructions that libseccomp makes use of.
static uint32_t
judge(const struct filter *filter, const struct seccomp_data *call)
{
	uint32_t value = 0;

	for (size_t i = 0; i < filter->n_steps; i++) {
		const struct sock_filter *step = &filter->steps[i];

		if (step->code == (BPF_RET | BPF_K))
			return step->k;
		if (step->code == (BPF_LD | BPF_W | BPF_ABS))
			memcpy(&value, (const char *)call + step->k, 4);
		else if (step->code == (BPF_ALU | BPF_AND | BPF_K))
			value &= step->k;
		else if (step->code == (BPF_JMP | BPF_JA))
			i += step->k;
		else if (BPF_CLASS(step->code) == BPF_JMP)
			i += is_jump(step, value) ? step->jt : step->jf;
		else
			fail_msg("an unknown instruction: %#x", step->code);
	}
	fail_msg("a filter without an end");
	return 0;
}

static uint32_t
verdict(const char *name, const uint64_t args[3])
{
	struct seccomp_data call = { .arch = seccomp_arch_native(),
		.nr = __real_seccomp_syscall_resolve_name(name) };

	memcpy(call.args, args, 3 * sizeof(args[0]));
	return judge(&loaded, &call);
}

#define REFUSED (SECCOMP_RET_ERRNO | EPERM)

static uint32_t
plain_verdict(const char *name)
{
	return verdict(name, (const uint64_t[3]){ 0 });
}

// --- What each kind may do ---

#define WORKER   (1u << SANDBOX_WORKER)
#define RESOLVER (1u << SANDBOX_RESOLVER)
#define CONTROL  (1u << SANDBOX_CONTROL)
#define PARENT   (1u << SANDBOX_PARENT)
#define ALL      (WORKER | RESOLVER | CONTROL | PARENT)
#define N_KINDS  (SANDBOX_PARENT + 1)

static const struct row {
	const char *sentence;
	const char *call;
	uint64_t args[3];
	unsigned may; // those kinds
} rows[] = {
	{ "memory may be had", "mmap", { 0, 1, PROT_READ | PROT_WRITE }, ALL },
	{ "memory may not be had as code", "mmap",
	    { 0, 1, PROT_READ | PROT_EXEC }, 0 },
	{ "memory may not be had as code that is written", "mmap",
	    { 0, 1, PROT_READ | PROT_WRITE | PROT_EXEC }, 0 },
	{ "memory may be closed for writing", "mprotect", { 0, 1, PROT_READ },
	    ALL },
	{ "memory may not become code", "mprotect", { 0, 1, PROT_EXEC }, 0 },
	{ "a descriptor may be told not to block", "ioctl", { 3, FIONBIO },
	    ALL },
	{ "a descriptor may be asked what waits in it", "ioctl",
	    { 3, FIONREAD }, ALL },
	{ "a terminal is typed into by the parent alone", "ioctl",
	    { 3, TIOCSTI }, PARENT },
	{ "files are opened to read by resolver and parent", "openat",
	    { 0, 0, O_RDONLY | O_CLOEXEC }, RESOLVER | PARENT },
	{ "files are opened to write by the parent alone", "openat",
	    { 0, 0, O_WRONLY }, PARENT },
	{ "files are opened to read and write by the parent alone", "openat",
	    { 0, 0, O_RDWR | O_CLOEXEC }, PARENT },
	{ "files are made by the parent alone", "openat",
	    { 0, 0, O_RDONLY | O_CREAT }, PARENT },
	{ "files are cut by the parent alone", "openat",
	    { 0, 0, O_RDONLY | O_TRUNC }, PARENT },
	{ "IPv4 sockets are made by resolver and parent", "socket", { AF_INET },
	    RESOLVER | PARENT },
	{ "IPv6 sockets are made by resolver and parent", "socket",
	    { AF_INET6 }, RESOLVER | PARENT },
	{ "unix sockets are made by the parent alone", "socket", { AF_UNIX },
	    PARENT },
	{ "netlink sockets are made by the parent alone", "socket",
	    { AF_NETLINK }, PARENT },
	{ "packet sockets are made by nobody", "socket", { AF_PACKET }, 0 },
	{ "sockets of the kernel's ciphers are made by nobody", "socket",
	    { AF_ALG }, 0 },
	{ "the log may be connected anew", "connect", { LOG_FD }, ALL },
	{ "other sockets are connected by resolver and parent", "connect",
	    { LOG_FD + 1 }, RESOLVER | PARENT },
	{ "sockets are bound by resolver and parent", "bind", { 0 },
	    RESOLVER | PARENT },
	{ "sockets are made to listen by the parent alone", "listen", { 0 },
	    PARENT },
	{ "processes are made by the parent alone", "clone", { 17 }, PARENT },
	{ "processes in namespaces of users are made by nobody", "clone",
	    { 17 | CLONE_NEWUSER }, 0 },
	{ "processes in namespaces of networks are made by nobody", "clone",
	    { 17 | CLONE_NEWNET }, 0 },
	{ "processes in namespaces of mounts are made by nobody", "clone",
	    { 17 | CLONE_NEWNS }, 0 },
	{ "processes are signalled by the parent alone", "kill", { 1 },
	    PARENT },
	{ "threads of others are signalled by the parent alone", "tgkill",
	    { 1, 1 }, PARENT },
	{ "files are removed by the parent alone", "unlink", { 0 }, PARENT },
	{ "memory files are made by resolver and parent", "memfd_create", { 0 },
	    RESOLVER | PARENT },
	{ "ends are waited for by the parent alone", "wait4", { 0 }, PARENT },
	{ "rights are given up by the parent alone, for its children", "capset",
	    { 0 }, PARENT },
	{ "clients may be accepted", "accept4", { 0 }, ALL },
	{ "descriptors may be passed", "sendmsg", { 0 }, ALL },
};

static void
run_row(void **state)
{
	const struct row *row = *state;

	// Some architectures have another call for it.
	if (__real_seccomp_syscall_resolve_name(row->call) < 0)
		skip();
	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		bool may = (row->may & (1u << kind)) != 0;

		assert_true(enter(kind, LOG_FD));
		assert_int_equal(verdict(row->call, row->args),
		    may ? SECCOMP_RET_ALLOW : REFUSED);
	}
}

// What a break-in would like to have.
static const char *const never[] = { "execve", "execveat", "ptrace",
	"process_vm_readv", "process_vm_writev", "pidfd_getfd", "unshare",
	"setns", "mount", "umount2", "pivot_root", "chroot", "mknodat",
	"init_module", "finit_module", "delete_module", "kexec_load", "bpf",
	"perf_event_open", "userfaultfd", "io_uring_setup", "keyctl", "add_key",
	"request_key", "personality", "setuid", "setgid", "setresuid",
	"setresgid", "setgroups", "pkey_mprotect", "shmat", "syslog", "reboot",
	"swapon", "clock_settime", "settimeofday", "open_by_handle_at",
	"fanotify_init", "symlinkat" };

#define N_NEVER (sizeof(never) / sizeof(never[0]))

static void
run_never(void **state)
{
	const char *name = *state;

	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		assert_true(enter(kind, LOG_FD));
		assert_int_equal(plain_verdict(name), REFUSED);
	}
}

static void
add_never(void)
{
	static char sentences[N_NEVER][64];

	for (size_t i = 0; i < N_NEVER; i++) {
		snprintf(sentences[i], sizeof(sentences[i]),
		    "%s is refused to everybody", never[i]);
		table_add(sentences[i], run_never, never[i]);
	}
}

static void
signal_itself(void **state)
{
	const uint64_t self[3] = { (uint64_t)getpid() };

	(void)state;
	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		assert_true(enter(kind, LOG_FD));
		assert_int_equal(verdict("tgkill", self), SECCOMP_RET_ALLOW);
	}
}

// Libraries then take clone, whose flags are in sight.
static void
deny_clone3(void **state)
{
	(void)state;
	assert_true(enter(SANDBOX_PARENT, LOG_FD));
	assert_int_equal(plain_verdict("clone3"), SECCOMP_RET_ERRNO | ENOSYS);
	assert_true(enter(SANDBOX_WORKER, LOG_FD));
	assert_int_equal(plain_verdict("clone3"), REFUSED);
}

static void
have_no_log(void **state)
{
	(void)state;
	assert_true(enter(SANDBOX_WORKER, -1));
	assert_int_equal(plain_verdict("connect"), REFUSED);
	assert_int_equal(
	    verdict("connect", (const uint64_t[3]){ (uint32_t)-1 }), REFUSED);
	assert_int_equal(
	    verdict("connect", (const uint64_t[3]){ LOG_FD }), REFUSED);
}

// Numbers mean other calls there.
static void
come_by_another_door(void **state)
{
	struct seccomp_data call = { .nr = __real_seccomp_syscall_resolve_name(
					 "read") };

	(void)state;
	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		assert_true(enter(kind, LOG_FD));
		call.arch = seccomp_arch_native();
		assert_int_equal(judge(&loaded, &call), SECCOMP_RET_ALLOW);
		call.arch ^= 1;
		assert_int_not_equal(judge(&loaded, &call), SECCOMP_RET_ALLOW);
	}
}

// --- Filters that cannot be had whole ---

struct refusal_row {
	const char *sentence;
	bool no_filter;
	const char *unknown, *numberless, *unfit;
	int load_error;
	bool is_had;
};

static const struct refusal_row refusal_rows[] = {
	{ "a call whose name nobody knows is passed over", .unknown = "uname",
	    .is_had = true },
	{ "a call that this architecture lacks is passed over",
	    .numberless = "uname", .is_had = true },
	{ "without memory for a filter there is none", .no_filter = true },
	{ "a filter that lacks a rule is not loaded", .unfit = "uname" },
	{ "a filter that the kernel refuses is none",
	    .load_error = -ECANCELED },
};

static void
run_refusal(void **state)
{
	const struct refusal_row *row = *state;

	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		refused.no_filter = row->no_filter;
		refused.unknown = row->unknown;
		refused.numberless = row->numberless;
		refused.unfit = row->unfit;
		refused.load_error = row->load_error;
		bool is_had = enter(kind, LOG_FD);
		memset(&refused, 0, sizeof(refused));
		assert_int_equal(is_had, row->is_had);
		if (!is_had)
			continue;
		assert_int_equal(plain_verdict("uname"), REFUSED);
		assert_int_equal(plain_verdict("read"), SECCOMP_RET_ALLOW);
	}
}

static void
name_version(void **state)
{
	unsigned major = 0, minor = 0, micro = 0;

	(void)state;
	assert_int_equal(sscanf(sandbox_version(), "libseccomp %u.%u.%u",
			     &major, &minor, &micro),
	    3);
	assert_true(major >= 2);
}

static void
add_tests(void)
{
	TABLE_ADD(rows, run_row);
	add_never();
	table_add("each may signal itself, to end", signal_itself, NULL);
	table_add("clone3 is not there for the parent", deny_clone3, NULL);
	table_add("who has no log connects nothing", have_no_log, NULL);
	table_add("calls by another architecture's numbers are refused",
	    come_by_another_door, NULL);
	TABLE_ADD(refusal_rows, run_refusal);
	table_add("the version has its numbers", name_version, NULL);
}

#else

static void
have_no_filter(void **state)
{
	struct sandbox_settings settings = { .kind = SANDBOX_WORKER,
		.log_fd = LOG_FD };
	struct sandbox_got got = { .seccomp = true };

	(void)state;
	sandbox_enter(&settings, &got);
	assert_false(got.seccomp);
	assert_int_equal(loaded.n_steps + (size_t)refused.n_held, 0);
	assert_string_equal(sandbox_version(), "without libseccomp");
}

static void
add_tests(void)
{
	table_add("without libseccomp there is no filter, and that is told",
	    have_no_filter, NULL);
}

#endif

int
main(void)
{
	add_tests();
	return table_run("filter");
}
