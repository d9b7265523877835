// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Who the daemon is: from root to `user`, for good. Groups and capabilities go
// too, and nothing that is executed later gets them back.
#pragma once

#include <sys/types.h>

#define IDENTITY_ERROR_MAX 256

struct identity {
	uid_t uid;
	gid_t gid;
};

// The identity that `user` names when started as root, else today's. 0 or
// -ENOENT with an error.
int identity_find(
    const char *user, struct identity *ret, char ret_error[IDENTITY_ERROR_MAX]);

// As many descriptors as max_connections and the resolvers need; best done
// while root may raise the hard limit. Returns the limit reached.
unsigned long identity_raise_files(unsigned long wanted);

// 0 or a negative errno with an error.
int identity_drop(const char *user, const struct identity *identity,
    char ret_error[IDENTITY_ERROR_MAX]);

// Makes the folder of a file that the daemon will make, where only that folder
// is missing and root may do so: it belongs to identity, mode 0755.
void identity_make_folder(const char *path, const struct identity *identity);
