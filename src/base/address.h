// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How a socket is written, in `listen` and on the command line:
// unix:PATH[:MODE[:GROUP]], inet:HOST:PORT or inet:[V6]:PORT. Taken apart here,
// opened elsewhere.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ADDRESS_ERROR_MAX 512
// sun_path with its NUL (unix(7)).
#define ADDRESS_PATH_MAX  108
#define ADDRESS_WORD_MAX  512

struct addrinfo;

// Of a socket file, as far as they are named.
struct address_rights {
	bool has_mode, has_group;
	mode_t mode;
	gid_t group;
};

struct address {
	bool is_unix;
	char path[ADDRESS_PATH_MAX];
	struct address_rights rights;
	char host[256], port[32];
};

// 0, or -EINVAL with an error that shows how to write it.
int address_parse(
    const char *word, struct address *ret, char ret_error[ADDRESS_ERROR_MAX]);

// Calls each for every word of a white-space separated list, until one fails
// (with its error in error). -EINVAL for an empty list.
int address_for_each(const char *list, char error[ADDRESS_ERROR_MAX],
    int (*each)(const struct address *want, void *arg), void *arg);

// Calls each for every internet address of an inet: one, until one fails.
int address_resolve(const struct address *address,
    char error[ADDRESS_ERROR_MAX],
    int (*each)(const struct addrinfo *ai, void *arg), void *arg);

// Writes an error and returns code, for the callers of the above.
int address_fail(char error[ADDRESS_ERROR_MAX], int code, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
