// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The grammar of socket addresses. Opens nothing; asks the system for groups
// and host names only.
#include "config.h"

#include "base/address.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// What was written, in an error: there is room left to say what is wrong.
#define SAID "%.160s"

int
address_fail(char error[ADDRESS_ERROR_MAX], int code, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(error, ADDRESS_ERROR_MAX, format, ap);
	va_end(ap);
	return code;
}

static int
parse_group(
    const char *word, const char *name, struct address *want, char *error)
{
	struct group *group = getgrnam(name);
	if (group == NULL)
		return address_fail(error, -EINVAL,
		    SAID ": there is no group \"" SAID "\"", word, name);
	want->rights.group = group->gr_gid;
	want->rights.has_group = true;
	return 0;
}

static int
parse_mode(
    const char *word, const char *text, struct address *want, char *error)
{
	size_t len = strspn(text, "01234567"); // strtoul takes signs and blanks
	unsigned long mode = strtoul(text, NULL, 8);
	if (len == 0 || text[len] != '\0' || mode > 0777)
		return address_fail(error, -EINVAL,
		    SAID ": \"" SAID
			 "\" is no mode; write it in octal, as 0660",
		    word, text);
	want->rights.mode = (mode_t)mode;
	want->rights.has_mode = true;
	return 0;
}

// PATH[:MODE[:GROUP]]
static int
parse_unix(
    const char *word, const char *spec, struct address *want, char *error)
{
	char copy[ADDRESS_WORD_MAX];
	snprintf(copy, sizeof(copy), "%s", spec);
	char *rest = copy, *path = strsep(&rest, ":");
	char *mode = strsep(&rest, ":"), *group = strsep(&rest, ":");
	want->is_unix = true;
	if (*path != '/')
		return address_fail(error, -EINVAL,
		    SAID ": the path must begin with \"/\"", word);
	if (strlen(path) >= sizeof(want->path))
		return address_fail(error, -EINVAL,
		    SAID ": the path is longer than a unix socket may "
			 "have (%zu octets)",
		    word, sizeof(want->path) - 1);
	if (rest != NULL)
		return address_fail(
		    error, -EINVAL, SAID ": write unix:PATH:MODE:GROUP", word);
	snprintf(want->path, sizeof(want->path), "%s", path);
	if (mode != NULL && parse_mode(word, mode, want, error) != 0)
		return -EINVAL;
	if (group != NULL && parse_group(word, group, want, error) != 0)
		return -EINVAL;
	return 0;
}

// HOST:PORT or [V6]:PORT
static int
parse_inet(
    const char *word, const char *spec, struct address *want, char *error)
{
	const char *colon = strrchr(spec, ':');
	const char *end = colon;
	bool bracketed = *spec == '[';
	if (bracketed && colon != NULL && colon > spec && colon[-1] == ']') {
		spec++;
		end = colon - 1;
	} else if (bracketed) {
		colon = NULL;
	}
	if (colon == NULL || colon[1] == '\0' || end <= spec ||
	    (size_t)(end - spec) >= sizeof(want->host) ||
	    strlen(colon + 1) >= sizeof(want->port) ||
	    (!bracketed && memchr(spec, ':', (size_t)(end - spec)) != NULL))
		return address_fail(error, -EINVAL,
		    SAID ": write inet:HOST:PORT or inet:[V6]:PORT", word);
	snprintf(
	    want->host, sizeof(want->host), "%.*s", (int)(end - spec), spec);
	snprintf(want->port, sizeof(want->port), "%s", colon + 1);
	return 0;
}

int
address_parse(
    const char *word, struct address *ret, char ret_error[ADDRESS_ERROR_MAX])
{
	struct address want = { .is_unix = false };
	int r;
	if (strncmp(word, "unix:", 5) == 0)
		r = parse_unix(word, word + 5, &want, ret_error);
	else if (strncmp(word, "inet:", 5) == 0)
		r = parse_inet(word, word + 5, &want, ret_error);
	else
		r = address_fail(ret_error, -EINVAL,
		    SAID ": write unix:PATH[:MODE[:GROUP]], "
			 "inet:HOST:PORT or inet:[V6]:PORT",
		    word);
	if (r == 0)
		*ret = want;
	return r;
}

int
address_resolve(const struct address *want, char error[ADDRESS_ERROR_MAX],
    int (*each)(const struct addrinfo *ai, void *arg), void *arg)
{
	struct addrinfo *all, hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE,
	};
	int r = getaddrinfo(want->host, want->port, &hints, &all);
	if (r != 0)
		return address_fail(error, -EINVAL, "inet:%s:%s: %s",
		    want->host, want->port, gai_strerror(r));
	for (struct addrinfo *ai = all; ai != NULL && r == 0; ai = ai->ai_next)
		if (ai->ai_family == AF_INET || ai->ai_family == AF_INET6)
			r = each(ai, arg);
	freeaddrinfo(all);
	return r;
}

int
address_for_each(const char *list, char error[ADDRESS_ERROR_MAX],
    int (*each)(const struct address *want, void *arg), void *arg)
{
	const char *at = list;
	unsigned n = 0;
	while (*(at += strspn(at, " \t\n,")) != '\0') {
		size_t len = strcspn(at, " \t\n,");
		char word[ADDRESS_WORD_MAX];
		struct address want;
		if (len >= sizeof(word))
			return address_fail(error, -EINVAL,
			    "a word is longer than %d octets",
			    ADDRESS_WORD_MAX - 1);
		memcpy(word, at, len);
		word[len] = '\0';
		int r = address_parse(word, &want, error);
		if (r == 0)
			r = each(&want, arg);
		if (r != 0)
			return r;
		at += len;
		n++;
	}
	if (n == 0)
		return address_fail(error, -EINVAL, "no socket is named");
	return 0;
}
