// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What an administrator may write into resolver_config: any text. A fragment
// that passes, and that libunbound takes, must leave a context none of whose
// options is one that is refused; a wish for TLS must be seen; and no other
// file may come in by it. An include of TRAP shows in an option.
//
// Under test: src/dns/fragment.c
// libFuzzer: -close_fd_mask=2
#include "config.h"

#include "input.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unbound.h>
#include <unistd.h>

#include "dns/fragment.h"

#define PATHS_MAX 8
#define TRAP_FD   100 // /proc/self/fd/100 in seeds

// libunbound's parser loses memory when it finds an error.
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

static int file = -1;
static char path[32];

static void
open_once(void)
{
	static const char trap[] = "server: val-permissive-mode: yes\n";
	int fd = memfd_create("trap", MFD_CLOEXEC);

	REQUIRE(write(fd, trap, sizeof(trap) - 1) == sizeof(trap) - 1);
	REQUIRE(dup2(fd, TRAP_FD) == TRAP_FD);
	close(fd);
	file = memfd_create("fragment", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
}

static bool
configure(struct ub_ctx *context, const char *text)
{
	size_t len = strlen(text);

	REQUIRE(ftruncate(file, 0) == 0);
	REQUIRE(pwrite(file, text, len, 0) == (ssize_t)len);
	REQUIRE(pwrite(file, "\n", 1, (off_t)len) == 1); // as memfile_open
	if (__lsan_disable != NULL)
		__lsan_disable();
	bool takes = ub_ctx_config(context, path) == 0;
	if (__lsan_enable != NULL)
		__lsan_enable();
	return takes;
}

static struct ub_ctx *
new_context(void)
{
	struct ub_ctx *context = ub_ctx_create();

	REQUIRE(context != NULL);
	ub_ctx_debugout(context, NULL);
	return context;
}

// Where the parser stops at an error the next text is read behind what is left
// of this one, and as the value that was expected.
static void
drain_parser(void)
{
	struct ub_ctx *context = new_context();

	do
		configure(context, "\"\n");
	while (!configure(context, "server: do-ip6: yes\n"));
	ub_ctx_delete(context);
}

static struct ub_ctx *
context_with(const char *text)
{
	struct ub_ctx *context = new_context();

	if (configure(context, text))
		return context;
	ub_ctx_delete(context);
	drain_parser();
	return NULL;
}

// The caller frees it; NULL: this library has no such option.
static char *
value_of(struct ub_ctx *context, const char *option)
{
	char *value = NULL;

	if (ub_ctx_get_option(context, option, &value) != 0)
		return NULL;
	return value;
}

static bool
option_is(struct ub_ctx *context, const char *option, const char *wanted)
{
	char *value = value_of(context, option);
	bool is = value != NULL && strcmp(value, wanted) == 0;

	free(value);
	return is;
}

// Those that no fragment may change, and the root that it may not exempt.
static void
check_defaults(struct ub_ctx *context)
{
	static const char *const fixed[] = { "val-permissive-mode",
		"harden-dnssec-stripped", "val-override-date", "serve-expired",
		"serve-original-ttl", "cache-min-ttl", "auto-trust-anchor-file",
		"trust-anchor-file", "trusted-keys-file" };
	struct ub_ctx *untouched = new_context();

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		char *value = value_of(untouched, fixed[i]);
		REQUIRE(value == NULL || option_is(context, fixed[i], value));
		free(value);
	}
	ub_ctx_delete(untouched);
	REQUIRE(!option_is(context, "domain-insecure", "."));
	REQUIRE(!option_is(context, "module-config", "iterator"));
}

static void
check_options(struct ub_ctx *context)
{
	const char *option;
	char *value;

	for (unsigned i = 0; (option = fragment_option(i)) != NULL; i++) {
		value = value_of(context, option);
		REQUIRE(
		    value == NULL || fragment_refusal(option, value) == NULL);
		free(value);
	}
}

static void
check_passed(const char *text, bool wants_tls)
{
	struct ub_ctx *context = context_with(text);

	if (context == NULL)
		return;
	check_options(context);
	check_defaults(context);
	if (option_is(context, "tls-upstream", "yes") ||
	    !option_is(context, "tls-cert-bundle", ""))
		REQUIRE(wants_tls);
	ub_ctx_delete(context);
}

// The error names a line that there is.
static void
check_error(const char *text, const char error[FRAGMENT_ERROR_MAX])
{
	unsigned line = 0, n_lines = 1;

	REQUIRE(strnlen(error, FRAGMENT_ERROR_MAX) < FRAGMENT_ERROR_MAX);
	REQUIRE(sscanf(error, "name:%u: ", &line) == 1);
	for (; *text != '\0'; text++)
		n_lines += *text == '\n';
	REQUIRE(line >= 1 && line <= n_lines);
}

static void
check_paths(const char *text)
{
	char *paths[PATHS_MAX];
	unsigned n = fragment_paths(text, paths, PATHS_MAX);

	REQUIRE(n <= PATHS_MAX);
	for (unsigned i = 0; i < n; i++) {
		REQUIRE(paths[i][0] == '/' && strstr(text, paths[i]) != NULL);
		free(paths[i]);
	}
}

static void
check_text(const char *text)
{
	char error[FRAGMENT_ERROR_MAX] = "";
	bool wants_tls = false;
	int r = fragment_check("name", text, &wants_tls, error);

	check_paths(text);
	if (r == 0) {
		check_passed(text, wants_tls);
		return;
	}
	REQUIRE(r == -EPERM || r == -EINVAL);
	check_error(text, error);
}

// A NUL ends it: file_read refuses files that hold one.
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	REQUIRE(text != NULL);
	if (file < 0)
		open_once();
	memcpy(text, data, size);
	text[size] = '\0';
	check_text(text);
	free(text);
	return 0;
}
