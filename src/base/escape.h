// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Octets of unknown origin, made fit for a line that people and programs read.
// Pure; knows nothing of where the line goes.
#pragma once

#include <stddef.h>

enum escape_what {
	ESCAPE_ALL = 0,  // all but printable ASCII, and '"' and '\\' as well
	ESCAPE_CONTROLS, // for text whose parts were escaped before
};

// "\n", "\t", "\r", else "\xHH". What does not fit is left out from the end,
// marked by "...". ret is NUL-terminated (size is at least 8); returns its
// length.
size_t escape_text(enum escape_what what, const char *text, size_t len,
    char *ret, size_t size);
