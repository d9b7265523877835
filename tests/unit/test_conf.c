// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The configuration: what is read from a file and from -o, what is printed,
// and the exact words of every refusal. "F" stands for the file's path in what
// is expected. Memory and reading are refused where a test says so.
#include "config.h"

#include "refusal.h"
#include "scarce.h"
#include "table.h"

#include "base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define OVERRIDES_MAX  4
#define FILE_TOO_LARGE ((1u << 20) + 1)

static char path[64];

REFUSABLE(ssize_t, read, (int fd, void *data, size_t len), (fd, data, len),
    REFUSED_OCTETS)

static void
write_file(const char *text, size_t len)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/test_conf.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static size_t
count(const char *const overrides[OVERRIDES_MAX])
{
	size_t n = 0;

	while (n < OVERRIDES_MAX && overrides[n])
		n++;
	return n;
}

static int
read_text(const char *text, const char *const overrides[OVERRIDES_MAX],
    struct conf **ret, char error[CONF_ERROR_MAX])
{
	int result;

	write_file(text, strlen(text));
	result = conf_read(path, overrides, count(overrides), ret, error);
	unlink(path);
	return result;
}

static void
assert_printed(const struct conf *conf, bool all, const char *expected)
{
	char *printed;
	size_t len;
	FILE *out = open_memstream(&printed, &len);

	assert_non_null(out);
	conf_print(conf, all, out);
	fclose(out);
	assert_string_equal(printed, expected);
	free(printed);
}

// --- What is read is printed ---

#define FOUR "::1 ::2 ::3 ::4 "

