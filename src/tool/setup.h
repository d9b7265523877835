// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Where a command takes the daemon's configuration from: -c FILE and any
// number of -o NAME=VALUE, as danemapd itself.
#pragma once

#include "base/conf.h"
#include "policy/rules.h"

#include <stdbool.h>
#include <stddef.h>

#define SETUP_OVERRIDES_MAX 64
// For getopt, beside the command's own.
#define SETUP_OPTIONS       "c:o:"

struct setup {
	const char *config_file; // NULL: the default
	const char *overrides[SETUP_OVERRIDES_MAX];
	size_t n_overrides;
};

// False if option is neither, or there are too many of them.
bool setup_take(struct setup *setup, int option, const char *value);

// EX_OK, or EX_CONFIG with the error printed. The caller frees ret.
int setup_read(const struct setup *setup, struct conf **ret);

// The policy file of a configuration; ret is NULL if it names none. EX_OK, or
// EX_CONFIG with the error printed. Free by rulefile_free.
int setup_rules(const struct conf *conf, struct rules **ret);

// Prints an error that a value of conf has led to, with the place of that
// value. Returns EX_CONFIG.
int setup_fail(const struct conf *conf, const char *error);

// The day that rules are held against.
int32_t setup_today(void);
