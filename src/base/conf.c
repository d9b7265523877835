// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The table of all parameters, and the ways a value gets into it: defaults,
// then the file, then overrides. Whether a path exists or an address can be
// bound is for those who use them to say.
#include "config.h"

#include "base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/lines.h"
#include "base/nearest.h"
#include "base/parameter.h"
#include "base/status.h"

#define CONF_FILE_MAX      (1u << 20) // octets
#define CONF_WORKERS_MAX   48
#define CONF_RESOLVERS_MAX 16
// Room for a name or line in an error.
#define QUOTED_MAX         96

#define SECOND 1
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)

// At most two generations of children live at a time.
_Static_assert(
    2 * (CONF_WORKERS_MAX + CONF_RESOLVERS_MAX + 1) <= STATUS_CHILDREN_MAX,
    "every child has a status page");

static const struct parameter_choice yes_no[] = {
	{ "yes", true },
	{ "no", false },
	{ 0 },
};

static const struct parameter_choice none_replies[] = {
	{ "may", DIALECT_NONE_MAY },
	{ "encrypt", DIALECT_NONE_ENCRYPT },
	{ "none", DIALECT_NONE_NONE },
	{ "notfound", DIALECT_NONE_NOTFOUND },
	{ 0 },
};

static const struct parameter_choice insecure_mx[] = {
	{ "dane", false },
	{ "may", true },
	{ 0 },
};

static const struct parameter_choice empty_tlsa[] = {
	{ "protect", false },
	{ "ignore", true },
	{ 0 },
};

static const struct parameter_choice digests[] = {
	{ "sha256", false },
	{ "sha512", true },
	{ 0 },
};

static const struct parameter_choice log_levels[] = {
	{ "error", LOG_ERR },
	{ "warning", LOG_WARNING },
	{ "notice", LOG_NOTICE },
	{ "info", LOG_INFO },
	{ "debug", LOG_DEBUG },
	{ 0 },
};

static const struct parameter_choice log_targets[] = {
	{ "auto", CONF_LOG_AUTO },
	{ "journal", CONF_LOG_JOURNAL },
	{ "syslog", CONF_LOG_SYSLOG },
	{ "stderr", CONF_LOG_STDERR },
	{ 0 },
};

// A choice is stored as an int, whatever enumeration it is.
_Static_assert(sizeof(enum conf_log_target) == sizeof(int) &&
		   sizeof(enum dialect_none) == sizeof(int),
    "enumerations are as large as int");

// The comparison of pointers, never evaluated, makes the compiler warn when a
// member's type does not fit its kind.
#define AT(member, type)                          \
	.offset = offsetof(struct conf, member) + \
		  0 * sizeof((type *)0 == &((struct conf *)0)->member)
#define TEXT(member)      .kind = PARAMETER_TEXT, AT(member, const char *)
#define LIST(member)      .kind = PARAMETER_LIST, AT(member, const char *)
#define ADDRESSES(member) .kind = PARAMETER_ADDRESSES, AT(member, const char *)
#define TIME(member, from, to) \
	.kind = PARAMETER_TIME, AT(member, uint32_t), .min = from, .max = to
#define SIZE(member, from, to) \
	.kind = PARAMETER_SIZE, AT(member, uint64_t), .min = from, .max = to
#define COUNT(member, from, to) \
	.kind = PARAMETER_COUNT, AT(member, unsigned), .min = from, .max = to
#define FLAG(member, names) \
	.kind = PARAMETER_FLAG, AT(member, bool), .choices = names
#define CHOICE(member, type, names) \
	.kind = PARAMETER_CHOICE, AT(member, type), .choices = names