static const struct {
	const char *sentence;
	const char *text;
	const char *overrides[OVERRIDES_MAX];
	const char *printed; // of what differs from the defaults
} readings[] = {
	{ "an empty file changes nothing", "", { 0 }, "" },
	{ "a value is printed as it was written", "user = mail\n", { 0 },
	    "user = mail\n" },
	{ "a missing newline at the end is fine", "user = mail", { 0 },
	    "user = mail\n" },
	{ "white space around name and value is nothing", "user\t =  mail \t\n",
	    { 0 }, "user = mail\n" },
	{ "white space around the equals sign may be left out", "user=mail\n",
	    { 0 }, "user = mail\n" },
	{ "only the first equals sign divides", "user = a=b\n", { 0 },
	    "user = a=b\n" },
	{ "lines may end in CR LF", "user = mail\r\nworkers = 2\r\n", { 0 },
	    "user = mail\nworkers = 2\n" },
	{ "form feeds and vertical tabs are white space",
	    "listen = unix:/a\v\f\n\f\vunix:/b\n", { 0 },
	    "listen = unix:/a unix:/b\n" },
	{ "a CR and no more is a blank line", "user = mail\r\n\r\n", { 0 },
	    "user = mail\n" },
	{ "comments and blank lines are skipped",
	    "# one\n\n  \t\n  # two\nuser = mail\n#user = no\n", { 0 },
	    "user = mail\n" },
	{ "a number sign within a line is part of the value",
	    "user = mail # not a comment\n", { 0 },
	    "user = mail # not a comment\n" },
	{ "a line that starts with white space continues the one before",
	    "listen = unix:/a\n   inet:127.0.0.1:1\n\tunix:/b\n", { 0 },
	    "listen = unix:/a inet:127.0.0.1:1 unix:/b\n" },
	{ "comments and blank lines do not end a continued line",
	    "listen = unix:/a\n\n# why\n  # why too\n  unix:/b\n", { 0 },
	    "listen = unix:/a unix:/b\n" },
	{ "a value may start on a continuation line",
	    "forward =\n 192.0.2.1\n 2001:db8::1\n", { 0 },
	    "forward = 192.0.2.1 2001:db8::1\n" },
	{ "runs of white space in a list become one blank",
	    "forward = 192.0.2.1 \t  192.0.2.2\n", { 0 },
	    "forward = 192.0.2.1 192.0.2.2\n" },
	{ "the last of two lines for a name wins", "user = a\nuser = b\n",
	    { 0 }, "user = b\n" },
	{ "a text may be set back to nothing",
	    "resolver_config = /a\nresolver_config =\n", { 0 }, "" },
	{ "a value equal to the default is not printed",
	    "cache_size = 65536K\ncache_max_ttl = 24h\n", { 0 }, "" },
	{ "parameters are printed in alphabetical order",
	    "workers = 1\nuser = u\nlisten = unix:/a\n", { 0 },
	    "listen = unix:/a\nuser = u\nworkers = 1\n" },

	{ "a plain number is seconds", "query_timeout = 15\n", { 0 },
	    "query_timeout = 15s\n" },
	{ "s is seconds", "query_timeout = 15s\n", { 0 },
	    "query_timeout = 15s\n" },
	{ "m is minutes", "query_timeout = 1m\n", { 0 },
	    "query_timeout = 1m\n" },
	{ "h is hours", "cache_max_ttl = 3h\n", { 0 }, "cache_max_ttl = 3h\n" },
	{ "d is days", "cache_max_ttl = 2d\n", { 0 }, "cache_max_ttl = 2d\n" },
	{ "w is weeks", "cache_max_ttl = 2w\n", { 0 }, "cache_max_ttl = 2w\n" },
	{ "units of time are taken in upper case", "cache_max_ttl = 2W\n",
	    { 0 }, "cache_max_ttl = 2w\n" },
	{ "times are printed in the largest unit that fits",
	    "cache_max_ttl = 604800\ncache_stale_ttl = 5400\n", { 0 },
	    "cache_max_ttl = 1w\ncache_stale_ttl = 90m\n" },
	{ "nought is printed without a unit", "cache_stale_ttl = 0w\n", { 0 },
	    "cache_stale_ttl = 0\n" },
	{ "the longest time is taken", "cache_max_ttl = 4w\n", { 0 },
	    "cache_max_ttl = 4w\n" },
	{ "a plain size is octets", "cache_size = 4194305\n", { 0 },
	    "cache_size = 4194305\n" },
	{ "K is 1024 octets", "cache_size = 5000k\n", { 0 },
	    "cache_size = 5000K\n" },
	{ "M is 1024 K", "cache_size = 8192K\n", { 0 }, "cache_size = 8M\n" },
	{ "G is 1024 M", "cache_size = 2048M\n", { 0 }, "cache_size = 2G\n" },
	{ "the smallest and the largest size are taken",
	    "cache_size = 4M\ncache_size = 64G\n", { 0 },
	    "cache_size = 64G\n" },
	{ "workers take a number as well as auto",
	    "workers = 48\nresolvers = 16\n", { 0 },
	    "resolvers = 16\nworkers = 48\n" },
	{ "auto is what 0 workers are called", "workers = 3\nworkers = 0\n",
	    { 0 }, "" },
	{ "auto is taken in any case", "workers = 3\nworkers = AUTO\n", { 0 },
	    "" },
	{ "choices are taken in any case and printed in lower case",
	    "allow_remote = YES\nno_dane_reply = NotFound\n", { 0 },
	    "allow_remote = yes\nno_dane_reply = notfound\n" },
	{ "32 forwarders are taken",
	    "forward = " FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR "\n", { 0 },
	    "forward = " FOUR FOUR FOUR FOUR FOUR FOUR FOUR
	    "::1 ::2 ::3 ::4\n" },
	{ "forwarders may have ports and scopes",
	    "forward = 192.0.2.1@53 2001:db8::1@5353 fe80::1%eth0@53\n", { 0 },
	    "forward = 192.0.2.1@53 2001:db8::1@5353 fe80::1%eth0@53\n" },

	{ "an override beats the file", "user = file\n", { "user=override" },
	    "user = override\n" },
	{ "an override may hold blanks around the equals sign", "",
	    { " user = override " }, "user = override\n" },
	{ "of two overrides the last wins", "",
	    { "user=a", "workers=3", "user=b" }, "user = b\nworkers = 3\n" },
	{ "an override sets a text back to nothing", "forward = 192.0.2.1\n",
	    { "forward=" }, "" },
	{ "an override may mend what the file leaves askew",
	    "cache_min_ttl = 1h\ncache_max_ttl = 1m\n", { "cache_max_ttl=2h" },
	    "cache_max_ttl = 2h\ncache_min_ttl = 1h\n" },
};

static void
run_reading(void **state)
{
	const struct {
		const char *sentence, *text;
		const char *overrides[OVERRIDES_MAX];
		const char *printed;
	} *row = *state;

	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	if (read_text(row->text, row->overrides, &conf, error) != 0)
		fail_msg("refused: %s", error);
	assert_printed(conf, false, row->printed);
	conf_free(conf);
}

// --- Refusals, word for word ---

#define RANGE_SIZE "from 4M to 64G will do"

