// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Time: CLOCK_BOOTTIME in milliseconds for everything that is trusted, the
// wall clock only to notice when somebody sets it, and processor time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_boot_ms(void);

// Processor time that this process has used.
uint64_t clock_cpu_ms(void);

// True if the wall clock was set by more than 5 s against CLOCK_BOOTTIME since
// the last call with the same offset; 0 at first.
bool clock_was_set(int64_t *offset_ms);

// The same without a new look: true until clock_was_set takes the new offset.
bool clock_is_off(int64_t offset_ms);
