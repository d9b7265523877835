// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Logical lines by the habits of Postfix's files (postconf(5)): a line whose
// first visible character is '#' is a comment, a line that starts with white
// space continues the one before, and blank lines and comments do not end it.
// Knows nothing of what the lines say.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct lines {
	char *at, *end;  // what is still to be read
	unsigned number; // of the physical line at `at`, from 1
};

struct lines_line {
	char *text; // NUL-terminated, no white space at either end
	size_t len;
	unsigned number; // of its first physical line
	bool orphan;     // a continuation of nothing
};

// text is joined in place, must have room for one octet more, and must outlive
// the lines taken from it.
void lines_begin(struct lines *lines, char *text, size_t len);

// False at the end. The parts of a continued line are joined by one blank; CR
// before a line's end counts as white space.
bool lines_next(struct lines *lines, struct lines_line *ret);
