// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A file that somebody cuts while it is mapped raises SIGBUS at the next touch
// past its new end. The guard maps zeros over the whole mapping instead and
// remembers that it is dead; any other SIGBUS ends the process as ever.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define GUARD_MAPPINGS_MAX 8 // of one process at a time

// Installs the handler and guards one mapping. Its number, or -EMFILE or
// another negative errno.
int guard_add(void *base, size_t len);
void guard_remove(int number);

bool guard_is_dead(int number);