static const struct {
	const char *sentence;
	const char *text;
	const char *overrides[OVERRIDES_MAX];
	const char *error;
} faults[] = {
	{ "a slip in a name brings the nearest one",
	    "\n# x\ncache_sise = 64M\n", { 0 },
	    "F:3: unknown parameter \"cache_sise\" "
	    "(did you mean \"cache_size\"?)" },
	{ "two letters that changed places are a slip", "lsiten = unix:/a\n",
	    { 0 },
	    "F:1: unknown parameter \"lsiten\" (did you mean \"listen\"?)" },
	{ "a blank for an underscore is a slip", "log level = info\n", { 0 },
	    "F:1: unknown parameter \"log level\" "
	    "(did you mean \"log_level\"?)" },
	{ "names are told apart by case", "Workers = 2\n", { 0 },
	    "F:1: unknown parameter \"Workers\" "
	    "(did you mean \"workers\"?)" },
	{ "a name like none of ours brings no guess", "myhostname = a\n", { 0 },
	    "F:1: unknown parameter \"myhostname\"; "
	    "danemapd -nn lists those there are" },
	{ "an endless name is cut",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1\n",
	    { 0 },
	    "F:1: unknown parameter \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\"; "
	    "danemapd -nn lists those there are" },
	{ "a name with octets of all kinds is escaped",
	    "\xef\xbb\xbfuser = a\n", { 0 },
	    "F:1: unknown parameter \"\\xef\\xbb\\xbfuser\"; "
	    "danemapd -nn lists those there are" },
	{ "a line without an equals sign is refused", "user = a\nworkers 2\n",
	    { 0 }, "F:2: \"workers 2\" is not of the form NAME = VALUE" },
	{ "a line without a name is refused", " \n= 2\n", { 0 },
	    "F:2: no name before \"=\"" },
	{ "a continuation of nothing is refused", "# c\n  user = a\n", { 0 },
	    "F:2: a line that starts with white space continues the one "
	    "before, and there is none" },
	{ "an error in a continued line is placed at its first line",
	    "user = a\nworkers =\n\n  many\n", { 0 },
	    "F:2: workers: \"many\" is not a number; "
	    "auto, or from 1 to 48 will do" },
	{ "the line after a continued one keeps its number",
	    "listen = unix:/a\n  unix:/b\n# c\nnonsense = 1\n", { 0 },
	    "F:4: unknown parameter \"nonsense\"; "
	    "danemapd -nn lists those there are" },

	{ "a dollar sign is refused, as nothing is expanded",
	    "cache_file = $queue/cache\n", { 0 },
	    "F:1: cache_file: \"$\" has no meaning in a value: nothing is "
	    "expanded; write it out" },
	{ "a control character is refused", "user = a\033b\n", { 0 },
	    "F:1: user: \"a\\x1bb\" is marred by a control character; "
	    "danemap will do" },
	{ "a bare CR within a line is refused", "user = a\rworkers = 1\n",
	    { 0 },
	    "F:1: user: \"a\\rworkers = 1\" is marred by a control character; "
	    "danemap will do" },
	{ "a parameter that must not be empty says so", "listen =\n", { 0 },
	    "F:1: listen: \"\" is empty; unix:/var/spool/postfix/danemap/"
	    "policy.sock:0660:postfix will do" },
	{ "an empty number is refused", "cache_size =\n", { 0 },
	    "F:1: cache_size: \"\" is not a size; " RANGE_SIZE },

	{ "a size with an unknown unit is refused", "cache_size = 64X\n", { 0 },
	    "F:1: cache_size: \"64X\" is not a size; " RANGE_SIZE },
	{ "a size with two units is refused", "cache_size = 64MB\n", { 0 },
	    "F:1: cache_size: \"64MB\" is not a size; " RANGE_SIZE },
	{ "a unit apart from its number is refused", "cache_size = 64 M\n",
	    { 0 }, "F:1: cache_size: \"64 M\" is not a size; " RANGE_SIZE },
	{ "a fraction is refused", "cache_size = 1.5G\n", { 0 },
	    "F:1: cache_size: \"1.5G\" is not a size; " RANGE_SIZE },
	{ "a unit of time is none of size",
	    "cache_size = 64m\n"
	    "cache_size = 64h\n",
	    { 0 }, "F:2: cache_size: \"64h\" is not a size; " RANGE_SIZE },
	{ "a size below its limit is refused", "cache_size = 4095K\n", { 0 },
	    "F:1: cache_size: \"4095K\" is too small; " RANGE_SIZE },
	{ "a size above its limit is refused", "cache_size = 65G\n", { 0 },
	    "F:1: cache_size: \"65G\" is too large; " RANGE_SIZE },
	{ "a size that overflows is too large",
	    "cache_size = 18446744073709551615K\n", { 0 },
	    "F:1: cache_size: \"18446744073709551615K\" is too "
	    "large; " RANGE_SIZE },
	{ "a number of 2 to the 64th and a little is too large",
	    "cache_size = 18446744073776660480\n", { 0 },
	    "F:1: cache_size: \"18446744073776660480\" is too "
	    "large; " RANGE_SIZE },
	{ "a number of 2 to the 64th is too large",
	    "cache_size = 18446744073709551616\n", { 0 },
	    "F:1: cache_size: \"18446744073709551616\" is too "
	    "large; " RANGE_SIZE },
	{ "a time that overflows 32 bits is too large",
	    "cache_max_ttl = 4294967297\n", { 0 },
	    "F:1: cache_max_ttl: \"4294967297\" is too large; "
	    "from 1s to 4w will do" },
	{ "a time with an unknown unit is refused", "query_timeout = 1y\n",
	    { 0 },
	    "F:1: query_timeout: \"1y\" is not a time; "
	    "from 1s to 90s will do" },
	{ "a time of several units is refused", "cache_max_ttl = 1h30m\n",
	    { 0 },
	    "F:1: cache_max_ttl: \"1h30m\" is not a time; "
	    "from 1s to 4w will do" },
	{ "nought is too short where time is needed", "query_timeout = 0\n",
	    { 0 },
	    "F:1: query_timeout: \"0\" is too small; from 1s to 90s will do" },
	{ "a timeout past Postfix's patience is refused",
	    "query_timeout = 91\n", { 0 },
	    "F:1: query_timeout: \"91\" is too large; "
	    "from 1s to 90s will do" },
	{ "a sign is refused", "resolvers = -1\n", { 0 },
	    "F:1: resolvers: \"-1\" is not a number; from 1 to 16 will do" },
	{ "another base is refused", "resolvers = 0x1\n", { 0 },
	    "F:1: resolvers: \"0x1\" is not a number; from 1 to 16 will do" },
	{ "no resolver at all is too few", "resolvers = 0\n", { 0 },
	    "F:1: resolvers: \"0\" is too small; from 1 to 16 will do" },
	{ "auto is for workers only", "resolvers = auto\n", { 0 },
	    "F:1: resolvers: \"auto\" is not a number; "
	    "from 1 to 16 will do" },
	{ "a choice that there is not brings those there are",
	    "no_dane_reply = dane\n", { 0 },
	    "F:1: no_dane_reply: \"dane\" is not known here; "
	    "may, encrypt, none or notfound will do" },
	{ "a flag is yes or no", "allow_remote = 1\n", { 0 },
	    "F:1: allow_remote: \"1\" is not known here; yes or no will do" },
	{ "part of a choice is not enough", "log_level = inf\n", { 0 },
	    "F:1: log_level: \"inf\" is not known here; "
	    "error, warning, notice, info or debug will do" },

#define ADDRESS_HINT \
	"; ADDRESS or ADDRESS@PORT, such as 192.0.2.53@5353, will do"
	{ "a forwarder's port follows an at sign",
	    "forward = 192.0.2.1 192.0.2.2:53\n", { 0 },
	    "F:1: forward: \"192.0.2.2:53\" is not an address" ADDRESS_HINT },
	{ "a forwarder is not a name", "forward = dns.example\n", { 0 },
	    "F:1: forward: \"dns.example\" is not an address" ADDRESS_HINT },
	{ "a forwarder's port is not 0", "forward = 192.0.2.1@0\n", { 0 },
	    "F:1: forward: \"192.0.2.1@0\" is not an address" ADDRESS_HINT },
	{ "a forwarder's port is at most 65535", "forward = 192.0.2.1@65536\n",
	    { 0 },
	    "F:1: forward: \"192.0.2.1@65536\" is not an "
	    "address" ADDRESS_HINT },
	{ "a forwarder's name for TLS is refused",
	    "forward = 192.0.2.1@853#dns.example\n", { 0 },
	    "F:1: forward: \"192.0.2.1@853#dns.example\" is not an "
	    "address" ADDRESS_HINT },
	{ "a forwarder is not longer than any address",
	    "forward = fe80:1111:2222:3333:4444:5555:6666:7777"
	    "%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@53\n",
	    { 0 },
	    "F:1: forward: \"fe80:1111:2222:3333:4444:5555:6666:7777"
	    "%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@53\" is not an "
	    "address" ADDRESS_HINT },
	{ "more than 32 forwarders are refused",
	    "forward = " FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR "::1\n", { 0 },
	    "F:1: forward: more than 32 addresses; up to 32 will do" },
	{ "a scope that is empty is refused", "forward = fe80::1%\n", { 0 },
	    "F:1: forward: \"fe80::1%\" is not an address" ADDRESS_HINT },

	{ "an unknown name in an override brings the nearest one", "",
	    { "worker=2" },
	    "-o worker=2: unknown parameter \"worker\" "
	    "(did you mean \"workers\"?)" },
	{ "a bad value in an override is named", "", { "workers=many" },
	    "-o workers=many: workers: \"many\" is not a number; "
	    "auto, or from 1 to 48 will do" },
	{ "an override without an equals sign is refused", "", { "workers" },
	    "-o workers: \"workers\" is not of the form NAME = VALUE" },
	{ "an empty override is refused", "", { "" },
	    "-o : \"\" is not of the form NAME = VALUE" },
	{ "an override of two lines is refused", "", { "user=a\nworkers=1" },
	    "-o user=a\\nworkers=1: user: \"a\\nworkers=1\" is marred by a "
	    "control character; danemap will do" },
	{ "the file is read before an override, and is refused first",
	    "nonsense = 1\n", { "worker=2" },
	    "F:1: unknown parameter \"nonsense\"; "
	    "danemapd -nn lists those there are" },

	{ "a least TTL above the greatest is refused where it was written",
	    "cache_max_ttl = 1h\ncache_min_ttl = 2h\n", { 0 },
	    "F:2: cache_min_ttl (2h) is longer than cache_max_ttl (1h)" },
	{ "a greatest TTL below the least is refused where it was written",
	    "cache_min_ttl = 2h\n\ncache_max_ttl = 1h\n", { 0 },
	    "F:3: cache_min_ttl (2h) is longer than cache_max_ttl (1h)" },
	{ "a greatest TTL below the default of the least is refused",
	    "cache_max_ttl = 9s\n", { 0 },
	    "F:1: cache_min_ttl (10s) is longer than cache_max_ttl (9s)" },
	{ "an override that does not fit the file is refused",
	    "cache_max_ttl = 1h\n", { "cache_min_ttl=2h" },
	    "-o cache_min_ttl=2h: cache_min_ttl (2h) is longer than "
	    "cache_max_ttl (1h)" },
	{ "of a file and an override that do not fit the override is named",
	    "cache_min_ttl = 2h\n", { "cache_max_ttl=1h" },
	    "-o cache_max_ttl=1h: cache_min_ttl (2h) is longer than "
	    "cache_max_ttl (1h)" },
	{ "of two overrides that do not fit the last is named", "",
	    { "cache_max_ttl=1h", "cache_min_ttl=2h" },
	    "-o cache_min_ttl=2h: cache_min_ttl (2h) is longer than "
	    "cache_max_ttl (1h)" },
	{ "so it is the other way round", "",
	    { "cache_min_ttl=2h", "cache_max_ttl=1h" },
	    "-o cache_max_ttl=1h: cache_min_ttl (2h) is longer than "
	    "cache_max_ttl (1h)" },
	{ "an error TTL above the greatest is refused",
	    "cache_max_ttl = 1m\ncache_error_ttl = 1h\n", { 0 },
	    "F:2: cache_error_ttl (1h) is longer than cache_max_ttl (1m)" },
};