// clang-format off
static const struct parameter parameters[] = {
	{ "allow_remote", "no", FLAG(allow_remote, yes_no) },
	{ "cache_error_ttl", "5s", TIME(cache_error_ttl_s, SECOND, HOUR) },
	{ "cache_file", "/run/danemapd/cache", TEXT(cache_file),
	    .required = true },
	{ "cache_max_ttl", "1d", TIME(cache_max_ttl_s, SECOND, 4 * WEEK) },
	{ "cache_min_ttl", "10s", TIME(cache_min_ttl_s, SECOND, DAY) },
	// CACHE_SIZE_MIN, and more than any sane number of domains takes.
	{ "cache_size", "64M", SIZE(cache_size, 4ull << 20, 64ull << 30) },
	{ "cache_stale_ttl", "1d", TIME(cache_stale_ttl_s, 0, 4 * WEEK) },
	{ "control_socket", "/run/danemapd/control.sock",
	    TEXT(control_socket) },
	{ "empty_tlsa", "protect",
	    FLAG(dialect.empty_tlsa_ignore, empty_tlsa) },
	{ "fingerprint_digest", "sha256",
	    FLAG(dialect.fingerprint_sha512, digests) },
	{ "forward", "", ADDRESSES(forward) },
	{ "idle_timeout", "0", TIME(idle_timeout_s, 0, DAY) },
	{ "insecure_mx", "dane", FLAG(dialect.insecure_may, insecure_mx) },
	{ "listen", "unix:/var/spool/postfix/danemap/policy.sock:0660:postfix",
	    LIST(listen), .required = true },
	{ "log_level", "info", CHOICE(log_level, int, log_levels) },
	{ "log_target", "auto",
	    CHOICE(log_target, enum conf_log_target, log_targets) },
	{ "max_connections", "4096", COUNT(max_connections, 1, 100000) },
	{ "no_dane_reply", "may",
	    CHOICE(dialect.no_dane_reply, enum dialect_none, none_replies) },
	{ "policy_file", "", TEXT(policy_file) },
	{ "query_concurrency", "1000", COUNT(query_concurrency, 1, 10000) },
	// Postfix waits 100 s for a reply.
	{ "query_timeout", "20s", TIME(query_timeout_s, SECOND, 90 * SECOND) },
	{ "resolver_config", "", TEXT(resolver_config) },
	{ "resolvers", "1", COUNT(resolvers, 1, CONF_RESOLVERS_MAX) },
	{ "root_hints_file", "", TEXT(root_hints_file) },
	{ "sandbox", "yes", FLAG(sandbox, yes_no) },
	{ "trust_anchor_file", "", TEXT(trust_anchor_file) },
	{ "user", "danemap", TEXT(user), .required = true },
	{ "workers", "auto", COUNT(workers, 0, CONF_WORKERS_MAX),
	    .zero = "auto" },
};
// clang-format on

#define N_PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

// Where a value was written: in the file's line, or in an override.
struct place {
	unsigned line;        // 0: not in the file
	const char *override; // NULL: not in an override
	unsigned order;       // of all values written, from 1; 0: none was
};

struct reader {
	struct conf *conf;
	const char *path;
	struct place places[N_PARAMETERS]; // {0}: the default stands
	unsigned n_written;
	char *ret_error;
};

// "PLACE: "; returns its length.
static size_t
put_place(
    const struct reader *reader, struct place place, char ret[CONF_ERROR_MAX])
{
	char quoted[QUOTED_MAX];

	if (place.override) {
		escape_text(ESCAPE_CONTROLS, place.override,
		    strlen(place.override), quoted, sizeof(quoted));
		snprintf(ret, CONF_ERROR_MAX, "-o %s: ", quoted);
	} else if (place.line > 0) {
		snprintf(
		    ret, CONF_ERROR_MAX, "%s:%u: ", reader->path, place.line);
	} else {
		snprintf(ret, CONF_ERROR_MAX, "%s: ", reader->path);
	}
	return strlen(ret);
}

// Writes "PLACE: what"; an overlong one loses its end.
__attribute__((format(printf, 3, 4))) static int
refuse(const struct reader *reader, struct place place, const char *format, ...)
{
	size_t n = put_place(reader, place, reader->ret_error);
	va_list args;

	va_start(args, format);
	vsnprintf(reader->ret_error + n, CONF_ERROR_MAX - n, format, args);
	va_end(args);
	return -EINVAL;
}

static size_t
find_parameter(const char *name)
{
	size_t i = 0;

	while (i < N_PARAMETERS && strcmp(parameters[i].name, name) != 0)
		i++;
	return i;
}

static int
refuse_unknown(
    const struct reader *reader, struct place place, const char *name)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;
	char quoted[QUOTED_MAX];

	for (size_t i = 0; i < N_PARAMETERS; i++) {
		size_t distance = nearest_distance(name, parameters[i].name);

		if (distance < least) {
			least = distance;
			nearest = parameters[i].name;
		}
	}
	escape_text(ESCAPE_ALL, name, strlen(name), quoted, sizeof(quoted));
	if (nearest && nearest_is_slip(nearest, least))
		return refuse(reader, place,
		    "unknown parameter \"%s\" (did you mean \"%s\"?)", quoted,
		    nearest);
	return refuse(reader, place,
	    "unknown parameter \"%s\"; danemapd -nn lists those there are",
	    quoted);
}

