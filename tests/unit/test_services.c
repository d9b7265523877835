// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Service names: those built in, agreement with what the C library reads from
// this machine's own services file, and a file of our own, entry by entry.
#include "config.h"

#include "table.h"

#include "base/services.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// A services file in the place of the machine's.
static struct {
	struct servent entries[SERVICES_MAX + 8];
	size_t n, next; // n 0: the machine's own counts
	bool is_open;
} file;

void __wrap_setservent(int stay_open);
struct servent *__real_getservent(void);
struct servent *__wrap_getservent(void);
void __real_setservent(int stay_open);
void __real_endservent(void);
void __wrap_endservent(void);

void
__wrap_setservent(int stay_open)
{
	file.next = 0;
	file.is_open = true;
	__real_setservent(stay_open);
}

struct servent *
__wrap_getservent(void)
{
	if (file.n == 0)
		return __real_getservent();
	return file.next < file.n ? &file.entries[file.next++] : NULL;
}

void
__wrap_endservent(void)
{
	file.is_open = false;
	__real_endservent();
}

static void
add_entry(const char *name, char *alias, int port, const char *protocol)
{
	static char *aliases[sizeof(file.entries) / sizeof(file.entries[0])][2];
	size_t i = file.n++;

	aliases[i][0] = alias;
	file.entries[i] = (struct servent){
		.s_name = (char *)(uintptr_t)name,
		.s_aliases = aliases[i],
		.s_port = htons((uint16_t)port),
		.s_proto = (char *)(uintptr_t)protocol,
	};
}

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

struct entry_row {
	const char *sentence;
	const char *name;
	int port;
};

// In a file of these, in this order.
static void
write_entries(void)
{
	static char alias[] = "Second", again[] = "first",
		    long_alias[] = "a-name-of-thirty-two-octets-here";

	file.n = 0;
	add_entry("first", alias, 1001, "tcp");
	add_entry("first", NULL, 1002, "tcp");
	add_entry("third", again, 1003, "tcp");
	add_entry("datagrams", NULL, 1004, "udp");
	add_entry("nowhere", NULL, 0, "tcp");
	add_entry("a-name-of-thirty-one-octets-abc", long_alias, 1005, "tcp");
	add_entry("smtp", NULL, 2525, "tcp");
}

static const struct entry_row entry_rows[] = {
	{ "of two entries of a name the first counts", "first", 1001 },
	{ "an alias is a name, in any case", "second", 1001 },
	{ "an entry is known though its alias is another's", "third", 1003 },
	{ "services that are not of TCP are unknown", "datagrams", 0 },
	{ "a service at port 0 is unknown", "nowhere", 0 },
	{ "the longest name is known", "a-name-of-thirty-one-octets-abc",
	    1005 },
	{ "a longer one is unknown", "a-name-of-thirty-two-octets-here", 0 },
	{ "the file comes before what is built in", "smtp", 2525 },
	{ "what it lacks is built in", "lmtp", 24 },
};

static void
run_entry(void **state)
{
	const struct entry_row *row = *state;

	write_entries();
	services_read();
	file.n = 0;
	assert_false(file.is_open);
	assert_port(row->name, strlen(row->name), row->port);
}

// The last name that there is room for, and the one after it: as an entry, and
// as an alias of the last entry.
static void
read_too_many(void **state)
{
	static char names[SERVICES_MAX + 1][16], alias[] = "more";

	(void)state;
	for (int with_alias = 0; with_alias < 2; with_alias++) {
		file.n = 0;
		for (int i = 0; i <= SERVICES_MAX; i++) {
			bool is_last = i == SERVICES_MAX - 1;

			snprintf(names[i], sizeof(names[i]), "more%d", i);
			add_entry(names[i],
			    is_last && with_alias ? alias : NULL, i + 1, "tcp");
		}
		services_read();
		file.n = 0;
		assert_false(file.is_open);
		assert_port("more1023", 8, 1024);
		assert_port("more1024", 8, 0);
		assert_port("more", 4, 0);
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
	TABLE_ADD(entry_rows, run_entry);
	table_add("of more services than there is room for the first are known",
	    read_too_many, NULL);
	return table_run("services");
}