// error with "F" for the path at its start.
static void
assert_refused(const char *error, const char *expected)
{
	char full[CONF_ERROR_MAX];
	bool has_path = expected[0] == 'F' && expected[1] == ':';

	snprintf(full, sizeof(full), "%s%s", has_path ? path : "",
	    has_path ? expected + 1 : expected);
	assert_string_equal(error, full);
}

static void
run_refusal(void **state)
{
	const struct {
		const char *sentence, *text;
		const char *overrides[OVERRIDES_MAX];
		const char *error;
	} *row = *state;

	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = (struct conf *)&path;

	assert_int_equal(
	    read_text(row->text, row->overrides, &conf, error), -EINVAL);
	assert_ptr_equal(conf, &path); // untouched
	assert_refused(error, row->error);
}

// --- Files ---

static void
read_nul(void **state)
{
	static const char text[] = "user = a\nworkers = 1\0 2\n";
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	write_file(text, sizeof(text) - 1);
	assert_int_equal(conf_read(path, NULL, 0, &conf, error), -EINVAL);
	unlink(path);
	assert_refused(error, "F:2: holds a NUL octet: not a text file");
}

static void
read_large(void **state)
{
	char error[CONF_ERROR_MAX] = "", *text = malloc(FILE_TOO_LARGE);
	struct conf *conf = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', FILE_TOO_LARGE);
	write_file(text, FILE_TOO_LARGE);
	assert_int_equal(conf_read(path, NULL, 0, &conf, error), -EINVAL);
	assert_refused(error,
	    "F: is larger than 1048576 octets: not a configuration file");

	assert_int_equal(truncate(path, FILE_TOO_LARGE - 1), 0);
	assert_int_equal(conf_read(path, NULL, 0, &conf, error), 0);
	conf_free(conf);
	unlink(path);
	free(text);
}