// Cuts the white space around text, which is changed.
static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && strchr(" \t", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

// text is "NAME = VALUE", and is changed.
static int
assign(struct reader *reader, struct place place, char *text)
{
	char *equals = strchr(text, '='), quoted[QUOTED_MAX];
	char reason[PARAMETER_REASON_MAX];
	const char *name;
	size_t i;
	int error;

	if (!equals) {
		escape_text(
		    ESCAPE_ALL, text, strlen(text), quoted, sizeof(quoted));
		return refuse(reader, place,
		    "\"%s\" is not of the form NAME = VALUE", quoted);
	}
	*equals = '\0';
	name = trim(text);
	if (*name == '\0')
		return refuse(reader, place, "no name before \"=\"");
	i = find_parameter(name);
	if (i == N_PARAMETERS)
		return refuse_unknown(reader, place, name);
	error = parameter_set(
	    &parameters[i], reader->conf, trim(equals + 1), reason);
	if (error) {
		refuse(reader, place, "%s: %s", name, reason);
		return error;
	}
	place.order = ++reader->n_written;
	reader->places[i] = place;
	return 0;
}

static int
set_defaults(struct reader *reader)
{
	char reason[PARAMETER_REASON_MAX];

	for (size_t i = 0; i < N_PARAMETERS; i++) {
		int error = parameter_set(&parameters[i], reader->conf,
		    parameters[i].fallback, reason);

		if (error) {
			refuse(reader, (struct place){ 0 }, "%s: %s",
			    parameters[i].name, reason);
			return error;
		}
	}
	return 0;
}

static int
refuse_file(const struct reader *reader, const char *what, int error)
{
	refuse(reader, (struct place){ 0 }, "cannot be %s: %s", what,
	    strerror(error));
	return -error;
}

// Up to CONF_FILE_MAX octets into text, which has one more for a line's end.
static int
read_octets(const struct reader *reader, int fd, char *text, size_t *ret_len)
{
	size_t len = 0;

	while (len <= CONF_FILE_MAX) {
		ssize_t n = read(fd, text + len, CONF_FILE_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse_file(reader, "read", errno);
		if (n == 0) {
			*ret_len = len;
			return 0;
		}
		len += (size_t)n;
	}
	return refuse(reader, (struct place){ 0 },
	    "is larger than %u octets: not a configuration file",
	    CONF_FILE_MAX);
}

static int
read_lines(struct reader *reader, char *text, size_t len)
{
	struct lines lines;
	struct lines_line line;
	int error = 0;

	lines_begin(&lines, text, len);
	while (!error && lines_next(&lines, &line)) {
		struct place place = { .line = line.number };

		if (line.orphan)
			error = refuse(reader, place,
			    "a line that starts with white space continues "
			    "the one before, and there is none");
		else if (strlen(line.text) != line.len)
			error = refuse(reader, place,
			    "holds a NUL octet: not a text file");
		else
			error = assign(reader, place, line.text);
	}
	return error;
}

static int
read_fd(struct reader *reader, int fd)
{
	char *text = malloc(CONF_FILE_MAX + 1);
	size_t len = 0;
	int error;

	if (!text)
		return refuse_file(reader, "read", ENOMEM);
	error = read_octets(reader, fd, text, &len);
	if (!error)
		error = read_lines(reader, text, len);
	free(text);
	return error;
}

static int
read_file(struct reader *reader, bool may_be_missing)
{
	int fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int error;

	if (fd < 0 && errno == ENOENT && may_be_missing)
		return 0;
	if (fd < 0)
		return refuse_file(reader, "opened", errno);
	error = read_fd(reader, fd);
	close(fd);
	return error;
}

static int
read_override(struct reader *reader, const char *override)
{
	struct place place = { .override = override };
	char *text = strdup(override);
	int error;

	if (!text)
		return refuse_file(reader, "overridden", ENOMEM);
	error = assign(reader, place, text);
	free(text);
	return error;
}

// The place of the value that was written last is the one to name.
static struct place
later(struct place a, struct place b)
{
	return a.order > b.order ? a : b;
}

static int
refuse_order(const struct reader *reader, const char *less, const char *greater)
{
	char less_text[VALUE_TEXT_MAX], greater_text[VALUE_TEXT_MAX];
	size_t i = find_parameter(less), j = find_parameter(greater);
	struct place place = later(reader->places[i], reader->places[j]);

	return refuse(reader, place, "%s (%s) is longer than %s (%s)", less,
	    parameter_text(&parameters[i], reader->conf, less_text), greater,
	    parameter_text(&parameters[j], reader->conf, greater_text));
}

// What no parameter can say of itself.
static int
check_together(const struct reader *reader)
{
	const struct conf *conf = reader->conf;

	if (conf->cache_min_ttl_s > conf->cache_max_ttl_s)
		return refuse_order(reader, "cache_min_ttl", "cache_max_ttl");
	if (conf->cache_error_ttl_s > conf->cache_max_ttl_s)
		return refuse_order(reader, "cache_error_ttl", "cache_max_ttl");
	return 0;
}

// One for each parameter; NULL where the default stands.
static int
keep_places(const struct reader *reader)
{
	char text[CONF_ERROR_MAX];
	struct conf *conf = reader->conf;

	conf->places = calloc(N_PARAMETERS, sizeof(*conf->places));
	if (!conf->places)
		return refuse_file(reader, "read", ENOMEM);
	for (size_t i = 0; i < N_PARAMETERS; i++) {
		if (reader->places[i].order == 0)
			continue;
		put_place(reader, reader->places[i], text);
		conf->places[i] = strdup(text);
		if (!conf->places[i])
			return refuse_file(reader, "read", ENOMEM);
	}
	return 0;
}

int
conf_read(const char *path, const char *const overrides[], size_t n_overrides,
    struct conf **ret, char ret_error[CONF_ERROR_MAX])
{
	struct reader reader = {
		.conf = calloc(1, sizeof(struct conf)),
		.path = path ? path : CONF_DEFAULT_FILE,
		.ret_error = ret_error,
	};
	int error;

	if (!reader.conf)
		return refuse_file(&reader, "read", ENOMEM);
	error = set_defaults(&reader);
	if (!error)
		error = read_file(&reader, path == NULL);
	for (size_t i = 0; !error && i < n_overrides; i++)
		error = read_override(&reader, overrides[i]);
	if (!error)
		error = check_together(&reader);
	if (!error)
		error = keep_places(&reader);
	if (error)
		conf_free(reader.conf);
	else
		*ret = reader.conf;
	return error;
}

void
conf_free(struct conf *conf)
{
	if (!conf)
		return;
	for (size_t i = 0; i < N_PARAMETERS; i++) {
		parameter_free(&parameters[i], conf);
		if (conf->places)
			free(conf->places[i]);
	}
	free(conf->places);
	free(conf);
}

void
conf_locate(const struct conf *conf, const char *error, char *ret, size_t size)
{
	const char *place = NULL;

	for (size_t i = 0; conf->places && i < N_PARAMETERS; i++) {
		size_t len = strlen(parameters[i].name);

		if (strncmp(error, parameters[i].name, len) == 0 &&
		    error[len] == ':')
			place = conf->places[i];
	}
	snprintf(ret, size, "%s%s", place ? place : "", error);
}

bool
conf_is_written(const struct conf *conf, const char *name)
{
	for (size_t i = 0; conf->places && i < N_PARAMETERS; i++)
		if (strcmp(parameters[i].name, name) == 0)
			return conf->places[i] != NULL;
	return false;
}

void
conf_print(const struct conf *conf, bool all, FILE *out)
{
	for (size_t i = 0; i < N_PARAMETERS; i++) {
		char buffer[VALUE_TEXT_MAX];
		const char *text = parameter_text(&parameters[i], conf, buffer);

		if (all || !parameter_is_default(&parameters[i], conf))
			fprintf(out, "%s =%s%s\n", parameters[i].name,
			    *text ? " " : "", text);
	}
}

bool
conf_parameter(size_t index, const char **ret_name, const char **ret_default)
{
	if (index >= N_PARAMETERS)
		return false;
	*ret_name = parameters[index].name;
	*ret_default = parameters[index].fallback;
	return true;
}
