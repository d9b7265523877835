// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A policy file from the disk into memory that processes share: read once,
// before they are forked, then never written again. Knows files and memory;
// what rules say is policy/rules.h.
#pragma once

#include "policy/rules.h"

// U-labels and service names are those of idn.h and services.h: call
// services_read first. 0, or a negative errno with an error that names the
// file, for -EINVAL with line and column. Free by rulefile_free.
int rulefile_read(
    const char *path, struct rules **ret, char ret_error[RULES_ERROR_MAX]);

// Of this process alone; may be NULL.
void rulefile_free(struct rules *rules);