static void
read_missing(void **state)
{
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	assert_int_equal(
	    conf_read("/nonexistent/d.conf", NULL, 0, &conf, error), -ENOENT);
	assert_string_equal(error, "/nonexistent/d.conf: cannot be opened: "
				   "No such file or directory");
}

static void
read_directory(void **state)
{
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	assert_int_equal(conf_read("/tmp", NULL, 0, &conf, error), -EISDIR);
	assert_string_equal(error, "/tmp: cannot be read: Is a directory");
}

static void
read_fault(void **state)
{
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	write_file("user = a\n", 9);
	refuse("read", 1, EIO);
	assert_int_equal(conf_read(path, NULL, 0, &conf, error), -EIO);
	assert_true(refuse_no_more());
	unlink(path);
	assert_null(conf);
	assert_refused(error, "F: cannot be read: Input/output error");
}

static void
read_interrupted(void **state)
{
	static const char *const none[OVERRIDES_MAX];
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	refuse("read", 1, EINTR);
	assert_int_equal(read_text("user = a\n", none, &conf, error), 0);
	assert_true(refuse_no_more());
	assert_printed(conf, false, "user = a\n");
	conf_free(conf);
}

// Whichever allocation it is, until all are granted.
static void
read_without_memory(void **state)
{
	static const char *const overrides[] = { "forward=192.0.2.1  ::1" };
	unsigned n = 0;
	bool was_refused;

	(void)state;
	write_file("user = a\n", 9);
	do {
		char error[CONF_ERROR_MAX] = "";
		struct conf *conf = NULL;

		scarce_begin(++n);
		int r = conf_read(path, overrides, 1, &conf, error);
		if (r == 0)
			conf_free(conf);
		was_refused = scarce_end();
		assert_int_equal(r, was_refused ? -ENOMEM : 0);
		if (was_refused) {
			assert_null(conf);
			assert_non_null(strstr(error, "memory"));
		}
	} while (was_refused);
	unlink(path);
	assert_true(n > 10); // the texts of the defaults alone
}

