// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A text in memory, under a path: for a library that takes nothing but the
// names of files. Needs /proc.
#pragma once

struct memfile {
	int fd; // -1: none
	char path[32];
};

#define MEMFILE_NONE     \
	{                \
		.fd = -1 \
	}

// The file ends in one newline more: where a quote is still open at the end of
// a file, libunbound's lexer ends the process. 0 or a negative errno, and then
// ret is as MEMFILE_NONE.
int memfile_open(const char *text, struct memfile *ret);
void memfile_close(struct memfile *file);
