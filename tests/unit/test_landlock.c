// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a process asks of Landlock and gives up besides, of a kernel of our own
// that is as old or new as a test wants: like the real one it refuses what it
// does not know. Whether the real one keeps its word is seen in
// test_sandbox.c, where there is one.
#include "config.h"

#include "table.h"

#include "base/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RULES_MAX 4
#define FS_FILE   (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define FS_DIR    LANDLOCK_ACCESS_FS_READ_DIR
#define BITS(n)   ((UINT64_C(1) << (n)) - 1)

struct asked {
	uint64_t fs, net, scoped;
};

// What each version of the interface knows (Documentation/userspace-api/
// landlock.rst): octets of the structure, rights.
static const struct {
	size_t size;
	struct asked known;
} versions[] = {
	[1] = { 8, { BITS(13), 0, 0 } },
	[2] = { 8, { BITS(14), 0, 0 } },
	[3] = { 8, { BITS(15), 0, 0 } },
	[4] = { 16, { BITS(15), BITS(2), 0 } },
	[5] = { 16, { BITS(16), BITS(2), 0 } },
	[6] = { 24, { BITS(16), BITS(2), BITS(2) } },
	[7] = { 24, { BITS(16), BITS(2), BITS(2) } },
};

static struct {
	unsigned version;      // 0: has no Landlock
	int no_set, no_prison; // errno of a set of rules, of its use
	struct asked asked;
	unsigned n_rules;

	struct {
		uint64_t access;
		ino_t ino;
	} rules[RULES_MAX];

	bool no_new_privs, is_dumpable, is_bound, has_ambient, has_capabilities;
} kernel;

int __wrap_prctl(int option, ...);
long __wrap_syscall(long number, ...);

int
__wrap_prctl(int option, ...)
{
	va_list args;

	va_start(args, option);
	int value = va_arg(args, int);
	va_end(args);
	if (option == PR_SET_NO_NEW_PRIVS)
		kernel.no_new_privs = value == 1;
	if (option == PR_SET_DUMPABLE)
		kernel.is_dumpable = value != 0;
	if (option == PR_CAP_AMBIENT && value == PR_CAP_AMBIENT_CLEAR_ALL)
		kernel.has_ambient = false;
	return 0;
}

static long
refuse(int error)
{
	errno = error;
	return -1;
}

static long
make_rules(const void *attributes, size_t size, unsigned flags)
{
	struct asked asked = { 0 }, known = versions[kernel.version].known;

	if (kernel.version == 0)
		return refuse(EOPNOTSUPP);
	if (flags == LANDLOCK_CREATE_RULESET_VERSION)
		return attributes || size ? refuse(EINVAL) : kernel.version;
	// What lies beyond may be zeros; of ours it never is.
	if (size > versions[kernel.version].size)
		return refuse(E2BIG);
	memcpy(&asked, attributes, size);
	if ((asked.fs & ~known.fs) || (asked.net & ~known.net) ||
	    (asked.scoped & ~known.scoped))
		return refuse(EINVAL);
	if (kernel.no_set)
		return refuse(kernel.no_set);
	kernel.asked = asked;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static long
add_rule(const struct landlock_path_beneath_attr *beneath)
{
	struct stat status;

	if (fstat(beneath->parent_fd, &status) != 0)
		return refuse(EBADF);
	if (beneath->allowed_access & ~kernel.asked.fs)
		return refuse(EINVAL);
	if (!S_ISDIR(status.st_mode) && (beneath->allowed_access & ~FS_FILE))
		return refuse(EINVAL);
	assert_true(kernel.n_rules < RULES_MAX);
	kernel.rules[kernel.n_rules].access = beneath->allowed_access;
	kernel.rules[kernel.n_rules++].ino = status.st_ino;
	return 0;
}

static long
set_capabilities(const struct __user_cap_data_struct data[2])
{
	static const struct __user_cap_data_struct none[2];

	kernel.has_capabilities = memcmp(data, none, sizeof(none)) != 0;
	return 0;
}

static long
bind_by_rules(int fd)
{
	if (kernel.no_prison)
		return refuse(kernel.no_prison);
	if (!kernel.no_new_privs)
		return refuse(EPERM);
	if (fcntl(fd, F_GETFD) < 0)
		return refuse(EBADF);
	kernel.is_bound = true;
	return 0;
}

static long
answer(long number, va_list args)
{
	if (number == SYS_landlock_create_ruleset) {
		const void *attributes = va_arg(args, const void *);
		size_t size = va_arg(args, size_t);

		return make_rules(attributes, size, va_arg(args, unsigned));
	}
	int fd = number == SYS_capset ? 0 : va_arg(args, int);
	if (number == SYS_landlock_restrict_self)
		return bind_by_rules(fd);
	if (number == SYS_landlock_add_rule &&
	    va_arg(args, int) == LANDLOCK_RULE_PATH_BENEATH)
		return add_rule(va_arg(args, const void *));
	if (number == SYS_capset && va_arg(args, const void *))
		return set_capabilities(va_arg(args, const void *));
	return refuse(ENOSYS);
}

long
__wrap_syscall(long number, ...)
{
	va_list args;

	va_start(args, number);
	long result = answer(number, args);
	va_end(args);
	return result;
}

#ifdef HAVE_SECCOMP

#include <seccomp.h>

int __wrap_seccomp_load(const scmp_filter_ctx ctx);

// Else this program would be bound by it.
int
__wrap_seccomp_load(const scmp_filter_ctx ctx)
{
	(void)ctx;
	return 0;
}

#endif

static unsigned
count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n;
}