static void
free_nothing(void **state)
{
	(void)state;
	scarce_begin(0);
	conf_free(NULL);
	scarce_end();
}

static void
read_default(void **state)
{
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	if (access(CONF_DEFAULT_FILE, F_OK) == 0)
		skip();
	assert_int_equal(conf_read(NULL, NULL, 0, &conf, error), 0);
	assert_printed(conf, false, "");
	conf_free(conf);
}

// --- The table and the structure ---

// By member, so that two rows cannot have changed places.
static void
read_members(void **state)
{
	static const char text[] =
	    "allow_remote = yes\ncache_error_ttl = 1\ncache_file = /c\n"
	    "cache_max_ttl = 102\ncache_min_ttl = 3\ncache_size = 4M\n"
	    "cache_stale_ttl = 4\nempty_tlsa = ignore\n"
	    "fingerprint_digest = sha512\nforward = 192.0.2.1\n"
	    "idle_timeout = 5\ninsecure_mx = may\nlisten = unix:/l\n"
	    "log_level = debug\nlog_target = syslog\nmax_connections = 6\n"
	    "no_dane_reply = encrypt\npolicy_file = /p\n"
	    "query_concurrency = 7\n"
	    "query_timeout = 8\nresolver_config = /r\nresolvers = 9\n"
	    "root_hints_file = /h\ntrust_anchor_file = /t\nuser = u\n"
	    "workers = 10\n";
	static const char *const none[OVERRIDES_MAX];
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	assert_int_equal(read_text(text, none, &conf, error), 0);
	assert_true(conf->allow_remote);
	assert_int_equal(conf->cache_error_ttl_s, 1);
	assert_string_equal(conf->cache_file, "/c");
	assert_int_equal(conf->cache_max_ttl_s, 102);
	assert_int_equal(conf->cache_min_ttl_s, 3);
	assert_int_equal(conf->cache_size, 4 << 20);
	assert_int_equal(conf->cache_stale_ttl_s, 4);
	assert_true(conf->dialect.empty_tlsa_ignore);
	assert_true(conf->dialect.fingerprint_sha512);
	assert_string_equal(conf->forward, "192.0.2.1");
	assert_int_equal(conf->idle_timeout_s, 5);
	assert_true(conf->dialect.insecure_may);
	assert_string_equal(conf->listen, "unix:/l");
	assert_int_equal(conf->log_level, LOG_DEBUG);
	assert_int_equal(conf->log_target, CONF_LOG_SYSLOG);
	assert_int_equal(conf->max_connections, 6);
	assert_int_equal(conf->dialect.no_dane_reply, DIALECT_NONE_ENCRYPT);
	assert_string_equal(conf->policy_file, "/p");
	assert_int_equal(conf->query_concurrency, 7);
	assert_int_equal(conf->query_timeout_s, 8);
	assert_string_equal(conf->resolver_config, "/r");
	assert_int_equal(conf->resolvers, 9);
	assert_string_equal(conf->root_hints_file, "/h");
	assert_string_equal(conf->trust_anchor_file, "/t");
	assert_string_equal(conf->user, "u");
	assert_int_equal(conf->workers, 10);
	conf_free(conf);
}

