// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Memory that runs out where a test says: one allocation of the code that is
// linked with this, the next or any later one, is refused. Programs that
// include this are linked with $(SCARCE_WRAP).
#pragma once

#include "table.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SCARCE_MAX 1000 // allocations of one attempt

static struct {
	unsigned refuse; // 0: none; 1: the next one
	bool was_refused;
	int n_held; // since the beginning
} scarce;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
void __real_free(void *memory);
void __wrap_free(void *memory);

static bool
scarce_refuses(void)
{
	if (scarce.refuse == 0 || --scarce.refuse > 0)
		return false;
	scarce.was_refused = true;
	errno = ENOMEM;
	return true;
}

static void *
scarce_hold(void *memory)
{
	scarce.n_held += memory != NULL;
	return memory;
}

void *
__wrap_malloc(size_t size)
{
	return scarce_refuses() ? NULL : scarce_hold(__real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return scarce_refuses() ? NULL : scarce_hold(__real_calloc(n, size));
}

char *
__wrap_strdup(const char *text)
{
	return scarce_refuses() ? NULL : scarce_hold(__real_strdup(text));
}

void
__wrap_free(void *memory)
{
	scarce.n_held -= memory != NULL;
	__real_free(memory);
}

// The n-th allocation from here on is refused, n from 1.
static void
scarce_begin(unsigned n)
{
	assert_true(n < SCARCE_MAX);
	scarce.refuse = n;
	scarce.was_refused = false;
	scarce.n_held = 0;
}

// Whether it came to that. All that was taken must have been given back.
static bool
scarce_end(void)
{
	scarce.refuse = 0;
	assert_int_equal(scarce.n_held, 0);
	return scarce.was_refused;
}
