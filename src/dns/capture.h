// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What is printed on standard error meanwhile: libunbound's parser says there,
// and nowhere else, what it does not like.
#pragma once

#define CAPTURE_MAX 256

struct capture {
	int saved, file; // -1: not capturing, and then all goes where it went
};

void capture_begin(struct capture *capture);

// Puts standard error back. ret: the first line printed, without a logger's
// decoration; empty if there was none.
void capture_end(struct capture *capture, char ret[CAPTURE_MAX]);
