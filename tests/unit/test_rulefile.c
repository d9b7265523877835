// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A policy file on the disk: read into memory that children share, or refused
// with its name; and which rules are said to end.
#include "config.h"

#include "base/rulefile.h"

#include "table.h"

#include "parent/expiry.h"
#include "policy/rules_day.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/danemap-rulefile-XXXXXX";

static void
write_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct rules *
read_file(const char *text)
{
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules = NULL;

	write_file(text);
	if (rulefile_read(path, &rules, error) != 0)
		fail_msg("%s", error);
	return rules;
}

static void
a_file_is_read(void **state)
{
	(void)state;
	struct rules *rules =
	    read_file("b\xc3\xbc"
		      "cher.example may\n[a.example]:submission none # why\n");
	struct rules_rule rule;

	assert_int_equal(rules_count(rules), 2);
	assert_true(rules_at(rules, 0, &rule));
	assert_string_equal(rule.key, "xn--bcher-kva.example");
	assert_true(rules_at(rules, 1, &rule));
	assert_string_equal(rule.key, "[a.example]:587");
	assert_string_equal(rule.why, "why");
	rulefile_free(rules);
}

static void
an_empty_file_is_no_fault(void **state)
{
	(void)state;
	struct rules *rules = read_file("");

	assert_int_equal(rules_count(rules), 0);
	rulefile_free(rules);
	rulefile_free(NULL);
}

// How the kernel maps that address: "r--s" is read-only and shared.
static void
permissions(const void *address, char ret[5])
{
	char line[512];
	unsigned long begin, end;
	FILE *maps = fopen("/proc/self/maps", "r");

	assert_non_null(maps);
	ret[0] = '\0';
	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%lx-%lx %4s", &begin, &end, ret) == 3 &&
		    (uintptr_t)address >= begin && (uintptr_t)address < end)
			break;
	fclose(maps);
}

static void
rules_are_shared_and_sealed(void **state)
{
	(void)state;
	struct rules *rules = read_file("a.example may\n");
	char found[5];

	permissions(rules, found);
	assert_string_equal(found, "r--s");
	rulefile_free(rules);
}

static void
a_fault_names_its_place(void **state)
{
	(void)state;
	char error[RULES_ERROR_MAX] = "", expected[128];
	struct rules *rules = NULL;

	write_file("a.example may\nb.example oh\n");
	assert_int_equal(rulefile_read(path, &rules, error), -EINVAL);
	assert_null(rules);
	int len = snprintf(expected, sizeof(expected),
	    "%s:2:11: unknown level \"oh\": ", path);
	if (strncmp(error, expected, (size_t)len) != 0)
		assert_string_equal(error, expected);
}

struct refuse_row {
	const char *sentence;
	const char *path;
	int error;
	const char *text;
};

static const struct refuse_row refuse_rows[] = {
	{ "a file that is not there is named", "/nonexistent/rules", -ENOENT,
	    "policy_file: /nonexistent/rules cannot be read: No such file or "
	    "directory" },
	{ "a folder is no policy file", "/tmp", -EINVAL,
	    "policy_file: /tmp is no regular file" },
	{ "a device is no policy file", "/dev/zero", -EINVAL,
	    "policy_file: /dev/zero is no regular file" },
};

static void
refuse(void **state)
{
	const struct refuse_row *row = *state;
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules = NULL;

	assert_int_equal(rulefile_read(row->path, &rules, error), row->error);
	assert_string_equal(error, row->text);
	assert_null(rules);
}

// The file is as long as its holes say; nothing is read.
static void
a_file_that_is_too_large_is_refused(void **state)
{
	(void)state;
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules = NULL;

	write_file("");
	assert_int_equal(truncate(path, (off_t)RULES_TEXT_MAX + 1), 0);
	assert_int_equal(rulefile_read(path, &rules, error), -EINVAL);
	assert_non_null(strstr(error, "is larger than 256 MB"));
}

// --- rules that end ---

static char said[8192];

static void
say(const char *text)
{
	size_t len = strlen(said);

	snprintf(said + len, sizeof(said) - len, "%s\n", text);
}

static void
expect_said(const char *text, const char *today, const char *expected)
{
	struct rules *rules = read_file(text);
	int32_t day;

	assert_int_equal(rules_day_parse(today, strlen(today), &day), 0);
	said[0] = '\0';
	expiry_report(rules, "rules", day, say);
	rulefile_free(rules);
	assert_string_equal(said, expected);
}

struct expiry_row {
	const char *sentence;
	const char *text;
	const char *said; // on 2026-11-22
};

static const struct expiry_row expiry_rows[] = {
	{ "a rule without an end is not named", "a may\n", "" },
	{ "a rule that ends in 15 days is not named", "a may until=2026-12-07",
	    "" },
	{ "a rule that ends in 14 days is named", "a may until=2026-12-06",
	    "rules:1: the rule for a ends: its last day is 2026-12-06\n" },
	{ "a rule that ends today is named", "a may until=2026-11-22",
	    "rules:1: the rule for a ends: its last day is 2026-11-22\n" },
	{ "a rule that ended yesterday has expired", "a may until=2026-11-21",
	    "rules:1: the rule for a has expired: its last day was "
	    "2026-11-21\n" },
	{ "its reason is named with it",
	    "\n.A dns until=2026-11-21 # ticket 4711\n",
	    "rules:2: the rule for .a has expired: its last day was "
	    "2026-11-21 (ticket 4711)\n" },
};

static void
expiry(void **state)
{
	const struct expiry_row *row = *state;

	expect_said(row->text, "2026-11-22", row->said);
}

static void
many_that_end_are_counted(void **state)
{
	(void)state;
	char text[4096] = "", *line = said;
	size_t len = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < EXPIRY_LINES_MAX + 7; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "d%u.example may until=1999-12-31\n", i);
	struct rules *rules = read_file(text);
	said[0] = '\0';
	expiry_report(rules, "rules", RULES_DAY_LAST, say);
	rulefile_free(rules);
	for (; (line = strchr(line, '\n')) != NULL; line++)
		n++;
	assert_int_equal(n, EXPIRY_LINES_MAX + 1);
	assert_non_null(strstr(
	    said, "rules: 7 more rules have expired or end within 14 days\n"));
}

int
main(void)
{
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	table_add(
	    "a file is read, with U-labels and services", a_file_is_read, NULL);
	table_add("an empty file is no fault", an_empty_file_is_no_fault, NULL);
	table_add("rules are shared, and nobody can write to them",
	    rules_are_shared_and_sealed, NULL);
	table_add("a fault names its place", a_fault_names_its_place, NULL);
	TABLE_ADD(refuse_rows, refuse);
	table_add("a file that is too large is refused",
	    a_file_that_is_too_large_is_refused, NULL);
	TABLE_ADD(expiry_rows, expiry);
	table_add(
	    "many rules that end are counted", many_that_end_are_counted, NULL);
	int failed = table_run("rulefile");
	unlink(path);
	return failed;
}
