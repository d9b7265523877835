// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The configuration: `name = value` as main.cf, all of it in one table
// (conf.c). A parsed configuration never changes; a reload makes another.
#pragma once

#include "policy/dialect.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_ERROR_MAX 512

enum conf_log_target { CONF_LOG_AUTO = 0, CONF_LOG_JOURNAL, CONF_LOG_SYSLOG,
	CONF_LOG_STDERR };

// Strings are never NULL; empty means unset.
struct conf {
	const char *listen, *user, *cache_file;
	const char *trust_anchor_file, *root_hints_file, *forward;
	const char *resolver_config, *policy_file;
	const char *control_socket;
	unsigned workers; // 0: auto
	unsigned resolvers;
	uint64_t cache_size; // octets
	uint32_t cache_min_ttl_s, cache_max_ttl_s, cache_error_ttl_s,
	    cache_stale_ttl_s;
	uint32_t query_timeout_s;
	unsigned query_concurrency;
	unsigned max_connections;
	uint32_t idle_timeout_s; // 0: never
	bool allow_remote;
	bool sandbox;
	int log_level; // syslog priority: LOG_ERR .. LOG_DEBUG
	enum conf_log_target log_target;
	struct dialect_settings dialect;
	char **places; // of conf_locate; NULL: none is known
};

// path NULL: the default file, which may be missing; else it must be there.
// error: "FILE:LINE: what, and the nearest known name or the values that
// would do"; an override is NAME=VALUE, and named as "-o NAME=VALUE: ...". The
// caller frees ret.
int conf_read(const char *path, const char *const overrides[],
    size_t n_overrides, struct conf **ret, char ret_error[CONF_ERROR_MAX]);
void conf_free(struct conf *conf);

// What is wrong with a value is often found by those who use it, whose errors
// begin with the parameter's name and a colon. Writes such an error with the
// place before it where the value was written, as conf_read has it; any other,
// or one about a default, as it is. ret may not be error.
void conf_locate(
    const struct conf *conf, const char *error, char *ret, size_t size);

// Whether somebody wrote a value for it, be it the default.
bool conf_is_written(const struct conf *conf, const char *name);

// As postconf -n: those that differ from their defaults, or all.
void conf_print(const struct conf *conf, bool all, FILE *out);

// The table's names and defaults, for the test of the sample file; false past
// the end.
bool conf_parameter(size_t index, const char **ret_name,
    const char **ret_default);

#define CONF_DEFAULT_FILE SYSCONFDIR "/danemap/danemapd.conf"