static void
boot(unsigned version)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.version = version;
	kernel.is_dumpable = true;
	kernel.has_ambient = kernel.has_capabilities = true;
}

// Returns what the process was told of Landlock.
static unsigned
enter(enum sandbox_kind kind, const char *const *readable)
{
	struct sandbox_settings settings = {
		.kind = kind, .log_fd = -1, .readable = readable
	};
	struct sandbox_got got = { .landlock = 99 };
	unsigned n = count_descriptors();

	sandbox_enter(&settings, &got);
	assert_int_equal(count_descriptors(), n);
	assert_int_equal(kernel.is_bound, got.landlock > 0);
	return got.landlock;
}

struct version_row {
	const char *sentence;
	unsigned version;
	struct asked worker;
};

static const struct version_row version_rows[] = {
	{ "the first Landlock keeps from files", 1, { BITS(13), 0, 0 } },
	{ "the second also from files moved elsewhere", 2, { BITS(14), 0, 0 } },
	{ "the third also from cutting files", 3, { BITS(15), 0, 0 } },
	{ "the fourth also from TCP", 4, { BITS(15), BITS(2), 0 } },
	{ "the fifth also from commands to devices", 5,
	    { BITS(16), BITS(2), 0 } },
	{ "the sixth also from signals and abstract sockets", 6,
	    { BITS(16), BITS(2), BITS(2) } },
	{ "of a later one as much is asked as of the sixth", 7,
	    { BITS(16), BITS(2), BITS(2) } },
};

static void
run_version(void **state)
{
	const struct version_row *row = *state;

	boot(row->version);
	assert_int_equal(enter(SANDBOX_WORKER, NULL), row->version);
	assert_int_equal(kernel.asked.fs, row->worker.fs);
	assert_int_equal(kernel.asked.net, row->worker.net);
	assert_int_equal(kernel.asked.scoped, row->worker.scoped);
	assert_int_equal(kernel.n_rules, 0);
	// Who talks to the DNS keeps TCP.
	boot(row->version);
	assert_int_equal(enter(SANDBOX_RESOLVER, NULL), row->version);
	assert_int_equal(kernel.asked.fs, row->worker.fs);
	assert_int_equal(kernel.asked.net, 0);
	assert_int_equal(kernel.asked.scoped, row->worker.scoped);
}

// --- Paths that may be read ---

static void
expect_rule(unsigned i, const char *path, uint64_t access)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(kernel.rules[i].ino, status.st_ino);
	assert_int_equal(kernel.rules[i].access, access);
}

static void
read_paths(void **state)
{
	static const char *const paths[] = { "/usr", "/nonexistent",
		"/dev/null", NULL };

	(void)state;
	boot(3);
	assert_int_equal(enter(SANDBOX_RESOLVER, paths), 3);
	assert_int_equal(kernel.n_rules, 2);
	expect_rule(0, "/usr", LANDLOCK_ACCESS_FS_READ_FILE | FS_DIR);
	expect_rule(1, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE);
}

// --- Where there is none ---

struct refusal_row {
	const char *sentence;
	unsigned version;
	int no_set, no_prison;
};

static const struct refusal_row refusal_rows[] = {
	{ "a kernel without Landlock is told of as such", 0, 0, 0 },
	{ "rules that cannot be made bind nobody, and that is told", 3, ENOMEM,
	    0 },
	{ "rules that are refused bind nobody, and that is told", 3, 0, E2BIG },
};

static void
run_refusal(void **state)
{
	const struct refusal_row *row = *state;

	boot(row->version);
	kernel.no_set = row->no_set;
	kernel.no_prison = row->no_prison;
	assert_int_equal(enter(SANDBOX_CONTROL, NULL), 0);
	// The rest is given up all the same.
	assert_true(kernel.no_new_privs);
	assert_false(kernel.has_capabilities);
}

// --- Rights ---

static void
give_up_rights(void **state)
{
	static const enum sandbox_kind kinds[] = { SANDBOX_WORKER,
		SANDBOX_RESOLVER, SANDBOX_CONTROL };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		boot(6);
		assert_int_equal(enter(kinds[i], NULL), 6);
		assert_true(kernel.no_new_privs);
		assert_false(kernel.is_dumpable);
		assert_false(kernel.has_ambient);
		assert_false(kernel.has_capabilities);
	}
}

static void
keep_rights(void **state)
{
	(void)state;
	boot(6);
	assert_int_equal(enter(SANDBOX_PARENT, NULL), 0);
	assert_true(kernel.no_new_privs);
	assert_false(kernel.is_dumpable);
	assert_true(kernel.has_ambient);
	assert_true(kernel.has_capabilities);
}

int
main(void)
{
	TABLE_ADD(version_rows, run_version);
	table_add("a folder is read with all below it, a file alone, and what "
		  "is not there is passed over",
	    read_paths, NULL);
	TABLE_ADD(refusal_rows, run_refusal);
	table_add("a child gives up all that it could do more than others",
	    give_up_rights, NULL);
	table_add(
	    "the parent keeps its rights and its files", keep_rights, NULL);
	return table_run("landlock");
}