// The safe choices are those of a structure that is all zero.
static void
read_safe_defaults(void **state)
{
	static const char *const none[OVERRIDES_MAX];
	static const struct dialect_settings zero;
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	assert_int_equal(read_text("", none, &conf, error), 0);
	assert_false(conf->allow_remote);
	assert_int_equal(conf->dialect.no_dane_reply, zero.no_dane_reply);
	assert_false(conf->dialect.insecure_may);
	assert_false(conf->dialect.empty_tlsa_ignore);
	assert_false(conf->dialect.fingerprint_sha512);
	assert_string_equal(conf->trust_anchor_file, "");
	conf_free(conf);
}

static void
print_defaults(void **state)
{
	static const char *const none[OVERRIDES_MAX];
	char error[CONF_ERROR_MAX] = "", all[4096];
	const char *name, *fallback, *before = "";
	struct conf *conf = NULL;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; conf_parameter(i, &name, &fallback); i++) {
		assert_true(strcmp(before, name) < 0); // alphabetical
		before = name;
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s =%s%s\n",
		    name, *fallback ? " " : "", fallback);
		assert_true(n < sizeof(all));
	}
	assert_int_equal(read_text("", none, &conf, error), 0);
	assert_printed(conf, true, all);
	conf_free(conf);
}

// What is printed can be read again.
static void
print_and_read(void **state)
{
	static const char text[] = "cache_size = 5000K\nforward = ::1@53\n"
				   "log_target = stderr\nworkers = 7\n";
	static const char *const none[OVERRIDES_MAX];
	char error[CONF_ERROR_MAX] = "", *printed;
	struct conf *conf = NULL;
	size_t len;
	FILE *out = open_memstream(&printed, &len);

	(void)state;
	assert_int_equal(read_text(text, none, &conf, error), 0);
	conf_print(conf, true, out);
	fclose(out);
	conf_free(conf);
	assert_int_equal(read_text(printed, none, &conf, error), 0);
	assert_printed(conf, false, text);
	conf_free(conf);
	free(printed);
}

// --- Errors of those who use a value ---

static const struct place_row {
	const char *sentence;
	const char *text;
	const char *overrides[OVERRIDES_MAX];
	const char *error, *located; // a %s is the file
} places[] = {
	{ "the line of a value is named", "# one\nuser = a\n", { 0 },
	    "user: none such", "%s:2: user: none such" },
	{ "of two lines the last is named", "user = a\nuser = b\n", { 0 },
	    "user: none such", "%s:2: user: none such" },
	{ "an override is named as it was written", "user = a\n", { "user=b" },
	    "user: none such", "-o user=b: user: none such" },
	{ "a default has no place", "", { 0 }, "user: none such",
	    "user: none such" },
	{ "another parameter's place is not named", "user = a\n", { 0 },
	    "listen: no", "listen: no" },
	{ "an error of no parameter stays as it is", "user = a\n", { 0 },
	    "users: no", "users: no" },
	{ "a name without a colon is no parameter's error", "user = a\n", { 0 },
	    "user a is no", "user a is no" },
};

static void
locate(void **state)
{
	const struct place_row *row = *state;
	char error[CONF_ERROR_MAX] = "", got[CONF_ERROR_MAX], want[256];
	const char *located = row->located;
	struct conf *conf = NULL;

	assert_int_equal(read_text(row->text, row->overrides, &conf, error), 0);
	conf_locate(conf, row->error, got, sizeof(got));
	bool has_path = strncmp(located, "%s", 2) == 0;
	snprintf(want, sizeof(want), "%s%s", has_path ? path : "",
	    located + (has_path ? 2 : 0));
	assert_string_equal(got, want);
	conf_locate(conf, row->error, got, 8);
	assert_int_equal(strlen(got), strlen(want) < 7 ? strlen(want) : 7);
	conf_free(conf);
}

