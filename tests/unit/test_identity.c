// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Giving up what there is, where a supervisor has taken capset away. Each
// attempt is made in a process of its own.
#include "config.h"

#include "table.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parent/identity.h"

#define SOMEBODY 65534

static const struct row {
	const char *sentence;
	bool keeps_capabilities;
	int wanted;
} rows[] = {
	{ "a process without capabilities needs no capset", false, 0 },
	{ "a process that cannot lose its capabilities is told", true, EPERM },
};

static bool
forbid_capset(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int
attempt(const struct row *row)
{
	char error[IDENTITY_ERROR_MAX];

	if (geteuid() == 0 &&
	    (prctl(PR_SET_KEEPCAPS, row->keeps_capabilities, 0, 0, 0) != 0 ||
		setresgid(SOMEBODY, SOMEBODY, SOMEBODY) != 0 ||
		setresuid(SOMEBODY, SOMEBODY, SOMEBODY) != 0))
		return errno;
	if (!forbid_capset())
		return errno;
	struct identity identity = { geteuid(), getegid() };
	return -identity_drop("somebody", &identity, error);
}

static void
run(void **state)
{
	const struct row *row = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(attempt(row));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), row->wanted);
}

// Only root has capabilities to keep.
int
main(void)
{
	table_add(rows[0].sentence, run, &rows[0]);
	if (geteuid() == 0)
		table_add(rows[1].sentence, run, &rows[1]);
	return table_run("identity");
}
