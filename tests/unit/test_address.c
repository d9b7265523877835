// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How sockets are written.
#include "config.h"

#include "base/address.h"

#include "table.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

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
	assert_int_equal(got.has_mode, row->mode >= 0);
	if (got.has_mode)
		assert_int_equal(got.mode, row->mode);
	assert_int_equal(got.has_group, row->has_group);
}

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
}

int
main(void)
{
	TABLE_ADD(good_rows, check_good);
	TABLE_ADD(bad_rows, check_bad);
	table_add("a list is taken word by word", check_list, NULL);
	table_add("an empty list is a fault", check_empty_list, NULL);
	table_add("an address and a port are resolved, an unknown service is "
		  "named",
	    check_resolve, NULL);
	return table_run("address");
}
