// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Who the daemon is. The only file that changes user, groups, capabilities and
// the limit of descriptors.
#include "config.h"

#include "parent/identity.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int
identity_find(
    const char *user, struct identity *ret, char ret_error[IDENTITY_ERROR_MAX])
{
	if (geteuid() != 0) {
		*ret = (struct identity){ geteuid(), getegid() };
		return 0;
	}
	struct passwd *pw = getpwnam(user);
	if (pw == NULL) {
		snprintf(ret_error, IDENTITY_ERROR_MAX,
		    "user: there is no user \"%s\": create it (adduser "
		    "--system --group %s) or name another",
		    user, user);
		return -ENOENT;
	}
	*ret = (struct identity){ pw->pw_uid, pw->pw_gid };
	return 0;
}

unsigned long
identity_raise_files(unsigned long wanted)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_max < wanted && geteuid() == 0) {
		struct rlimit higher = { wanted, wanted };
		if (setrlimit(RLIMIT_NOFILE, &higher) == 0)
			return wanted;
	}
	rlim_t goal = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (goal > limit.rlim_cur) {
		limit.rlim_cur = goal;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

static int
fail(char *error, const char *what)
{
	int saved = errno;
	snprintf(error, IDENTITY_ERROR_MAX, "cannot give up root: %s: %s", what,
	    strerror(saved));
	return -saved;
}

static bool
has_capabilities(void)
{
	static const struct __user_cap_data_struct none[2];
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct own[2] = { { 0 } };
	return syscall(SYS_capget, &head, own) != 0 ||
	       memcmp(own, none, sizeof(own)) != 0;
}

// Also for a daemon that was started by a plain user with capabilities. A
// supervisor that gives none may forbid the call as well.
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { { 0 } };
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (!has_capabilities())
		return 0;
	return (int)syscall(SYS_capset, &head, none);
}

int
identity_drop(const char *user, const struct identity *identity,
    char ret_error[IDENTITY_ERROR_MAX])
{
	bool root = geteuid() == 0;
	if (root && initgroups(user, identity->gid) != 0)
		return fail(ret_error, "initgroups");
	if (root && setresgid(identity->gid, identity->gid, identity->gid) != 0)
		return fail(ret_error, "setresgid");
	if (root && setresuid(identity->uid, identity->uid, identity->uid) != 0)
		return fail(ret_error, "setresuid");
	if (identity->uid != 0 && drop_capabilities() != 0)
		return fail(ret_error, "capset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(ret_error, "no_new_privs");
	if (root && identity->uid != 0 && setuid(0) == 0) {
		errno = EPERM;
		return fail(ret_error, "root could be had again");
	}
	return 0;
}

void
identity_make_folder(const char *path, const struct identity *identity)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return;
	*slash = '\0';
	if (mkdir(folder, 0755) != 0)
		return;
	// Whatever fails here shows when the file itself is made.
	(void)!chmod(folder, 0755);
	if (geteuid() == 0)
		(void)!chown(folder, identity->uid, identity->gid);
}
