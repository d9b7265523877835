// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How sockets are written, and what becomes of the addresses of a name: those
// of a resolver of our own, where a row wants it.
#include "config.h"

#include "base/address.h"

#include "table.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

// What a name resolves to; NULL: what the system says.
static struct addrinfo *resolved;
static int n_held;

int __real_getaddrinfo(const char *host, const char *port,
    const struct addrinfo *hints, struct addrinfo **ret);
int __wrap_getaddrinfo(const char *host, const char *port,
    const struct addrinfo *hints, struct addrinfo **ret);
void __real_freeaddrinfo(struct addrinfo *all);
void __wrap_freeaddrinfo(struct addrinfo *all);

int
__wrap_getaddrinfo(const char *host, const char *port,
    const struct addrinfo *hints, struct addrinfo **ret)
{
	int r = 0;

	if (resolved)
		*ret = resolved;
	else
		r = __real_getaddrinfo(host, port, hints, ret);
	n_held += r == 0;
	return r;
}

void
__wrap_freeaddrinfo(struct addrinfo *all)
{
	n_held--;
	if (all != resolved)
		__real_freeaddrinfo(all);
}

struct good {
	const char *sentence;
	const char *word;
	const char *path, *host, *port; // NULL: the other kind
	int mode;                       // -1: none
	bool has_group;
};

static const struct good good_rows[] = {
	{ "a unix socket may come with its path alone", "unix:/run/x", "/run/x",
	    NULL, NULL, -1, false },
	{ "a mode is read as octal", "unix:/run/x:0660", "/run/x", NULL, NULL,
	    0660, false },
	{ "a group may follow the mode", "unix:/run/x:0600:root", "/run/x",
	    NULL, NULL, 0600, true },
	{ "an IPv4 address has its port behind a colon", "inet:127.0.0.1:8460",
	    NULL, "127.0.0.1", "8460", -1, false },
	{ "a host name and a service name will do", "inet:localhost:smtp", NULL,
	    "localhost", "smtp", -1, false },
	{ "an IPv6 address is in brackets", "inet:[::1]:8460", NULL, "::1",
	    "8460", -1, false },
};

static void
check_good(void **state)
{
	const struct good *row = *state;
	struct address got;
	char error[ADDRESS_ERROR_MAX] = "";
	assert_int_equal(address_parse(row->word, &got, error), 0);
	assert_int_equal(got.is_unix, row->path != NULL);
	if (got.is_unix)
		assert_string_equal(got.path, row->path);
	else
		assert_string_equal(got.host, row->host);
	if (!got.is_unix)
		assert_string_equal(got.port, row->port);
	assert_int_equal(got.rights.has_mode, row->mode >= 0);
	if (got.rights.has_mode)
		assert_int_equal(got.rights.mode, row->mode);
	assert_int_equal(got.rights.has_group, row->has_group);
}

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

struct bad {
	const char *sentence;
	const char *word;
	const char *says;
};

static const struct bad bad_rows[] = {
	{ "a word of no known kind is told what kinds there are",
	    "tcp:127.0.0.1:1", "write unix:PATH[:MODE[:GROUP]]" },
	{ "a path that is not absolute is refused", "unix:run/x",
	    "must begin with \"/\"" },
	{ "a mode with a digit over seven is refused", "unix:/run/x:0680",
	    "is no mode" },
	{ "a mode over 0777 is refused", "unix:/run/x:7777", "is no mode" },
	{ "a mode with a sign is refused", "unix:/run/x:+660", "is no mode" },
	{ "a mode that wraps around is refused",
	    "unix:/run/x:-1777777777777777777777", "is no mode" },
	{ "an empty mode is refused", "unix:/run/x:", "is no mode" },
	{ "a group that is not there is named", "unix:/run/x:0660:no-such-one",
	    "no group \"no-such-one\"" },
	{ "a fourth part is refused", "unix:/run/x:0660:root:x",
	    "write unix:PATH:MODE:GROUP" },
	{ "a path over 107 octets is refused",
	    "unix:/123456789012345678901234567890123456789012345678901234567890"
	    "123456789012345678901234567890123456789012345678",
	    "longer than a unix socket may have" },
	{ "an IPv6 address without brackets is refused", "inet:::1:8460",
	    "inet:[V6]:PORT" },
	{ "a missing port is refused", "inet:127.0.0.1", "inet:HOST:PORT" },
	{ "an empty port is refused", "inet:127.0.0.1:", "inet:HOST:PORT" },
	{ "an empty host is refused", "inet::25", "inet:HOST:PORT" },
	{ "an empty IPv6 address is refused", "inet:[]:25", "inet:HOST:PORT" },
	{ "an IPv6 address without a port is refused", "inet:[::1]",
	    "inet:HOST:PORT" },
	{ "a host over 255 octets is refused", "inet:" X64 X64 X64 X64 ":25",
	    "inet:HOST:PORT" },
	{ "a port over 31 octets is refused",
	    "inet:localhost:12345678901234567890123456789012",
	    "inet:HOST:PORT" },
	{ "a bracket that does not close is refused", "inet:[::1:25",
	    "inet:HOST:PORT" },
};

