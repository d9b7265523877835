// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Service names: those built in, and agreement with what the C library reads
// from this machine's own services file.
#include "config.h"

#include "table.h"

#include "base/services.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *sentence;
	const char *name;
	int port; // 0: not known
} rows[] = {
	{ "smtp is built in", "smtp", 25 },
	{ "submission is built in", "submission", 587 },
	{ "submissions is built in", "submissions", 465 },
	{ "smtps is built in", "smtps", 465 },
	{ "lmtp is built in", "lmtp", 24 },
	{ "upper case is folded", "SubMission", 587 },
	{ "the start of a name is not the name", "smt", 0 },
	{ "more than a name is not the name", "smtpx", 0 },
	{ "an empty name is unknown", "", 0 },
	{ "a name that is nowhere is unknown", "no-such-service", 0 },
	{ "a name longer than any is unknown",
	    "smtpsmtpsmtpsmtpsmtpsmtpsmtpsmtpsmtp", 0 },
};

static void
assert_port(const char *name, size_t len, int expected)
{
	uint16_t port = 0;

	assert_int_equal(
	    services_port(name, len, &port), expected ? 0 : -ENOENT);
	assert_int_equal(port, expected);
}

// The first of the program: nothing has been read yet.
static void
ask_before_reading(void **state)
{
	(void)state;
	assert_port("submission", 10, 587);
	assert_port("no-such-service", 15, 0);
}

static void
run_row(void **state)
{
	const struct {
		const char *sentence, *name;
		int port;
	} *row = *state;

	services_read();
	services_read(); // twice is as good as once
	assert_port(row->name, strlen(row->name), row->port);
}

static void
take_part(void **state)
{
	(void)state;
	assert_port("smtp:x", 4, 25);
	assert_port("smtp\0x", 6, 0);
}

// Every name that getservbyname knows for TCP has the same port here.
static void
agree_with_libc(void **state)
{
	static char names[SERVICES_MAX][64];
	const struct servent *entry;
	size_t n = 0;

	(void)state;
	services_read();
	setservent(1);
	while (n < SERVICES_MAX && (entry = getservent()) != NULL) {
		if (strcmp(entry->s_proto, "tcp") == 0)
			snprintf(
			    names[n++], sizeof(names[0]), "%s", entry->s_name);
	}
	endservent();
	if (n == 0)
		skip();
	for (size_t i = 0; i < n; i++) {
		entry = getservbyname(names[i], "tcp");
		assert_non_null(entry);
		assert_port(
		    names[i], strlen(names[i]), ntohs((uint16_t)entry->s_port));
	}
}

int
main(void)
{
	table_add("before anything is read the built-in names are there",
	    ask_before_reading, NULL);
	TABLE_ADD(rows, run_row);
	table_add("a name is taken by its length", take_part, NULL);
	table_add("this machine's services have the ports libc gives them",
	    agree_with_libc, NULL);
	return table_run("services");
}
