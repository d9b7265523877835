// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One daemon a cache. An fcntl lock belongs to a process, ends with it and is
// not inherited by its children; but it ends as well when the process closes
// any descriptor of the file. So this keeps a single descriptor a file,
// however many caches at that path the process has open.
#pragma once

#include "cache/cache.h"

#define LOCK_FILES_MAX 4 // of one process at a time
#define LOCK_WAIT_MS 1000
#define LOCK_PAUSE_MS 50

// Takes PATH.lock, trying for LOCK_WAIT_MS. Its number, or -EBUSY (another
// process has it) or another negative errno; error says what and where.
int lock_take(const struct cache_settings *settings,
    char ret_error[CACHE_ERROR_MAX]);
void lock_release(int number);

// In a child: the descriptors are of no use there. The parent keeps its locks.
void lock_forget(void);
