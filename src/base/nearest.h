// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How far apart two names are, to ask "did you mean". Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define NEAREST_NAME_MAX 48

// Insertions, deletions and replacements that make one of the other
// (Levenshtein); names longer than NEAREST_NAME_MAX are infinitely far.
size_t nearest_distance(const char *a, const char *b);

// Whether a distance is small enough for a slip of the hand.
bool nearest_is_slip(const char *meant, size_t distance);
