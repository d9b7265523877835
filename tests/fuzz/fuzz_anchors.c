// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What may stand in a file of trust anchors or of root hints: any octets. An
// anchor that is taken must be one by libc's reading of its name and octets
// and one that libunbound starts with; read again it is the same, and it does
// not depend on what stands before it. Hints are taken if and only if a word
// of theirs is an address.
//
// Under test: src/dns/anchors.c src/dns/upstream.c
// libFuzzer: -close_fd_mask=2
#include "config.h"

#include "input.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unbound.h>
#include <unistd.h>

#include "dns/anchors.h"
#include "dns/upstream.h"

// What stands before the octets of the second reading.
static const char first[] =
    ". 172800 IN DS 20326 8 2 "
    "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";

static int file = -1;
static char path[32];

static void
write_file(const void *data, size_t len)
{
	if (file < 0) {
		file = memfd_create("anchors", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	REQUIRE(ftruncate(file, 0) == 0);
	REQUIRE(pwrite(file, data, len, 0) == (ssize_t)len);
}

static void
append_file(const void *data, size_t len)
{
	off_t end = lseek(file, 0, SEEK_END);

	REQUIRE(pwrite(file, data, len, end) == (ssize_t)len);
}

static int
read_anchors(struct anchors *ret)
{
	char error[ANCHORS_ERROR_MAX] = "";
	int r = anchors_read(path, ret, error);

	REQUIRE(r <= 0);
	if (r < 0) {
		REQUIRE(strnlen(error, sizeof(error)) < sizeof(error));
		REQUIRE(strstr(error, path) != NULL);
		return r;
	}
	REQUIRE(ret->n >= 1 && ret->n <= ANCHORS_MAX);
	return 0;
}

// --- one record, by another reading ---

struct record {
	char owner[NS_MAXDNAME], type[8], data[ANCHORS_LINE_MAX];
	unsigned numbers[3];
};

static bool
is_validated(unsigned algorithm)
{
	return algorithm == 5 || algorithm == 7 || algorithm == 8 ||
	       algorithm == 10 || (algorithm >= 13 && algorithm <= 16);
}

static void
check_ds(const struct record *record)
{
	static const size_t digits[] = { 0, 40, 64, 0, 96 };
	size_t len = strlen(record->data);

	REQUIRE(record->numbers[0] <= UINT16_MAX);
	REQUIRE(is_validated(record->numbers[1]));
	REQUIRE(record->numbers[2] <= 4 && digits[record->numbers[2]] > 0);
	REQUIRE(len == digits[record->numbers[2]]);
	REQUIRE(strspn(record->data, "0123456789abcdefABCDEF") == len);
}

static void
check_dnskey(const struct record *record)
{
	unsigned char key[ANCHORS_LINE_MAX];
	unsigned flags = record->numbers[0];

	REQUIRE(flags <= UINT16_MAX && (flags & 0x0100) != 0);
	REQUIRE((flags & 0x0080) == 0 && record->numbers[1] == 3);
	REQUIRE(is_validated(record->numbers[2]));
	REQUIRE(EVP_DecodeBlock(key, (const unsigned char *)record->data,
		    (int)strlen(record->data)) > 0);
}

static void
check_line(const char *line, bool *ret_is_root)
{
	struct record record;
	uint8_t name[NS_MAXCDNAME];
	int n = 0;

	REQUIRE(strnlen(line, ANCHORS_LINE_MAX) < ANCHORS_LINE_MAX);
	REQUIRE(sscanf(line, "%1024s IN %7s %u %u %u %2047s%n", record.owner,
		    record.type, &record.numbers[0], &record.numbers[1],
		    &record.numbers[2], record.data, &n) == 6);
	REQUIRE(line[n] == '\0');
	REQUIRE(ns_name_pton(record.owner, name, sizeof(name)) == 1);
	*ret_is_root |= name[0] == 0;
	if (strcmp(record.type, "DS") == 0)
		check_ds(&record);
	else
		check_dnskey(&record);
	REQUIRE(strcmp(record.type, "DS") == 0 ||
		strcmp(record.type, "DNSKEY") == 0);
}

// --- all of them ---

// Any question makes libunbound look at its anchors; this one asks nobody.
static void
check_with_libunbound(const struct anchors *anchors)
{
	struct ub_ctx *context = ub_ctx_create();

	REQUIRE(context != NULL);
	ub_ctx_debugout(context, NULL);
	ub_ctx_set_option(context, "use-syslog:", "no");
	for (unsigned i = 0; i < anchors->n; i++)
		REQUIRE(ub_ctx_add_ta(context, anchors->lines[i]) == 0);
	REQUIRE(ub_ctx_data_add(context, "a.test. 1 IN A 127.0.0.1") == 0);
	ub_ctx_delete(context);
}

static void
check_same(const struct anchors *a, unsigned from, const struct anchors *b)
{
	REQUIRE(a->n == b->n + from);
	for (unsigned i = 0; i < b->n; i++)
		REQUIRE(strcmp(a->lines[from + i], b->lines[i]) == 0);
}

static void
check_again(const struct anchors *anchors)
{
	struct anchors again;

	write_file("", 0);
	for (unsigned i = 0; i < anchors->n; i++) {
		append_file(anchors->lines[i], strlen(anchors->lines[i]));
		append_file("\n", 1);
	}
	REQUIRE(read_anchors(&again) == 0);
	check_same(&again, 0, anchors);
	anchors_free(&again);
}

// r: how the octets were read alone.
static void
check_behind(
    const uint8_t *data, size_t size, int r, const struct anchors *anchors)
{
	struct anchors more;
	bool is_root = false;

	write_file(first, sizeof(first) - 1);
	append_file(data, size);
	int with = read_anchors(&more);
	if (r == 0 && anchors->n < ANCHORS_MAX)
		REQUIRE(with == 0);
	if (r != 0 && r != -ENOKEY)
		REQUIRE(with == r || with == -EFBIG);
	if (with != 0)
		return;
	for (unsigned i = 0; i < more.n; i++)
		check_line(more.lines[i], &is_root);
	check_with_libunbound(&more);
	if (r == 0)
		check_same(&more, 1, anchors);
	anchors_free(&more);
}

static void
check_anchors(const uint8_t *data, size_t size)
{
	struct anchors anchors = { 0 };
	bool is_root = false;

	write_file(data, size);
	int r = read_anchors(&anchors);
	check_behind(data, size, r, &anchors);
	if (r != 0)
		return;
	REQUIRE(memchr(data, '\0', size) == NULL);
	for (unsigned i = 0; i < anchors.n; i++)
		check_line(anchors.lines[i], &is_root);
	REQUIRE(is_root);
	check_again(&anchors);
	anchors_free(&anchors);
}

// --- root hints ---

static bool
is_address(const char *word, bool *ret_loopback)
{
	static const uint8_t one[16] = { [15] = 1 };
	uint8_t v4[4], v6[16];

	if (inet_pton(AF_INET, word, v4) == 1) {
		*ret_loopback |= v4[0] == 127;
		return true;
	}
	if (inet_pton(AF_INET6, word, v6) != 1)
		return false;
	*ret_loopback |= memcmp(v6, one, sizeof(one)) == 0;
	return true;
}

// A word of text, 64 octets at most, from at on; where it ends.
static size_t
take_word(const uint8_t *data, size_t size, size_t at, char ret[65])
{
	size_t len = 0;

	for (; at < size && strchr(" \t\r\n\v\f;", data[at]) == NULL; at++)
		if (len < 64)
			ret[len++] = (char)data[at];
	ret[len] = '\0';
	return at;
}

static bool
holds_address(const uint8_t *data, size_t size, bool *ret_loopback)
{
	char word[65];
	bool found = false;

	for (size_t at = 0; at < size; at++) {
		at = take_word(data, size, at, word);
		found |= is_address(word, ret_loopback);
		if (at < size && data[at] == ';')
			while (at < size && data[at] != '\n')
				at++;
	}
	return found;
}

static void
check_hints(const uint8_t *data, size_t size)
{
	char error[UPSTREAM_ERROR_MAX] = "";
	struct upstream upstream;
	bool loopback = false;

	write_file(data, size);
	int r = upstream_read("", path, &upstream, error);
	bool wanted = memchr(data, '\0', size) == NULL &&
		      holds_address(data, size, &loopback);
	REQUIRE((r == 0) == wanted);
	if (r != 0) {
		REQUIRE(strstr(error, path) != NULL);
		return;
	}
	REQUIRE(upstream.loopback == loopback && upstream.n == 0);
	REQUIRE(strlen(upstream.hints) == size);
	REQUIRE(memcmp(upstream.hints, data, size) == 0);
	upstream_free(&upstream);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1u << 19)
		return 0;
	check_anchors(data, size);
	check_hints(data, size);
	return 0;
}
