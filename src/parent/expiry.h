// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Rules that have ended or are about to, said to people: an exemption that
// ends by itself must not do so behind anybody's back.
#pragma once

#include "policy/rules.h"

#include <stdbool.h>

#define EXPIRY_SOON_DAYS 14
#define EXPIRY_LINES_MAX 20 // then their number
#define EXPIRY_TEXT_MAX  640

// Says one line for each such rule, in the order of the file.
void expiry_report(const struct rules *rules, const char *file, int32_t today,
    void (*say)(const char *text));
