// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What may stand in a configuration file: any octets. What is taken prints as
// lines that read back to the same values, each within the limits that the
// manual names, whether all are printed or those that differ; and saying it
// twice changes nothing. A refusal is one clean line that names the place.
//
// Under test: src/base/conf.c src/base/parameter.c src/base/value.c
// Under test: src/base/lines.c
#include "config.h"

#include "input.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "base/conf.h"

#define FILE_MAX (1u << 20) // octets; from there on it is refused

static int file = -1;
static char path[32];

static void
write_file(const void *first, size_t len, const void *second, size_t more)
{
	if (file < 0) {
		file = memfd_create("conf", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	REQUIRE(ftruncate(file, 0) == 0);
	REQUIRE(pwrite(file, first, len, 0) == (ssize_t)len);
	REQUIRE(pwrite(file, second, more, (off_t)len) == (ssize_t)more);
}

static void
check_error(int r, const char error[CONF_ERROR_MAX])
{
	size_t len = strnlen(error, CONF_ERROR_MAX);

	REQUIRE(r == -EINVAL);
	REQUIRE(len < CONF_ERROR_MAX && len > strlen(path));
	REQUIRE(strncmp(error, path, strlen(path)) == 0);
	for (size_t i = 0; i < len; i++)
		REQUIRE((unsigned char)error[i] >= ' ' && error[i] != 0x7f);
}

static struct conf *
read_conf(void)
{
	struct conf *conf = NULL;
	char error[CONF_ERROR_MAX];

	memset(error, '\x01', sizeof(error));
	int r = conf_read(path, NULL, 0, &conf, error);
	if (r == 0)
		return conf;
	REQUIRE(conf == NULL);
	check_error(r, error);
	return NULL;
}

// The limits of danemapd.conf(5).
static void
check_limits(const struct conf *conf)
{
	REQUIRE(conf->workers <= 48);
	REQUIRE(conf->resolvers >= 1 && conf->resolvers <= 16);
	REQUIRE(conf->cache_size >= 4u << 20);
	REQUIRE(conf->cache_min_ttl_s >= 1 && conf->cache_error_ttl_s >= 1);
	REQUIRE(conf->cache_min_ttl_s <= conf->cache_max_ttl_s);
	REQUIRE(conf->cache_error_ttl_s <= conf->cache_max_ttl_s);
	REQUIRE(conf->cache_max_ttl_s <= 28 * 86400);
	REQUIRE(conf->cache_stale_ttl_s <= 28 * 86400);
	REQUIRE(conf->query_timeout_s >= 1 && conf->query_timeout_s <= 90);
	REQUIRE(conf->query_concurrency >= 1 && conf->max_connections >= 1);
	REQUIRE(conf->log_level >= LOG_ERR && conf->log_level <= LOG_DEBUG);
	REQUIRE(conf->listen[0] != '\0' && conf->user[0] != '\0');
	REQUIRE(conf->cache_file[0] != '\0');
}

// The caller frees it.
static char *
print(const struct conf *conf, bool all)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out != NULL);
	conf_print(conf, all, out);
	REQUIRE(fclose(out) == 0 && strlen(text) == len);
	return text;
}

static void
check_same_texts(const struct conf *a, const struct conf *b)
{
	REQUIRE(strcmp(a->listen, b->listen) == 0);
	REQUIRE(strcmp(a->user, b->user) == 0);
	REQUIRE(strcmp(a->cache_file, b->cache_file) == 0);
	REQUIRE(strcmp(a->trust_anchor_file, b->trust_anchor_file) == 0);
	REQUIRE(strcmp(a->root_hints_file, b->root_hints_file) == 0);
	REQUIRE(strcmp(a->forward, b->forward) == 0);
	REQUIRE(strcmp(a->resolver_config, b->resolver_config) == 0);
	REQUIRE(strcmp(a->policy_file, b->policy_file) == 0);
	REQUIRE(strcmp(a->control_socket, b->control_socket) == 0);
}

static void
check_same_numbers(const struct conf *a, const struct conf *b)
{
	REQUIRE(a->workers == b->workers && a->resolvers == b->resolvers);
	REQUIRE(a->cache_size == b->cache_size);
	REQUIRE(a->cache_min_ttl_s == b->cache_min_ttl_s);
	REQUIRE(a->cache_max_ttl_s == b->cache_max_ttl_s);
	REQUIRE(a->cache_error_ttl_s == b->cache_error_ttl_s);
	REQUIRE(a->cache_stale_ttl_s == b->cache_stale_ttl_s);
	REQUIRE(a->query_timeout_s == b->query_timeout_s);
	REQUIRE(a->query_concurrency == b->query_concurrency);
	REQUIRE(a->max_connections == b->max_connections);
	REQUIRE(a->idle_timeout_s == b->idle_timeout_s);
	REQUIRE(a->allow_remote == b->allow_remote);
	REQUIRE(a->sandbox == b->sandbox && a->log_level == b->log_level);
	REQUIRE(a->log_target == b->log_target);
	REQUIRE(a->dialect.no_dane_reply == b->dialect.no_dane_reply);
	REQUIRE(a->dialect.insecure_may == b->dialect.insecure_may);
	REQUIRE(a->dialect.empty_tlsa_ignore == b->dialect.empty_tlsa_ignore);
	REQUIRE(a->dialect.fingerprint_sha512 == b->dialect.fingerprint_sha512);
}

// What stands in the file now must be that configuration.
static void
expect(const struct conf *wanted)
{
	struct conf *conf = read_conf();

	REQUIRE(conf != NULL);
	check_same_texts(conf, wanted);
	check_same_numbers(conf, wanted);
	conf_free(conf);
}

static void
expect_printed(const char *text, const struct conf *wanted)
{
	if (strlen(text) > FILE_MAX)
		return;
	write_file(text, strlen(text), "", 0);
	expect(wanted);
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static size_t
count_parameters(void)
{
	const char *name, *fallback;
	size_t n = 0;

	while (conf_parameter(n, &name, &fallback))
		n++;
	return n;
}

static void
check_taken(const struct conf *conf, const uint8_t *data, size_t size)
{
	char *all = print(conf, true), *differing = print(conf, false);

	check_limits(conf);
	REQUIRE(count_lines(all) == count_parameters());
	expect_printed(all, conf);
	expect_printed(differing, conf);
	if (2 * size < FILE_MAX) {
		write_file(data, size, "\n", 1);
		REQUIRE(
		    pwrite(file, data, size, (off_t)size + 1) == (ssize_t)size);
		expect(conf);
	}
	free(all);
	free(differing);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	write_file(data, size, "", 0);
	struct conf *conf = read_conf();

	if (conf == NULL)
		return 0;
	REQUIRE(size <= FILE_MAX);
	check_taken(conf, data, size);
	conf_free(conf);
	return 0;
}
