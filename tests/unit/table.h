// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Tests are tables and their rows are sentences: each row becomes a cmocka test
// of its own, named by its sentence, reported as TAP.
#pragma once

// cmocka wants these before itself.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <stdlib.h>

#define TABLE_TESTS_MAX 2048

static struct CMUnitTest table_tests[TABLE_TESTS_MAX];
static size_t table_n_tests;

static inline void
table_add(const char *sentence, CMUnitTestFunction run, const void *row)
{
	assert(table_n_tests < TABLE_TESTS_MAX);
	table_tests[table_n_tests++] = (struct CMUnitTest){
		.name = sentence,
		.test_func = run,
		.initial_state = (void *)(uintptr_t)row,
	};
}

// Adds each row of an array whose first member is `const char *sentence`.
#define TABLE_ADD(rows, run)                                                   \
	do {                                                                   \
		for (size_t i_ = 0; i_ < sizeof(rows) / sizeof(rows[0]); i_++) \
			table_add(rows[i_].sentence, run, &rows[i_]);          \
	} while (0)

static inline int
table_run(const char *group)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests(
	    group, table_tests, table_n_tests, NULL, NULL);
}