// --- The example and the manual ---

static char *
read_source(const char *source)
{
	char *text = calloc(1, 1 << 16);
	FILE *file = fopen(source, "r");

	assert_non_null(text);
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	return text;
}

static void
example_is_complete(void **state)
{
	const char *name, *fallback;
	char *text = read_source(EXAMPLE_FILE);

	(void)state;
	for (size_t i = 0; conf_parameter(i, &name, &fallback); i++) {
		char line[256], *at;

		snprintf(line, sizeof(line), "\n#%s =%s%s\n", name,
		    *fallback ? " " : "", fallback);
		at = strstr(text, line);
		if (!at)
			fail_msg("the example lacks: %s", line + 1);
		assert_null(strstr(at + 1, line));
	}
	free(text);
}

// Takes the "#" from every line that has no blank after it.
static void
example_is_readable(void **state)
{
	static const char *const none[OVERRIDES_MAX];
	char error[CONF_ERROR_MAX] = "", *text = read_source(EXAMPLE_FILE);
	struct conf *conf = NULL;

	(void)state;
	for (char *at = strstr(text, "\n#"); at; at = strstr(at + 1, "\n#")) {
		if (at[2] >= 'a' && at[2] <= 'z')
			at[1] = '\n';
	}
	if (read_text(text, none, &conf, error) != 0)
		fail_msg("refused: %s", error);
	assert_printed(conf, false, "");
	conf_free(conf);
	free(text);
}

static void
example_changes_nothing(void **state)
{
	char error[CONF_ERROR_MAX] = "";
	struct conf *conf = NULL;

	(void)state;
	assert_int_equal(conf_read(EXAMPLE_FILE, NULL, 0, &conf, error), 0);
	assert_printed(conf, false, "");
	conf_free(conf);
}

// In mdoc: ".It Cm NAME = VALUES Pq default: DEFAULT", each once.
static void
manual_is_complete(void **state)
{
	const char *name, *fallback;
	char *text = read_source(MANUAL_FILE);

	(void)state;
	for (size_t i = 0; conf_parameter(i, &name, &fallback); i++) {
		char item[64], line[256], *at;

		snprintf(item, sizeof(item), "\n.It Cm %s = ", name);
		at = strstr(text, item);
		if (!at)
			fail_msg("the manual lacks: %s", name);
		assert_null(strstr(at + 1, item));
		snprintf(line, sizeof(line), "%.*s\n",
		    (int)strcspn(at + 1, "\n"), at + 1);
		at = strstr(line, "Pq default: ");
		assert_non_null(at);
		snprintf(item, sizeof(item), " %s\n",
		    *fallback ? fallback : "empty");
		if (!strstr(at, item))
			fail_msg("%s is not the default: %s", item, line);
	}
	free(text);
}

int
main(void)
{
	TABLE_ADD(readings, run_reading);
	TABLE_ADD(faults, run_refusal);
	TABLE_ADD(places, locate);
	table_add("a NUL octet is refused with its line", read_nul, NULL);
	table_add("a file over its limit is refused, one at it is not",
	    read_large, NULL);
	table_add("a named file must be there", read_missing, NULL);
	table_add("a directory is refused", read_directory, NULL);
	table_add("a file that cannot be read is refused", read_fault, NULL);
	table_add("a file is read on where a signal came between",
	    read_interrupted, NULL);
	table_add("without memory there is no configuration, and nothing left",
	    read_without_memory, NULL);
	table_add("no configuration may be freed", free_nothing, NULL);
	table_add("the default file may be missing", read_default, NULL);
	table_add("every parameter fills its own member", read_members, NULL);
	table_add(
	    "the defaults are the safe choices", read_safe_defaults, NULL);
	table_add("the defaults are printed in canonical form, by the alphabet",
	    print_defaults, NULL);
	table_add("what is printed can be read again", print_and_read, NULL);
	table_add("the example shows every parameter once, with its default",
	    example_is_complete, NULL);
	table_add("the example is readable with every parameter uncommented",
	    example_is_readable, NULL);
	table_add("the manual describes every parameter, with its default",
	    manual_is_complete, NULL);
	table_add("the example as it is changes nothing",
	    example_changes_nothing, NULL);
	return table_run("conf");
}
