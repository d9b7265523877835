// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A policy file on the disk: read into memory that children share, or refused
// with its name; and which rules are said to end. What the system refuses is at
// a row's word, and what is mapped is counted.
#include "config.h"

#include "base/rulefile.h"

#include "refusal.h"
#include "scarce.h"
#include "table.h"

#include "parent/expiry.h"
#include "policy/rules_day.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/danemap-rulefile-XXXXXX";

REFUSABLE(ssize_t, read, (int fd, void *data, size_t len), (fd, data, len),
    REFUSED_OCTETS)

// What befalls one file.
static struct {
	bool is_cut;   // to its half, once its size was told
	long n_mapped; // octets
} disk;

int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
void *__real_mmap(
    void *at, size_t len, int prot, int flags, int fd, off_t from);
void *__wrap_mmap(
    void *at, size_t len, int prot, int flags, int fd, off_t from);
int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);

int
__wrap_fstat(int fd, struct stat *status)
{
	if (is_refused("fstat"))
		return -1;
	int r = __real_fstat(fd, status);
	if (disk.is_cut)
		assert_int_equal(truncate(path, status->st_size / 2), 0);
	return r;
}

void *
__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t from)
{
	if (is_refused("mmap"))
		return MAP_FAILED;
	disk.n_mapped += (long)len;
	return __real_mmap(at, len, prot, flags, fd, from);
}

int
__wrap_munmap(void *at, size_t len)
{
	disk.n_mapped -= (long)len;
	return __real_munmap(at, len);
}

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
run_refusal(void **state)
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

// --- what the system refuses ---

// The number that the next descriptor gets: one that was leaked takes it.
static int
next_fd(void)
{
	int fd = dup(STDIN_FILENO);

	close(fd);
	return fd;
}

struct fault_row {
	const char *sentence;
	const char *call; // that is refused; NULL: memory
	int number;
	const char *what;
};

static const struct fault_row fault_rows[] = {
	{ "a file that tells nothing of itself is refused", "fstat", EIO,
	    "Input/output error" },
	{ "a file that cannot be read is refused", "read", EIO,
	    "Input/output error" },
	{ "without memory for its text a file is refused", NULL, ENOMEM,
	    "Cannot allocate memory" },
	{ "without memory for its rules a file is refused", "mmap", ENOMEM,
	    "Cannot allocate memory" },
};

static void
fault(void **state)
{
	const struct fault_row *row = *state;
	char error[RULES_ERROR_MAX] = "", expected[RULES_ERROR_MAX];
	struct rules *rules = NULL;
	int next = next_fd();

	write_file("a.example may\n");
	if (row->call != NULL)
		refuse(row->call, 1, row->number);
	scarce_begin(row->call == NULL);
	assert_int_equal(rulefile_read(path, &rules, error), -row->number);
	assert_int_equal(scarce_end(), row->call == NULL);
	assert_true(refuse_no_more());
	snprintf(expected, sizeof(expected),
	    "policy_file: %s cannot be read: %s", path, row->what);
	assert_string_equal(error, expected);
	assert_null(rules);
	assert_int_equal(next_fd(), next);
}

static void
reading_goes_on_after_a_signal(void **state)
{
	(void)state;
	refuse("read", 1, EINTR);
	struct rules *rules = read_file("a.example may\n");

	assert_true(refuse_no_more());
	assert_int_equal(rules_count(rules), 1);
	rulefile_free(rules);
}

static void
a_file_that_is_cut_meanwhile_ends_there(void **state)
{
	(void)state;
	disk.is_cut = true;
	alarm(60); // for one that waits for the rest
	struct rules *rules = read_file("a.example may\nb.example may\n");

	alarm(0);
	disk.is_cut = false;
	assert_int_equal(rules_count(rules), 1);
	rulefile_free(rules);
}

static void
too_many_rules_are_refused(void **state)
{
	(void)state;
	size_t len = 2 * ((size_t)RULES_MAX + 1);
	char *text = malloc(len + 1), error[RULES_ERROR_MAX] = "";
	struct rules *rules = NULL;

	assert_non_null(text);
	for (size_t i = 0; i < len; i += 2)
		memcpy(text + i, "a\n", 3);
	write_file(text);
	free(text);
	assert_int_equal(rulefile_read(path, &rules, error), -EINVAL);
	assert_null(rules);
	assert_non_null(strstr(error, "has too many rules"));
}

// Of good files and of bad ones.
static void
nothing_stays_mapped(void **state)
{
	(void)state;
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules = NULL;

	// A comment that the rules do not keep.
	static char text[200000];

	memset(text, '#', sizeof(text) - 1);
	memcpy(text + sizeof(text) - 16, "\na.example may\n", 16);
	disk.n_mapped = 0;
	scarce_begin(0);
	rules = read_file(text);
	assert_int_equal(rules_count(rules), 1);
	assert_true(disk.n_mapped >= (long)rules_size(rules));
	assert_true(disk.n_mapped < (long)rules_size(rules) + 65536);
	rulefile_free(rules);
	assert_int_equal(disk.n_mapped, 0);
	write_file("a.example oh\n");
	assert_int_equal(rulefile_read(path, &rules, error), -EINVAL);
	assert_int_equal(disk.n_mapped, 0);
	scarce_end();
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
	TABLE_ADD(refuse_rows, run_refusal);
	table_add("a file that is too large is refused",
	    a_file_that_is_too_large_is_refused, NULL);
	TABLE_ADD(fault_rows, fault);
	table_add("reading goes on after a signal",
	    reading_goes_on_after_a_signal, NULL);
	table_add("a file that is cut meanwhile ends there",
	    a_file_that_is_cut_meanwhile_ends_there, NULL);
	table_add(
	    "too many rules are refused", too_many_rules_are_refused, NULL);
	table_add("of a file nothing stays open, held or mapped",
	    nothing_stays_mapped, NULL);
	TABLE_ADD(expiry_rows, expiry);
	table_add(
	    "many rules that end are counted", many_that_end_are_counted, NULL);
	int failed = table_run("rulefile");
	unlink(path);
	return failed;
}
