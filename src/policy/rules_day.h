// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Days of the Gregorian calendar, UTC, as rules name them: YYYY-MM-DD and the
// number of days since 1970-01-01. Pure; knows no clock.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RULES_DAY_LEN  10
#define RULES_DAY_LAST 2932896 // 9999-12-31

// 0, or -EINVAL for what is no day from 1970 to 9999.
int rules_day_parse(const char *text, size_t len, int32_t *ret);

// day is between 0 and RULES_DAY_LAST.
const char *rules_day_text(int32_t day, char ret[RULES_DAY_LEN + 1]);

// The day of a time in seconds since 1970-01-01 UTC, kept within those above.
int32_t rules_day(int64_t time_s);
