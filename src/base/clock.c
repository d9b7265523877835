// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Two clocks and their difference. CLOCK_BOOTTIME goes on while the machine
// sleeps and cannot be set, so nobody prolongs trust by setting a clock back.
#include "config.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#define STEP_MS 5000

static int64_t
read_ms(clockid_t id)
{
	struct timespec now;
	int error = clock_gettime(id, &now);

	// Cannot fail on a kernel that has the clock: Linux 2.6.39 and later.
	assert(error == 0);
	(void)error;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t
clock_boot_ms(void)
{
	return (uint64_t)read_ms(CLOCK_BOOTTIME);
}

uint64_t
clock_cpu_ms(void)
{
	return (uint64_t)read_ms(CLOCK_PROCESS_CPUTIME_ID);
}

static int64_t
read_offset_ms(void)
{
	return read_ms(CLOCK_REALTIME) - read_ms(CLOCK_BOOTTIME);
}

static bool
is_step(int64_t from_ms, int64_t to_ms)
{
	return from_ms != 0 && llabs(to_ms - from_ms) > STEP_MS;
}

bool
clock_was_set(int64_t *offset_ms)
{
	int64_t before = *offset_ms;

	*offset_ms = read_offset_ms();
	return is_step(before, *offset_ms);
}

bool
clock_is_off(int64_t offset_ms)
{
	return is_step(offset_ms, read_offset_ms());
}
