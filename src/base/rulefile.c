// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Reads by read(2), because a file that is mapped may be cut by somebody, and
// lays the rules into an anonymous mapping that is cut to what they take and
// closed for writing.
#include "config.h"

#include "base/rulefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/idn.h"
#include "base/services.h"

static const struct nexthop_env env = {
	.label_to_ascii = idn_label_to_ascii,
	.service_port = services_port,
};

static int
refuse(const char *path, const char *what, int error,
    char ret_error[RULES_ERROR_MAX])
{
	snprintf(ret_error, RULES_ERROR_MAX, "policy_file: %.*s %s",
	    RULES_ERROR_MAX / 2, path, what);
	return error;
}

static int
refuse_errno(const char *path, int error, char ret_error[RULES_ERROR_MAX])
{
	char what[128];

	snprintf(what, sizeof(what), "cannot be read: %s", strerror(error));
	return refuse(path, what, -error, ret_error);
}

static size_t
whole_pages(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page;
}

// The octets of an open file; a file that grows meanwhile is cut.
static int
read_octets(int fd, char *text, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

// The caller frees ret->text.
static int
read_text(const char *path, int fd, struct rules_text *ret,
    char ret_error[RULES_ERROR_MAX])
{
	struct stat st;
	size_t len = 0;

	if (fstat(fd, &st) != 0)
		return refuse_errno(path, errno, ret_error);
	if (!S_ISREG(st.st_mode))
		return refuse(path, "is no regular file", -EINVAL, ret_error);
	if (st.st_size > RULES_TEXT_MAX)
		return refuse(
		    path, "is larger than 256 MB", -EINVAL, ret_error);
	char *text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return refuse_errno(path, ENOMEM, ret_error);
	int error = read_octets(fd, text, (size_t)st.st_size, &len);
	if (error != 0) {
		free(text);
		return refuse_errno(path, -error, ret_error);
	}
	*ret = (struct rules_text){ path, text, len };
	return 0;
}

// What the rules do not need goes back, and nobody writes to the rest.
static void
seal(struct rules *rules, size_t size)
{
	size_t used = whole_pages(rules_size(rules));

	if (used < size)
		munmap((char *)rules + used, size - used);
	mprotect(rules, used, PROT_READ);
}

static int
build(const struct rules_text *text, struct rules **ret,
    char ret_error[RULES_ERROR_MAX])
{
	size_t size = whole_pages(rules_memory(text));

	if (size == 0)
		return refuse(
		    text->file, "has too many rules", -EINVAL, ret_error);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return refuse_errno(text->file, errno, ret_error);
	int error = rules_build(text, &env, memory, ret, ret_error);
	if (error != 0)
		munmap(memory, size);
	else
		seal(*ret, size);
	return error;
}

int
rulefile_read(
    const char *path, struct rules **ret, char ret_error[RULES_ERROR_MAX])
{
	struct rules_text text;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return refuse_errno(path, errno, ret_error);
	int error = read_text(path, fd, &text, ret_error);
	close(fd);
	if (error != 0)
		return error;
	error = build(&text, ret, ret_error);
	free((void *)(uintptr_t)text.text);
	return error;
}

void
rulefile_free(struct rules *rules)
{
	if (rules != NULL)
		munmap(rules, whole_pages(rules_size(rules)));
}
