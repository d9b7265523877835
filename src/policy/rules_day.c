// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Dates are few and read once: years and months are counted one by one, which
// is plain to see.

#include "config.h"

#include "policy/rules_day.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#define YEAR_FIRST 1970
#define YEAR_LAST  9999
#define S_A_DAY    86400

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_of_year(int year)
{
	return is_leap(year) ? 366 : 365;
}

// month is 1 to 12.
static int
days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

// -1: not all of them are digits.
static int
number(const char *digits, size_t n)
{
	int value = 0;
	for (size_t i = 0; i < n; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		value = value * 10 + (digits[i] - '0');
	}
	return value;
}

int
rules_day_parse(const char *text, size_t len, int32_t *ret)
{
	if (len != RULES_DAY_LEN || text[4] != '-' || text[7] != '-')
		return -EINVAL;
	int year = number(text, 4);
	int month = number(text + 5, 2), day = number(text + 8, 2);
	if (year < YEAR_FIRST || month < 1 || month > 12 || day < 1 ||
	    day > days_of_month(year, month))
		return -EINVAL;

	int32_t days = day - 1;
	for (int m = 1; m < month; m++)
		days += days_of_month(year, m);
	for (int y = YEAR_FIRST; y < year; y++)
		days += days_of_year(y);
	*ret = days;
	return 0;
}

const char *
rules_day_text(int32_t day, char ret[RULES_DAY_LEN + 1])
{
	int year = YEAR_FIRST, month = 1;

	for (; day >= days_of_year(year) && year < YEAR_LAST; year++)
		day -= days_of_year(year);
	for (; month < 12 && day >= days_of_month(year, month); month++)
		day -= days_of_month(year, month);
	// The remainders change nothing; they tell the compiler what fits.
	snprintf(ret, RULES_DAY_LEN + 1, "%04u-%02u-%02u",
	    (unsigned)year % 10000, (unsigned)month % 100,
	    ((unsigned)day + 1) % 100);
	return ret;
}

int32_t
rules_day(int64_t time_s)
{
	if (time_s < 0)
		return 0;
	int64_t day = time_s / S_A_DAY;
	return day < RULES_DAY_LAST ? (int32_t)day : RULES_DAY_LAST;
}