static void
check_bad(void **state)
{
	const struct bad *row = *state;
	struct address got = { .host = "untouched" };
	char error[ADDRESS_ERROR_MAX] = "";
	assert_int_equal(address_parse(row->word, &got, error), -EINVAL);
	assert_non_null(strstr(error, row->says));
	assert_string_equal(got.host, "untouched");
}

static int
count_one(const struct address *want, void *arg)
{
	(void)want;
	++*(int *)arg;
	return 0;
}

static void
check_list(void **state)
{
	char error[ADDRESS_ERROR_MAX] = "";
	int n = 0;
	(void)state;
	assert_int_equal(address_for_each("unix:/a  inet:localhost:25\tunix:/b",
			     error, count_one, &n),
	    0);
	assert_int_equal(n, 3);
}

static void
check_empty_list(void **state)
{
	char error[ADDRESS_ERROR_MAX] = "";
	int n = 0;
	(void)state;
	assert_int_equal(
	    address_for_each("  \t", error, count_one, &n), -EINVAL);
	assert_string_equal(error, "no socket is named");
	assert_int_equal(n, 0);
}

static int
count_address(const struct addrinfo *ai, void *arg)
{
	assert_true(ai->ai_socktype == SOCK_STREAM);
	++*(int *)arg;
	return 0;
}

static void
check_resolve(void **state)
{
	char error[ADDRESS_ERROR_MAX] = "";
	struct address got;
	int n = 0;
	(void)state;
	assert_int_equal(address_parse("inet:127.0.0.1:25", &got, error), 0);
	assert_int_equal(address_resolve(&got, error, count_address, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(
	    address_parse("inet:127.0.0.1:no-such-service", &got, error), 0);
	assert_int_equal(
	    address_resolve(&got, error, count_address, &n), -EINVAL);
	assert_non_null(strstr(error, "no-such-service"));
	assert_int_equal(n_held, 0);
}

struct list_row {
	const char *sentence;
	const char *list;
	int refuse; // that one, from 1; 0: none
	int n, result;
	const char *says;
};

static const struct list_row list_rows[] = {
	{ "a list may have commas and lines", "unix:/a,unix:/b\n unix:/c", 0, 3,
	    0, "" },
	{ "a list ends at a word that is no address", "unix:/a tcp:b unix:/c",
	    0, 1, -EINVAL, "tcp:b: write unix:" },
	{ "a list ends at an address that is refused",
	    "unix:/a unix:/b unix:/c", 2, 2, -EXDEV, "" },
	{ "a word of 511 octets leaves room for how to write it",
	    "unix:/a " X64 X64 X64 X64 X64 X64 X64 X16 X16 X16
	    "123456789012345",
	    0, 1, -EINVAL, "xxxx: write unix:" },
	{ "a word of 512 octets is refused",
	    "unix:/a " X64 X64 X64 X64 X64 X64 X64 X64, 0, 1, -EINVAL,
	    "a word is longer than 511 octets" },
};

struct visit {
	int n, refuse;
};

static int
visit_one(const struct address *want, void *arg)
{
	struct visit *visit = arg;

	assert_true(want->is_unix);
	return ++visit->n == visit->refuse ? -EXDEV : 0;
}

static void
run_list(void **state)
{
	const struct list_row *row = *state;
	char error[ADDRESS_ERROR_MAX] = "";
	struct visit visit = { .refuse = row->refuse };

	assert_int_equal(
	    address_for_each(row->list, error, visit_one, &visit), row->result);
	assert_int_equal(visit.n, row->n);
	assert_non_null(strstr(error, row->says));
}

// --- Names with several addresses ---

static const struct {
	const char *sentence;
	int refuse; // that one, from 1; 0: none
	int n, result;
} visit_rows[] = {
	{ "every internet address is visited, and no other", 0, 2, 0 },
	{ "a visit that is refused is the last", 1, 1, -EXDEV },
};

static int
visit_address(const struct addrinfo *ai, void *arg)
{
	struct visit *visit = arg;

	assert_true(ai->ai_family == AF_INET || ai->ai_family == AF_INET6);
	return ++visit->n == visit->refuse ? -EXDEV : 0;
}

static void
run_visit(void **state)
{
	const struct {
		const char *sentence;
		int refuse, n, result;
	} *row = *state;
	struct addrinfo third = { .ai_family = AF_INET6 };
	struct addrinfo second = { .ai_family = AF_UNIX, .ai_next = &third };
	struct addrinfo first = { .ai_family = AF_INET, .ai_next = &second };
	const struct address want = { .host = "a.example", .port = "25" };
	struct visit visit = { .refuse = row->refuse };
	char error[ADDRESS_ERROR_MAX] = "";

	resolved = &first;
	int r = address_resolve(&want, error, visit_address, &visit);
	resolved = NULL;
	assert_int_equal(r, row->result);
	assert_int_equal(visit.n, row->n);
	assert_int_equal(n_held, 0);
}

int
main(void)
{
	TABLE_ADD(good_rows, check_good);
	TABLE_ADD(bad_rows, check_bad);
	table_add("a list is taken word by word", check_list, NULL);
	table_add("an empty list is a fault", check_empty_list, NULL);
	TABLE_ADD(list_rows, run_list);
	TABLE_ADD(visit_rows, run_visit);
	table_add("an address and a port are resolved, an unknown service is "
		  "named",
	    check_resolve, NULL);
	return table_run("address");
}
