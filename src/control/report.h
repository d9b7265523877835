// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The status pages of all processes, added up and put into words. Pure.
#pragma once

#include "base/status.h"

#include <stddef.h>

#define REPORT_MAX 1024

// One JSON object without a newline, NUL-terminated. Returns its length.
size_t report_write(
    const struct status_page *pages, unsigned n_pages, char ret[REPORT_MAX]);
