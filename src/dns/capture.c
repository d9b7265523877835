// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Standard error on loan to a memory file. For processes of one thread, and
// for moments; where it cannot be had, nothing is lost but a clear message.
#include "config.h"

#include "dns/capture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void
capture_begin(struct capture *capture)
{
	(void)fflush(stderr);
	capture->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	capture->file = memfd_create("stderr", MFD_CLOEXEC);
	if (capture->saved >= 0 && capture->file >= 0 &&
	    dup2(capture->file, STDERR_FILENO) >= 0)
		return;
	if (capture->saved >= 0)
		close(capture->saved);
	if (capture->file >= 0)
		close(capture->file);
	capture->saved = capture->file = -1;
}

// "[1795383736] libunbound[17179:0] error: text" to "text".
static const char *
undecorated(const char *line)
{
	const char *at = strstr(line, "] error: ");

	return at != NULL ? at + strlen("] error: ") : line;
}

void
capture_end(struct capture *capture, char ret[CAPTURE_MAX])
{
	char text[CAPTURE_MAX] = "";
	ssize_t n;

	ret[0] = '\0';
	if (capture->file < 0)
		return;
	(void)fflush(stderr);
	(void)dup2(capture->saved, STDERR_FILENO);
	n = pread(capture->file, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(ret, CAPTURE_MAX, "%s", undecorated(text));
	close(capture->saved);
	close(capture->file);
	capture->saved = capture->file = -1;
}
